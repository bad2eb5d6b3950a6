//! The errors of the store of metrics.

use std::{path::PathBuf, sync::Arc};

use headwater_catalog::CatalogError;
use headwater_log::{AppendError, LogError};

/// Why data were not kept or found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// There are as many series as there may be, and the data would make more.
    #[error("there are {max} series of metrics already, and there may not be more")]
    TooManySeries {
        /// The most.
        max: usize,
    },
    /// The store is shut down.
    #[error("the store of metrics is closed")]
    Closed,
    /// What is stored is not what was written.
    #[error("{} is damaged: {what}. While no server runs, put it back from a copy", .file.display())]
    Damaged {
        /// The file, or what is read in its place.
        file: PathBuf,
        /// The fault there.
        what: &'static str,
    },
    /// A file could not be read or written.
    #[error("{}: {error}", .file.display())]
    Io {
        /// The file or folder.
        file: PathBuf,
        /// The system's error.
        error: Arc<str>,
    },
    /// The catalog failed.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// The log failed.
    #[error(transparent)]
    Log(#[from] LogError),
}

impl From<AppendError> for Error {
    fn from(error: AppendError) -> Self {
        match error {
            AppendError::Log(error) => Self::Log(error),
            // The journal is never sealed, and opened before it is used.
            AppendError::Sealed => Self::Log(LogError::Closed),
            AppendError::Unknown(shard) => Self::Log(LogError::Unknown(shard)),
        }
    }
}
