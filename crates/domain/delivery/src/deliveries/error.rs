//! Why a delivery stream cannot be made, changed or fed.

use headwater_catalog::CatalogError;
use headwater_log::AppendError;

use crate::{
    limits::{ENCRYPTION_CHANGES_MAX, PUT_BYTES_MAX, PUT_RECORDS_MAX, TAGS_MAX},
    naming::PrefixError,
    ports::SourceError,
};

/// Why a delivery stream cannot be made, changed or fed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeliveryError {
    /// There is no such delivery stream.
    #[error("there is no delivery stream {0}")]
    NotFound(String),
    /// The name is taken.
    #[error("there is a delivery stream {0} already")]
    Exists(String),
    /// There are as many as there may be.
    #[error("there are {0} delivery streams, which is the limit")]
    TooMany(usize),
    /// The stream that it is to read has no place for one more.
    #[error("{0} has as many readers as it may have")]
    NoPlace(String),
    /// Others changed the same again and again; trying again may help.
    #[error("{0} is being changed by others")]
    Conflict(String),
    /// It would have more tags than it may have.
    #[error("a delivery stream has at most {TAGS_MAX} tags")]
    TooManyTags,
    /// The stream that it is to read cannot be read.
    #[error("{0}")]
    Source(#[from] SourceError),
    /// Its prefixes are not prefixes.
    #[error("{0}")]
    Prefix(#[from] PrefixError),
    /// It was changed since it was looked at.
    #[error("{name} has the version {version}, not {expected}")]
    OtherVersion {
        /// Its name.
        name: String,
        /// The version that it has.
        version: u64,
        /// The version that it was to have.
        expected: u64,
    },
    /// Its encryption was changed too often.
    #[error("the encryption of {0} was changed {ENCRYPTION_CHANGES_MAX} times within a day")]
    EncryptionChangedTooOften(String),
    /// It reads a stream; nothing can be put into it.
    #[error("{0} reads a stream; records are put there")]
    NotDirect(String),
    /// More records, or larger ones, than may be put together.
    #[error("at most {PUT_RECORDS_MAX} records and {PUT_BYTES_MAX} bytes are put together")]
    TooLarge,
    /// More is put into it than its quotas allow; later there is room again.
    #[error("more is put into {0} than its quotas allow")]
    Throttled(String),
    /// The log does not take records now; trying again may help.
    #[error("{0}")]
    Unavailable(#[from] AppendError),
    /// The catalog failed.
    #[error("{0}")]
    Catalog(#[from] CatalogError),
}
