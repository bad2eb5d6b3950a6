//! Buckets and objects.
//!
//! [`ObjectStore`] is what an object store offers; [`DirectoryStore`] keeps it in a directory and the catalog. Owns
//! the data's format on disk, checksums and conditions; knows nothing of HTTP and of how AWS spells requests and
//! errors.

mod api;
mod blob;
mod body;
mod checksum;
mod conditions;
mod directory;
mod encryption;
mod error;
mod lifecycle;
pub mod limits;
mod names;
mod settings;
#[cfg(any(test, feature = "testing"))]
pub mod testing;

pub use api::{
    Attributes, BucketInfo, BucketQuery, ByteRange, Complete, CompletePart, Delete, Deleted, Get,
    Listing, NULL_VERSION, ObjectInfo, ObjectPart, ObjectQuery, ObjectStore, PartInfo, PartListing,
    Put, PutPart, Selected, Upload, UploadInfo, UploadListing, UploadQuery, VersionInfo,
    VersionListing, VersionQuery, Versioning,
};
pub use body::Body;
pub use checksum::{Algorithm, Checksum, Coverage, Expected};
pub use conditions::{ReadConditions, WriteCondition};
pub use directory::DirectoryStore;
pub use encryption::{Encryption, EncryptionMethod};
pub use error::ObjectError;
pub use lifecycle::{
    Expiration, Expires, FilterForm, Lifecycle, LifecycleFilter, LifecycleRule,
    NoncurrentExpiration,
};
pub use names::{BucketName, ObjectName};
pub use settings::{BucketSettings, CorsRule, Ownership, PublicAccess, Setting};
