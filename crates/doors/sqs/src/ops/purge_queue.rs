//! PurgeQueue.

use headwater_shapes::Nothing;
use headwater_shapes_sqs::{PurgeQueueRequest, ops::PurgeQueue};
use headwater_wire::{ApiError, Context, Handle};

use crate::Sqs;

impl Handle<PurgeQueue> for Sqs {
    async fn handle(
        &self,
        input: PurgeQueueRequest,
        context: &Context,
    ) -> Result<Nothing, ApiError> {
        let PurgeQueueRequest { queue_url } = input;
        let queue = self.queue(&queue_url, context)?;
        let purged = self.queues.purge(&queue.name).await;
        purged.map_err(Self::failed(&queue, context))?;
        Ok(Nothing {})
    }
}
