//! The trait of object stores, and its questions and answers.

use std::collections::BTreeMap;

use async_trait::async_trait;
use headwater_types::Millis;
use serde::{Deserialize, Serialize};

use crate::{
    Algorithm, Body, BucketName, BucketSettings, Checksum, Coverage, Encryption, Expected, Expires,
    Lifecycle, ObjectError, ObjectName, ReadConditions, Setting, WriteCondition,
};

/// Buckets of objects.
///
/// * A write MUST be atomic and durable when its future resolves: a reader sees the old object whole or the new one
///   whole, and a crash afterwards loses nothing.
/// * A body that was given out MUST end as the object that it began as, whatever happens to the object meanwhile.
/// * Bodies MUST be streamed: memory MUST NOT grow with an object's size.
/// * Listings MUST be in the order of the keys' UTF-8 bytes, and MUST see every write that was acknowledged before.
#[async_trait]
pub trait ObjectStore: Send + Sync {
    /// Makes a bucket with the settings of a new one; `BucketExists` where there is one.
    async fn create_bucket(&self, bucket: &BucketName) -> Result<(), ObjectError> {
        self.create_bucket_with(bucket, &BucketSettings::default())
            .await
    }
    /// Makes a bucket with these settings.
    async fn create_bucket_with(
        &self,
        bucket: &BucketName,
        settings: &BucketSettings,
    ) -> Result<(), ObjectError>;
    /// The settings of a bucket.
    async fn settings(&self, bucket: &BucketName) -> Result<BucketSettings, ObjectError>;
    /// Changes a setting of a bucket.
    async fn set(&self, bucket: &BucketName, setting: Setting) -> Result<(), ObjectError>;
    /// A bucket, or `NoSuchBucket`.
    async fn bucket(&self, bucket: &BucketName) -> Result<BucketInfo, ObjectError>;
    /// At most `limit` buckets, in order of their names.
    async fn list_buckets(&self, query: &BucketQuery) -> Result<Vec<BucketInfo>, ObjectError>;
    /// Removes a bucket without objects, and aborts its uploads.
    async fn delete_bucket(&self, bucket: &BucketName) -> Result<(), ObjectError>;
    /// Whether a bucket keeps versions; none where it was never told to.
    async fn versioning(&self, bucket: &BucketName) -> Result<Option<Versioning>, ObjectError>;
    /// Has a bucket keep versions of what is written from now on, or keep no more.
    async fn set_versioning(
        &self,
        bucket: &BucketName,
        versioning: Versioning,
    ) -> Result<(), ObjectError>;

    /// The rules by which objects of a bucket expire; none where it has none.
    async fn lifecycle(&self, bucket: &BucketName) -> Result<Option<Lifecycle>, ObjectError>;
    /// Sets the rules by which objects of a bucket expire, or removes them.
    async fn set_lifecycle(
        &self,
        bucket: &BucketName,
        lifecycle: Option<Lifecycle>,
    ) -> Result<(), ObjectError>;

    /// Writes an object, in place of what had its name, or before its versions.
    async fn put(&self, put: Put, body: Body) -> Result<ObjectInfo, ObjectError>;
    /// The answer of [`ObjectStore::get`] without the body.
    async fn head(&self, get: &Get) -> Result<Selected, ObjectError>;
    /// An object or a range of it. Damage that is found on the way ends the body with an error.
    async fn get(&self, get: &Get) -> Result<(Selected, Body), ObjectError>;
    /// An object and the parts that it was uploaded in, without its conditions and range.
    async fn parts(&self, get: &Get) -> Result<(ObjectInfo, Vec<ObjectPart>), ObjectError>;
    /// Removes an object or a version of it, or puts a delete marker before its versions; without a condition it is no
    /// error when there is none.
    async fn delete(&self, delete: &Delete) -> Result<Deleted, ObjectError>;
    /// Replaces the tags of an object or of a version of it; which version that was, as [`ObjectInfo::version`] has it.
    async fn set_tags(
        &self,
        name: &ObjectName,
        version: Option<&str>,
        tags: BTreeMap<String, String>,
    ) -> Result<Option<String>, ObjectError>;
    /// Objects, rolled up by a delimiter.
    async fn list(&self, query: &ObjectQuery) -> Result<Listing, ObjectError>;
    /// Versions of objects by key, of each key the newest first, rolled up by a delimiter.
    async fn list_versions(&self, query: &VersionQuery) -> Result<VersionListing, ObjectError>;

