//! SetQueueAttributes.

use headwater_shapes::Nothing;
use headwater_shapes_sqs::{SetQueueAttributesRequest, ops::SetQueueAttributes};
use headwater_wire::{ApiError, Context, Handle};

use crate::Sqs;

impl Handle<SetQueueAttributes> for Sqs {
    async fn handle(
        &self,
        input: SetQueueAttributesRequest,
        context: &Context,
    ) -> Result<Nothing, ApiError> {
        let SetQueueAttributesRequest {
            queue_url,
            attributes,
        } = input;
        let queue = self.queue(&queue_url, context)?;
        let (sqs, asked) = (self.clone(), context.clone());
        self.alter(&queue, context, move |queue| {
            sqs.set(queue, &attributes, &asked)
        })
        .await?;
        Ok(Nothing {})
    }
}
