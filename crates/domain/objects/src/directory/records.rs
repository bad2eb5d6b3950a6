//! The rows of the catalog.

use std::sync::Arc;

use headwater_catalog::{Catalog, Change, Expect, Table};
use headwater_types::{Millis, kept::Prefix};
use serde::{Deserialize, Serialize};

use crate::{
    Algorithm, Attributes, Checksum, Coverage, ObjectInfo, ObjectName, blob::BlobId,
    limits::KEY_BYTES_MAX,
};

/// The tables; `docs/format/objects.md` says what their keys are.
pub struct Tables {
    pub catalog: Arc<dyn Catalog>,
    pub buckets: Table<BucketRecord>,
    pub objects: Table<ObjectRecord>,
    pub manifests: Table<Vec<Extent>>,
    pub uploads: Table<UploadRecord>,
    pub parts: Table<PartRecord>,
    pub blobs: Table<()>,
}

impl Tables {
    /// The tables in `catalog`.
    pub fn new(catalog: Arc<dyn Catalog>) -> Self {
        Self {
            buckets: Table::new(catalog.clone(), Prefix::Buckets),
            objects: Table::new(catalog.clone(), Prefix::Objects),
            manifests: Table::new(catalog.clone(), Prefix::ObjectManifests),
            uploads: Table::new(catalog.clone(), Prefix::ObjectUploads),
            parts: Table::new(catalog.clone(), Prefix::ObjectParts),
            blobs: Table::new(catalog.clone(), Prefix::ObjectBlobs),
            catalog,
        }
    }

    /// The change that notes a blob as named.
    pub fn name_blob(&self, blob: BlobId) -> Change {
        self.blobs.put(&blob.to_string(), &(), Expect::Absent)
    }

    /// The change that notes a blob as no longer named. It fails the commit where another change was first.
    pub fn forget_blob(&self, blob: BlobId) -> Change {
        self.blobs.delete(&blob.to_string(), Expect::Present)
    }
}

/// `bucket/<bucket>`.
#[derive(Serialize, Deserialize)]
pub struct BucketRecord {
    pub created: Millis,
}

/// `object/<bucket>/<key>`.
#[derive(Clone, Serialize, Deserialize)]
pub struct ObjectRecord {
    pub size: u64,
    pub etag: String,
    pub modified: Millis,
    #[serde(default)]
    pub attributes: Attributes,
    pub checksum: Option<Checksum>,
    pub data: Data,
    /// Whether all its blobs are encrypted; those of the first version are not.
    #[serde(default)]
    pub sealed: bool,
}

/// Where an object's bytes are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Data {
    /// In one blob.
    Blob(BlobId),
    /// In the blobs that the manifest of this upload names.
    Parts { upload: String, count: u32 },
}

impl Data {
    /// The name that readers pin it by; no other data ever has it.
    pub fn name(&self) -> String {
        match self {
            Self::Blob(id) => id.to_string(),
            Self::Parts { upload, .. } => upload.clone(),
        }
    }
}

impl ObjectRecord {
    /// The object as others see it. Encryption that was asked for and not done is not told.
    pub fn info(self, key: &str) -> ObjectInfo {
        let mut attributes = self.attributes;
        attributes.encryption.take_if(|_| !self.sealed);
        let parts = match self.data {
            Data::Blob(_) => None,
            Data::Parts { count, .. } => Some(count),
        };
        ObjectInfo {
            key: key.to_owned(),
            size: self.size,
            etag: self.etag,
            modified: self.modified,
            attributes,
            checksum: self.checksum,
            parts,
        }
    }
}

/// A stretch of an object: one blob, whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extent {
    pub blob: BlobId,
    pub size: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checksum: Option<String>,
}

/// `object-upload/<bucket>/<key>\u{1}<upload>`.
#[derive(Clone, Serialize, Deserialize)]
pub struct UploadRecord {
    pub created: Millis,
    #[serde(default)]
    pub attributes: Attributes,
    pub algorithm: Option<Algorithm>,
    pub coverage: Coverage,
    /// The name of the data that the object had when the upload was begun, where there was one.
    #[serde(default)]
    pub replaces: Option<String>,
}

/// `object-part/<upload>/<number>`.
#[derive(Clone, Serialize, Deserialize)]
pub struct PartRecord {
    pub blob: BlobId,
    pub size: u64,
    pub etag: String,
    pub modified: Millis,
    pub checksum: String,
    /// As of an object.
    #[serde(default)]
    pub sealed: bool,
}

/// The row of an object.
pub fn object_row(name: &ObjectName) -> String {
    format!("{}/{}", name.bucket(), name.key())
}

/// Between key and upload; the lowest character that any engine takes, so that uploads are in order of their keys.
const UPLOAD_SEPARATOR: char = '\u{1}';

/// The row of an upload.
pub fn upload_row(name: &ObjectName, upload: &str) -> String {
    format!("{}{UPLOAD_SEPARATOR}{upload}", object_row(name))
}

/// Key and upload of a row of uploads, the bucket left out.
pub fn split_upload(row: &str) -> (&str, &str) {
    row.rsplit_once(UPLOAD_SEPARATOR).unwrap_or((row, ""))
}

/// The place after the upload `id` of `key`, or after all uploads of it; the bucket left out.
pub fn after_upload(key: &str, id: Option<&str>) -> String {
    match id {
        Some(id) => format!("{key}{UPLOAD_SEPARATOR}{id}"),
        None => format!("{key}{UPLOAD_SEPARATOR}{}", char::MAX),
    }
}

/// The row of a part.
pub fn part_row(upload: &str, number: u32) -> String {
    format!("{upload}/{number:05}")
}

/// The number in a part's row.
pub fn part_number(row: &str) -> u32 {
    row.rsplit_once('/')
        .and_then(|(_, number)| number.parse().ok())
        .unwrap_or(0)
}

/// A place after all keys that start with `prefix`, and before all others that come after it.
pub fn past(prefix: &str) -> String {
    let room = (KEY_BYTES_MAX + 40).saturating_sub(prefix.len());
    let filler = room.div_ceil(char::MAX.len_utf8());
    prefix
        .chars()
        .chain(std::iter::repeat_n(char::MAX, filler))
        .collect()
}
