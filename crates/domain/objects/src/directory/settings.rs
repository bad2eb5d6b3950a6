//! Settings of buckets: one row a bucket that has others than a new one.

use headwater_catalog::{CatalogError, Expect};

use super::{Store, objects::encrypted};
use crate::{
    Attributes, BucketName, BucketSettings, Encryption, EncryptionMethod, ObjectError, Setting,
    limits::COMMIT_ATTEMPTS,
};

impl Store {
    /// The settings of a bucket, which must be there.
    pub(super) async fn settings(
        &self,
        bucket: &BucketName,
    ) -> Result<BucketSettings, ObjectError> {
        let found = self.tables.settings.get(bucket.as_str()).await?;
        match found {
            Some(found) => Ok(found.value),
            None => self.bucket(bucket).await.map(|_| BucketSettings::default()),
        }
    }

    pub(super) async fn set(
        &self,
        bucket: &BucketName,
        setting: Setting,
    ) -> Result<(), ObjectError> {
        if let Setting::Encryption(encryption) = &setting {
            encrypted(&Attributes {
                encryption: encryption.clone(),
                ..Attributes::default()
            })?;
        }
        let _shared = self.membership.read().await;
        self.bucket(bucket).await?;
        for _ in 0..COMMIT_ATTEMPTS {
            let found = self.tables.settings.get(bucket.as_str()).await?;
            let (mut settings, expect) = match found {
                Some(found) => (found.value, Expect::At(found.version)),
                None => (BucketSettings::default(), Expect::Absent),
            };
            settings.set(setting.clone());
            let table = &self.tables.settings;
            match table.write(bucket.as_str(), &settings, expect).await {
                Err(CatalogError::Conflict { .. }) => continue,
                written => return Ok(written.map(drop)?),
            }
        }
        Err(ObjectError::Busy)
    }

    /// The attributes of an object that is to be written into `bucket`, with the encryption that is done.
    pub(super) async fn encrypted(
        &self,
        bucket: &BucketName,
        asked: &Attributes,
    ) -> Result<Attributes, ObjectError> {
        let setting = self.settings(bucket).await?.encryption;
        let by_bucket = setting.as_ref().and_then(|setting| setting.bucket_key);
        // Keys of buckets are those of the one method. A writer who asks for that and says nothing of them gets what the
        // bucket says (AWS's guide, "Configuring an S3 Bucket Key at the object level").
        let encryption = asked.encryption.clone().or(setting);
        let encryption = encryption.map(|encryption| Encryption {
            bucket_key: match encryption.method {
                EncryptionMethod::KeyService => encryption.bucket_key.or(by_bucket),
                _ => None,
            },
            ..encryption
        });
        encrypted(&Attributes {
            encryption,
            ..asked.clone()
        })
    }
}
