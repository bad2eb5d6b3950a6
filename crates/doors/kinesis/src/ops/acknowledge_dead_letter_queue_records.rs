//! AcknowledgeDeadLetterQueueRecords.

use headwater_queues::{Action, Kind};
use headwater_shapes_kinesis::{
    AcknowledgeDeadLetterQueueRecordsErrorEntry, AcknowledgeDeadLetterQueueRecordsInput,
    AcknowledgeDeadLetterQueueRecordsOutput, AcknowledgeDeadLetterQueueRecordsResultEntry,
    ops::AcknowledgeDeadLetterQueueRecords,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{Kinesis, queues::settles};

settles!(
    AcknowledgeDeadLetterQueueRecords,
    AcknowledgeDeadLetterQueueRecordsInput => AcknowledgeDeadLetterQueueRecordsOutput { AcknowledgeDeadLetterQueueRecordsResultEntry, AcknowledgeDeadLetterQueueRecordsErrorEntry },
    Kind::DeadLetters,
    |_: &_| Action::Acknowledge
);
