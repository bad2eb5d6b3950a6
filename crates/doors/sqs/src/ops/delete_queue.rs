//! DeleteQueue.

use headwater_shapes::Nothing;
use headwater_shapes_sqs::{DeleteQueueRequest, ops::DeleteQueue};
use headwater_wire::{ApiError, Context, Handle};

use crate::Sqs;

impl Handle<DeleteQueue> for Sqs {
    async fn handle(
        &self,
        input: DeleteQueueRequest,
        context: &Context,
    ) -> Result<Nothing, ApiError> {
        let DeleteQueueRequest { queue_url } = input;
        let queue = self.queue(&queue_url, context)?;
        let deleted = self.queues.delete(&queue.name).await;
        deleted.map_err(Self::failed(&queue, context))?;
        Ok(Nothing {})
    }
}
