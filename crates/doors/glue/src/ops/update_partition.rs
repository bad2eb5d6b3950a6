//! UpdatePartition: a partition is described anew and keeps its values.

use headwater_shapes_glue::{
    UpdatePartitionRequest, UpdatePartitionResponse, ops::UpdatePartition,
};
use headwater_wire::{ApiError, Context, Handle};

use headwater_schemas::PartitionChange;

use crate::Glue;

impl Handle<UpdatePartition> for Glue {
    async fn handle(
        &self,
        input: UpdatePartitionRequest,
        context: &Context,
    ) -> Result<UpdatePartitionResponse, ApiError> {
        let UpdatePartitionRequest {
            catalog_id,
            database_name,
            table_name,
            partition_value_list,
            partition_input,
        } = input;
        let place = self
            .place(catalog_id.as_deref(), &database_name, &table_name, context)
            .await?;
        let document = place.described_anew(&partition_value_list, partition_input)?;
        self.change_one(
            &place,
            partition_value_list,
            PartitionChange::Update(document),
        )
        .await?;
        Ok(UpdatePartitionResponse {})
    }
}

#[cfg(test)]
mod tests {
    use headwater_shapes_glue::ops::{GetPartition, UpdatePartition};
    use serde_json::{Value, json};

    use crate::testing::{World, refusal};

    #[tokio::test]
    async fn a_partition_is_described_anew_under_its_values() {
        let world = World::with_partitions("year string", &["2024"]).await;
        let update = |value: &str, new: Value| {
            let input = json!({ "Values": new, "Parameters": { "a": "b" } });
            json!({
                "DatabaseName": "d", "TableName": "p", "PartitionValueList": [value], "PartitionInput": input,
            })
        };
        world
            .ok::<UpdatePartition>(update("2024", json!(["2024"])))
            .await;
        let get = json!({ "DatabaseName": "d", "TableName": "p", "PartitionValues": ["2024"] });
        let found = world.ok::<GetPartition>(get).await;
        assert_eq!(found["Partition"]["Parameters"], json!({ "a": "b" }));
        assert_eq!(
            world
                .refused::<UpdatePartition>(update("2025", json!(["2025"])))
                .await,
            refusal("EntityNotFoundException", "Cannot find partition.")
        );
        let moved = world.refused::<UpdatePartition>(update("2024", json!(["2025"])));
        assert_eq!(moved.await.0, "InvalidInputException");
    }
}
