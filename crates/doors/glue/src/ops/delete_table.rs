//! DeleteTable, with its versions.

use headwater_shapes_glue::{DeleteTableRequest, DeleteTableResponse, ops::DeleteTable};
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    Glue,
    errors::{api, refuse},
    name::{check_catalog, folded},
};

impl Handle<DeleteTable> for Glue {
    async fn handle(
        &self,
        input: DeleteTableRequest,
        context: &Context,
    ) -> Result<DeleteTableResponse, ApiError> {
        let DeleteTableRequest {
            catalog_id,
            database_name,
            name,
            transaction_id,
        } = input;
        check_catalog(catalog_id.as_deref(), context)?;
        refuse(transaction_id.is_some(), "TransactionId")?;
        let (database, name) = (folded(&database_name), folded(&name));
        self.schemas
            .delete_table(&database, &name)
            .await
            .map_err(api)?;
        Ok(DeleteTableResponse {})
    }
}

#[cfg(test)]
mod tests {
    use headwater_shapes_glue::ops::DeleteTable;
    use serde_json::json;

    use crate::testing::World;

    #[tokio::test]
    async fn a_table_is_deleted_once() {
        let world = World::with_table().await;
        let transaction = json!({ "DatabaseName": "d", "Name": "t", "TransactionId": "x" });
        assert_eq!(
            world.refused::<DeleteTable>(transaction).await.0,
            "NotImplemented"
        );
        world
            .ok::<DeleteTable>(json!({ "DatabaseName": "D", "Name": "T" }))
            .await;
        let again = world
            .refused::<DeleteTable>(json!({ "DatabaseName": "d", "Name": "t" }))
            .await;
        assert_eq!(
            again,
            (
                "EntityNotFoundException".into(),
                "Table t not found.".into()
            )
        );
    }
}
