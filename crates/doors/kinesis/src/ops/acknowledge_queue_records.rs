//! AcknowledgeQueueRecords.

use headwater_queues::{Action, Kind};
use headwater_shapes_kinesis::{
    AcknowledgeQueueRecordsErrorEntry, AcknowledgeQueueRecordsInput, AcknowledgeQueueRecordsOutput,
    AcknowledgeQueueRecordsRequestEntry, AcknowledgeQueueRecordsResultEntry,
    ops::AcknowledgeQueueRecords,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{Kinesis, queues::settles};

settles!(
    AcknowledgeQueueRecords,
    AcknowledgeQueueRecordsInput { queue_arn, entries } => AcknowledgeQueueRecordsOutput { AcknowledgeQueueRecordsResultEntry, AcknowledgeQueueRecordsErrorEntry },
    Kind::Records,
    |AcknowledgeQueueRecordsRequestEntry { receipt_handle }| (Action::Acknowledge, receipt_handle)
);
