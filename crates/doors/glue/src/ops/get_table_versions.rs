//! GetTableVersions, the newest first.

use headwater_shapes_glue::{
    GetTableVersionsRequest, GetTableVersionsResponse, ops::GetTableVersions,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    Glue,
    errors::{api, refuse},
    name::{self, check_catalog, folded},
    show, token,
};

impl Handle<GetTableVersions> for Glue {
    async fn handle(
        &self,
        input: GetTableVersionsRequest,
        context: &Context,
    ) -> Result<GetTableVersionsResponse, ApiError> {
        let GetTableVersionsRequest {
            catalog_id,
            database_name,
            table_name,
            next_token,
            max_results,
            audit_context,
        } = input;
        check_catalog(catalog_id.as_deref(), context)?;
        refuse(audit_context.is_some(), "AuditContext")?;
        let (database, table) = (folded(&database_name), folded(&table_name));
        let before = next_token.as_deref().map(token::name).transpose()?;
        let before = before.as_deref().map(name::version).transpose()?;
        let page = token::page(max_results);
        let mut found = self
            .schemas
            .versions(&database, &table, before, page + 1)
            .await
            .map_err(api)?;
        let next_token = token::cut(&mut found, page, |version| version.version.to_string());
        let shown = found
            .into_iter()
            .map(|version| show::version(&database, &table, version, context));
        Ok(GetTableVersionsResponse {
            table_versions: Some(shown.collect::<Result<_, _>>()?),
            next_token,
        })
    }
}

#[cfg(test)]
mod tests {
    use headwater_shapes_glue::ops::{GetTableVersions, UpdateTable};
    use serde_json::json;

    use crate::testing::World;

    #[tokio::test]
    async fn versions_come_in_pages_the_newest_first() {
        let world = World::with_table().await;
        for _ in 0..3 {
            world
                .ok::<UpdateTable>(
                    json!({ "DatabaseName": "d", "TableInput": World::input("t", "int") }),
                )
                .await;
        }
        let page = async |token: serde_json::Value| {
            let input = json!({ "DatabaseName": "d", "TableName": "t", "MaxResults": 3, "NextToken": token });
            let answer = world.ok::<GetTableVersions>(input).await;
            let list = answer["TableVersions"].as_array().unwrap().iter();
            let ids: Vec<_> = list
                .map(|version| version["VersionId"].as_str().unwrap().to_owned())
                .collect();
            (ids.join(" "), answer["NextToken"].clone())
        };
        let (first, token) = page(json!(null)).await;
        assert_eq!(first, "3 2 1");
        assert_eq!(page(token).await, ("0".to_owned(), json!(null)));
    }
}
