//! Writing, replacing and deleting objects.

use std::collections::BTreeMap;

use headwater_catalog::{CatalogError, Change, Expect, Versioned};

use super::{
    Store,
    records::{Data, ObjectRecord, object_row},
};
use crate::{
    Attributes, Body, Delete, Encryption, EncryptionMethod, ObjectError, ObjectInfo, ObjectName,
    Put, WriteCondition,
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
        let attributes = encrypted(&put.attributes)?;
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
        match self
            .replace(
                &put.name,
                Some(&record),
                &[self.tables.name_blob(blob)],
                &put.condition,
            )
            .await
        {
            Ok(()) => Ok(record.info(put.name.key())),
            Err(error) => {
                // After a failure of the catalog it is not known whether the blob is named: the sweep finds out.
                if !matches!(error, ObjectError::Catalog(_)) {
                    self.blobs.remove(vec![blob]).await;
                }
                Err(error)
            }
        }
    }

    pub(super) async fn delete(&self, delete: &Delete) -> Result<(), ObjectError> {
        let _shared = self.membership.read().await;
        self.replace(&delete.name, None, &[], &delete.condition)
            .await
    }

    pub(super) async fn set_tags(
        &self,
        name: &ObjectName,
        tags: BTreeMap<String, String>,
    ) -> Result<(), ObjectError> {
        for _ in 0..COMMIT_ATTEMPTS {
            let Versioned {
                value: mut record,
                version,
            } = self.find(name).await?;
            record.attributes.tags = tags.clone();
            match self
                .tables
                .objects
                .write(&object_row(name), &record, Expect::At(version))
                .await
            {
                Err(CatalogError::Conflict { .. }) => continue,
                written => return Ok(written.map(drop)?),
            }
        }
        Err(ObjectError::Busy)
    }

    /// The row of an object that must be there.
    pub(super) async fn find(
        &self,
        name: &ObjectName,
    ) -> Result<Versioned<ObjectRecord>, ObjectError> {
        match self.tables.objects.get(&object_row(name)).await? {
            Some(found) => Ok(found),
            None => {
                self.bucket(name.bucket()).await?;
                Err(ObjectError::NoSuchKey(name.key().to_owned()))
            }
        }
    }

    /// In one commit with the changes `with`: `new`, or nothing, in the place of the object `name`, whose data is
    /// then removed. The caller holds `membership`.
    pub(super) async fn replace(
        &self,
        name: &ObjectName,
        new: Option<&ObjectRecord>,
        with: &[Change],
        condition: &WriteCondition,
    ) -> Result<(), ObjectError> {
        self.bucket(name.bucket()).await?;
        let row = object_row(name);
        for _ in 0..COMMIT_ATTEMPTS {
            let old = self.tables.objects.get(&row).await?;
            condition.check(
                name.key(),
                old.as_ref().map(|found| found.value.etag.as_str()),
            )?;
            let expect = old
                .as_ref()
                .map_or(Expect::Absent, |found| Expect::At(found.version));
            let mut changes = match (new, &old) {
                (Some(new), _) => vec![self.tables.objects.put(&row, new, expect)],
                (None, Some(_)) => vec![self.tables.objects.delete(&row, expect)],
                (None, None) => return Ok(()),
            };
            changes.extend_from_slice(with);
            let data = old.map(|found| found.value.data);
            let freed = match &data {
                Some(data) => self.forget(data, &mut changes).await?,
                None => Vec::new(),
            };
            match self.tables.catalog.commit(changes).await {
                Err(CatalogError::Conflict { .. }) => continue,
                committed => committed?,
            };
            if let Some(data) = data {
                self.pins.retire(&data.name(), freed).await;
            }
            return Ok(());
        }
        Err(ObjectError::Busy)
    }

    /// Adds the changes that take `data` out of the catalog; the blobs that nothing names afterwards.
    async fn forget(
        &self,
        data: &Data,
        changes: &mut Vec<Change>,
    ) -> Result<Vec<BlobId>, ObjectError> {
        let blobs = match data {
            Data::Blob(blob) => vec![*blob],
            Data::Parts { upload, .. } => {
                changes.push(self.tables.manifests.delete(upload, Expect::Any));
                self.extents(data, 0)
                    .await?
                    .into_iter()
                    .map(|extent| extent.blob)
                    .collect()
            }
        };
        changes.extend(blobs.iter().map(|blob| self.tables.forget_blob(*blob)));
        Ok(blobs)
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
