//! Why a queue does not do what it was asked.

use headwater_catalog::CatalogError;
use headwater_log::SourceError;

/// Why a call failed as a whole.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// No such queue; its id.
    #[error("there is no queue {0}")]
    NoQueue(String),
    /// The name is taken.
    #[error("there is a queue {0} already")]
    QueueExists(String),
    /// The stream has as many queues as it may have.
    #[error("the stream has as many queues as it may have")]
    TooManyQueues,
    /// The queue would have more than [`crate::MAX_TAGS`] tags.
    #[error("a queue cannot have more than {MAX} tags", MAX = crate::MAX_TAGS)]
    TooManyTags,
    /// Another change of the same queue came first.
    #[error("the queue is being changed by another call")]
    Conflict,
    /// Too many records are received and not acknowledged.
    #[error(
        "{MAX} records of the queue are in flight or dead letters: acknowledge or restore some",
        MAX = crate::UNACKNOWLEDGED
    )]
    TooManyUnacknowledged,
    /// Too many receives wait for records already.
    #[error("too many receives wait at the queue already")]
    TooManyWaiting,
    /// The stream is gone, or another took its name.
    #[error("the stream of the queue does not exist any more")]
    NoStream,
    /// The stream could not be read; trying again may help.
    #[error("the stream could not be read: {0}")]
    Source(String),
    /// The catalog failed.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
}

impl From<SourceError> for Error {
    fn from(error: SourceError) -> Self {
        match error {
            SourceError::NotFound(_) => Self::NoStream,
            SourceError::Failed(what) => Self::Source(what),
        }
    }
}

/// Why one record of a call was left as it was; the others stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptError {
    /// It was acknowledged already, or its stream does not keep it any more.
    #[error("The record is not in the queue any more.")]
    Gone,
    /// It was received again, or restored, since this receipt was given.
    #[error("The receipt handle was superseded: the record was received again or restored since.")]
    Superseded,
    /// It became a dead letter.
    #[error("The record has become a dead-letter record.")]
    DeadLetter,
    /// The receipt is of another queue, or of the other kind of receive.
    #[error("The receipt handle was not given by this queue for this operation.")]
    Foreign,
}
