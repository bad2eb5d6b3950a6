//! BatchCreatePartition: as CreatePartition of each, with an error for each that is there.

use headwater_shapes_glue::{
    BatchCreatePartitionRequest, BatchCreatePartitionResponse, ops::BatchCreatePartition,
};
use headwater_wire::{ApiError, Context, Handle};

use headwater_schemas::PartitionChange;

use crate::{Glue, partition::failures};

impl Handle<BatchCreatePartition> for Glue {
    async fn handle(
        &self,
        input: BatchCreatePartitionRequest,
        context: &Context,
    ) -> Result<BatchCreatePartitionResponse, ApiError> {
        let BatchCreatePartitionRequest {
            catalog_id,
            database_name,
            table_name,
            partition_input_list,
        } = input;
        let place = self
            .place(catalog_id.as_deref(), &database_name, &table_name, context)
            .await?;
        let mut changes = Vec::new();
        for input in partition_input_list {
            let (values, document) = place.described(input)?;
            changes.push((values, PartitionChange::Create(document)));
        }
        let outcomes = self.change(&place, &changes).await?;
        let values = changes.into_iter().map(|(values, _)| values);
        Ok(BatchCreatePartitionResponse {
            errors: Some(failures(values, outcomes)),
        })
    }
}

#[cfg(test)]
mod tests {
    use headwater_shapes_glue::ops::{BatchCreatePartition, GetPartitions};
    use serde_json::json;

    use crate::testing::World;

    #[tokio::test]
    async fn partitions_that_are_there_are_told_and_the_rest_made() {
        let world = World::with_partitions("year string", &["2024"]).await;
        let inputs =
            json!([{ "Values": ["2025"] }, { "Values": ["2024"] }, { "Values": ["2025"] }]);
        let input = json!({ "DatabaseName": "d", "TableName": "p", "PartitionInputList": inputs });
        let error = |value: &str| {
            let detail = json!({
                "ErrorCode": "AlreadyExistsException", "ErrorMessage": "Partition already exists.",
            });
            json!({ "PartitionValues": [value], "ErrorDetail": detail })
        };
        assert_eq!(
            world.ok::<BatchCreatePartition>(input).await,
            json!({ "Errors": [error("2024"), error("2025")] })
        );
        let all = json!({ "DatabaseName": "d", "TableName": "p" });
        let found = world.ok::<GetPartitions>(all).await;
        assert_eq!(found["Partitions"].as_array().unwrap().len(), 2);
        // One of the wrong number of values refuses the whole.
        let inputs = json!([{ "Values": ["2026"] }, { "Values": [] }]);
        let input = json!({ "DatabaseName": "d", "TableName": "p", "PartitionInputList": inputs });
        let refused = world.refused::<BatchCreatePartition>(input).await;
        assert_eq!(refused.0, "InvalidInputException");
    }
}
