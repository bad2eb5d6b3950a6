//! UpdateQueueRecordsVisibility.

use headwater_queues::{Action, Kind};
use headwater_shapes_kinesis::{
    UpdateQueueRecordsVisibilityErrorEntry, UpdateQueueRecordsVisibilityInput,
    UpdateQueueRecordsVisibilityOutput, UpdateQueueRecordsVisibilityRequestEntry,
    UpdateQueueRecordsVisibilityResultEntry, ops::UpdateQueueRecordsVisibility,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    Kinesis,
    queues::{seconds, settles},
};

settles!(
    UpdateQueueRecordsVisibility,
    UpdateQueueRecordsVisibilityInput { queue_arn, entries } => UpdateQueueRecordsVisibilityOutput { UpdateQueueRecordsVisibilityResultEntry, UpdateQueueRecordsVisibilityErrorEntry },
    Kind::Records,
    |UpdateQueueRecordsVisibilityRequestEntry { receipt_handle, visibility_timeout_seconds }| {
        (Action::Hide(seconds(visibility_timeout_seconds)), receipt_handle)
    }
);
