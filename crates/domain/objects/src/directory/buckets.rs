//! Buckets.

use headwater_catalog::{CatalogError, Expect};

use super::{Store, records::BucketRecord};
use crate::{BucketInfo, BucketName, BucketQuery, ObjectError, limits::PAGE_MAX};

impl Store {
    pub(super) async fn create_bucket(&self, bucket: &BucketName) -> Result<(), ObjectError> {
        let record = BucketRecord {
            created: self.env.clock.now(),
        };
        match self
            .tables
            .buckets
            .write(bucket.as_str(), &record, Expect::Absent)
            .await
        {
            Err(CatalogError::Conflict { .. }) => {
                Err(ObjectError::BucketExists(bucket.to_string()))
            }
            written => Ok(written.map(drop)?),
        }
    }

    pub(super) async fn bucket(&self, bucket: &BucketName) -> Result<BucketInfo, ObjectError> {
        match self.tables.buckets.get(bucket.as_str()).await? {
            Some(found) => Ok(BucketInfo {
                name: bucket.clone(),
                created: found.value.created,
            }),
            None => Err(ObjectError::NoSuchBucket(bucket.to_string())),
        }
    }

    pub(super) async fn list_buckets(
        &self,
        query: &BucketQuery,
    ) -> Result<Vec<BucketInfo>, ObjectError> {
        let rows = self
            .tables
            .buckets
            .scan(&query.prefix, query.after.as_deref(), query.limit)
            .await?;
        let bucket = |name: &str, created| {
            Ok(BucketInfo {
                name: BucketName::parse(name)?,
                created,
            })
        };
        rows.into_iter()
            .map(|(name, row)| bucket(&name, row.value.created))
            .collect()
    }

    pub(super) async fn delete_bucket(&self, bucket: &BucketName) -> Result<(), ObjectError> {
        let _alone = self.membership.write().await;
        self.bucket(bucket).await?;
        let scope = format!("{bucket}/");
        if !self.tables.objects.scan(&scope, None, 1).await?.is_empty() {
            return Err(ObjectError::BucketNotEmpty(bucket.to_string()));
        }
        loop {
            let uploads = self.tables.uploads.scan(&scope, None, PAGE_MAX).await?;
            if uploads.is_empty() {
                break;
            }
            for (row, _) in uploads {
                self.remove_upload(&row).await?;
            }
        }
        Ok(self
            .tables
            .buckets
            .remove(bucket.as_str(), Expect::Any)
            .await?)
    }
}
