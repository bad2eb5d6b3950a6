//! AcknowledgeDeadLetterQueueRecords.

use headwater_queues::{Action, Kind};
use headwater_shapes::kinesis::{
    AcknowledgeDeadLetterQueueRecordsErrorEntry, AcknowledgeDeadLetterQueueRecordsInput,
    AcknowledgeDeadLetterQueueRecordsOutput, AcknowledgeDeadLetterQueueRecordsResultEntry,
    ops::AcknowledgeDeadLetterQueueRecords,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{Kinesis, queues};

impl Handle<AcknowledgeDeadLetterQueueRecords> for Kinesis {
    async fn handle(
        &self,
        input: AcknowledgeDeadLetterQueueRecordsInput,
        context: &Context,
    ) -> Result<AcknowledgeDeadLetterQueueRecordsOutput, ApiError> {
        let entries = input.entries.into_iter().map(|entry| (entry.receipt_handle, Action::Acknowledge));
        let (successful, failed) = self.settle(&input.queue_arn, Kind::DeadLetters, entries, context).await?;
        let done = |receipt_handle| AcknowledgeDeadLetterQueueRecordsResultEntry { receipt_handle };
        let failed_entry = |failed: queues::Failed| AcknowledgeDeadLetterQueueRecordsErrorEntry {
            receipt_handle: failed.receipt_handle,
            error_code: failed.error_code,
            error_message: failed.error_message,
        };
        Ok(AcknowledgeDeadLetterQueueRecordsOutput {
            successful: successful.into_iter().map(done).collect(),
            failed: failed.into_iter().map(failed_entry).collect(),
        })
    }
}
