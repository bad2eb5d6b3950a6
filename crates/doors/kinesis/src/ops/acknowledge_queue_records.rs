//! AcknowledgeQueueRecords.

use headwater_queues::{Action, Kind};
use headwater_shapes_kinesis::{
    AcknowledgeQueueRecordsErrorEntry, AcknowledgeQueueRecordsInput, AcknowledgeQueueRecordsOutput,
    AcknowledgeQueueRecordsResultEntry, ops::AcknowledgeQueueRecords,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{Kinesis, queues::settles};

settles!(
    AcknowledgeQueueRecords,
    AcknowledgeQueueRecordsInput => AcknowledgeQueueRecordsOutput { AcknowledgeQueueRecordsResultEntry, AcknowledgeQueueRecordsErrorEntry },
    Kind::Records,
    |_: &_| Action::Acknowledge
);
