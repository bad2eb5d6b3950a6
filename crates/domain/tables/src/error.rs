//! The errors of tables.

use std::sync::Arc;

use headwater_catalog::CatalogError;
use headwater_log::{AppendError, LogError};
use headwater_sealing::TokenError;

use crate::{DestinationFault, ShardId};

/// Why a table cannot do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// There is none of this name.
    #[error("there is no table {0}")]
    NoTable(String),
    /// There is one of this name.
    #[error("there is a table {0}")]
    Exists(String),
    /// It has no index of this name.
    #[error("table {0} has no index {1}")]
    NoIndex(String, String),
    /// The key is not one of the table, or of the index that is read.
    #[error("the key is not one of table {0}")]
    WrongKey(String),
    /// Its changes are shown as a stream already.
    #[error("table {0} has a stream that is enabled")]
    StreamEnabled(String),
    /// Its changes are not shown as a stream.
    #[error("table {0} has no stream that is enabled")]
    StreamDisabled(String),
    /// It had as many streams as it may have within the time that these can be read.
    #[error("table {0} had too many streams within a day")]
    TooManyStreams(String),
    /// It has no such stream, or none any more.
    #[error("table {0} has no such stream")]
    NoStream(String),
    /// A stream has no such shard, or none any more.
    #[error("the stream has no shard {0}")]
    NoShard(ShardId),
    /// The stream that its changes are to go to, or not any more, is in another state.
    #[error("the changes of table {0} cannot be sent so: {1}")]
    Destination(String, DestinationFault),
    /// A text that is not the position of a stream's reader.
    #[error(transparent)]
    Position(#[from] TokenError),
    /// It is in a state in which this cannot be done.
    #[error("table {0} is being made, changed or deleted")]
    Busy(String),
    /// It is protected against deletion.
    #[error("table {0} cannot be deleted while it is protected")]
    Protected(String),
    /// Other changes of the same table always came first.
    #[error("the table is being changed by another call")]
    Conflict,
    /// The caller went away, or the worker did; the write may have been done.
    #[error("the call was given up after a defect of Headwater: see the server's log")]
    Interrupted,
    /// The catalog failed.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// The log failed.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The index failed.
    #[error("the index of tables failed: {0}")]
    Index(Arc<str>),
    /// The index is gone, or of a time before all that the log has: what is between was forgotten.
    #[error(
        "the index of tables lacks changes of table {0} that its log does not have any more: put the index's folder back \
         from a copy"
    )]
    IndexLost(String),
    /// What is stored is not what was written.
    #[error("what is kept of table {table} is damaged: {what}")]
    Damaged {
        /// The table.
        table: String,
        /// The damage, in words.
        what: &'static str,
    },
}

impl Error {
    /// A failed append to a shard of table `name`, which is gone where the shard is.
    pub(crate) fn of_append(error: AppendError, name: &str) -> Self {
        match error {
            AppendError::Sealed | AppendError::Unknown(_) => Self::NoTable(name.to_owned()),
            AppendError::Log(error) => Self::of_log(error, name),
        }
    }

    /// A failed read of a shard of table `name`.
    pub(crate) fn of_log(error: LogError, name: &str) -> Self {
        match error {
            LogError::Unknown(_) => Self::NoTable(name.to_owned()),
            error => Self::Log(error),
        }
    }

    /// What is kept of table `name` is damaged.
    pub(crate) fn damaged(name: &str, what: &'static str) -> Self {
        Self::Damaged {
            table: name.to_owned(),
            what,
        }
    }
}
