//! AcknowledgeQueueRecords.

use headwater_queues::{Action, Kind};
use headwater_shapes::kinesis::{
    AcknowledgeQueueRecordsErrorEntry, AcknowledgeQueueRecordsInput, AcknowledgeQueueRecordsOutput,
    AcknowledgeQueueRecordsResultEntry, ops::AcknowledgeQueueRecords,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{Kinesis, queues};

impl Handle<AcknowledgeQueueRecords> for Kinesis {
    async fn handle(
        &self,
        input: AcknowledgeQueueRecordsInput,
        context: &Context,
    ) -> Result<AcknowledgeQueueRecordsOutput, ApiError> {
        let entries = input.entries.into_iter().map(|entry| (entry.receipt_handle, Action::Acknowledge));
        let (successful, failed) = self.settle(&input.queue_arn, Kind::Records, entries, context).await?;
        let done = |receipt_handle| AcknowledgeQueueRecordsResultEntry { receipt_handle };
        let failed_entry = |failed: queues::Failed| AcknowledgeQueueRecordsErrorEntry {
            receipt_handle: failed.receipt_handle,
            error_code: failed.error_code,
            error_message: failed.error_message,
        };
        Ok(AcknowledgeQueueRecordsOutput {
            successful: successful.into_iter().map(done).collect(),
            failed: failed.into_iter().map(failed_entry).collect(),
        })
    }
}
