//! Why a queue does not do what it was asked.

use headwater_catalog::CatalogError;
use headwater_log::{AppendError, LogError};

use crate::contents::Fault;

/// Why a call failed as a whole.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// No such queue; its name.
    #[error("there is no queue {0}")]
    NoQueue(String),
    /// A queue of that name has another value of this attribute, as the caller spells it.
    #[error("there is a queue of that name with another value of {0}")]
    Differs(String),
    /// The queue would have more tags than [`crate::limits::TAGS`].
    #[error("a queue cannot have more than {MAX} tags", MAX = crate::limits::TAGS)]
    TooManyTags,
    /// Other changes of the same queue always came first.
    #[error("the queue is being changed by another call")]
    Conflict,
    /// The message cannot be sent.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// Too many messages are in flight.
    #[error("{MAX} messages of the queue are in flight: delete some", MAX = crate::limits::IN_FLIGHT)]
    TooManyInFlight,
    /// Too many ids of messages are known.
    #[error("the queue knows as many deduplication ids as it can")]
    TooManyIds,
    /// Too many receives wait for messages already.
    #[error("too many receives wait at the queue already")]
    TooManyWaiting,
    /// The queue was purged a moment ago.
    #[error("the queue was purged less than a minute ago")]
    PurgedLately,
    /// What is kept of the queue cannot be read.
    #[error("what is kept of queue {queue} is damaged: {what}")]
    Damaged {
        /// The queue.
        queue: String,
        /// The damage, in words.
        what: &'static str,
    },
    /// The queue's worker ended in the middle of the call.
    #[error("the call was given up after a defect of Headwater: see the server's log")]
    Interrupted,
    /// The catalog failed.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// The log failed.
    #[error(transparent)]
    Log(#[from] LogError),
}

impl Error {
    /// A failed append to a shard of queue `name`, which is gone where the shard is.
    pub(crate) fn of_append(error: AppendError, name: &str) -> Self {
        match error {
            AppendError::Sealed | AppendError::Unknown(_) => Self::NoQueue(name.to_owned()),
            AppendError::Log(error) => Self::of_log(error, name),
        }
    }

    /// A failed read of a shard of queue `name`.
    pub(crate) fn of_log(error: LogError, name: &str) -> Self {
        match error {
            LogError::Unknown(_) => Self::NoQueue(name.to_owned()),
            error => Self::Log(error),
        }
    }
}

/// Why one message of a call was left as it was; the others stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptError {
    /// The receipt is none of this queue's.
    #[error("the receipt is none of this queue's")]
    Foreign,
    /// The message is deleted, or not kept any more.
    #[error("the message is not in the queue any more")]
    Gone,
    /// The message came back, or was received again, since this receipt was given.
    #[error("the receipt has expired")]
    Expired,
    /// The message would be in flight for longer than it may.
    #[error("the message would be in flight for more than {MAX:?}", MAX = crate::limits::VISIBILITY_MAX)]
    TooLong,
}
