//! Buckets.

use headwater_catalog::{CatalogError, Expect, Versioned};

use super::{Store, records::BucketRecord};
use crate::{
    BucketInfo, BucketName, BucketQuery, BucketSettings, ObjectError, Versioning,
    limits::{COMMIT_ATTEMPTS, PAGE_MAX},
};

impl Store {
    pub(super) async fn create_bucket(
        &self,
        bucket: &BucketName,
        settings: &BucketSettings,
    ) -> Result<(), ObjectError> {
        let record = BucketRecord {
            created: self.env.clock.now(),
            versioning: None,
            lifecycle: None,
        };
        let (name, tables) = (bucket.as_str(), &self.tables);
        let mut changes = vec![tables.buckets.put(name, &record, Expect::Absent)];
        if *settings != BucketSettings::default() {
            changes.push(tables.settings.put(name, settings, Expect::Absent));
        }
        match tables.catalog.commit(changes).await {
            Err(CatalogError::Conflict { .. }) => {
                Err(ObjectError::BucketExists(bucket.to_string()))
            }
            written => Ok(written.map(drop)?),
        }
    }

    pub(super) async fn bucket(&self, bucket: &BucketName) -> Result<BucketInfo, ObjectError> {
        Ok(BucketInfo {
            name: bucket.clone(),
            created: self.bucket_record(bucket).await?.value.created,
        })
    }

    /// The row of a bucket that must be there.
    pub(super) async fn bucket_record(
        &self,
        bucket: &BucketName,
    ) -> Result<Versioned<BucketRecord>, ObjectError> {
        let found = self.tables.buckets.get(bucket.as_str()).await?;
        found.ok_or_else(|| ObjectError::NoSuchBucket(bucket.to_string()))
    }

    /// Writes are in a bucket that keeps versions or in one that does not, and never in one that just begins to.
    pub(super) async fn set_versioning(
        &self,
        bucket: &BucketName,
        versioning: Versioning,
    ) -> Result<(), ObjectError> {
        let _alone = self.membership.write().await;
        self.change_bucket(bucket, |record| record.versioning = Some(versioning))
            .await
    }

    /// Changes the row of a bucket.
    pub(super) async fn change_bucket(
        &self,
        bucket: &BucketName,
        change: impl Fn(&mut BucketRecord),
    ) -> Result<(), ObjectError> {
        for _ in 0..COMMIT_ATTEMPTS {
            let Versioned { mut value, version } = self.bucket_record(bucket).await?;
            change(&mut value);
            let (buckets, expect) = (&self.tables.buckets, Expect::At(version));
            match buckets.write(bucket.as_str(), &value, expect).await {
                Err(CatalogError::Conflict { .. }) => continue,
                written => return Ok(written.map(drop)?),
            }
        }
        Err(ObjectError::Busy)
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
        let record = self.bucket_record(bucket).await?.value;
        let scope = format!("{bucket}/");
        let has_objects = !self.tables.objects.scan(&scope, None, 1).await?.is_empty();
        match record.versioning {
            None if has_objects => return Err(ObjectError::BucketNotEmpty(bucket.to_string())),
            // There are earlier versions of a key only where it has a latest one.
            Some(_)
                if has_objects || !self.tables.markers.scan(&scope, None, 1).await?.is_empty() =>
            {
                return Err(ObjectError::VersionsLeft(bucket.to_string()));
            }
            _ => {}
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
        let gone = vec![
            self.tables.buckets.delete(bucket.as_str(), Expect::Any),
            self.tables.settings.delete(bucket.as_str(), Expect::Any),
        ];
        Ok(self.tables.catalog.commit(gone).await.map(drop)?)
    }
}
