//! DeleteTableVersion, of any but the latest.

use headwater_shapes_glue::{
    DeleteTableVersionRequest, DeleteTableVersionResponse, ops::DeleteTableVersion,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    Glue,
    errors::api,
    name::{check_catalog, folded, version},
};

impl Handle<DeleteTableVersion> for Glue {
    async fn handle(
        &self,
        input: DeleteTableVersionRequest,
        context: &Context,
    ) -> Result<DeleteTableVersionResponse, ApiError> {
        let DeleteTableVersionRequest {
            catalog_id,
            database_name,
            table_name,
            version_id,
        } = input;
        check_catalog(catalog_id.as_deref(), context)?;
        let (database, name) = (folded(&database_name), folded(&table_name));
        let version = version(&version_id)?;
        self.schemas
            .delete_version(&database, &name, version)
            .await
            .map_err(api)?;
        Ok(DeleteTableVersionResponse {})
    }
}

#[cfg(test)]
mod tests {
    use headwater_shapes_glue::ops::{DeleteTableVersion, UpdateTable};
    use serde_json::json;

    use crate::testing::World;

    #[tokio::test]
    async fn versions_but_the_latest_are_deleted_once() {
        let world = World::with_table().await;
        world
            .ok::<UpdateTable>(
                json!({ "DatabaseName": "d", "TableInput": World::input("t", "date") }),
            )
            .await;
        let delete =
            |version: &str| json!({ "DatabaseName": "d", "TableName": "t", "VersionId": version });
        world.ok::<DeleteTableVersion>(delete("0")).await;
        let again = world.refused::<DeleteTableVersion>(delete("0")).await;
        assert_eq!(
            again,
            (
                "EntityNotFoundException".into(),
                "Version not found.".into()
            )
        );
        assert_eq!(
            world.refused::<DeleteTableVersion>(delete("1")).await.0,
            "InvalidInputException"
        );
    }
}
