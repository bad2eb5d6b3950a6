//! ChangeMessageVisibilityBatch.

use headwater_shapes_sqs::{
    ChangeMessageVisibilityBatchRequest, ChangeMessageVisibilityBatchRequestEntry,
    ChangeMessageVisibilityBatchResult, ChangeMessageVisibilityBatchResultEntry,
    ops::ChangeMessageVisibilityBatch,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{Sqs, batch, settling::visibility};

impl Handle<ChangeMessageVisibilityBatch> for Sqs {
    async fn handle(
        &self,
        input: ChangeMessageVisibilityBatchRequest,
        context: &Context,
    ) -> Result<ChangeMessageVisibilityBatchResult, ApiError> {
        let ChangeMessageVisibilityBatchRequest { queue_url, entries } = input;
        let queue = self.queue(&queue_url, context)?;
        let ids = entries.iter().map(|entry| entry.id.as_str());
        batch::check(ids, "ChangeMessageVisibilityBatchRequestEntry")?;
        let entries = entries.into_iter();
        let entries = entries.map(|entry| {
            let ChangeMessageVisibilityBatchRequestEntry {
                id,
                receipt_handle,
                visibility_timeout,
            } = entry;
            let timeout = visibility_timeout.unwrap_or_default();
            (id, visibility(receipt_handle, timeout))
        });
        let (successful, failed) = self.settle_all(&queue, entries.collect(), context).await?;
        let successful = successful
            .into_iter()
            .map(|id| ChangeMessageVisibilityBatchResultEntry { id });
        Ok(ChangeMessageVisibilityBatchResult {
            successful: batch::listed(successful.collect()),
            failed: batch::listed(failed),
        })
    }
}
