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
        let TagResourceInput {
            tags,
            resource_arn,
            stream_id,
        } = input;
        if let Some(channel) = self
            .tagged_channel(&resource_arn, &stream_id, context)
            .await?
        {
            tags::check_texts(&tags)?;
            return self
                .tag_channel(&channel, move |kept| kept.extend(tags), context)
                .await;
        }
        match self.owned(resource_arn, stream_id, context)? {
            Resource::Stream(stream) => self.tag_stream(&stream, tags, context).await?,
            Resource::Consumer(stream, consumer) => {
                tags::check_new(&tags, &stream.record.name, context)?;
                let tagged = self.streams.tag_consumer(consumer, tags).await;
                tagged.map_err(|error| errors::api(error, context))?;
            }
            Resource::Queue(queue) => {
                tags::check_texts(&tags)?;
                let tagged = self.queues.tag(&queue.id, tags).await;
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

    /// The ARN may name a stream, a consumer, a channel or a queue.
    #[tokio::test]
    async fn a_stream_id_is_refused_beside_every_arn() {
        let world = World::with_stream(1).await;
        for resource in ["stream/s", "stream/s/consumer/c:1", "channel/c", "queue/q"] {
            let arn = format!("arn:aws:kinesis:us-east-1:000000000000:{resource}");
            let named = json!({"ResourceARN": arn, "StreamId": "i", "Tags": {}, "TagKeys": []});
            let refused = [
                world.refused::<ops::TagResource>(named.clone()).await.0,
                world.refused::<ops::UntagResource>(named.clone()).await.0,
                world.refused::<ops::ListTagsForResource>(named).await.0,
            ];
            assert_eq!(refused, ["NotImplemented"; 3], "{resource}");
        }
    }

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
