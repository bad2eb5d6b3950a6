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
    UpdateQueueRecordsVisibilityInput => UpdateQueueRecordsVisibilityOutput { UpdateQueueRecordsVisibilityResultEntry, UpdateQueueRecordsVisibilityErrorEntry },
    Kind::Records,
    |entry: &UpdateQueueRecordsVisibilityRequestEntry| Action::Hide(seconds(entry.visibility_timeout_seconds))
);
