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
        let CreateTableRequest {
            catalog_id,
            database_name,
            name,
            table_input,
            partition_indexes,
            transaction_id,
            open_table_format_input,
        } = input;
        check_catalog(catalog_id.as_deref(), context)?;
        refuse(
            partition_indexes.is_some_and(|all| !all.is_empty()),
            "PartitionIndexes",
        )?;
        refuse(transaction_id.is_some(), "TransactionId")?;
        refuse(open_table_format_input.is_some(), "OpenTableFormatInput")?;
        let table = table_input.ok_or_else(|| invalid_input("TableInput must not be null."))?;
        let (database, new) = (folded(&database_name), folded(&table.name));
        let other = name.is_some_and(|name| folded(&name) != new);
        refuse(other, "a Name other than that of TableInput")?;
        let definition = definition(&table)?;
        let by = &context.caller.arn;
        self.schemas
            .create_table(&database, &new, definition, by)
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
            ("Name", json!("v")),
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

    #[tokio::test]
    async fn a_name_beside_the_input_is_that_of_the_table() {
        let world = World::with_table().await;
        let input = World::input("u", "int");
        let named = json!({ "DatabaseName": "d", "Name": "U", "TableInput": input });
        world.ok::<CreateTable>(named).await;
    }
}
