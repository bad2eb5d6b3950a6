//! CreateTable.

use headwater_shapes_dynamodb::{CreateTableInput, CreateTableOutput, ops::CreateTable};
use headwater_tables::{NewTable, Projected};
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    Dynamo,
    billing::{self, Maxima, Mode},
    errors::{api, invalid, limit, validation},
    indexes::{Indexes, check_included},
    place::check_new_name,
    policy, refused,
    schema::{self, Definitions, Element},
    stream, tags,
};

/// Tables of a region. (Source: the developer guide, "Quotas in Amazon DynamoDB".) The text of the error is as users recorded
/// it on AWS, with another number.
const TABLES: usize = 2500;

impl Handle<CreateTable> for Dynamo {
    async fn handle(
        &self,
        input: CreateTableInput,
        context: &Context,
    ) -> Result<CreateTableOutput, ApiError> {
        let new = read(input)?;
        if let Some(text) = &new.policy {
            let policy = policy::read(text)?;
            policy::check_lockout(&policy, &new.name, context, self.clock.now())?;
        }
        let is_new = self.tables.get(&new.name).is_err();
        if is_new && self.tables.is_limited() && self.tables.tables() >= TABLES {
            let why = format_args!("There is a limit of {TABLES} tables per subscriber");
            return Err(limit(why));
        }
        let table = self.tables.create(new).await.map_err(api)?;
        let table_description = Some(self.describe(&table, context)?);
        Ok(CreateTableOutput { table_description })
    }
}

/// The table that a request asks for, checked in AWS's order.
fn read(input: CreateTableInput) -> Result<NewTable, ApiError> {
    let CreateTableInput {
        attribute_definitions,
        table_name,
        key_schema,
        local_secondary_indexes,
        global_secondary_indexes,
        billing_mode,
        provisioned_throughput,
        stream_specification,
        sse_specification,
        tags,
        table_class,
        deletion_protection_enabled,
        warm_throughput,
        resource_policy,
        on_demand_throughput,
        global_table_source_arn,
        global_table_settings_replication_mode,
        vector_indexes,
    } = input;
    check_new_name(&table_name)?;
    refused::warm(warm_throughput)?;
    refused::absent(global_table_source_arn, "GlobalTableSourceArn")?;
    refused::absent(
        global_table_settings_replication_mode,
        "GlobalTableSettingsReplicationMode",
    )?;
    refused::absent(vector_indexes, "VectorIndexes")?;
    refused::encryption(sse_specification)?;
    let elements = schema::elements(key_schema);
    schema::check_count(&elements, "keySchema")?;
    let maxima = Maxima::read(on_demand_throughput);
    let billing = billing::of_table(billing_mode.as_deref(), provisioned_throughput, maxima)?;
    let definitions = Definitions::read(attribute_definitions)?;
    check_defined(&elements, &definitions)?;
    let key = schema::key(&elements)?;
    let has_indexes = local_secondary_indexes.is_some() || global_secondary_indexes.is_some();
    if !has_indexes && elements.len() != definitions.len() {
        return Err(invalid(
            "Number of attributes in KeySchema does not exactly match number of attributes defined in \
             AttributeDefinitions",
        ));
    }
    let mut indexes = Indexes::of(&key, &definitions);
    let local = local_secondary_indexes
        .map(|local| indexes.local(local))
        .transpose()?;
    let mode = Mode::of(&billing);
    let global = global_secondary_indexes
        .map(|global| indexes.global(global, mode))
        .transpose()?;
    let (local, global) = (local.unwrap_or_default(), global.unwrap_or_default());
    let local_keys = local.iter().map(|(_, key, _)| key);
    let keys = local_keys.chain(global.iter().map(|(_, key, ..)| key));
    let keys = std::iter::once(&key).chain(keys);
    definitions.are_used(keys.flat_map(schema::names))?;
    let projected = local.iter().map(|(_, _, projected)| projected);
    let projected: Vec<&Projected> = projected
        .chain(global.iter().map(|index| &index.2))
        .collect();
    check_included(projected.into_iter())?;
    Ok(NewTable {
        name: table_name,
        attributes: definitions.into_kinds(),
        key,
        local,
        global,
        billing,
        stream: stream::of_new(stream_specification)?,
        protected: deletion_protection_enabled.unwrap_or_default(),
        infrequent_access: table_class.as_deref() == Some("STANDARD_INFREQUENT_ACCESS"),
        policy: resource_policy.map(Into::into),
        tags: tags::read(tags.unwrap_or_default())?,
    })
}

/// Whether the attributes of the table's key are defined. AWS counts before it looks for them.
fn check_defined(key: &[Element], definitions: &Definitions) -> Result<(), ApiError> {
    if key.len() > definitions.len() {
        return Err(validation(
            "Invalid KeySchema: Some index key attribute have no definition",
        ));
    }
    definitions.cover(key)
}

#[cfg(test)]
mod tests;
