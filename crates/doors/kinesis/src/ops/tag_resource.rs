//! TagResource.

use headwater_shapes::Nothing;
use headwater_shapes_kinesis::{TagResourceInput, ops::TagResource};
use headwater_wire::{ApiError, Context, Handle};

use crate::{Kinesis, errors, place::Resource, queues, tags};

impl Handle<TagResource> for Kinesis {
    async fn handle(
        &self,
        input: TagResourceInput,
        context: &Context,
    ) -> Result<Nothing, ApiError> {
        if let Some(channel) = self.tagged_channel(&input.resource_arn, context).await? {
            return self
                .tag_channel(&channel, move |tags| tags.extend(input.tags), context)
                .await;
        }
        match self.owned(input.resource_arn, input.stream_id, context)? {
            Resource::Stream(stream) => self.tag_stream(&stream, input.tags, context).await?,
            Resource::Consumer(stream, consumer) => {
                tags::check_new(&input.tags, &stream.record.name, context)?;
                let tagged = self.streams.tag_consumer(consumer, input.tags).await;
                tagged.map_err(|error| errors::api(error, context))?;
            }
            Resource::Queue(queue) => {
                tags::check_letters(input.tags.keys().chain(input.tags.values()))?;
                let tagged = self.queues.tag(&queue.id, input.tags).await;
                tagged.map_err(|error| queues::api(error, context))?;
            }
        }
        Ok(Nothing {})
    }
}

#[cfg(test)]
mod tests {
    use headwater_shapes_kinesis::ops;
    use serde_json::json;

    use crate::testing::{World, refusal};

    #[tokio::test]
    async fn consumers_have_tags_of_their_own() {
        let world = World::with_stream(1).await;
        let stream = "arn:aws:kinesis:us-east-1:000000000000:stream/s";
        let register = json!({"StreamARN": stream, "ConsumerName": "c", "Tags": {"a": "1"}});
        let consumer =
            world.ok::<ops::RegisterStreamConsumer>(register).await["Consumer"]["ConsumerARN"]
                .clone();
        world
            .ok::<ops::TagResource>(json!({"ResourceARN": consumer, "Tags": {"b": "2", "c": "3"}}))
            .await;
        world
            .ok::<ops::UntagResource>(json!({"ResourceARN": consumer, "TagKeys": ["a", "c"]}))
            .await;
        let tags = async |arn| {
            world
                .ok::<ops::ListTagsForResource>(json!({"ResourceARN": arn}))
                .await["Tags"]
                .clone()
        };
        assert_eq!(
            tags(consumer.clone()).await,
            json!([{"Key": "b", "Value": "2"}])
        );
        assert_eq!(tags(json!(stream)).await, json!([]));
        let many: serde_json::Map<_, _> = (0..50).map(|n| (n.to_string(), json!("x"))).collect();
        let refused = world
            .refused::<ops::TagResource>(json!({"ResourceARN": consumer, "Tags": many}))
            .await;
        assert_eq!(refused.0, "InvalidArgumentException");
        let other = consumer.as_str().unwrap().replace("/c:", "/d:");
        let gone = refusal(
            "ResourceNotFoundException",
            "Consumer d, account 000000000000 not found.",
        );
        assert_eq!(
            world
                .refused::<ops::ListTagsForResource>(json!({"ResourceARN": other}))
                .await,
            gone
        );
    }
}
