//! Changes of a table's global indexes: one made, one deleted, others paid for otherwise.

use std::collections::BTreeSet;

use headwater_shapes_dynamodb::{
    CreateGlobalSecondaryIndexAction, DeleteGlobalSecondaryIndexAction, GlobalSecondaryIndexUpdate,
    UpdateGlobalSecondaryIndexAction,
};
use headwater_tables::{Billing, GlobalIndex, IndexState, KeySchema, Projected, TableRecord};
use headwater_types::Millis;
use headwater_wire::ApiError;

use super::throughput::{changed, left_over};
use crate::{
    billing::{Maxima, Mode, UNITS_MAX, Units, check_no_maxima},
    describe::used,
    errors::{invalid, limit, not_found, validation},
    indexes::{GLOBAL_MAX, check_included, global_key},
    projection, refused,
    schema::{self, Definitions, Element, kind_name},
};

/// A change of one index.
#[derive(Debug, Clone)]
pub(super) struct IndexChange {
    name: String,
    action: Action,
}

#[derive(Debug, Clone)]
enum Action {
    Create {
        elements: Vec<Element>,
        projected: Projected,
        units: Option<Units>,
        maxima: Option<Maxima>,
    },
    Update {
        units: Option<Units>,
        maxima: Option<Maxima>,
    },
    Delete,
}

impl IndexChange {
    /// Whether an index is made or deleted.
    pub fn makes_or_deletes(&self) -> bool {
        !matches!(self.action, Action::Update { .. })
    }
}

/// The changes that a request asks for.
pub(super) fn read(sent: Vec<GlobalSecondaryIndexUpdate>) -> Result<Vec<IndexChange>, ApiError> {
    let changes: Vec<IndexChange> = sent.into_iter().map(read_one).collect::<Result<_, _>>()?;
    let mut names = BTreeSet::new();
    match changes.iter().find(|change| !names.insert(&change.name)) {
        None => Ok(changes),
        Some(twice) => Err(invalid(format_args!(
            "Only one global secondary index update per index is allowed simultaneously. Index: {}",
            twice.name
        ))),
    }
}

fn read_one(sent: GlobalSecondaryIndexUpdate) -> Result<IndexChange, ApiError> {
    let GlobalSecondaryIndexUpdate {
        update,
        create,
        delete,
    } = sent;
    match (update, create, delete) {
        (Some(update), None, None) => read_update(update),
        (None, Some(create), None) => read_create(create),
        (None, None, Some(delete)) => {
            let DeleteGlobalSecondaryIndexAction { index_name } = delete;
            Ok(IndexChange {
                name: index_name,
                action: Action::Delete,
            })
        }
        (None, None, None) => Err(invalid(
            "One of GlobalSecondaryIndexUpdate.Update, GlobalSecondaryIndexUpdate.Create, \
             GlobalSecondaryIndexUpdate.Delete must not be null",
        )),
        _ => Err(invalid(
            "Only one global secondary index action is allowed per GlobalSecondaryIndexUpdate object",
        )),
    }
}

fn read_update(sent: UpdateGlobalSecondaryIndexAction) -> Result<IndexChange, ApiError> {
    let UpdateGlobalSecondaryIndexAction {
        index_name,
        provisioned_throughput,
        on_demand_throughput,
        warm_throughput,
    } = sent;
    refused::warm(warm_throughput)?;
    Ok(IndexChange {
        name: index_name,
        action: Action::Update {
            units: provisioned_throughput.map(|throughput| Units::read(&throughput)),
            maxima: Maxima::read(on_demand_throughput),
        },
    })
}

fn read_create(sent: CreateGlobalSecondaryIndexAction) -> Result<IndexChange, ApiError> {
    let CreateGlobalSecondaryIndexAction {
        index_name,
        key_schema,
        projection,
        provisioned_throughput,
        on_demand_throughput,
        warm_throughput,
    } = sent;
    refused::warm(warm_throughput)?;
    Ok(IndexChange {
        name: index_name,
        action: Action::Create {
            elements: schema::elements(key_schema),
            projected: projection::read(projection)?,
            units: provisioned_throughput.map(|throughput| Units::read(&throughput)),
            maxima: Maxima::read(on_demand_throughput),
        },
    })
}

/// Whether the changes can be, whatever the table is like.
pub(super) fn check(changes: &[IndexChange], definitions: &Definitions) -> Result<(), ApiError> {
    for IndexChange { name, action } in changes {
        let Action::Create { elements, .. } = action else {
            continue;
        };
        if definitions.len() == 0 {
            return Err(invalid(format_args!(
                "AttributeDefinitions is not specified for index: {name}"
            )));
        }
        definitions.cover(elements)?;
        global_key(elements)?;
    }
    Ok(())
}

/// Makes the changes to a table that was paid for as `was` says.
pub(super) fn apply(
    changes: &[IndexChange],
    definitions: &Definitions,
    was: Mode,
    table: &mut TableRecord,
    now: Millis,
) -> Result<(), ApiError> {
    let is_under_way = |index: &GlobalIndex| index.state != IndexState::Active;
    let under_way = table
        .global
        .values()
        .filter(|index| is_under_way(index))
        .count();
    let online = changes
        .iter()
        .filter(|change| change.makes_or_deletes())
        .count();
    if online > 1 || (online == 1 && under_way > 0) {
        return Err(limit(
            "Only 1 online index can be created or deleted simultaneously per table",
        ));
    }
    for IndexChange { name, action } in changes {
        match action {
            Action::Create {
                elements,
                projected,
                units,
                maxima,
            } => {
                let billing = new_billing(name, Mode::of(&table.billing), *units, *maxima)?;
                define(elements, definitions, table)?;
                create(name, global_key(elements)?, projected, billing, table)?;
            }
            Action::Update { units, maxima } => update(name, *units, *maxima, table, now)?,
            Action::Delete => delete(name, table)?,
        }
    }
    let is_by_second = Mode::of(&table.billing) == Mode::Provisioned;
    if is_by_second && was == Mode::OnDemand {
        let left = left_over(table.global.iter());
        if !left.is_empty() {
            return Err(invalid(format_args!(
                "ProvisionedThroughput must be specified for index: {left}"
            )));
        }
    }
    Ok(())
}

