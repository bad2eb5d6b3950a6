//! Tables as answers show them: with all that AWS shows, since clients read members without asking whether they are there.

use headwater_shapes::Timestamp;
use headwater_shapes_dynamodb::{
    AttributeDefinition, BillingModeSummary, GlobalSecondaryIndexDescription,
    GlobalSecondaryIndexWarmThroughputDescription, LocalSecondaryIndexDescription,
    OnDemandThroughput, ProvisionedThroughputDescription, StreamSpecification, TableClassSummary,
    TableDescription, TableWarmThroughputDescription,
};
use headwater_tables::{
    Billing, Error, GlobalIndex, IndexState, LocalIndex, TableRecord, TableState, Target,
};
use headwater_types::Millis;
use headwater_wire::{ApiError, Context};

use crate::{
    Dynamo,
    errors::api,
    place::{arn, index_arn, label, stream_arn},
    projection, schema, stream,
};

/// Units a second that a table takes at once which is paid for by the request. (Source: the developer guide,
/// "Understanding DynamoDB warm throughput".)
const WARM_READ: i64 = 12_000;
/// See [`WARM_READ`].
const WARM_WRITE: i64 = 4_000;
/// Milliseconds of a day.
const DAY_MS: u64 = 24 * 60 * 60 * 1000;

/// Items, and their bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Size {
    /// How many.
    pub items: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// Shows tables at one moment.
pub(crate) struct Show<'a, Sizes> {
    /// The call that is answered.
    pub context: &'a Context,
    /// The moment.
    pub now: Millis,
    /// How large the table is, or an index of it.
    pub sizes: Sizes,
}

impl Dynamo {
    /// A table as it is.
    pub(crate) fn describe(
        &self,
        table: &TableRecord,
        context: &Context,
    ) -> Result<TableDescription, ApiError> {
        let sizes = |index: Option<&str>| {
            let target = Target {
                table: table.name.clone(),
                index: index.map(str::to_owned),
            };
            match self.tables.count(&target) {
                Ok((items, bytes)) => Ok(Size { items, bytes }),
                // An index that was removed since its table was looked at has nothing.
                Err(Error::NoIndex(..)) => Ok(Size { items: 0, bytes: 0 }),
                Err(error) => Err(api(error)),
            }
        };
        let now = self.clock.now();
        Show {
            context,
            now,
            sizes,
        }
        .table(table)
    }
}

impl<Sizes: Fn(Option<&str>) -> Result<Size, ApiError>> Show<'_, Sizes> {
    /// A table as it is.
    pub fn table(&self, table: &TableRecord) -> Result<TableDescription, ApiError> {
        let local = table
            .local
            .iter()
            .map(|(name, index)| self.local(table, name, index));
        let global = table
            .global
            .iter()
            .map(|(name, index)| self.global(table, name, index));
        let newest = table.streams.first().map(|stream| label(stream.label));
        let newest_arn = newest
            .as_ref()
            .map(|label| stream_arn(&table.name, label, self.context));
        let enabled = stream::enabled(table);
        Ok(TableDescription {
            attribute_definitions: Some(definitions(table)),
            key_schema: Some(schema::show_key(&table.key)),
            creation_date_time: Some(time(table.created)),
            local_secondary_indexes: listed(local.collect::<Result<_, _>>()?),
            global_secondary_indexes: listed(global.collect::<Result<_, _>>()?),
            stream_specification: enabled.map(|stream| StreamSpecification {
                stream_enabled: true,
                stream_view_type: Some(stream::view_name(stream.view).to_owned()),
            }),
            latest_stream_label: newest,
            latest_stream_arn: newest_arn,
            on_demand_throughput: on_demand(&table.billing),
            warm_throughput: Some(warm_table(&table.billing)),
            ..self.common(table)?
        })
    }

    /// A table that is deleted. AWS shows no more of it. (Source: Alternator's tests.)
    pub fn deleted(&self, table: &TableRecord) -> Result<TableDescription, ApiError> {
        Ok(TableDescription {
            table_status: Some("DELETING".to_owned()),
            ..self.common(table)?
        })
    }

    fn common(&self, table: &TableRecord) -> Result<TableDescription, ApiError> {
        let Size { items, bytes } = (self.sizes)(None)?;
        Ok(TableDescription {
            table_name: Some(table.name.clone()),
            table_status: Some(status(table.state, self.now).to_owned()),
            table_arn: Some(arn(&table.name, self.context)),
            table_id: Some(table.id.clone()),
            item_count: Some(whole(items)),
            table_size_bytes: Some(whole(bytes)),
            provisioned_throughput: Some(provisioned(&table.billing, self.now)),
            billing_mode_summary: billing_mode(table),
            table_class_summary: table.infrequent_access.then(|| TableClassSummary {
                table_class: Some("STANDARD_INFREQUENT_ACCESS".to_owned()),
                last_update_date_time: None,
            }),
            deletion_protection_enabled: Some(table.protected),
            ..TableDescription::default()
        })
    }

    fn local(
        &self,
        table: &TableRecord,
        name: &str,
        index: &LocalIndex,
    ) -> Result<LocalSecondaryIndexDescription, ApiError> {
        let Size { items, bytes } = (self.sizes)(Some(name))?;
        Ok(LocalSecondaryIndexDescription {
            index_name: Some(name.to_owned()),
            key_schema: Some(schema::show_key(&index.key)),
            projection: Some(projection::show(&index.projected)),
            index_size_bytes: Some(whole(bytes)),
            item_count: Some(whole(items)),
            index_arn: Some(index_arn(&table.name, name, self.context)),
        })
    }

    fn global(
        &self,
        table: &TableRecord,
        name: &str,
        index: &GlobalIndex,
    ) -> Result<GlobalSecondaryIndexDescription, ApiError> {
        let Size { items, bytes } = (self.sizes)(Some(name))?;
        // An index of a table that is being made is made with it, and there is nothing to fill it with.
        let is_new = status(table.state, self.now) == "CREATING";
        let is_filled = index.state == IndexState::Creating && !is_new;
        let state = match index.state {
            _ if is_new => "CREATING",
            IndexState::Creating => "CREATING",
            IndexState::Active => "ACTIVE",
            IndexState::Deleting => "DELETING",
        };
        Ok(GlobalSecondaryIndexDescription {
            index_name: Some(name.to_owned()),
            key_schema: Some(schema::show_key(&index.key)),
            projection: Some(projection::show(&index.projected)),
            index_status: Some(state.to_owned()),
            backfilling: is_filled.then_some(true),
            provisioned_throughput: Some(provisioned(&index.billing, self.now)),
            index_size_bytes: Some(whole(bytes)),
            item_count: Some(whole(items)),
            index_arn: Some(index_arn(&table.name, name, self.context)),
            on_demand_throughput: on_demand(&index.billing),
            warm_throughput: Some(warm_index(&index.billing)),
        })
    }
}

