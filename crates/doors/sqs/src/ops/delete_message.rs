//! DeleteMessage.

use headwater_shapes::Nothing;
use headwater_shapes_sqs::{DeleteMessageRequest, ops::DeleteMessage};
use headwater_wire::{ApiError, Context, Handle};

use crate::{Sqs, settling::deletion};

impl Handle<DeleteMessage> for Sqs {
    async fn handle(
        &self,
        input: DeleteMessageRequest,
        context: &Context,
    ) -> Result<Nothing, ApiError> {
        let DeleteMessageRequest {
            queue_url,
            receipt_handle,
        } = input;
        let queue = self.queue(&queue_url, context)?;
        self.settle_one(&queue, deletion(receipt_handle), context)
            .await?;
        Ok(Nothing {})
    }
}
