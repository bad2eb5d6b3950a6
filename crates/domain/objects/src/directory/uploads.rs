//! Uploads in parts.

use std::collections::HashSet;

use headwater_catalog::{CatalogError, Change, Expect, Versioned};

use super::{
    Store,
    objects::encrypted,
    records::{
        Data, Extent, ObjectRecord, PartRecord, UploadRecord, object_row, part_number, part_row,
        upload_row,
    },
};
use crate::{
    Body, Checksum, Complete, CompletePart, Coverage, ObjectError, ObjectInfo, ObjectName,
    PartInfo, PartListing, PutPart, Upload, UploadInfo,
    checksum::{self, Digests, hex},
    limits::{COMMIT_ATTEMPTS, PART_BYTES_MAX, PART_BYTES_MIN, PARTS_MAX},
};

impl UploadRecord {
    /// The upload as others see it.
    pub fn info(&self, key: &str, id: &str) -> UploadInfo {
        UploadInfo {
            key: key.to_owned(),
            id: id.to_owned(),
            created: self.created,
            algorithm: self.algorithm,
            coverage: self.coverage,
            encryption: self.attributes.encryption.clone(),
            storage_class: self.attributes.storage_class.clone(),
        }
    }
}

impl PartRecord {
    fn info(self, number: u32, upload: &UploadRecord) -> PartInfo {
        let checksum = |algorithm| Checksum {
            algorithm,
            value: self.checksum,
            coverage: Coverage::FullObject,
        };
        let checksum = upload.algorithm.map(checksum);
        PartInfo {
            number,
            size: self.size,
            etag: self.etag,
            modified: self.modified,
            checksum,
            encryption: upload.attributes.encryption.clone().filter(|_| self.sealed),
        }
    }
}

impl Store {
    pub(super) async fn create_upload(&self, upload: Upload) -> Result<UploadInfo, ObjectError> {
        let created = self.env.clock.now();
        // Uploads of one key are listed in the order in which they were begun, so an id starts with the time.
        let mut id = created.0.to_be_bytes()[2..].to_vec();
        id.resize(16, 0);
        self.env.random.fill(&mut id[6..]);
        let id = hex(&id);
        let found = self.tables.objects.get(&object_row(&upload.name)).await?;
        let record = UploadRecord {
            replaces: found.map(|found| found.value.data.name()),
            created,
            attributes: self
                .encrypted(upload.name.bucket(), &upload.attributes)
                .await?,
            algorithm: upload.algorithm,
            coverage: upload
                .algorithm
                .unwrap_or_default()
                .coverage(upload.coverage)?,
        };
        let _shared = self.membership.read().await;
        self.bucket(upload.name.bucket()).await?;
        self.tables
            .uploads
            .write(&upload_row(&upload.name, &id), &record, Expect::Absent)
            .await?;
        Ok(record.info(upload.name.key(), &id))
    }

    /// Writes the bytes of a part, which nothing names yet.
    pub(super) async fn write_part(
        &self,
        part: &PutPart,
        body: Body,
    ) -> Result<PartRecord, ObjectError> {
        if !(1..=PARTS_MAX).contains(&part.number) {
            return Err(ObjectError::PartNumber(part.number));
        }
        let upload = self.upload(&part.name, &part.upload).await?;
        let _permit = self.writers.enter().await?;
        let given = part
            .expected
            .checksum
            .as_ref()
            .map(|(algorithm, _)| *algorithm);
        let algorithm = upload.algorithm.unwrap_or_default();
        if let (Some(expected), Some(actual)) = (upload.algorithm, given)
            && expected != actual
        {
            return Err(ObjectError::OtherAlgorithm { expected, actual });
        }
        let digests = Digests::new([algorithm].into_iter().chain(given));
        let written = self.blobs.write(body, PART_BYTES_MAX, digests).await?;
        if let Err(wrong) = written.digests.check(&part.expected) {
            self.blobs.remove(vec![written.id]).await;
            return Err(wrong);
        }
        Ok(PartRecord {
            blob: written.id,
            size: written.size,
            etag: hex(&written.digests.md5),
            modified: self.env.clock.now(),
            checksum: written.digests.checksum(algorithm).value,
            sealed: true,
        })
    }

