//! RestoreDeadLetterQueueRecords.

use headwater_queues::{Action, Kind};
use headwater_shapes::kinesis::{
    RestoreDeadLetterQueueRecordsErrorEntry, RestoreDeadLetterQueueRecordsInput,
    RestoreDeadLetterQueueRecordsOutput, RestoreDeadLetterQueueRecordsResultEntry,
    ops::RestoreDeadLetterQueueRecords,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{Kinesis, queues};

impl Handle<RestoreDeadLetterQueueRecords> for Kinesis {
    async fn handle(
        &self,
        input: RestoreDeadLetterQueueRecordsInput,
        context: &Context,
    ) -> Result<RestoreDeadLetterQueueRecordsOutput, ApiError> {
        let entries = input.entries.into_iter().map(|entry| (entry.receipt_handle, Action::Restore));
        let (successful, failed) = self.settle(&input.queue_arn, Kind::DeadLetters, entries, context).await?;
        let done = |receipt_handle| RestoreDeadLetterQueueRecordsResultEntry { receipt_handle };
        let failed_entry = |failed: queues::Failed| RestoreDeadLetterQueueRecordsErrorEntry {
            receipt_handle: failed.receipt_handle,
            error_code: failed.error_code,
            error_message: failed.error_message,
        };
        Ok(RestoreDeadLetterQueueRecordsOutput {
            successful: successful.into_iter().map(done).collect(),
            failed: failed.into_iter().map(failed_entry).collect(),
        })
    }
}
