//! UpdateDeadLetterQueueRecordsVisibility.

use headwater_queues::{Action, Kind};
use headwater_shapes_kinesis::{
    UpdateDeadLetterQueueRecordsVisibilityErrorEntry, UpdateDeadLetterQueueRecordsVisibilityInput,
    UpdateDeadLetterQueueRecordsVisibilityOutput,
    UpdateDeadLetterQueueRecordsVisibilityRequestEntry,
    UpdateDeadLetterQueueRecordsVisibilityResultEntry, ops::UpdateDeadLetterQueueRecordsVisibility,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    Kinesis,
    queues::{seconds, settles},
};

settles!(
    UpdateDeadLetterQueueRecordsVisibility,
    UpdateDeadLetterQueueRecordsVisibilityInput { queue_arn, entries } => UpdateDeadLetterQueueRecordsVisibilityOutput { UpdateDeadLetterQueueRecordsVisibilityResultEntry, UpdateDeadLetterQueueRecordsVisibilityErrorEntry },
    Kind::DeadLetters,
    |UpdateDeadLetterQueueRecordsVisibilityRequestEntry { receipt_handle, visibility_timeout_seconds }| {
        (Action::Hide(seconds(visibility_timeout_seconds)), receipt_handle)
    }
);
