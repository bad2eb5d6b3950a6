//! DeleteDatabase, with all tables in it.

use headwater_shapes_glue::{DeleteDatabaseRequest, DeleteDatabaseResponse, ops::DeleteDatabase};
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    Glue,
    errors::api,
    name::{check_catalog, folded},
};

impl Handle<DeleteDatabase> for Glue {
    async fn handle(
        &self,
        input: DeleteDatabaseRequest,
        context: &Context,
    ) -> Result<DeleteDatabaseResponse, ApiError> {
        let DeleteDatabaseRequest { catalog_id, name } = input;
        check_catalog(catalog_id.as_deref(), context)?;
        self.schemas
            .delete_database(&folded(&name))
            .await
            .map_err(api)?;
        Ok(DeleteDatabaseResponse {})
    }
}

#[cfg(test)]
mod tests {
    use headwater_shapes_glue::ops::{DeleteDatabase, GetTables};
    use serde_json::json;

    use crate::testing::World;

    #[tokio::test]
    async fn a_database_goes_with_its_tables() {
        let world = World::with_table().await;
        world.ok::<DeleteDatabase>(json!({ "Name": "D" })).await;
        let text = (
            "EntityNotFoundException".to_owned(),
            "Database d not found.".to_owned(),
        );
        assert_eq!(
            world
                .refused::<GetTables>(json!({ "DatabaseName": "d" }))
                .await,
            text
        );
        assert_eq!(
            world
                .refused::<DeleteDatabase>(json!({ "Name": "d" }))
                .await,
            text
        );
    }
}
