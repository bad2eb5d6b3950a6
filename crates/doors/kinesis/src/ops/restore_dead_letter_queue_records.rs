//! RestoreDeadLetterQueueRecords.

use headwater_queues::{Action, Kind};
use headwater_shapes_kinesis::{
    RestoreDeadLetterQueueRecordsErrorEntry, RestoreDeadLetterQueueRecordsInput,
    RestoreDeadLetterQueueRecordsOutput, RestoreDeadLetterQueueRecordsResultEntry,
    ops::RestoreDeadLetterQueueRecords,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{Kinesis, queues::settles};

settles!(
    RestoreDeadLetterQueueRecords,
    RestoreDeadLetterQueueRecordsInput => RestoreDeadLetterQueueRecordsOutput { RestoreDeadLetterQueueRecordsResultEntry, RestoreDeadLetterQueueRecordsErrorEntry },
    Kind::DeadLetters,
    |_: &_| Action::Restore
);
