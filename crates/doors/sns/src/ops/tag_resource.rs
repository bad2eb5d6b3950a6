//! TagResource.

use std::collections::BTreeMap;

use headwater_shapes_sns::{Tag, TagResourceRequest, TagResourceResponse, ops::TagResource};
use headwater_topics::Topic;
use headwater_wire::{ApiError, Context, Handle, RESERVED_TAG, TagFault, tag_fault};

use crate::{
    Sns,
    errors::{api, invalid, no_resource},
    names::topic_name,
};

impl Handle<TagResource> for Sns {
    async fn handle(
        &self,
        input: TagResourceRequest,
        context: &Context,
    ) -> Result<TagResourceResponse, ApiError> {
        let TagResourceRequest { resource_arn, tags } = input;
        let topic = self.tagged(&resource_arn, context)?;
        let tags = tags_of(tags)?;
        let changed = self.topics.update(&topic.name, move |topic| {
            topic.tags.extend(tags);
            Ok(())
        });
        changed.await.map_err(api)?;
        Ok(TagResourceResponse {})
    }
}

impl Sns {
    /// The topic whose tags are meant.
    pub(super) fn tagged(&self, arn: &str, context: &Context) -> Result<Topic, ApiError> {
        let name = topic_name(arn, context)?;
        self.topics.topic(&name).map_err(|_| no_resource())
    }
}

/// Tags that may be set.
pub(super) fn tags_of(tags: Vec<Tag>) -> Result<BTreeMap<String, String>, ApiError> {
    let mut read = BTreeMap::new();
    for tag in tags {
        let Tag { key, value } = tag;
        match tag_fault(&key, &value) {
            None => {}
            Some(TagFault::Reserved) => return Err(invalid(RESERVED_TAG)),
            Some(TagFault::Key) => return Err(invalid("Tag key")),
            Some(TagFault::Value) => return Err(invalid("Tag value")),
        }
        if read.insert(key, value).is_some() {
            return Err(invalid("Duplicated keys are not allowed."));
        }
    }
    Ok(read)
}

#[cfg(test)]
mod tests {
    use headwater_shapes_sns::ops::{ListTagsForResource, TagResource, UntagResource};
    use serde_json::json;

    use crate::testing::{TOPIC, World, invalid};

    /// localstack's `test_tags`.
    #[tokio::test]
    async fn topics_have_tags() {
        let world = World::with_topic().await;
        let tag = |key: &str, value: &str| json!({"Key": key, "Value": value});
        let set = |tags| json!({"ResourceArn": TOPIC, "Tags": tags});
        world
            .ok::<TagResource>(set(json!([tag("k1", "v1"), tag("k2", "v2")])))
            .await;
        let duplicate = set(json!([tag("k1", "v1"), tag("k1", "v2")]));
        assert_eq!(
            world.refused::<TagResource>(duplicate).await,
            invalid("Duplicated keys are not allowed.")
        );
        world
            .ok::<UntagResource>(json!({"ResourceArn": TOPIC, "TagKeys": ["k1"]}))
            .await;
        world
            .ok::<TagResource>(set(json!([tag("k2", "v2b")])))
            .await;
        let listed = world
            .ok::<ListTagsForResource>(json!({"ResourceArn": TOPIC}))
            .await;
        assert_eq!(listed, json!({"Tags": [tag("k2", "v2b")]}));
        let many = (0..50)
            .map(|i| tag(&format!("t{i}"), ""))
            .collect::<Vec<_>>();
        assert_eq!(
            world.refused::<TagResource>(set(json!(many))).await.0,
            "TagLimitExceeded"
        );
        let other = json!({"ResourceArn": format!("{TOPIC}x")});
        assert_eq!(
            world.refused::<ListTagsForResource>(other).await,
            (
                "ResourceNotFound".to_owned(),
                "Resource does not exist".to_owned()
            )
        );
    }
}
