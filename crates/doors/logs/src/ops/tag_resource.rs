//! TagResource, of groups.

use headwater_shapes::Nothing;
use headwater_shapes_logs::{TagResourceRequest, ops::TagResource};
use headwater_wire::{ApiError, Context, Handle};

use crate::{Logs, tags};

impl Handle<TagResource> for Logs {
    async fn handle(
        &self,
        input: TagResourceRequest,
        context: &Context,
    ) -> Result<Nothing, ApiError> {
        let TagResourceRequest {
            resource_arn,
            tags: add,
        } = input;
        let group = tags::group(&resource_arn, context)?;
        self.change_tags(&group, add, Vec::new()).await?;
        Ok(Nothing {})
    }
}

#[cfg(test)]
mod tests {
    use headwater_shapes_logs::ops::{
        CreateLogGroup, ListTagsForResource, ListTagsLogGroup, TagLogGroup, TagResource,
        UntagLogGroup, UntagResource,
    };
    use serde_json::{Value, json};

    use crate::testing::World;

    const ARN: &str = "arn:aws:logs:us-east-1:000000000000:log-group:t";

    #[tokio::test]
    async fn tags_are_the_same_by_both_families_of_calls() {
        let world = World::new().await;
        let made = json!({ "logGroupName": "t", "tags": { "env": "one" } });
        world.ok::<CreateLogGroup>(made).await;
        let tags = async || {
            let old = world.ok::<ListTagsLogGroup>(json!({ "logGroupName": "t" }));
            let new = world.ok::<ListTagsForResource>(json!({ "resourceArn": ARN }));
            let (old, new) = (old.await, new.await);
            assert_eq!(old, new);
            old["tags"].clone()
        };
        assert_eq!(tags().await, json!({ "env": "one" }));
        let add = json!({ "resourceArn": format!("{ARN}:*"), "tags": { "a": "1", "b": "2" } });
        world.ok::<TagResource>(add).await;
        let add = json!({ "logGroupName": "t", "tags": { "a": "3" } });
        world.ok::<TagLogGroup>(add).await;
        assert_eq!(tags().await, json!({ "a": "3", "b": "2", "env": "one" }));
        let remove = json!({ "logGroupName": "t", "tags": ["b", "none"] });
        world.ok::<UntagLogGroup>(remove).await;
        let remove = json!({ "resourceArn": ARN, "tagKeys": ["env"] });
        world.ok::<UntagResource>(remove).await;
        assert_eq!(tags().await, json!({ "a": "3" }));
        let many = |from: usize| -> Value {
            let tags = (from..from + 50).map(|i| (format!("k{i}"), json!("")));
            Value::Object(tags.collect())
        };
        let too_many = json!({ "resourceArn": ARN, "tags": many(0) });
        assert_eq!(
            world.refused::<TagResource>(too_many).await.0,
            "TooManyTagsException"
        );
        let reserved = json!({ "resourceArn": ARN, "tags": { "aws:a": "1" } });
        assert_eq!(
            world.refused::<TagResource>(reserved).await.0,
            "InvalidParameterException"
        );
        let none = json!({ "resourceArn": format!("{ARN}-none") });
        assert_eq!(
            world.refused::<ListTagsForResource>(none).await.0,
            "ResourceNotFoundException"
        );
        let wrong = json!({ "resourceArn": "t" });
        assert_eq!(
            world.refused::<ListTagsForResource>(wrong).await.0,
            "InvalidParameterException"
        );
    }
}
