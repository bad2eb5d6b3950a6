//! UpdateDeadLetterQueueRecordsVisibility.

use headwater_queues::{Action, Kind};
use headwater_shapes::kinesis::{
    UpdateDeadLetterQueueRecordsVisibilityErrorEntry, UpdateDeadLetterQueueRecordsVisibilityInput,
    UpdateDeadLetterQueueRecordsVisibilityOutput, UpdateDeadLetterQueueRecordsVisibilityResultEntry,
    ops::UpdateDeadLetterQueueRecordsVisibility,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{Kinesis, queues};

impl Handle<UpdateDeadLetterQueueRecordsVisibility> for Kinesis {
    async fn handle(
        &self,
        input: UpdateDeadLetterQueueRecordsVisibilityInput,
        context: &Context,
    ) -> Result<UpdateDeadLetterQueueRecordsVisibilityOutput, ApiError> {
        let entries = input.entries.into_iter().map(|entry| {
            (entry.receipt_handle, Action::Hide(queues::seconds(entry.visibility_timeout_seconds)))
        });
        let (successful, failed) = self.settle(&input.queue_arn, Kind::DeadLetters, entries, context).await?;
        let done = |receipt_handle| UpdateDeadLetterQueueRecordsVisibilityResultEntry { receipt_handle };
        let failed_entry = |failed: queues::Failed| UpdateDeadLetterQueueRecordsVisibilityErrorEntry {
            receipt_handle: failed.receipt_handle,
            error_code: failed.error_code,
            error_message: failed.error_message,
        };
        Ok(UpdateDeadLetterQueueRecordsVisibilityOutput {
            successful: successful.into_iter().map(done).collect(),
            failed: failed.into_iter().map(failed_entry).collect(),
        })
    }
}