/// How a new index of a table is paid for: as the table is.
fn new_billing(
    name: &str,
    mode: Mode,
    units: Option<Units>,
    maxima: Option<Maxima>,
) -> Result<Billing, ApiError> {
    match (mode, units) {
        (Mode::OnDemand, Some(_)) => Err(no_units(name)),
        (Mode::OnDemand, None) => {
            let maxima = maxima.unwrap_or_default();
            let maxima = maxima.check(&format!("index : {name}"), false)?;
            Ok(maxima.over(None, None))
        }
        (Mode::Provisioned, None) => Err(both_units(name)),
        (Mode::Provisioned, Some(units)) => {
            check_no_maxima(name, maxima)?;
            Ok(units.check()?.billing())
        }
    }
}

/// Keeps the kinds of the attributes that a new index's key is made of. One that another key has too is of the same kind.
fn define(
    elements: &[Element],
    definitions: &Definitions,
    table: &mut TableRecord,
) -> Result<(), ApiError> {
    for Element { name, .. } in elements {
        let Some(kind) = definitions.kind(name) else {
            continue;
        };
        let is_used = used(table).any(|used| used == name);
        let before = table.attributes.insert(name.clone(), kind);
        if let Some(before) = before.filter(|before| is_used && *before != kind) {
            let (old, new) = (kind_name(before), kind_name(kind));
            return Err(invalid(format_args!(
                "Attributes cannot be redefined. Please check that your attribute has the same type as previously \
                 defined. Existing schema: Schema:[SchemaElement: key{{{name}:{old}:HASH}}] New schema: \
                 Schema:[SchemaElement: key{{{name}:{new}:HASH}}]"
            )));
        }
    }
    Ok(())
}

fn create(
    name: &str,
    key: KeySchema,
    projected: &Projected,
    billing: Billing,
    table: &mut TableRecord,
) -> Result<(), ApiError> {
    if table.local.contains_key(name) || table.global.contains_key(name) {
        return Err(validation(
            "Attempting to create an index which already exists",
        ));
    }
    if table.global.len() >= GLOBAL_MAX {
        return Err(limit(format_args!(
            "GlobalSecondaryIndex count exceeds the per-table limit of {GLOBAL_MAX}"
        )));
    }
    let index = GlobalIndex {
        number: table.next_index,
        key,
        projected: projected.clone(),
        state: IndexState::Creating,
        billing,
    };
    table.next_index = table.next_index.saturating_add(1);
    table.global.insert(name.to_owned(), index);
    let local = table.local.values().map(|index| &index.projected);
    check_included(local.chain(table.global.values().map(|index| &index.projected)))
}

fn update(
    name: &str,
    units: Option<Units>,
    maxima: Option<Maxima>,
    table: &mut TableRecord,
    now: Millis,
) -> Result<(), ApiError> {
    if units.is_some_and(|units| units.read > UNITS_MAX || units.write > UNITS_MAX) {
        return Err(validation(
            "This operation cannot be performed with given input values. Please contact DynamoDB service team for more \
             info: Action Blocked: IndexUpdate",
        ));
    }
    let mode = Mode::of(&table.billing);
    let index = find(name, "update", table)?;
    match (mode, units, maxima) {
        (Mode::OnDemand, Some(_), _) => return Err(no_units(name)),
        (Mode::OnDemand, None, None) => {
            return Err(invalid(format_args!(
                "The only Updates for index: {name} when TableThroughputMode is PAY_PER_REQUEST can be to \
                 OnDemandThroughput, WarmThroughput"
            )));
        }
        (Mode::OnDemand, None, Some(maxima)) => {
            let asked = maxima.check(&format!("index : {name}"), true)?;
            let (read, write) = match index.billing {
                Billing::OnDemand {
                    read_max,
                    write_max,
                } => (read_max, write_max),
                Billing::Provisioned(_) => (None, None),
            };
            index.billing = asked.over(read, write);
        }
        (Mode::Provisioned, None, _) => return Err(both_units(name)),
        (Mode::Provisioned, Some(units), maxima) => {
            check_no_maxima(name, maxima)?;
            index.billing = changed(&index.billing, units, &format!("the index {name}"), now)?;
        }
    }
    Ok(())
}

fn delete(name: &str, table: &mut TableRecord) -> Result<(), ApiError> {
    find(name, "delete", table)?.state = IndexState::Deleting;
    Ok(())
}

/// The global index of this name.
fn find<'a>(
    name: &str,
    to: &str,
    table: &'a mut TableRecord,
) -> Result<&'a mut GlobalIndex, ApiError> {
    if table.local.contains_key(name) {
        return Err(validation(format!(
            "Cannot {to} an index that is not a GlobalSecondaryIndex: {name}"
        )));
    }
    let missing = not_found(format_args!("Index {name} for table {}", table.name));
    table.global.get_mut(name).ok_or(missing)
}

fn no_units(name: &str) -> ApiError {
    invalid(format_args!(
        "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified for index: {name} when BillingMode is \
         PAY_PER_REQUEST"
    ))
}

fn both_units(name: &str) -> ApiError {
    invalid(format_args!(
        "Both ReadCapacityUnits and WriteCapacityUnits must be specified for index: {name}"
    ))
}
