//! ChangeMessageVisibility.

use headwater_shapes::Nothing;
use headwater_shapes_sqs::{ChangeMessageVisibilityRequest, ops::ChangeMessageVisibility};
use headwater_wire::{ApiError, Context, Handle};

use crate::{Sqs, settling::visibility};

impl Handle<ChangeMessageVisibility> for Sqs {
    async fn handle(
        &self,
        input: ChangeMessageVisibilityRequest,
        context: &Context,
    ) -> Result<Nothing, ApiError> {
        let ChangeMessageVisibilityRequest {
            queue_url,
            receipt_handle,
            visibility_timeout,
        } = input;
        let queue = self.queue(&queue_url, context)?;
        let settle = visibility(receipt_handle, visibility_timeout);
        self.settle_one(&queue, settle, context).await?;
        Ok(Nothing {})
    }
}