    /// Makes a written part the one of its number.
    pub(super) async fn publish_part(
        &self,
        part: &PutPart,
        record: PartRecord,
    ) -> Result<PartInfo, ObjectError> {
        let _shared = self.membership.read().await;
        match self.replace_part(part, &record).await {
            Ok(upload) => Ok(record.info(part.number, &upload)),
            Err(error) => {
                // After a failure of the catalog it is not known whether the blob is named: the sweep finds out.
                if !matches!(error, ObjectError::Catalog(_)) {
                    self.blobs.remove(vec![record.blob]).await;
                }
                Err(error)
            }
        }
    }

    async fn replace_part(
        &self,
        part: &PutPart,
        record: &PartRecord,
    ) -> Result<UploadRecord, ObjectError> {
        let upload = self.upload(&part.name, &part.upload).await?;
        let row = part_row(&part.upload, part.number);
        for _ in 0..COMMIT_ATTEMPTS {
            let old = self.tables.parts.get(&row).await?;
            let expect = old
                .as_ref()
                .map_or(Expect::Absent, |found| Expect::At(found.version));
            let old = old.map(|found| found.value.blob);
            let mut changes = vec![
                self.tables.parts.put(&row, record, expect),
                self.tables.name_blob(record.blob),
            ];
            changes.extend(old.map(|blob| self.tables.forget_blob(blob)));
            match self.tables.catalog.commit(changes).await {
                Err(CatalogError::Conflict { .. }) => continue,
                committed => committed?,
            };
            self.blobs.remove(old.into_iter().collect()).await;
            return Ok(upload);
        }
        Err(ObjectError::Busy)
    }

    pub(super) async fn complete_upload(
        &self,
        complete: &Complete,
    ) -> Result<ObjectInfo, ObjectError> {
        let Complete {
            name, upload: id, ..
        } = complete;
        let _alone = self.membership.write().await;
        let upload = match self.upload(name, id).await {
            Err(ObjectError::NoSuchUpload(_)) => return self.completed(name, id).await,
            found => found?,
        };
        self.check_order(complete, &upload).await?;
        let rows = self.all_parts(id).await?;
        let extents = choose(&complete.parts, &rows, &upload)?;
        // The checksums of parts are told where they were asked for.
        let is_told = upload.algorithm.is_some();
        let kept: Vec<_> = extents
            .iter()
            .map(|extent| Extent {
                checksum: extent.checksum.clone().filter(|_| is_told),
                ..*extent
            })
            .collect();
        let names: HashSet<_> = extents.iter().map(|extent| extent.blob).collect();
        let (used, unused): (Vec<_>, Vec<_>) = rows
            .iter()
            .map(|(_, part)| part)
            .partition(|part| names.contains(&part.blob));
        let record = ObjectRecord {
            // A part may be of the time before there was encryption.
            sealed: used.iter().all(|part| part.sealed),
            ..self.assemble(complete, upload, &extents)?
        };
        let unused: Vec<_> = unused.iter().map(|part| part.blob).collect();
        let mut changes = self.end_upload(&upload_row(name, id), id, &rows);
        changes.extend(unused.iter().map(|blob| self.tables.forget_blob(*blob)));
        changes.push(self.tables.manifests.put(id, &kept, Expect::Absent));
        let (version, bucket) = self
            .push(name, Some(&record), &changes, &complete.condition)
            .await?;
        self.blobs.remove(unused).await;
        Ok(bucket.tell(name.key(), record, version))
    }

    /// A condition compares the object with what the writer saw of it before the upload; it does not hold of one that
    /// was written or deleted in between. The caller holds `membership` alone.
    async fn check_order(
        &self,
        complete: &Complete,
        upload: &UploadRecord,
    ) -> Result<(), ObjectError> {
        let name = &complete.name;
        let Some(condition) = complete.condition.name() else {
            return Ok(());
        };
        let found = self.tables.objects.get(&object_row(name)).await?;
        let found = found.map(|found| found.value);
        let etag = found.as_ref().map(|object| object.etag.as_str());
        complete.condition.check(name.key(), etag)?;
        if found.map(|object| object.data.name()) != upload.replaces {
            let key = name.key().to_owned();
            return Err(ObjectError::Conflict { condition, key });
        }
        Ok(())
    }

