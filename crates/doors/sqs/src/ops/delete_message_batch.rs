//! DeleteMessageBatch.

use headwater_shapes_sqs::{
    DeleteMessageBatchRequest, DeleteMessageBatchRequestEntry, DeleteMessageBatchResult,
    DeleteMessageBatchResultEntry, ops::DeleteMessageBatch,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{Sqs, batch, settling::deletion};

impl Handle<DeleteMessageBatch> for Sqs {
    async fn handle(
        &self,
        input: DeleteMessageBatchRequest,
        context: &Context,
    ) -> Result<DeleteMessageBatchResult, ApiError> {
        let DeleteMessageBatchRequest { queue_url, entries } = input;
        let queue = self.queue(&queue_url, context)?;
        let ids = entries.iter().map(|entry| entry.id.as_str());
        batch::check(ids, "DeleteMessageBatchRequestEntry")?;
        let entries = entries.into_iter();
        let entries = entries.map(|entry| {
            let DeleteMessageBatchRequestEntry { id, receipt_handle } = entry;
            (id, deletion(receipt_handle))
        });
        let (successful, failed) = self.settle_all(&queue, entries.collect(), context).await?;
        let successful = successful
            .into_iter()
            .map(|id| DeleteMessageBatchResultEntry { id });
        Ok(DeleteMessageBatchResult {
            successful: batch::listed(successful.collect()),
            failed: batch::listed(failed),
        })
    }
}
