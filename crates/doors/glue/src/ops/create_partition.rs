//! CreatePartition.

use headwater_shapes_glue::{
    CreatePartitionRequest, CreatePartitionResponse, ops::CreatePartition,
};
use headwater_wire::{ApiError, Context, Handle};

use headwater_schemas::PartitionChange;

use crate::Glue;

impl Handle<CreatePartition> for Glue {
    async fn handle(
        &self,
        input: CreatePartitionRequest,
        context: &Context,
    ) -> Result<CreatePartitionResponse, ApiError> {
        let CreatePartitionRequest {
            catalog_id,
            database_name,
            table_name,
            partition_input,
        } = input;
        let place = self
            .place(catalog_id.as_deref(), &database_name, &table_name, context)
            .await?;
        let (values, document) = place.described(partition_input)?;
        self.change_one(&place, values, PartitionChange::Create(document))
            .await?;
        Ok(CreatePartitionResponse {})
    }
}

#[cfg(test)]
mod tests {
    use headwater_shapes_glue::ops::{CreatePartition, GetPartition};
    use serde_json::json;

    use crate::testing::{START, World, partition, refusal};

    #[tokio::test]
    async fn a_partition_is_made_once_and_shown_as_it_was_given() {
        let world = World::with_partitions("year string, month int", &[]).await;
        let input = json!({
            "Values": ["2024", "1"], "Parameters": { "a": "b" }, "LastAccessTime": 5,
            "StorageDescriptor": { "Location": "s3://b/year=2024/month=1/", "Columns": [{ "Name": "c", "Type": "int" }] },
        });
        let create = json!({ "DatabaseName": "D", "TableName": "P", "PartitionInput": input });
        world.ok::<CreatePartition>(create.clone()).await;
        assert_eq!(
            world.refused::<CreatePartition>(create).await,
            refusal("AlreadyExistsException", "Partition already exists.")
        );
        let get =
            json!({ "DatabaseName": "d", "TableName": "p", "PartitionValues": ["2024", "1"] });
        let mut expected = input;
        let added = json!({
            "DatabaseName": "d", "TableName": "p", "CreationTime": START, "CatalogId": "000000000000",
        });
        let added = added.as_object().unwrap().clone();
        expected.as_object_mut().unwrap().extend(added);
        assert_eq!(
            world.ok::<GetPartition>(get).await,
            json!({ "Partition": expected })
        );
    }

    #[tokio::test]
    async fn a_partition_has_a_value_for_each_key_of_a_table_that_is_there() {
        let world = World::with_partitions("year string, month int", &[]).await;
        for values in [
            json!(["2024"]),
            json!([]),
            json!(["1", "2", "3"]),
            json!(null),
        ] {
            let mut input = partition("2024");
            input["PartitionInput"]["Values"] = values;
            assert_eq!(
                world.refused::<CreatePartition>(input).await,
                refusal(
                    "InvalidInputException",
                    "The number of partition keys do not match the number of partition values"
                )
            );
        }
        let mut nowhere = partition("2024/1");
        nowhere["TableName"] = json!("none");
        assert_eq!(
            world.refused::<CreatePartition>(nowhere).await,
            refusal("EntityNotFoundException", "Table none not found.")
        );
        let mut registered = partition("2024/1");
        registered["PartitionInput"]["StorageDescriptor"] =
            json!({ "SchemaReference": { "SchemaVersionNumber": 1 } });
        assert_eq!(
            world.refused::<CreatePartition>(registered).await.0,
            "NotImplemented"
        );
    }
}
