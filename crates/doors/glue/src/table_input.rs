//! A table's definition between Glue's shape and the domain's record.

use headwater_schemas::{Column, Definition};
use headwater_shapes::Tree;
use headwater_shapes_glue::{StorageDescriptor, TableInput};
use headwater_wire::ApiError;

use crate::errors::refuse;

/// The definition that an input makes. What asks for another kind of table than a plain one is refused by name.
pub(crate) fn definition(input: &TableInput) -> Result<Definition, ApiError> {
    refuse(input.target_table.is_some(), "TargetTable")?;
    refuse(input.federated_table.is_some(), "FederatedTable")?;
    refuse(input.view_definition.is_some(), "ViewDefinition")?;
    let storage = input.storage_descriptor.as_ref();
    refuse(
        storage.is_some_and(|storage| storage.schema_reference.is_some()),
        "SchemaReference",
    )?;
    let document = input.to_value();
    Ok(Definition {
        columns: storage.map(columns).unwrap_or_default(),
        document,
    })
}

/// A column without a type is text, as it is for those who read tables of Glue.
fn columns(storage: &StorageDescriptor) -> Vec<Column> {
    let column = |column: &headwater_shapes_glue::Column| Column {
        name: column.name.clone(),
        data_type: column.r#type.clone().unwrap_or_else(|| "string".to_owned()),
    };
    storage.columns.iter().flatten().map(column).collect()
}
