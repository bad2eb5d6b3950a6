//! ListTags.

use headwater_shapes_lambda::{ListTagsRequest, ListTagsResponse, ops::ListTags};
use headwater_wire::{ApiError, Context, Handle};

use crate::{Lambda, errors, target::Target};

impl Handle<ListTags> for Lambda {
    async fn handle(
        &self,
        input: ListTagsRequest,
        _context: &Context,
    ) -> Result<ListTagsResponse, ApiError> {
        let ListTagsRequest { resource } = input;
        let target = Target::latest(&resource, None, self.functions.options())?;
        let found = self.functions.get(&target.name).await;
        let function = found.map_err(|error| errors::api(error, &target.arn))?;
        Ok(ListTagsResponse {
            tags: Some(function.tags),
        })
    }
}

#[cfg(test)]
mod tests {
    use headwater_shapes_lambda::ops::{CreateFunction, ListTags, TagResource, UntagResource};
    use serde_json::json;

    use crate::testing::{World, function};

    #[tokio::test]
    async fn tags_are_set_listed_and_removed() {
        let world = World::new().await;
        let mut input = function("f");
        input["Tags"] = json!({ "a": "1" });
        let arn = world.ok::<CreateFunction>(input).await["FunctionArn"].clone();
        world
            .ok::<TagResource>(json!({ "Resource": arn, "Tags": { "b": "2", "c": "3" } }))
            .await;
        world
            .ok::<UntagResource>(json!({ "Resource": arn, "tagKeys": ["a", "none"] }))
            .await;
        let tags = world.ok::<ListTags>(json!({ "Resource": arn })).await;
        assert_eq!(tags, json!({ "Tags": { "b": "2", "c": "3" } }));
        let many: serde_json::Map<_, _> = (0..49).map(|i| (format!("k{i}"), json!("v"))).collect();
        let (code, _) = world
            .refused::<TagResource>(json!({ "Resource": arn, "Tags": many }))
            .await;
        assert_eq!(code, "InvalidParameterValueException");
    }

    #[tokio::test]
    async fn tags_that_aws_allows_nowhere_are_refused() {
        let world = World::new().await;
        let arn = world.ok::<CreateFunction>(function("f")).await["FunctionArn"].clone();
        for tags in [
            json!({"aws:x": "1"}),
            json!({"a;b": "1"}),
            json!({"a": "b,c"}),
        ] {
            let mut new = function("g");
            new["Tags"] = tags.clone();
            let refused = [
                world.refused::<CreateFunction>(new).await.0,
                world
                    .refused::<TagResource>(json!({"Resource": arn, "Tags": tags}))
                    .await
                    .0,
            ];
            assert_eq!(refused, ["InvalidParameterValueException"; 2], "{tags}");
        }
    }
}
