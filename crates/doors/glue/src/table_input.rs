//! A table's definition between Glue's shape and the domain's record.

use headwater_schemas::{Column, Definition};
use headwater_shapes::Tree;
use headwater_shapes_glue::{self as shapes, StorageDescriptor, TableInput};
use headwater_wire::ApiError;

use crate::errors::refuse;

/// The definition that an input makes. A member that asks for another kind of table than a plain one is refused by
/// name.
pub(crate) fn definition(input: &TableInput) -> Result<Definition, ApiError> {
    let TableInput {
        storage_descriptor,
        target_table,
        federated_table,
        view_definition,
        // Names the table, whose key it is.
        name: _,
        // They describe the table to its readers, and are kept and shown as they are.
        description: _,
        owner: _,
        last_access_time: _,
        last_analyzed_time: _,
        retention: _,
        partition_keys: _,
        view_original_text: _,
        view_expanded_text: _,
        table_type: _,
        parameters: _,
    } = input;
    refuse(target_table.is_some(), "TargetTable")?;
    refuse(federated_table.is_some(), "FederatedTable")?;
    refuse(view_definition.is_some(), "ViewDefinition")?;
    let columns = storage_descriptor.as_ref().map(columns).transpose()?;
    Ok(Definition {
        columns: columns.unwrap_or_default(),
        document: input.to_value(),
    })
}

fn columns(storage: &StorageDescriptor) -> Result<Vec<Column>, ApiError> {
    refuse_schema_reference(storage)?;
    Ok(storage.columns.iter().flatten().map(column).collect())
}

/// Refuses what is set of a table's or a partition's storage and not done.
pub(crate) fn refuse_schema_reference(storage: &StorageDescriptor) -> Result<(), ApiError> {
    let StorageDescriptor {
        schema_reference,
        // The columns of a table are read by themselves; those of a partition are kept and shown as they are.
        columns: _,
        // They describe the files to those who read them, and are kept and shown as they are.
        location: _,
        additional_locations: _,
        input_format: _,
        output_format: _,
        compressed: _,
        number_of_buckets: _,
        serde_info: _,
        bucket_columns: _,
        sort_columns: _,
        parameters: _,
        skewed_info: _,
        stored_as_sub_directories: _,
    } = storage;
    refuse(schema_reference.is_some(), "SchemaReference")
}

/// A column without a type is text, as it is for those who read tables of Glue.
fn column(column: &shapes::Column) -> Column {
    let shapes::Column {
        name,
        r#type,
        // They are kept and shown as they are.
        comment: _,
        parameters: _,
    } = column;
    Column {
        name: name.clone(),
        data_type: r#type.clone().unwrap_or_else(|| "string".to_owned()),
    }
}
