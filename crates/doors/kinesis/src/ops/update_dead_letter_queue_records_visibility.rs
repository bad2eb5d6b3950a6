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
    UpdateDeadLetterQueueRecordsVisibilityInput => UpdateDeadLetterQueueRecordsVisibilityOutput { UpdateDeadLetterQueueRecordsVisibilityResultEntry, UpdateDeadLetterQueueRecordsVisibilityErrorEntry },
    Kind::DeadLetters,
    |entry: &UpdateDeadLetterQueueRecordsVisibilityRequestEntry| Action::Hide(seconds(entry.visibility_timeout_seconds))
);
