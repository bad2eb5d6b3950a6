//! BatchUpdatePartition: as UpdatePartition of each, with an error for each that is not there.

use headwater_shapes_glue::{
    BatchUpdatePartitionFailureEntry, BatchUpdatePartitionRequest,
    BatchUpdatePartitionRequestEntry, BatchUpdatePartitionResponse, ops::BatchUpdatePartition,
};
use headwater_wire::{ApiError, Context, Handle};

use headwater_schemas::PartitionChange;

use crate::{Glue, partition::failed};

impl Handle<BatchUpdatePartition> for Glue {
    async fn handle(
        &self,
        input: BatchUpdatePartitionRequest,
        context: &Context,
    ) -> Result<BatchUpdatePartitionResponse, ApiError> {
        let BatchUpdatePartitionRequest {
            catalog_id,
            database_name,
            table_name,
            entries,
        } = input;
        let place = self
            .place(catalog_id.as_deref(), &database_name, &table_name, context)
            .await?;
        let mut changes = Vec::new();
        for entry in entries {
            let BatchUpdatePartitionRequestEntry {
                partition_value_list: values,
                partition_input,
            } = entry;
            let document = place.described_anew(&values, partition_input)?;
            changes.push((values, PartitionChange::Update(document)));
        }
        let outcomes = self.change(&place, &changes).await?;
        let values = changes.into_iter().map(|(values, _)| values);
        let errors =
            failed(values, outcomes).map(|(values, detail)| BatchUpdatePartitionFailureEntry {
                partition_value_list: Some(values),
                error_detail: Some(detail),
            });
        Ok(BatchUpdatePartitionResponse {
            errors: Some(errors.collect()),
        })
    }
}

#[cfg(test)]
mod tests {
    use headwater_shapes_glue::ops::{BatchUpdatePartition, GetPartition};
    use serde_json::json;

    use crate::testing::World;

    #[tokio::test]
    async fn partitions_that_are_not_there_are_told_and_the_rest_described_anew() {
        let world = World::with_partitions("year string", &["2024"]).await;
        let entry = |value: &str| {
            let input = json!({ "Values": [value], "Parameters": { "a": "b" } });
            json!({ "PartitionValueList": [value], "PartitionInput": input })
        };
        let entries = json!([entry("2025"), entry("2024")]);
        let input = json!({ "DatabaseName": "d", "TableName": "p", "Entries": entries });
        let detail = json!({
            "ErrorCode": "EntityNotFoundException", "ErrorMessage": "Partition not found.",
        });
        let error = json!({ "PartitionValueList": ["2025"], "ErrorDetail": detail });
        assert_eq!(
            world.ok::<BatchUpdatePartition>(input).await,
            json!({ "Errors": [error] })
        );
        let get = json!({ "DatabaseName": "d", "TableName": "p", "PartitionValues": ["2024"] });
        let found = world.ok::<GetPartition>(get).await;
        assert_eq!(found["Partition"]["Parameters"], json!({ "a": "b" }));
    }
}