    /// The object that `upload` makes of `extents`, as if all of them were encrypted.
    fn assemble(
        &self,
        complete: &Complete,
        upload: UploadRecord,
        extents: &[Extent],
    ) -> Result<ObjectRecord, ObjectError> {
        let algorithm = upload.algorithm.unwrap_or_default();
        if complete
            .coverage
            .is_some_and(|wanted| upload.algorithm.is_none() || wanted != upload.coverage)
        {
            return Err(ObjectError::OtherCoverage(
                upload.algorithm.map(|_| upload.coverage),
            ));
        }
        let etags: Vec<_> = complete
            .parts
            .iter()
            .map(|part| part.etag.trim_matches('"'))
            .collect();
        let etag = checksum::join_etags(etags.into_iter()).expect("they are those of the parts");
        let values = extents
            .iter()
            .map(|e| (e.checksum.as_deref().unwrap_or_default(), e.size));
        let checksum = checksum::join(algorithm, upload.coverage, &values.collect::<Vec<_>>());
        if let Some((given, value)) = &complete.checksum {
            let same = checksum
                .as_ref()
                .is_some_and(|is| is.algorithm == *given && same_value(&is.value, value));
            if !same {
                return Err(ObjectError::WholeMismatch(algorithm));
            }
        }
        let actual = extents.iter().map(|extent| extent.size).sum();
        if let Some(expected) = complete.size.filter(|expected| *expected != actual) {
            return Err(ObjectError::WrongSize { expected, actual });
        }
        Ok(ObjectRecord {
            size: actual,
            etag,
            modified: self.env.clock.now(),
            attributes: encrypted(&upload.attributes)?,
            checksum,
            sealed: true,
            place: None,
            data: Data::Parts {
                upload: complete.upload.clone(),
                count: extents.len() as u32,
            },
        })
    }

    pub(super) async fn abort_upload(
        &self,
        name: &ObjectName,
        id: &str,
    ) -> Result<(), ObjectError> {
        let _alone = self.membership.write().await;
        self.upload(name, id).await?;
        self.remove_upload(&upload_row(name, id)).await
    }

    /// Removes the upload in `row` with its parts. The caller holds `membership` alone.
    pub(super) async fn remove_upload(&self, row: &str) -> Result<(), ObjectError> {
        let (_, id) = super::records::split_upload(row);
        let rows = self.all_parts(id).await?;
        let blobs: Vec<_> = rows.iter().map(|(_, part)| part.blob).collect();
        let mut changes = self.end_upload(row, id, &rows);
        changes.extend(blobs.iter().map(|blob| self.tables.forget_blob(*blob)));
        self.tables.catalog.commit(changes).await?;
        self.blobs.remove(blobs).await;
        Ok(())
    }

    pub(super) async fn list_parts(
        &self,
        name: &ObjectName,
        id: &str,
        after: u32,
        limit: usize,
    ) -> Result<PartListing, ObjectError> {
        let upload = self.upload(name, id).await?;
        let start = format!("{id}/");
        let mut rows = self
            .tables
            .parts
            .scan(&start, Some(&part_row(id, after)), limit + 1)
            .await?;
        let truncated = rows.len() > limit;
        rows.truncate(limit);
        let parts = rows
            .into_iter()
            .map(|(row, found)| found.value.info(part_number(&row), &upload))
            .collect();
        Ok(PartListing {
            upload: upload.info(name.key(), id),
            parts,
            truncated,
        })
    }

    /// The upload `id`, which must be in progress.
    async fn upload(&self, name: &ObjectName, id: &str) -> Result<UploadRecord, ObjectError> {
        match self.tables.uploads.get(&upload_row(name, id)).await? {
            Some(found) => Ok(found.value),
            None => {
                self.bucket(name.bucket()).await?;
                Err(ObjectError::NoSuchUpload(id.to_owned()))
            }
        }
    }

