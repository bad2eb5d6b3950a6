//! UntagQueue.

use headwater_messages::QueueRecord;
use headwater_shapes::Nothing;
use headwater_shapes_sqs::{UntagQueueRequest, ops::UntagQueue};
use headwater_wire::{ApiError, Context, Handle};

use crate::Sqs;

impl Handle<UntagQueue> for Sqs {
    async fn handle(
        &self,
        input: UntagQueueRequest,
        context: &Context,
    ) -> Result<Nothing, ApiError> {
        let UntagQueueRequest {
            queue_url,
            tag_keys,
        } = input;
        let queue = self.queue(&queue_url, context)?;
        let remove = move |queue: &mut QueueRecord| {
            queue.tags.retain(|key, _| !tag_keys.contains(key));
            Ok(())
        };
        let untagged = self.queues.alter(&queue.name, false, remove).await;
        untagged.map_err(Self::failed(&queue, context))?;
        Ok(Nothing {})
    }
}
