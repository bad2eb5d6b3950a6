//! ListTags.

use headwater_shapes_lambda::{ListTagsRequest, ListTagsResponse, ops::ListTags};
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    Lambda, errors,
    tags::{self, Tagged},
};

impl Handle<ListTags> for Lambda {
    async fn handle(
        &self,
        input: ListTagsRequest,
        _context: &Context,
    ) -> Result<ListTagsResponse, ApiError> {
        let ListTagsRequest { resource } = input;
        let tags = match tags::tagged(&resource, self.functions.options())? {
            Tagged::Function(target) => {
                let found = self.functions.get(&target.name).await;
                found.map_err(|error| errors::api(error, &target.arn))?.tags
            }
            Tagged::Mapping(id) => {
                let found = self.mappings.get(&id);
                found.map_err(|_| tags::no_mapping(&resource))?.tags
            }
        };
        Ok(ListTagsResponse { tags: Some(tags) })
    }
}

#[cfg(test)]
mod tests {
    use headwater_shapes_lambda::ops::{
        CreateFunction, GetFunctionConfiguration, ListTags, TagResource, UntagResource,
    };
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
        let text = "Number of tags exceeds resource tag limit.";
        let too_many = ("InvalidParameterValueException".to_owned(), text.to_owned());
        let refused = world.refused::<TagResource>(json!({ "Resource": arn, "Tags": many }));
        assert_eq!(refused.await, too_many);
    }

    #[tokio::test]
    async fn what_has_no_tags_is_refused_in_the_words_of_aws() {
        let world = World::new().await;
        let arn = world.ok::<CreateFunction>(function("f")).await["FunctionArn"].clone();
        let arn = arn.as_str().unwrap();
        let of = "arn:aws:lambda:us-east-1:000000000000";
        let mapping = format!("{of}:event-source-mapping:0c06c7b9-2ad5-4d4c-9d0f-1b4b2f3f7d6a");
        let provider = format!("{of}:capacity-provider:p");
        for (resource, code, text) in [
            (
                format!("{arn}:$LATEST"),
                "InvalidParameterValueException",
                "Tags on function aliases and versions are not supported. Please specify a function ARN."
                    .to_owned(),
            ),
            (
                format!("{of}:function:g"),
                "ResourceNotFoundException",
                format!("Function not found: {of}:function:g"),
            ),
            (
                mapping.clone(),
                "ResourceNotFoundException",
                format!("Event source mapping not found: {mapping}"),
            ),
            (
                provider.clone(),
                "ResourceNotFoundException",
                format!("Capacity provider not found: {provider}"),
            ),
        ] {
            let refused = world.refused::<ListTags>(json!({ "Resource": resource }));
            assert_eq!(refused.await, (code.to_owned(), text), "{resource}");
        }
        let nothing = json!({ "Resource": arn, "Tags": {} });
        assert_eq!(
            world.refused::<TagResource>(nothing).await.1,
            "An error occurred and the request cannot be processed."
        );
    }

    #[tokio::test]
    async fn tags_change_the_revision_and_nothing_else() {
        let world = World::new().await;
        let arn = world.ok::<CreateFunction>(function("f")).await["FunctionArn"].clone();
        let get = async || {
            let mut found = world
                .ok::<GetFunctionConfiguration>(json!({ "FunctionName": "f" }))
                .await;
            (found["RevisionId"].take(), found)
        };
        let before = get().await;
        let tags = json!({ "Resource": arn, "Tags": { "a": "1" } });
        world.ok::<TagResource>(tags).await;
        let tagged = get().await;
        let keys = json!({ "Resource": arn, "tagKeys": ["a"] });
        world.ok::<UntagResource>(keys).await;
        let untagged = get().await;
        assert_ne!(before.0, tagged.0);
        assert_ne!(tagged.0, untagged.0);
        assert_eq!((&tagged.1, &untagged.1), (&before.1, &before.1));
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
