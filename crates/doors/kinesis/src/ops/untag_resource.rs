//! UntagResource. Tested with TagResource.

use headwater_shapes::Nothing;
use headwater_shapes_kinesis::{UntagResourceInput, ops::UntagResource};
use headwater_wire::{ApiError, Context, Handle};

use crate::{Kinesis, errors, place::Resource, queues, tags};

impl Handle<UntagResource> for Kinesis {
    async fn handle(
        &self,
        input: UntagResourceInput,
        context: &Context,
    ) -> Result<Nothing, ApiError> {
        let UntagResourceInput {
            tag_keys,
            resource_arn,
            stream_id,
        } = input;
        if let Some(channel) = self
            .tagged_channel(&resource_arn, &stream_id, context)
            .await?
        {
            let keys = tag_keys;
            return self
                .tag_channel(
                    &channel,
                    move |tags| tags.retain(|key, _| !keys.contains(key)),
                    context,
                )
                .await;
        }
        match self.owned(resource_arn, stream_id, context)? {
            Resource::Stream(stream) => self.untag_stream(&stream, tag_keys, context).await?,
            Resource::Consumer(stream, consumer) => {
                tags::check_keys(&tag_keys, &stream.record.name, context)?;
                let untagged = self.streams.untag_consumer(consumer, tag_keys).await;
                untagged.map_err(|error| errors::api(error, context))?;
            }
            Resource::Queue(queue) => {
                tags::check_letters(tag_keys.iter())?;
                let untagged = self.queues.untag(&queue.id, tag_keys).await;
                untagged.map_err(|error| queues::api(error, context))?;
            }
        }
        Ok(Nothing {})
    }
}