    /// The object that the upload `id` was completed to.
    async fn completed(&self, name: &ObjectName, id: &str) -> Result<ObjectInfo, ObjectError> {
        let bucket = self.bucket_record(name.bucket()).await?.value;
        match self.tables.objects.get(&object_row(name)).await? {
            Some(Versioned { value, .. }) if matches!(&value.data, Data::Parts { upload, .. } if upload == id) =>
            {
                let version = bucket.version_of(&value);
                Ok(bucket.tell(name.key(), value, version))
            }
            _ => Err(ObjectError::NoSuchUpload(id.to_owned())),
        }
    }

    /// All parts of an upload, by number.
    async fn all_parts(&self, id: &str) -> Result<Vec<(u32, PartRecord)>, ObjectError> {
        let rows = self
            .tables
            .parts
            .scan(&format!("{id}/"), None, PARTS_MAX as usize)
            .await?;
        Ok(rows
            .into_iter()
            .map(|(row, found)| (part_number(&row), found.value))
            .collect())
    }

    /// The changes that remove an upload's rows, and leave its blobs named.
    fn end_upload(&self, row: &str, id: &str, parts: &[(u32, PartRecord)]) -> Vec<Change> {
        let parts = parts.iter().map(|(number, _)| {
            self.tables
                .parts
                .delete(&part_row(id, *number), Expect::Any)
        });
        parts
            .chain([self.tables.uploads.delete(row, Expect::Any)])
            .collect()
    }
}

/// The extents that `chosen` name among the `uploaded` parts, which are in order.
fn choose(
    chosen: &[CompletePart],
    uploaded: &[(u32, PartRecord)],
    upload: &UploadRecord,
) -> Result<Vec<Extent>, ObjectError> {
    if chosen.is_empty() {
        return Err(ObjectError::NoParts);
    }
    if !chosen.is_sorted_by(|a, b| a.number < b.number) {
        return Err(ObjectError::PartOrder);
    }
    let extent = |(index, part): (usize, &CompletePart)| {
        let invalid = || ObjectError::InvalidPart {
            number: part.number,
            etag: part.etag.clone(),
        };
        let found = uploaded
            .binary_search_by_key(&part.number, |(number, _)| *number)
            .map_err(|_| invalid())?;
        let found = &uploaded[found].1;
        if part.etag.trim_matches('"') != found.etag {
            return Err(invalid());
        }
        check_checksum(part, found, upload)?;
        if found.size < PART_BYTES_MIN && index + 1 < chosen.len() {
            return Err(ObjectError::PartTooSmall {
                number: part.number,
                size: found.size,
                etag: found.etag.clone(),
            });
        }
        Ok(Extent {
            blob: found.blob,
            size: found.size,
            checksum: Some(found.checksum.clone()),
        })
    };
    chosen.iter().enumerate().map(extent).collect()
}

/// Whether `part` is named with the checksum that it has: it must be where the object's is made of the parts', and
/// must not be where none was asked for.
fn check_checksum(
    part: &CompletePart,
    found: &PartRecord,
    upload: &UploadRecord,
) -> Result<(), ObjectError> {
    let number = part.number;
    match (upload.algorithm, &part.checksum) {
        (Some(algorithm), Some((other, _))) if algorithm != *other => {
            let algorithm = *other;
            Err(ObjectError::PartChecksumMismatch { algorithm, number })
        }
        (Some(_), Some((_, value))) if *value == found.checksum => Ok(()),
        (_, Some(_)) => Err(ObjectError::InvalidPart {
            number,
            etag: part.etag.clone(),
        }),
        (Some(algorithm), None) if upload.coverage == Coverage::Composite => {
            Err(ObjectError::MissingPartChecksum { algorithm, number })
        }
        _ => Ok(()),
    }
}

/// Whether `given` is the value `is`; a composite one may be given without the number of parts.
fn same_value(is: &str, given: &str) -> bool {
    is == given || is.split_once('-').is_some_and(|(value, _)| value == given)
}