    /// Begins an upload in parts; its id.
    async fn create_upload(&self, upload: Upload) -> Result<UploadInfo, ObjectError>;
    /// Writes a part, in place of what had its number.
    async fn put_part(&self, part: PutPart, body: Body) -> Result<PartInfo, ObjectError>;
    /// Makes the object out of parts. Completing it again gives the same answer as long as the object stays.
    async fn complete_upload(&self, complete: Complete) -> Result<ObjectInfo, ObjectError>;
    /// Ends an upload and removes its parts.
    async fn abort_upload(&self, name: &ObjectName, upload: &str) -> Result<(), ObjectError>;
    /// At most `limit` parts with numbers above `after`.
    async fn list_parts(
        &self,
        name: &ObjectName,
        upload: &str,
        after: u32,
        limit: usize,
    ) -> Result<PartListing, ObjectError>;
    /// Uploads in progress, by key and id.
    async fn list_uploads(&self, query: &UploadQuery) -> Result<UploadListing, ObjectError>;
}

/// A bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BucketInfo {
    /// Its name.
    pub name: BucketName,
    /// When it was made.
    pub created: Millis,
}

/// Whether a bucket keeps versions of its objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Versioning {
    /// Each write makes a version of its own.
    Enabled,
    /// A write replaces the version without an id, and leaves those that have one.
    Suspended,
}

/// The id of the version that has none: one that was written while its bucket kept no versions.
pub const NULL_VERSION: &str = "null";

/// Which buckets to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BucketQuery {
    /// Names must start with this.
    pub prefix: String,
    /// Names must come after this.
    pub after: Option<String>,
    /// At most so many.
    pub limit: usize,
}

/// Attributes that are kept with an object besides its bytes, as its writer gave them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Attributes {
    /// Content headers by lower-case name: `content-type`, `cache-control` …
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// The writer's own names and values.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
    /// Tags.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// The class of storage that it was put into, where it is another than the usual one: a word that is kept and told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage_class: Option<String>,
    /// How its bytes are encrypted: in a write what was asked for, in an answer what was done; none where they are not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encryption: Option<Encryption>,
}

/// An object, without its bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ObjectInfo {
    /// Its key.
    pub key: String,
    /// Its bytes.
    pub size: u64,
    /// Its ETag, without quotes.
    pub etag: String,
    /// When it was written.
    pub modified: Millis,
    /// Its writer's attributes; not filled by every listing.
    pub attributes: Attributes,
    /// Its checksum.
    pub checksum: Option<Checksum>,
    /// The number of its parts, where it was uploaded in parts.
    pub parts: Option<u32>,
    /// The version's id, or [`NULL_VERSION`]; none in a bucket that never kept versions.
    pub version: Option<String>,
    /// When it expires as the latest version; not filled by listings, nor for a version that was asked for by its id.
    pub expires: Option<Expires>,
}

/// A part that an object was uploaded in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectPart {
    /// Its number, from 1.
    pub number: u32,
    /// Its bytes.
    pub size: u64,
    /// Its checksum, where the upload was begun with an algorithm.
    pub checksum: Option<Checksum>,
}

/// An object to write.
#[derive(Debug, Clone, PartialEq)]
pub struct Put {
    /// The object's name.
    pub name: ObjectName,
    /// The attributes to keep with it.
    pub attributes: Attributes,
    /// The digests that the body must have, and the checksum to keep.
    pub expected: Expected,
    /// The condition on the object before.
    pub condition: WriteCondition,
}

