//! BatchDeletePartition: as DeletePartition of each, with an error for each that is not there.

use headwater_shapes_glue::{
    BatchDeletePartitionRequest, BatchDeletePartitionResponse, PartitionValueList,
    ops::BatchDeletePartition,
};
use headwater_wire::{ApiError, Context, Handle};

use headwater_schemas::PartitionChange;

use crate::{Glue, partition::failures};

impl Handle<BatchDeletePartition> for Glue {
    async fn handle(
        &self,
        input: BatchDeletePartitionRequest,
        context: &Context,
    ) -> Result<BatchDeletePartitionResponse, ApiError> {
        let BatchDeletePartitionRequest {
            catalog_id,
            database_name,
            table_name,
            partitions_to_delete,
        } = input;
        let place = self
            .place(catalog_id.as_deref(), &database_name, &table_name, context)
            .await?;
        let mut changes = Vec::new();
        for PartitionValueList { values } in partitions_to_delete {
            place.check(&values)?;
            changes.push((values, PartitionChange::Delete));
        }
        let outcomes = self.change(&place, &changes).await?;
        let values = changes.into_iter().map(|(values, _)| values);
        Ok(BatchDeletePartitionResponse {
            errors: Some(failures(values, outcomes)),
        })
    }
}

#[cfg(test)]
mod tests {
    use headwater_shapes_glue::ops::BatchDeletePartition;
    use serde_json::json;

    use crate::testing::World;

    #[tokio::test]
    async fn partitions_that_are_not_there_are_told_and_the_rest_deleted() {
        let world = World::with_partitions("year string", &["2023", "2024"]).await;
        let both = json!([{ "Values": ["2025"] }, { "Values": ["2024"] }]);
        let input = json!({ "DatabaseName": "d", "TableName": "p", "PartitionsToDelete": both });
        let error = |value: &str| {
            let detail = json!({
                "ErrorCode": "EntityNotFoundException", "ErrorMessage": "Partition not found.",
            });
            json!({ "PartitionValues": [value], "ErrorDetail": detail })
        };
        assert_eq!(
            world.ok::<BatchDeletePartition>(input.clone()).await,
            json!({ "Errors": [error("2025")] })
        );
        assert_eq!(
            world.ok::<BatchDeletePartition>(input).await,
            json!({ "Errors": [error("2025"), error("2024")] })
        );
    }
}
