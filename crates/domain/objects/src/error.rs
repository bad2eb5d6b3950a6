//! The errors of stores.

use std::{io, sync::Arc};

use headwater_catalog::CatalogError;
use headwater_types::Millis;

use crate::{Algorithm, Coverage, EncryptionMethod, limits::KEY_BYTES_MAX};

/// The reason why a store did not do what it was asked.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ObjectError {
    /// The text is not a bucket's name.
    #[error("not a bucket name: {0:?}")]
    InvalidBucketName(String),
    /// A key is empty.
    #[error("a key has at least one byte")]
    EmptyKey,
    /// A key is too long.
    #[error("a key has at most {KEY_BYTES_MAX} bytes, this one has {0}")]
    KeyTooLong(usize),
    /// No such bucket.
    #[error("there is no bucket {0}")]
    NoSuchBucket(String),
    /// The bucket is there already.
    #[error("there is a bucket {0} already")]
    BucketExists(String),
    /// The bucket holds objects.
    #[error("the bucket {0} is not empty")]
    BucketNotEmpty(String),
    /// The bucket holds versions of objects.
    #[error("the bucket {0} has versions of objects")]
    VersionsLeft(String),
    /// No such object.
    #[error("there is no object {0:?}")]
    NoSuchKey(String),
    /// The object is deleted: its latest version is a delete marker.
    #[error("the object {key:?} is deleted")]
    Deleted {
        /// The object's key.
        key: String,
        /// The delete marker's version.
        version: String,
    },
    /// The version is a delete marker, which has nothing to read or tag.
    #[error("the version {version} is a delete marker")]
    DeleteMarker {
        /// The version.
        version: String,
        /// When it was written.
        modified: Millis,
    },
    /// The text is not the id of a version.
    #[error("not the id of a version: {0:?}")]
    InvalidVersion(String),
    /// No such version of the object.
    #[error("there is no version {version} of the object {key:?}")]
    NoSuchVersion {
        /// The object's key.
        key: String,
        /// The version.
        version: String,
    },
    /// No such upload: never made, completed, or aborted.
    #[error("there is no upload {0}")]
    NoSuchUpload(String),
    /// The object has no part of that number.
    #[error("the object has {count} parts and no part {number}")]
    NoSuchPart {
        /// The part's number.
        number: u32,
        /// The object's parts.
        count: u32,
    },
    /// A range starts behind the object's end.
    #[error("the range is not within the object's {size} bytes")]
    InvalidRange {
        /// The object's length in bytes.
        size: u64,
    },
    /// A condition does not hold.
    #[error("the condition {0} does not hold")]
    PreconditionFailed(&'static str),
    /// A condition holds, but of an object that another write or delete changed since the upload was begun.
    #[error("the object {key:?} changed since the upload was begun")]
    Conflict {
        /// The condition.
        condition: &'static str,
        /// The object's key.
        key: String,
    },
    /// The object is as the reader knows it.
    #[error("the object has not changed")]
    NotModified {
        /// Its ETag.
        etag: String,
        /// When it was written.
        modified: Millis,
    },
    /// The body's MD5 is not the one that came with it.
    #[error("the body's MD5 is {computed}, not {expected}")]
    Md5Mismatch {
        /// The one that came with the body, in hexadecimal.
        expected: String,
        /// The body's own, in hexadecimal.
        computed: String,
    },
    /// The body's checksum is not the one that came with it.
    #[error("the body's {0} is not the one that came with it")]
    ChecksumMismatch(Algorithm),
    /// A checksum is asked for over the whole object that can only be made of the parts' checksums.
    #[error("{0} of parts cannot be joined into one of the whole object")]
    NotComposable(Algorithm),
    /// The checksum is always of the whole object.
    #[error("{0} is always of the whole object")]
    NotComposite(Algorithm),
    /// The body is longer than an object or part may be.
    #[error("the body is longer than {limit} bytes")]
    TooLarge {
        /// The bound in bytes.
        limit: u64,
    },
    /// The body ended early or late.
    #[error("the body has {actual} bytes, not the {expected} that were announced")]
    WrongLength {
        /// The length that was announced, in bytes.
        expected: u64,
        /// The length that came, in bytes.
        actual: u64,
    },
    /// The body could not be read to its end.
    #[error("the body broke off: {0}")]
    Body(Arc<io::Error>),
    /// A part's number is out of range.
    #[error("part numbers go from 1 to {max}, not {0}", max = crate::limits::PARTS_MAX)]
    PartNumber(u32),
    /// A part before the last is too small.
    #[error("part {number} has {size} bytes, too few")]
    PartTooSmall {
        /// Its number.
        number: u32,
        /// Its bytes.
        size: u64,
        /// Its ETag.
        etag: String,
    },
    /// A part to complete was not uploaded, or is not the one that was uploaded.
    #[error("part {number} is not one that was uploaded")]
    InvalidPart {
        /// Its number.
        number: u32,
        /// The ETag it was named with.
        etag: String,
    },
    /// An object in parts does not have the checksum that it must have.
    #[error("the object's {0} is not the one that was asked for")]
    WholeMismatch(Algorithm),
    /// An object in parts does not have the length that it must have.
    #[error("the object has {actual} bytes, not {expected}")]
    WrongSize {
        /// The length asked for, in bytes.
        expected: u64,
        /// The object's length, in bytes.
        actual: u64,
    },
    /// A checksum of a part is not by the algorithm that the upload was begun with.
    #[error("the upload was begun with {expected}, not with {actual}")]
    OtherAlgorithm {
        /// The upload's.
        expected: Algorithm,
        /// The part's.
        actual: Algorithm,
    },
    /// The object's checksum is not made of what was asked for.
    #[error("the upload was begun with another kind of checksum")]
    OtherCoverage(Option<Coverage>),
    /// A part is named without its checksum where that is needed.
    #[error("part {number} is named without its {algorithm}")]
    MissingPartChecksum {
        /// The upload's algorithm.
        algorithm: Algorithm,
        /// The part's number.
        number: u32,
    },
    /// A part is named with a checksum by another algorithm than the upload's.
    #[error("the {algorithm} of part {number} is not what was uploaded")]
    PartChecksumMismatch {
        /// The other algorithm.
        algorithm: Algorithm,
        /// The part's number.
        number: u32,
    },
    /// The parts to complete are not in ascending order.
    #[error("the parts are not in ascending order")]
    PartOrder,
    /// An upload is to be completed without parts.
    #[error("an object has at least one part")]
    NoParts,
    /// The store does not encrypt by that method.
    #[error("objects here are not encrypted by {}", .0.name())]
    Encryption(EncryptionMethod),
    /// The text cannot be a key's name.
    #[error("not the name of a key: {0:?}")]
    EncryptionKey(String),
    /// The store does not do that: it is for the one behind it.
    #[error("this store leaves {0} to the one behind it")]
    Elsewhere(&'static str),
    /// Too much is going on; the same call may succeed later.
    #[error("the store is busy")]
    Busy,
    /// The disk has no room; the same call succeeds once there is room again.
    #[error(
        "the disk that holds the objects is full: free some space, and writing goes on by itself"
    )]
    DiskFull,
    /// A file is not what was written.
    #[error("{file} is damaged at byte {offset}: {what}")]
    Damaged {
        /// The file.
        file: String,
        /// Where in the file.
        offset: u64,
        /// The reason for calling it damaged.
        what: &'static str,
    },
    /// A file could not be written or read.
    #[error("{file}: {error}")]
    File {
        /// The file.
        file: String,
        /// The disk's error.
        error: Arc<io::Error>,
    },
    /// The catalog failed.
    #[error(transparent)]
    Catalog(CatalogError),
    /// The store behind this one failed.
    #[error("the object store failed: {0}")]
    Remote(Arc<str>),
}

impl ObjectError {
    /// The error of an access to `file`.
    pub(crate) fn file(file: &std::path::Path, error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull,
            _ => Self::File {
                file: file.display().to_string(),
                error: Arc::new(error),
            },
        }
    }
}

impl From<CatalogError> for ObjectError {
    fn from(error: CatalogError) -> Self {
        match error {
            CatalogError::DiskFull => Self::DiskFull,
            other => Self::Catalog(other),
        }
    }
}