impl Put {
    /// An unconditional put of `name`.
    pub fn new(name: ObjectName) -> Self {
        Self {
            name,
            attributes: Attributes::default(),
            expected: Expected::default(),
            condition: WriteCondition::None,
        }
    }
}

/// Which bytes of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ByteRange {
    /// From this one on.
    From(u64),
    /// From the first to the second, both included.
    Between(u64, u64),
    /// The last so many.
    Last(u64),
    /// The part of this number.
    Part(u32),
}

/// A read of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Get {
    /// The object's name.
    pub name: ObjectName,
    /// The version's id; none for the latest.
    pub version: Option<String>,
    /// Which bytes of it; none for all.
    pub range: Option<ByteRange>,
    /// The conditions on the object.
    pub conditions: ReadConditions,
}

impl Get {
    /// All of `name`, without conditions.
    pub fn new(name: ObjectName) -> Self {
        Self {
            name,
            version: None,
            range: None,
            conditions: ReadConditions::default(),
        }
    }
}

/// The object and the bytes of it that a read gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selected {
    /// The whole object.
    pub object: ObjectInfo,
    /// The first byte given.
    pub start: u64,
    /// The byte after the last given.
    pub end: u64,
    /// The checksum of the bytes given: of the whole object, or of a part of it that was asked for by its number.
    pub checksum: Option<Checksum>,
}

/// An object to delete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delete {
    /// The object's name.
    pub name: ObjectName,
    /// The id of the version to remove; none for the object.
    pub version: Option<String>,
    /// The condition on it.
    pub condition: WriteCondition,
}

impl Delete {
    /// Deletes `name`, whatever is there.
    pub fn new(name: ObjectName) -> Self {
        Self {
            name,
            version: None,
            condition: WriteCondition::None,
        }
    }
}

/// The outcome of a delete.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Deleted {
    /// The version that was removed, or that of the delete marker that was made; none in a bucket that never kept
    /// versions.
    pub version: Option<String>,
    /// Whether that is a delete marker.
    pub is_marker: bool,
}

/// Which objects to list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectQuery {
    /// The bucket.
    pub bucket: BucketName,
    /// Keys must start with this.
    pub prefix: String,
    /// Keys that have this after the prefix are rolled up to what they share up to and with its first occurrence.
    pub delimiter: Option<String>,
    /// Lines of the listing must come after this; a key with the delimiter stands for what it is rolled up to.
    pub after: Option<String>,
    /// At most so many objects and prefixes together.
    pub limit: usize,
}

/// Objects and what was rolled up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// Objects, in order.
    pub objects: Vec<ObjectInfo>,
    /// Rolled-up prefixes, in order.
    pub prefixes: Vec<String>,
    /// Where the next page goes on ([`ObjectQuery::after`]), when there is one.
    pub next: Option<String>,
}

/// Which versions to list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionQuery {
    /// The bucket.
    pub bucket: BucketName,
    /// Keys must start with this.
    pub prefix: String,
    /// Keys that have this after the prefix are rolled up, as in [`ObjectQuery::delimiter`].
    pub delimiter: Option<String>,
    /// Versions must come after this key or rolled-up prefix, or after the version of this id within the key.
    pub after: Option<(String, Option<String>)>,
    /// At most so many versions and prefixes together.
    pub limit: usize,
}

/// A version in a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionInfo {
    /// The object's key.
    pub key: String,
    /// The version's id, or [`NULL_VERSION`].
    pub id: String,
    /// When it was written.
    pub modified: Millis,
    /// Whether it is the latest of its key.
    pub is_latest: bool,
    /// The object; none where the version is a delete marker.
    pub object: Option<ObjectInfo>,
}

/// Versions of objects.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VersionListing {
    /// Versions by key, of each key the newest first.
    pub versions: Vec<VersionInfo>,
    /// Rolled-up prefixes, in order.
    pub prefixes: Vec<String>,
    /// Where the next page goes on ([`VersionQuery::after`]), when there is one.
    pub next: Option<(String, Option<String>)>,
}

