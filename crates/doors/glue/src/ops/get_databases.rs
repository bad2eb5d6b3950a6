//! GetDatabases, by their names.

use headwater_shapes_glue::{GetDatabasesRequest, GetDatabasesResponse, ops::GetDatabases};
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    Glue,
    errors::{api, refuse},
    name::check_catalog,
    show, token,
};

impl Handle<GetDatabases> for Glue {
    async fn handle(
        &self,
        input: GetDatabasesRequest,
        context: &Context,
    ) -> Result<GetDatabasesResponse, ApiError> {
        let GetDatabasesRequest {
            catalog_id,
            next_token,
            max_results,
            resource_share_type,
            attributes_to_get,
        } = input;
        check_catalog(catalog_id.as_deref(), context)?;
        refuse(
            resource_share_type.is_some_and(|share| share != "ALL"),
            "ResourceShareType",
        )?;
        // An empty list asks for nothing, though AWS's documentation says that it is not accepted.
        refuse(
            attributes_to_get.is_some_and(|names| !names.is_empty()),
            "AttributesToGet",
        )?;
        let after = next_token.as_deref().map(token::name).transpose()?;
        let page = token::page(max_results);
        let mut found = self
            .schemas
            .databases(after.as_deref(), page + 1)
            .await
            .map_err(api)?;
        let next_token = token::cut(&mut found, page, |(name, _)| name.clone());
        let shown = found
            .into_iter()
            .map(|(name, database)| show::database(name, database, context));
        Ok(GetDatabasesResponse {
            database_list: shown.collect::<Result<_, _>>()?,
            next_token,
        })
    }
}

#[cfg(test)]
mod tests {
    use headwater_shapes_glue::ops::{CreateDatabase, GetDatabases};
    use serde_json::json;

    use crate::testing::World;

    #[tokio::test]
    async fn databases_come_in_pages() {
        let world = World::new();
        for name in ["c", "a", "b"] {
            world
                .ok::<CreateDatabase>(json!({ "DatabaseInput": { "Name": name } }))
                .await;
        }
        let first = world.ok::<GetDatabases>(json!({ "MaxResults": 2 })).await;
        let names = |answer: &serde_json::Value| -> Vec<String> {
            let list = answer["DatabaseList"].as_array().unwrap().iter();
            list.map(|database| database["Name"].as_str().unwrap().to_owned())
                .collect()
        };
        assert_eq!(names(&first), ["a", "b"]);
        let last = world
            .ok::<GetDatabases>(json!({ "NextToken": first["NextToken"] }))
            .await;
        assert_eq!(
            (names(&last), &last["NextToken"]),
            (vec!["c".to_owned()], &json!(null))
        );
        let forged = world
            .refused::<GetDatabases>(json!({ "NextToken": "?" }))
            .await;
        assert_eq!(forged.0, "InvalidInputException");
    }

    #[tokio::test]
    async fn attributes_are_refused_when_there_are_any() {
        let world = World::new();
        world
            .ok::<GetDatabases>(json!({ "AttributesToGet": [] }))
            .await;
        let (code, text) = world
            .refused::<GetDatabases>(json!({ "AttributesToGet": ["NAME"] }))
            .await;
        assert_eq!(code, "NotImplemented");
        assert!(text.contains("AttributesToGet"), "{text}");
    }
}
