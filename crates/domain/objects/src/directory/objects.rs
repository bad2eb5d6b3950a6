//! Writing, replacing and deleting objects.

use std::collections::BTreeMap;

use super::{
    Store,
    records::{Data, ObjectRecord},
};
use crate::{
    Attributes, Body, Delete, Deleted, Encryption, EncryptionMethod, NULL_VERSION, ObjectError,
    ObjectInfo, ObjectName, Put,
    blob::BlobId,
    checksum::{Digests, hex},
    limits::{COMMIT_ATTEMPTS, PUT_BYTES_MAX},
};

impl Store {
    /// Writes the bytes of an object, which nothing names yet.
    pub(super) async fn write_object(
        &self,
        put: &Put,
        body: Body,
    ) -> Result<(ObjectRecord, BlobId), ObjectError> {
        self.bucket(put.name.bucket()).await?;
        let attributes = self.encrypted(put.name.bucket(), &put.attributes).await?;
        let _permit = self.writers.enter().await?;
        let algorithm = put
            .expected
            .checksum
            .as_ref()
            .map(|(algorithm, _)| *algorithm)
            .unwrap_or_default();
        let written = self
            .blobs
            .write(body, PUT_BYTES_MAX, Digests::new([algorithm]))
            .await?;
        if let Err(wrong) = written.digests.check(&put.expected) {
            self.blobs.remove(vec![written.id]).await;
            return Err(wrong);
        }
        let record = ObjectRecord {
            size: written.size,
            etag: hex(&written.digests.md5),
            modified: self.env.clock.now(),
            attributes,
            checksum: Some(written.digests.checksum(algorithm)),
            data: Data::Blob(written.id),
            sealed: true,
            place: None,
        };
        Ok((record, written.id))
    }

    /// Makes a written object the one that its name stands for.
    pub(super) async fn publish(
        &self,
        put: &Put,
        record: ObjectRecord,
        blob: BlobId,
    ) -> Result<ObjectInfo, ObjectError> {
        let _shared = self.membership.read().await;
        let named = [self.tables.name_blob(blob)];
        match self
            .push(&put.name, Some(&record), &named, &put.condition)
            .await
        {
            Ok((version, bucket)) => Ok(bucket.tell(put.name.key(), record, version)),
            Err(error) => {
                // After a failure of the catalog it is not known whether the blob is named: the sweep finds out.
                if !matches!(error, ObjectError::Catalog(_)) {
                    self.blobs.remove(vec![blob]).await;
                }
                Err(error)
            }
        }
    }

    pub(super) async fn delete(&self, delete: &Delete) -> Result<Deleted, ObjectError> {
        let _shared = self.membership.read().await;
        let Delete {
            name,
            version,
            condition,
        } = delete;
        let versioning = self.bucket_record(name.bucket()).await?.value.versioning;
        let id = match (version, versioning) {
            (None, Some(_)) => {
                let (version, _) = self.push(name, None, &[], condition).await?;
                return Ok(Deleted {
                    version,
                    is_marker: true,
                });
            }
            (Some(id), None) if id != NULL_VERSION => {
                return Err(ObjectError::InvalidVersion(id.clone()));
            }
            (id, _) => id.as_deref().unwrap_or(NULL_VERSION),
        };
        self.remove_version(name, id, versioning, condition).await
    }

    pub(super) async fn set_tags(
        &self,
        name: &ObjectName,
        version: Option<&str>,
        tags: BTreeMap<String, String>,
    ) -> Result<Option<String>, ObjectError> {
        let bucket = self.bucket_record(name.bucket()).await?.value;
        for _ in 0..COMMIT_ATTEMPTS {
            let mut found = self.find(name, version, bucket.versioning).await?;
            found.record.attributes.tags = tags.clone();
            let version = bucket.version_of(&found.record);
            if self.rewrite(name, found).await? {
                return Ok(version);
            }
        }
        Err(ObjectError::Busy)
    }
}

/// The attributes with the encryption that is done: every object is encrypted once, under the installation's key. A
/// key that is named is kept.
pub(super) fn encrypted(asked: &Attributes) -> Result<Attributes, ObjectError> {
    let encryption = asked.encryption.clone().unwrap_or(Encryption::DEFAULT);
    if encryption.method == EncryptionMethod::KeyServiceTwice {
        return Err(ObjectError::Encryption(encryption.method));
    }
    if !encryption.names_key() {
        return Err(ObjectError::EncryptionKey(
            encryption.key.unwrap_or_default(),
        ));
    }
    Ok(Attributes {
        encryption: Some(encryption),
        ..asked.clone()
    })
}
