//! CreateTable, at version 0.

use headwater_shapes_glue::{CreateTableRequest, CreateTableResponse, ops::CreateTable};
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    Glue,
    errors::{api, invalid_input, refuse},
    name::{check_catalog, folded},
    table_input::definition,
};

impl Handle<CreateTable> for Glue {
    async fn handle(
        &self,
        input: CreateTableRequest,
        context: &Context,
    ) -> Result<CreateTableResponse, ApiError> {
        check_catalog(input.catalog_id.as_deref(), context)?;
        refuse(
            input.partition_indexes.is_some_and(|all| !all.is_empty()),
            "PartitionIndexes",
        )?;
        refuse(input.transaction_id.is_some(), "TransactionId")?;
        refuse(
            input.open_table_format_input.is_some(),
            "OpenTableFormatInput",
        )?;
        let table = input
            .table_input
            .ok_or_else(|| invalid_input("TableInput must not be null."))?;
        let (database, name) = (folded(&input.database_name), folded(&table.name));
        let definition = definition(&table)?;
        let by = &context.caller.arn;
        self.schemas
            .create_table(&database, &name, definition, by)
            .await
            .map_err(api)?;
        Ok(CreateTableResponse {})
    }
}

#[cfg(test)]
mod tests {
    use headwater_shapes_glue::ops::CreateTable;
    use serde_json::json;

    use crate::testing::World;

    #[tokio::test]
    async fn a_table_is_made_once_in_a_database_that_is_there() {
        let world = World::with_table().await;
        let again = json!({ "DatabaseName": "D", "TableInput": World::input("T", "int") });
        let refused = world.refused::<CreateTable>(again).await;
        assert_eq!(
            refused,
            (
                "AlreadyExistsException".into(),
                "Table already exists.".into()
            )
        );
        let nowhere = json!({ "DatabaseName": "none", "TableInput": World::input("t", "int") });
        let refused = world.refused::<CreateTable>(nowhere).await;
        assert_eq!(
            refused,
            (
                "EntityNotFoundException".into(),
                "Database none not found.".into()
            )
        );
        let nothing = world
            .refused::<CreateTable>(json!({ "DatabaseName": "d" }))
            .await;
        assert_eq!(nothing.0, "InvalidInputException");
        for (name, value) in [
            ("TargetTable", json!({ "Name": "x" })),
            ("FederatedTable", json!({ "Identifier": "x" })),
            ("ViewDefinition", json!({ "IsProtected": true })),
            (
                "StorageDescriptor",
                json!({ "SchemaReference": { "SchemaVersionNumber": 1 } }),
            ),
        ] {
            let input = json!({ "DatabaseName": "d", "TableInput": { "Name": "u", name: value } });
            assert_eq!(
                world.refused::<CreateTable>(input).await.0,
                "NotImplemented",
                "{name}"
            );
        }
        for (name, value) in [
            (
                "PartitionIndexes",
                json!([{ "Keys": ["a"], "IndexName": "i" }]),
            ),
            ("TransactionId", json!("x")),
            ("OpenTableFormatInput", json!({})),
        ] {
            let input =
                json!({ "DatabaseName": "d", "TableInput": World::input("u", "int"), name: value });
            assert_eq!(
                world.refused::<CreateTable>(input).await.0,
                "NotImplemented",
                "{name}"
            );
        }
    }
}
