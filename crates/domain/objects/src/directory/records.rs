//! The rows of the catalog.

use std::sync::Arc;

use headwater_catalog::{Catalog, Change, Expect, Table};
use headwater_types::{Millis, kept::Prefix};
use serde::{Deserialize, Serialize};

use super::versions;
use crate::{
    Algorithm, Attributes, BucketSettings, Checksum, Coverage, Lifecycle, NULL_VERSION, ObjectInfo,
    ObjectName, Versioning, blob::BlobId, limits::KEY_BYTES_MAX,
};

/// The tables; `docs/format/objects.md` says what their keys are.
pub struct Tables {
    pub catalog: Arc<dyn Catalog>,
    pub buckets: Table<BucketRecord>,
    pub objects: Table<ObjectRecord>,
    pub markers: Table<MarkerRecord>,
    pub versions: Table<EarlierRecord>,
    pub nulls: Table<u64>,
    pub settings: Table<BucketSettings>,
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
            settings: Table::new(catalog.clone(), Prefix::BucketSettings),
            objects: Table::new(catalog.clone(), Prefix::Objects),
            markers: Table::new(catalog.clone(), Prefix::ObjectMarkers),
            versions: Table::new(catalog.clone(), Prefix::ObjectVersions),
            nulls: Table::new(catalog.clone(), Prefix::ObjectNulls),
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
#[derive(Clone, Serialize, Deserialize)]
pub struct BucketRecord {
    pub created: Millis,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub versioning: Option<Versioning>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lifecycle: Option<Lifecycle>,
}

impl BucketRecord {
    /// The id of an object's version, as others see it; none where the bucket never kept versions.
    pub fn version_of(&self, object: &ObjectRecord) -> Option<String> {
        let id = object.id().unwrap_or(NULL_VERSION);
        self.versioning.map(|_| id.to_owned())
    }

    /// The object `key` as others see it, of this version.
    pub fn tell(&self, key: &str, object: ObjectRecord, version: Option<String>) -> ObjectInfo {
        ObjectInfo {
            expires: self.expires(key, &object),
            version,
            ..object.info(key)
        }
    }
}

/// The place of a version among those of its key, and its id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Grows from version to version of a key.
    pub order: u64,
    /// None for the null version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
}

/// `object-marker/<bucket>/<key>`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MarkerRecord {
    pub modified: Millis,
    pub place: Place,
}

/// `object-version/<bucket>/<key>\u{1}\u{1}<place>`.
#[derive(Clone, Serialize, Deserialize)]
pub struct EarlierRecord {
    /// When a later version came.
    pub since: Millis,
    pub version: Version,
}

/// A version of a key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Version {
    Object(Box<ObjectRecord>),
    Marker(MarkerRecord),
}

/// `object/<bucket>/<key>`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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
    /// None where the bucket never kept versions when it was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
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
    /// The object as others see it, but for what its bucket knows. Encryption that was asked for and not done is not told.
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
            version: None,
            expires: None,
        }
    }

    /// Its version's id; none for the null version.
    pub fn id(&self) -> Option<&str> {
        self.place.as_ref()?.id.as_deref()
    }

    /// Its place among the versions of its key.
    pub fn order(&self) -> u64 {
        let of_time = || versions::order_at(self.modified);
        self.place
            .as_ref()
            .map_or_else(of_time, |place| place.order)
    }
}

impl Version {
    /// Its id; none for the null version.
    pub fn id(&self) -> Option<&str> {
        match self {
            Self::Object(object) => object.id(),
            Self::Marker(marker) => marker.place.id.as_deref(),
        }
    }

    /// Its id as others see it.
    pub fn name(&self) -> String {
        self.id().unwrap_or(NULL_VERSION).to_owned()
    }

    /// Its place among the versions of its key.
    pub fn order(&self) -> u64 {
        match self {
            Self::Object(object) => object.order(),
            Self::Marker(marker) => marker.place.order,
        }
    }

    /// When it was written.
    pub fn modified(&self) -> Millis {
        match self {
            Self::Object(object) => object.modified,
            Self::Marker(marker) => marker.modified,
        }
    }

    /// The object, unless it is a delete marker.
    pub fn object(&self) -> Option<&ObjectRecord> {
        match self {
            Self::Object(object) => Some(object),
            Self::Marker(_) => None,
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

/// Between key and place in a row of versions. A key is [`escaped`] there, so that these two never stand in it, and no
/// other two that may follow a key come before them.
const PLACE_SEPARATOR: &str = "\u{1}\u{1}";

/// A key, or the start of one, in a row of versions: the rows are in order of their keys, whatever stands in those.
pub fn escaped(key: &str) -> String {
    let mut escaped = String::with_capacity(key.len());
    for c in key.chars() {
        match c {
            '\0' => escaped.push_str("\u{1}\u{2}"),
            '\u{1}' => escaped.push_str("\u{1}\u{3}"),
            c => escaped.push(c),
        }
    }
    escaped
}

fn unescaped(text: &str) -> String {
    let mut chars = text.chars();
    let mut key = String::with_capacity(text.len());
    while let Some(c) = chars.next() {
        key.push(match c {
            '\u{1}' if chars.next() == Some('\u{2}') => '\0',
            c => c,
        });
    }
    key
}

/// The row of the version at `order` of a key that is not the latest: the newest come first.
pub fn version_row(name: &ObjectName, order: u64) -> String {
    format!("{}{:016x}", version_rows(name), u64::MAX - order)
}

/// The start of the rows of a key's versions.
pub fn version_rows(name: &ObjectName) -> String {
    format!("{}/{}{PLACE_SEPARATOR}", name.bucket(), escaped(name.key()))
}

/// The key of a row of versions, the bucket left out.
pub fn version_key(row: &str) -> String {
    let (key, _) = row.rsplit_once(PLACE_SEPARATOR).unwrap_or((row, ""));
    unescaped(key)
}

/// The place after the version at `order` of `key`, or after all versions of it; the bucket left out.
pub fn after_version(key: &str, order: Option<u64>) -> String {
    let key = escaped(key);
    match order {
        Some(order) => format!("{key}{PLACE_SEPARATOR}{:016x}", u64::MAX - order),
        None => format!("{key}{PLACE_SEPARATOR}~"),
    }
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn row(key: &str, order: u64) -> Option<String> {
        let name = ObjectName::parse("bucket", key).ok()?;
        Some(version_row(&name, order))
    }

    proptest! {
        #[test]
        fn versions_are_in_order_of_their_keys_and_the_newest_first(
            a in "[\u{0}-\u{3}a/é]{1,5}", b in "[\u{0}-\u{3}a/é]{1,5}", x: u64, y: u64,
        ) {
            let (first, second) = (row(&a, x).unwrap(), row(&b, y).unwrap());
            prop_assert_eq!(first.cmp(&second), (&a, !x).cmp(&(&b, !y)));
            prop_assert_eq!(version_key(&first["bucket/".len()..]), a.clone());
            prop_assert!(a.starts_with(&b) == escaped(&a).starts_with(&escaped(&b)));
        }
    }
}
