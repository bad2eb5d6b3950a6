//! AcknowledgeDeadLetterQueueRecords.

use headwater_queues::{Action, Kind};
use headwater_shapes_kinesis::{
    AcknowledgeDeadLetterQueueRecordsErrorEntry, AcknowledgeDeadLetterQueueRecordsInput,
    AcknowledgeDeadLetterQueueRecordsOutput, AcknowledgeDeadLetterQueueRecordsRequestEntry,
    AcknowledgeDeadLetterQueueRecordsResultEntry, ops::AcknowledgeDeadLetterQueueRecords,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{Kinesis, queues::settles};

settles!(
    AcknowledgeDeadLetterQueueRecords,
    AcknowledgeDeadLetterQueueRecordsInput { queue_arn, entries } => AcknowledgeDeadLetterQueueRecordsOutput { AcknowledgeDeadLetterQueueRecordsResultEntry, AcknowledgeDeadLetterQueueRecordsErrorEntry },
    Kind::DeadLetters,
    |AcknowledgeDeadLetterQueueRecordsRequestEntry { receipt_handle }| (Action::Acknowledge, receipt_handle)
);
