//! Buckets.

use headwater_objects::{BucketInfo, BucketName, BucketQuery, ObjectError};
use headwater_shapes_s3::{
    CreateBucketConfiguration, CreateBucketRequest, DeleteBucketRequest, HeadBucketRequest,
    ListBucketsRequest, ops,
};

use crate::{S3Store, answers, errors::About};

impl S3Store {
    pub(crate) async fn create_bucket(&self, bucket: &BucketName) -> Result<(), ObjectError> {
        // In the oldest region S3 answers a second creation as it does the first, so it is asked before.
        if self.has_bucket(bucket).await? {
            return Err(ObjectError::BucketExists(bucket.to_string()));
        }
        let region = self
            .client
            .config()
            .region
            .clone()
            .filter(|region| region != "us-east-1");
        let input = CreateBucketRequest {
            bucket: bucket.to_string(),
            create_bucket_configuration: region.map(|region| CreateBucketConfiguration {
                location_constraint: Some(region),
                ..Default::default()
            }),
            ..Default::default()
        };
        let made = self.client.call::<ops::CreateBucket>(input).await;
        made.map(drop)
            .map_err(|error| About::bucket(bucket).error(error))
    }

    /// S3 tells a bucket's age in the list of all alone.
    pub(crate) async fn bucket(&self, bucket: &BucketName) -> Result<BucketInfo, ObjectError> {
        if !self.has_bucket(bucket).await? {
            return Err(ObjectError::NoSuchBucket(bucket.to_string()));
        }
        let query = BucketQuery {
            prefix: bucket.to_string(),
            after: None,
            limit: 1,
        };
        let found = self.list_buckets(&query).await.unwrap_or_default();
        let created = found
            .first()
            .filter(|found| found.name == *bucket)
            .map(|found| found.created);
        Ok(BucketInfo {
            name: bucket.clone(),
            created: created.unwrap_or_default(),
        })
    }

    pub(crate) async fn has_bucket(&self, bucket: &BucketName) -> Result<bool, ObjectError> {
        let input = HeadBucketRequest {
            bucket: bucket.to_string(),
            ..Default::default()
        };
        match self.client.call::<ops::HeadBucket>(input).await {
            Ok(_) => Ok(true),
            Err(error) if error.status == Some(404) => Ok(false),
            Err(error) => Err(About::bucket(bucket).error(error)),
        }
    }

    pub(crate) async fn list_buckets(
        &self,
        query: &BucketQuery,
    ) -> Result<Vec<BucketInfo>, ObjectError> {
        let mut buckets = Vec::new();
        let mut token = None;
        loop {
            let input = ListBucketsRequest {
                prefix: Some(query.prefix.clone()).filter(|prefix| !prefix.is_empty()),
                continuation_token: token,
                max_buckets: Some(1000),
                ..Default::default()
            };
            let page = self.client.call::<ops::ListBuckets>(input).await;
            let page = page.map_err(|error| ObjectError::Remote(error.to_string().into()))?;
            for found in page.buckets.unwrap_or_default() {
                let name = BucketName::parse(found.name.as_deref().unwrap_or_default());
                // A store may hold buckets from before AWS's present rules; they cannot be named here.
                let Ok(name) = name else { continue };
                if query
                    .after
                    .as_deref()
                    .is_none_or(|after| name.as_str() > after)
                {
                    buckets.push(BucketInfo {
                        name,
                        created: answers::millis(found.creation_date),
                    });
                }
            }
            token = page.continuation_token;
            if token.is_none() || buckets.len() >= query.limit {
                buckets.truncate(query.limit);
                return Ok(buckets);
            }
        }
    }

    pub(crate) async fn delete_bucket(&self, bucket: &BucketName) -> Result<(), ObjectError> {
        let input = DeleteBucketRequest {
            bucket: bucket.to_string(),
            ..Default::default()
        };
        let deleted = self.client.call::<ops::DeleteBucket>(input).await;
        deleted
            .map(drop)
            .map_err(|error| About::bucket(bucket).error(error))
    }
}
