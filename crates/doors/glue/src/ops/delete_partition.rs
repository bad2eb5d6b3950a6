//! DeletePartition.

use headwater_shapes_glue::{
    DeletePartitionRequest, DeletePartitionResponse, ops::DeletePartition,
};
use headwater_wire::{ApiError, Context, Handle};

use headwater_schemas::PartitionChange;

use crate::Glue;

impl Handle<DeletePartition> for Glue {
    async fn handle(
        &self,
        input: DeletePartitionRequest,
        context: &Context,
    ) -> Result<DeletePartitionResponse, ApiError> {
        let DeletePartitionRequest {
            catalog_id,
            database_name,
            table_name,
            partition_values,
        } = input;
        let place = self
            .place(catalog_id.as_deref(), &database_name, &table_name, context)
            .await?;
        place.check(&partition_values)?;
        self.change_one(&place, partition_values, PartitionChange::Delete)
            .await?;
        Ok(DeletePartitionResponse {})
    }
}

#[cfg(test)]
mod tests {
    use headwater_shapes_glue::ops::{DeletePartition, GetPartition};
    use serde_json::json;

    use crate::testing::{World, refusal};

    #[tokio::test]
    async fn a_partition_is_deleted_once() {
        let world = World::with_partitions("year string", &["2023", "2024"]).await;
        let named = |value: &str| json!({ "DatabaseName": "d", "TableName": "p", "PartitionValues": [value] });
        world.ok::<DeletePartition>(named("2023")).await;
        let gone = refusal("EntityNotFoundException", "Cannot find partition.");
        assert_eq!(world.refused::<DeletePartition>(named("2023")).await, gone);
        assert_eq!(world.refused::<GetPartition>(named("2023")).await, gone);
        world.ok::<GetPartition>(named("2024")).await;
    }
}
