//! AddTagsToStream.

use headwater_shapes::Nothing;
use headwater_shapes_kinesis::{AddTagsToStreamInput, ops::AddTagsToStream};
use headwater_streams::{Stream, Tags};
use headwater_wire::{ApiError, Context, Handle};

use crate::{Kinesis, errors, place::Place, tags};

impl Handle<AddTagsToStream> for Kinesis {
    async fn handle(
        &self,
        input: AddTagsToStreamInput,
        context: &Context,
    ) -> Result<Nothing, ApiError> {
        let AddTagsToStreamInput {
            stream_name,
            tags,
            stream_arn,
            stream_id,
        } = input;
        let place = Place {
            name: stream_name,
            arn: stream_arn,
            id: stream_id,
        };
        self.tag_stream(&*self.stream(place, context)?, tags, context)
            .await?;
        Ok(Nothing {})
    }
}

impl Kinesis {
    /// Adds tags to a stream.
    pub(super) async fn tag_stream(
        &self,
        stream: &Stream,
        new: Tags,
        context: &Context,
    ) -> Result<(), ApiError> {
        let name = &stream.record.name;
        tags::check_new(&new, name, context)?;
        self.streams
            .tag(name.clone(), new)
            .await
            .map_err(|error| errors::api(error, context))
    }
}

#[cfg(test)]
mod tests {
    use headwater_shapes_kinesis::ops;
    use serde_json::json;

    use crate::testing::{World, refusal};

    const ARN: &str = "arn:aws:kinesis:us-east-1:000000000000:stream/s";

    #[tokio::test]
    async fn tags_come_back_in_order_and_in_pages() {
        let world = World::with_stream(1).await;
        let tags = json!({"StreamName": "s", "Tags": {"b": "ü0 _./=+-@", "a": "1", "c": ""}});
        world.ok::<ops::AddTagsToStream>(tags).await;
        world
            .ok::<ops::TagResource>(json!({"ResourceARN": ARN, "Tags": {"a": "2", "d:e": "x"}}))
            .await;
        let page = world
            .ok::<ops::ListTagsForStream>(json!({"StreamARN": ARN, "Limit": 2}))
            .await;
        let tag = |key: &str, value: &str| json!({"Key": key, "Value": value});
        assert_eq!(
            page,
            json!({"Tags": [tag("a", "2"), tag("b", "ü0 _./=+-@")], "HasMoreTags": true})
        );
        let next = json!({"StreamName": "s", "ExclusiveStartTagKey": "b"});
        let page = world.ok::<ops::ListTagsForStream>(next).await;
        assert_eq!(
            page,
            json!({"Tags": [tag("c", ""), tag("d:e", "x")], "HasMoreTags": false})
        );
        world
            .ok::<ops::RemoveTagsFromStream>(json!({"StreamName": "s", "TagKeys": ["a", "none"]}))
            .await;
        world
            .ok::<ops::UntagResource>(json!({"ResourceARN": ARN, "TagKeys": ["b", "c"]}))
            .await;
        let left = world
            .ok::<ops::ListTagsForResource>(json!({"ResourceARN": ARN}))
            .await;
        assert_eq!(left, json!({"Tags": [tag("d:e", "x")]}));
    }

    #[tokio::test]
    async fn letters_and_numbers_of_tags_are_bounded() {
        let world = World::with_stream(1).await;
        let refused = async |tags: serde_json::Value| {
            world
                .refused::<ops::AddTagsToStream>(json!({"StreamName": "s", "Tags": tags}))
                .await
        };
        let letters = "Some tags contain invalid characters. Valid characters: \
                       Unicode letters, digits, white space, _ . / = + - % @.";
        for tags in [
            json!({"a;b": "1"}),
            json!({"a\tb": "1"}),
            json!({"a": "b\nc"}),
            json!({"a": "b,c"}),
        ] {
            assert_eq!(
                refused(tags).await,
                refusal("InvalidArgumentException", letters)
            );
        }
        let percent = "Failed to add tags to stream s under account 000000000000 because some tags contained illegal \
                       characters. The allowed characters are Unicode letters, white-spaces, \
                       '_',',','/','=','+','-','@'.";
        assert_eq!(
            refused(json!({"a%": "1"})).await,
            refusal("InvalidArgumentException", percent)
        );
        let reserved = "aws: prefixed tag key names are not allowed for external use.";
        assert_eq!(
            refused(json!({"aws:x": "1"})).await,
            refusal("InvalidArgumentException", reserved)
        );
        let new = json!({"StreamName": "t", "ShardCount": 1, "Tags": {"aws:x": "1"}});
        assert_eq!(
            world.refused::<ops::CreateStream>(new).await,
            refusal("InvalidArgumentException", reserved)
        );
        let many: serde_json::Map<_, _> = (0..51).map(|n| (n.to_string(), json!(""))).collect();
        let text = "Failed to add tags to stream s under account 000000000000 because a given stream cannot have \
                    more than 50 tags associated with it.";
        assert_eq!(
            refused(many.into()).await,
            refusal("InvalidArgumentException", text)
        );
    }
}
