//! Databases, tables and partitions as Glue shows them.

use headwater_schemas as domain;
use headwater_shapes::Timestamp;
use headwater_shapes_glue::{
    Database, DatabaseInput, Partition, PartitionInput, Table, TableInput, TableVersion,
};
use headwater_types::Millis;
use headwater_wire::{ApiError, Context};
use serde_json::Value;

use crate::partition::Place;

/// A database.
pub(crate) fn database(
    name: String,
    database: domain::Database,
    context: &Context,
) -> Result<Database, ApiError> {
    let DatabaseInput {
        description,
        location_uri,
        parameters,
        // The name is the key's.
        name: _,
        // They are refused before anything is kept.
        create_table_default_permissions: _,
        target_database: _,
        federated_database: _,
    } = read(database.document)?;
    Ok(Database {
        name,
        description,
        location_uri,
        parameters,
        create_time: Some(time(database.created)),
        catalog_id: Some(context.account.0.clone()),
        ..Default::default()
    })
}

/// A table at one of its versions.
pub(crate) fn table(
    database: &str,
    name: String,
    table: domain::Table,
    context: &Context,
) -> Result<Table, ApiError> {
    let TableInput {
        description,
        owner,
        last_access_time,
        last_analyzed_time,
        retention,
        storage_descriptor,
        partition_keys,
        view_original_text,
        view_expanded_text,
        table_type,
        parameters,
        // The name is the key's.
        name: _,
        // They are refused before anything is kept.
        target_table: _,
        federated_table: _,
        view_definition: _,
    } = read(table.definition.document)?;
    Ok(Table {
        name,
        database_name: Some(database.to_owned()),
        description,
        owner,
        create_time: Some(time(table.created)),
        update_time: Some(time(table.updated)),
        last_access_time,
        last_analyzed_time,
        retention: Some(retention.unwrap_or(0)),
        storage_descriptor,
        partition_keys: Some(partition_keys.unwrap_or_default()),
        view_original_text,
        view_expanded_text,
        table_type,
        parameters,
        created_by: Some(table.created_by),
        is_registered_with_lake_formation: Some(false),
        is_multi_dialect_view: Some(false),
        catalog_id: Some(context.account.0.clone()),
        version_id: Some(table.version.to_string()),
        ..Default::default()
    })
}

/// A version of a table.
pub(crate) fn version(
    database: &str,
    name: &str,
    version: domain::Table,
    context: &Context,
) -> Result<TableVersion, ApiError> {
    let version_id = Some(version.version.to_string());
    Ok(TableVersion {
        table: Some(table(database, name.to_owned(), version, context)?),
        version_id,
    })
}

/// A partition of a table.
pub(crate) fn partition(
    place: &Place,
    values: Vec<String>,
    partition: domain::Partition,
    context: &Context,
) -> Result<Partition, ApiError> {
    let PartitionInput {
        // They are the key's.
        values: _,
        last_access_time,
        storage_descriptor,
        parameters,
        last_analyzed_time,
    } = read(partition.document)?;
    Ok(Partition {
        values: Some(values),
        database_name: Some(place.database.clone()),
        table_name: Some(place.table.clone()),
        creation_time: Some(time(partition.created)),
        last_access_time,
        storage_descriptor,
        parameters,
        last_analyzed_time,
        catalog_id: Some(context.account.0.clone()),
    })
}

fn time(at: Millis) -> Timestamp {
    Timestamp(i64::try_from(at.0).unwrap_or(i64::MAX))
}

/// What a kept document describes.
pub(crate) fn read<T: headwater_shapes::Tree>(document: Value) -> Result<T, ApiError> {
    T::from_value(document).map_err(ApiError::internal)
}
