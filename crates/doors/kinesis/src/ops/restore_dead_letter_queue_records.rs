//! RestoreDeadLetterQueueRecords.

use headwater_queues::{Action, Kind};
use headwater_shapes_kinesis::{
    RestoreDeadLetterQueueRecordsErrorEntry, RestoreDeadLetterQueueRecordsInput,
    RestoreDeadLetterQueueRecordsOutput, RestoreDeadLetterQueueRecordsRequestEntry,
    RestoreDeadLetterQueueRecordsResultEntry, ops::RestoreDeadLetterQueueRecords,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{Kinesis, queues::settles};

settles!(
    RestoreDeadLetterQueueRecords,
    RestoreDeadLetterQueueRecordsInput { queue_arn, entries } => RestoreDeadLetterQueueRecordsOutput { RestoreDeadLetterQueueRecordsResultEntry, RestoreDeadLetterQueueRecordsErrorEntry },
    Kind::DeadLetters,
    |RestoreDeadLetterQueueRecordsRequestEntry { receipt_handle }| (Action::Restore, receipt_handle)
);
