//! GetTags of a database, which has none: they are refused when it is made.

use headwater_shapes_glue::{GetTagsRequest, GetTagsResponse, ops::GetTags};
use headwater_wire::{ApiError, Context, Handle};

use std::collections::BTreeMap;

use headwater_types::Arn;

use crate::{Glue, errors::api, name::folded};

impl Handle<GetTags> for Glue {
    async fn handle(
        &self,
        input: GetTagsRequest,
        context: &Context,
    ) -> Result<GetTagsResponse, ApiError> {
        let GetTagsRequest { resource_arn } = input;
        let arn: Option<Arn> = resource_arn.parse().ok();
        let here = arn.filter(|arn| {
            arn.service == "glue"
                && arn.account == context.account.0
                && arn.region == context.region.0
        });
        let Some(name) = here.as_ref().and_then(|arn| arn.name_of("database")) else {
            return Err(ApiError::not_supported(format_args!(
                "tags of {resource_arn}"
            )));
        };
        self.schemas.database(&folded(name)).await.map_err(api)?;
        Ok(GetTagsResponse {
            tags: Some(BTreeMap::new()),
        })
    }
}

#[cfg(test)]
mod tests {
    use headwater_shapes_glue::ops::GetTags;
    use serde_json::json;

    use crate::testing::{World, refusal};

    #[tokio::test]
    async fn a_database_has_none() {
        let world = World::with_table().await;
        let of = |account: &str, resource: &str| json!({ "ResourceArn": format!("arn:aws:glue:us-east-1:{account}:{resource}") });
        assert_eq!(
            world.ok::<GetTags>(of("000000000000", "database/D")).await,
            json!({ "Tags": {} })
        );
        assert_eq!(
            world
                .refused::<GetTags>(of("000000000000", "database/none"))
                .await,
            refusal("EntityNotFoundException", "Database none not found.")
        );
        for (account, resource) in [("000000000000", "job/j"), ("111111111111", "database/d")] {
            let refused = world.refused::<GetTags>(of(account, resource)).await;
            assert_eq!(refused.0, "NotImplemented");
        }
    }
}
