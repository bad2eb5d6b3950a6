//! GetTableVersion, the latest if none is named.

use headwater_shapes_glue::{
    GetTableVersionRequest, GetTableVersionResponse, ops::GetTableVersion,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    Glue,
    errors::{api, refuse},
    name::{check_catalog, folded, wanted},
    show,
};

impl Handle<GetTableVersion> for Glue {
    async fn handle(
        &self,
        input: GetTableVersionRequest,
        context: &Context,
    ) -> Result<GetTableVersionResponse, ApiError> {
        let GetTableVersionRequest {
            catalog_id,
            database_name,
            table_name,
            version_id,
            audit_context,
        } = input;
        check_catalog(catalog_id.as_deref(), context)?;
        refuse(audit_context.is_some(), "AuditContext")?;
        let (database, name) = (folded(&database_name), folded(&table_name));
        let wanted = wanted(version_id.as_deref())?;
        let found = self
            .schemas
            .version(&database, &name, wanted)
            .await
            .map_err(api)?;
        Ok(GetTableVersionResponse {
            table_version: Some(show::version(&database, &name, found, context)?),
        })
    }
}

#[cfg(test)]
mod tests {
    use headwater_shapes_glue::ops::{GetTableVersion, UpdateTable};
    use serde_json::json;

    use crate::testing::World;

    #[tokio::test]
    async fn a_version_is_shown_as_the_table_was() {
        let world = World::with_table().await;
        world
            .ok::<UpdateTable>(
                json!({ "DatabaseName": "d", "TableInput": World::input("t", "date") }),
            )
            .await;
        let get =
            |version: &str| json!({ "DatabaseName": "d", "TableName": "t", "VersionId": version });
        for (version, data_type) in [("0", "int"), ("1", "date")] {
            let shown = world.ok::<GetTableVersion>(get(version)).await;
            let column = &shown["TableVersion"]["Table"]["StorageDescriptor"]["Columns"][0];
            assert_eq!(
                (&shown["TableVersion"]["VersionId"], &column["Type"]),
                (&json!(version), &json!(data_type))
            );
        }
        let missing = world.refused::<GetTableVersion>(get("7")).await;
        assert_eq!(
            missing,
            (
                "EntityNotFoundException".into(),
                "Version not found.".into()
            )
        );
        assert_eq!(
            world.refused::<GetTableVersion>(get("x")).await.0,
            "InvalidInputException"
        );
    }
}
