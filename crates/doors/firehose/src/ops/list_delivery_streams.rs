//! ListDeliveryStreams.

use headwater_delivery::{Origin, StreamRecord};
use headwater_shapes_firehose::{
    ListDeliveryStreamsInput, ListDeliveryStreamsOutput, ops::ListDeliveryStreams,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{Firehose, errors::api};

/// How many names AWS gives where nothing is said.
const LIMIT: i32 = 10;

impl Handle<ListDeliveryStreams> for Firehose {
    async fn handle(
        &self,
        input: ListDeliveryStreamsInput,
        context: &Context,
    ) -> Result<ListDeliveryStreamsOutput, ApiError> {
        let ListDeliveryStreamsInput {
            limit,
            delivery_stream_type,
            exclusive_start_delivery_stream_name,
        } = input;
        let limit = limit.unwrap_or(LIMIT).unsigned_abs() as usize;
        let after = exclusive_start_delivery_stream_name.as_deref();
        let wanted = delivery_stream_type.as_deref();
        let is_wanted = |stream: &StreamRecord| wanted.is_none_or(|wanted| wanted == kind(stream));
        let found = self.deliveries.list(after, limit, is_wanted).await;
        let (streams, has_more_delivery_streams) = found.map_err(|error| api(error, context))?;
        let delivery_stream_names = streams.into_iter().map(|stream| stream.name).collect();
        Ok(ListDeliveryStreamsOutput {
            delivery_stream_names,
            has_more_delivery_streams,
        })
    }
}

fn kind(stream: &StreamRecord) -> &'static str {
    match stream.origin {
        Origin::Direct { .. } => "DirectPut",
        Origin::Stream { .. } => "KinesisStreamAsSource",
    }
}

#[cfg(test)]
mod tests {
    use headwater_shapes_firehose::ops;
    use serde_json::json;

    use crate::testing::World;

    #[tokio::test]
    async fn names_and_tags_come_in_pages() {
        let world = World::new().await;
        for i in 0..12 {
            let destination = json!({"RoleARN": "arn:aws:iam::000000000000:role/r", "BucketARN": "arn:aws:s3:::b"});
            let input = json!({"DeliveryStreamName": format!("d{i:02}"), "S3DestinationConfiguration": destination});
            world.ok::<ops::CreateDeliveryStream>(input).await;
        }
        let page = world.ok::<ops::ListDeliveryStreams>(json!({})).await;
        assert_eq!(page["DeliveryStreamNames"].as_array().unwrap().len(), 10);
        assert_eq!(page["HasMoreDeliveryStreams"], true);
        let rest = json!({"ExclusiveStartDeliveryStreamName": "d09", "Limit": 5});
        assert_eq!(
            world.ok::<ops::ListDeliveryStreams>(rest).await,
            json!({"DeliveryStreamNames": ["d10", "d11"], "HasMoreDeliveryStreams": false})
        );
        let readers = json!({"DeliveryStreamType": "KinesisStreamAsSource"});
        assert_eq!(
            world.ok::<ops::ListDeliveryStreams>(readers).await["DeliveryStreamNames"],
            json!([])
        );

        let name = json!({"DeliveryStreamName": "d00"});
        let tags = json!([{"Key": "b", "Value": "2"}, {"Key": "a", "Value": "1"}, {"Key": "a", "Value": "3"}]);
        world
            .ok::<ops::TagDeliveryStream>(json!({"DeliveryStreamName": "d00", "Tags": tags}))
            .await;
        let limited = json!({"DeliveryStreamName": "d00", "Limit": 1});
        assert_eq!(
            world.ok::<ops::ListTagsForDeliveryStream>(limited).await,
            json!({"Tags": [{"Key": "a", "Value": "3"}], "HasMoreTags": true})
        );
        world
            .ok::<ops::UntagDeliveryStream>(
                json!({"DeliveryStreamName": "d00", "TagKeys": ["a", "z"]}),
            )
            .await;
        assert_eq!(
            world
                .ok::<ops::ListTagsForDeliveryStream>(name.clone())
                .await["Tags"],
            json!([{"Key": "b", "Value": "2"}])
        );
        world.ok::<ops::DeleteDeliveryStream>(name.clone()).await;
        assert!(
            world
                .call::<ops::DescribeDeliveryStream>(name)
                .await
                .is_err()
        );
    }
}