/// An upload in parts to begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upload {
    /// The object's name.
    pub name: ObjectName,
    /// The attributes to keep with the object.
    pub attributes: Attributes,
    /// The checksum of parts and object; without one any is taken for a part, and the object gets the default.
    pub algorithm: Option<Algorithm>,
    /// Of what the object's checksum is made; none for the algorithm's default.
    pub coverage: Option<Coverage>,
}

/// An upload in progress.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UploadInfo {
    /// The object's key.
    pub key: String,
    /// Its id.
    pub id: String,
    /// When it was begun.
    pub created: Millis,
    /// The checksum of parts and object, where one was asked for.
    pub algorithm: Option<Algorithm>,
    /// Of what the object's checksum is made.
    pub coverage: Coverage,
    /// How the object will be encrypted; not filled by every listing.
    pub encryption: Option<Encryption>,
    /// The class of storage that the object will be in, as of an object.
    pub storage_class: Option<String>,
}

/// A part to write.
#[derive(Debug, Clone, PartialEq)]
pub struct PutPart {
    /// The object's name.
    pub name: ObjectName,
    /// The upload's id.
    pub upload: String,
    /// The part's number, from 1.
    pub number: u32,
    /// The digests that the body must have.
    pub expected: Expected,
}

/// A part that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartInfo {
    /// Its number.
    pub number: u32,
    /// Its bytes.
    pub size: u64,
    /// Its ETag, without quotes.
    pub etag: String,
    /// When it was written.
    pub modified: Millis,
    /// Its checksum, by the upload's algorithm where it was begun with one.
    pub checksum: Option<Checksum>,
    /// How it is encrypted; not filled by every listing.
    pub encryption: Option<Encryption>,
}

/// An upload to complete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Complete {
    /// The object's name.
    pub name: ObjectName,
    /// The upload's id.
    pub upload: String,
    /// The parts of the object, in order.
    pub parts: Vec<CompletePart>,
    /// The condition on the object before.
    pub condition: WriteCondition,
    /// The checksum that the object must have.
    pub checksum: Option<(Algorithm, String)>,
    /// Of what the object's checksum must be made.
    pub coverage: Option<Coverage>,
    /// How many bytes the object must have.
    pub size: Option<u64>,
}

impl Complete {
    /// Completes `upload` to the object `name`, whatever there is before and comes out.
    pub fn new(name: ObjectName, upload: &str, parts: Vec<CompletePart>) -> Self {
        let upload = upload.to_owned();
        Self {
            name,
            upload,
            parts,
            condition: WriteCondition::None,
            checksum: None,
            coverage: None,
            size: None,
        }
    }
}

/// A part as the one who completes an upload names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompletePart {
    /// Its number.
    pub number: u32,
    /// Its ETag.
    pub etag: String,
    /// Its checksum, when it is named too.
    pub checksum: Option<(Algorithm, String)>,
}

/// Parts of an upload in progress.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartListing {
    /// The upload.
    pub upload: UploadInfo,
    /// The parts, by number.
    pub parts: Vec<PartInfo>,
    /// Whether there are more.
    pub truncated: bool,
}

/// Which uploads to list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UploadQuery {
    /// The bucket.
    pub bucket: BucketName,
    /// Keys must start with this.
    pub prefix: String,
    /// Keys that have this after the prefix are rolled up, as in [`ObjectQuery::delimiter`].
    pub delimiter: Option<String>,
    /// Uploads must come after this key or rolled-up prefix, or after the upload of this id within the key.
    pub after: Option<(String, Option<String>)>,
    /// At most so many uploads and prefixes together.
    pub limit: usize,
}

/// Uploads in progress.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UploadListing {
    /// Uploads, by key and id.
    pub uploads: Vec<UploadInfo>,
    /// Rolled-up prefixes, in order.
    pub prefixes: Vec<String>,
    /// Where the next page goes on ([`UploadQuery::after`]), when there is one.
    pub next: Option<(String, Option<String>)>,
}
