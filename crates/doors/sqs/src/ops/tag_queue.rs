//! TagQueue.

use headwater_messages::{Error, limits::TAGS};
use headwater_shapes::Nothing;
use headwater_shapes_sqs::{TagQueueRequest, ops::TagQueue};
use headwater_wire::{ApiError, Context, Handle};

use crate::{Sqs, tags};

impl Handle<TagQueue> for Sqs {
    async fn handle(&self, input: TagQueueRequest, context: &Context) -> Result<Nothing, ApiError> {
        let TagQueueRequest {
            queue_url,
            tags: new,
        } = input;
        let queue = self.queue(&queue_url, context)?;
        tags::check(&new)?;
        let add = move |queue: &mut headwater_messages::QueueRecord| {
            queue.tags.extend(new);
            match queue.tags.len() {
                count if count > TAGS => Err(Error::TooManyTags),
                _ => Ok(()),
            }
        };
        let tagged = self.queues.alter(&queue.name, false, add).await;
        tagged.map_err(Self::failed(&queue, context))?;
        Ok(Nothing {})
    }
}