/// A list where it is not empty.
fn listed<T>(list: Vec<T>) -> Option<Vec<T>> {
    (!list.is_empty()).then_some(list)
}

/// The attributes that keys are made of: those of indexes that are gone are not shown.
fn definitions(table: &TableRecord) -> Vec<AttributeDefinition> {
    let used: Vec<&str> = used(table).collect();
    let kinds = table.attributes.iter();
    kinds
        .filter(|(name, _)| used.contains(&&***name))
        .map(|(name, kind)| AttributeDefinition {
            attribute_name: name.clone(),
            attribute_type: schema::kind_name(*kind).to_owned(),
        })
        .collect()
}

/// The attributes of the keys of a table and its indexes.
pub(crate) fn used(table: &TableRecord) -> impl Iterator<Item = &str> {
    let local = table.local.values().map(|index| &index.key);
    let global = table.global.values().map(|index| &index.key);
    let keys = std::iter::once(&table.key).chain(local).chain(global);
    keys.flat_map(schema::names)
}

fn status(state: TableState, now: Millis) -> &'static str {
    match state {
        TableState::Creating(until) if now < until => "CREATING",
        TableState::Updating(until) if now < until => "UPDATING",
        TableState::Creating(_) | TableState::Updating(_) | TableState::Active => "ACTIVE",
        TableState::Deleting => "DELETING",
    }
}

fn billing_mode(table: &TableRecord) -> Option<BillingModeSummary> {
    let mode = match table.billing {
        Billing::OnDemand { .. } => "PAY_PER_REQUEST",
        Billing::Provisioned(_) => "PROVISIONED",
    };
    let since = match table.billing {
        Billing::OnDemand { .. } => Some(table.on_demand_since.unwrap_or(table.created)),
        // A table that was always paid for by the second has no summary.
        Billing::Provisioned(_) => Some(table.on_demand_since?),
    };
    Some(BillingModeSummary {
        billing_mode: Some(mode.to_owned()),
        last_update_to_pay_per_request_date_time: since.map(time),
    })
}

fn provisioned(billing: &Billing, now: Millis) -> ProvisionedThroughputDescription {
    let Billing::Provisioned(units) = billing else {
        return ProvisionedThroughputDescription {
            number_of_decreases_today: Some(0),
            read_capacity_units: Some(0),
            write_capacity_units: Some(0),
            ..ProvisionedThroughputDescription::default()
        };
    };
    let is_today = units
        .lowered
        .is_some_and(|lowered| is_same_day(lowered, now));
    let today = if is_today { units.lowered_that_day } else { 0 };
    ProvisionedThroughputDescription {
        last_increase_date_time: units.raised.map(time),
        last_decrease_date_time: units.lowered.map(time),
        number_of_decreases_today: Some(today.into()),
        read_capacity_units: Some(whole(units.read)),
        write_capacity_units: Some(whole(units.write)),
    }
}

/// Whether two times are of one day, in UTC.
pub(crate) fn is_same_day(one: Millis, other: Millis) -> bool {
    one.0 / DAY_MS == other.0 / DAY_MS
}

fn on_demand(billing: &Billing) -> Option<OnDemandThroughput> {
    match *billing {
        Billing::OnDemand {
            read_max,
            write_max,
        } if read_max.is_some() || write_max.is_some() => Some(OnDemandThroughput {
            max_read_request_units: read_max.map(whole),
            max_write_request_units: write_max.map(whole),
        }),
        Billing::OnDemand { .. } | Billing::Provisioned(_) => None,
    }
}

fn warm(billing: &Billing) -> (i64, i64) {
    match billing {
        Billing::OnDemand { .. } => (WARM_READ, WARM_WRITE),
        Billing::Provisioned(units) => (whole(units.read), whole(units.write)),
    }
}

fn warm_table(billing: &Billing) -> TableWarmThroughputDescription {
    let (read, write) = warm(billing);
    TableWarmThroughputDescription {
        read_units_per_second: Some(read),
        write_units_per_second: Some(write),
        status: Some("ACTIVE".to_owned()),
    }
}

fn warm_index(billing: &Billing) -> GlobalSecondaryIndexWarmThroughputDescription {
    let (read, write) = warm(billing);
    GlobalSecondaryIndexWarmThroughputDescription {
        read_units_per_second: Some(read),
        write_units_per_second: Some(write),
        status: Some("ACTIVE".to_owned()),
    }
}

fn time(at: Millis) -> Timestamp {
    Timestamp(i64::try_from(at.0).unwrap_or(i64::MAX))
}

fn whole(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
