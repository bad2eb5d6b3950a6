//! The way to the items that a statement wants: one or more queries, or a scan.

use std::{cmp::Ordering, collections::BTreeSet};

use headwater_expressions::{Condition, KeyCondition, SortCondition};
use headwater_items::{Value, key};
use headwater_partiql::{Select, reads};
use headwater_tables::{KeySchema, Query, Range, ReadOptions, Scan};
use headwater_wire::ApiError;

use super::refused;
use crate::{
    errors::{invalid, validation},
    items::{keys, kinds, paths, query, source::Source},
};

/// The way to items.
pub(crate) struct Way {
    /// The places in which they are, one behind the other; without any, all are looked at.
    places: Option<Vec<KeyCondition>>,
    /// Whether they come in descending order.
    descending: bool,
}

impl Way {
    /// The way to what a statement wants of a table or an index.
    ///
    /// # Errors
    /// There is none.
    pub fn new(select: &Select, source: &Source<'_>) -> Result<Self, ApiError> {
        let key = source.key();
        let of_key = |wanted| reads(wanted, &key.partition, key.sort.as_deref());
        let places = select.condition.as_ref().map(of_key).transpose();
        let mut places = places.map_err(refused)?.flatten();
        for place in places.iter().flatten() {
            check(place, source)?;
        }
        let descending = order(select, key, &mut places)?;
        if let (Some(_), Some(condition)) = (&places, &select.condition) {
            check_filter(condition, source)?;
        }
        Ok(Self { places, descending })
    }

    /// What is read in the place of this number; none behind the last.
    pub fn range(&self, place: usize, options: ReadOptions) -> Option<Range> {
        match &self.places {
            None if place == 0 => Some(Range::Scan(Scan {
                segment: (0, 1),
                options,
            })),
            None => None,
            Some(places) => Some(Range::Query(Query {
                keys: places.get(place)?.clone(),
                descending: self.descending,
                options,
            })),
        }
    }

    /// The key that is wanted in the place of this number, where keys are.
    pub fn place(&self, place: usize) -> Option<&KeyCondition> {
        self.places.as_ref()?.get(place)
    }
}

/// Whether a key can have these values.
fn check(place: &KeyCondition, source: &Source<'_>) -> Result<(), ApiError> {
    let (partition, value) = &place.partition;
    check_value(partition, value, true, source)?;
    let Some((name, wanted)) = &place.sort else {
        return Ok(());
    };
    let values = query::values(wanted);
    values
        .into_iter()
        .try_for_each(|value| check_value(name, value, false, source))
}

fn check_value(
    name: &str,
    value: &Value,
    is_partition: bool,
    source: &Source<'_>,
) -> Result<(), ApiError> {
    let kind = keys::kind(name, source.table).map(kinds::of_key);
    if kind != Some(value.kind()) {
        return Err(validation(format!(
            "Key attribute's data type should match its data type in table's schema: Key {name}"
        )));
    }
    query::check(name, value, is_partition, source.table)
}

/// Whether an index has what a condition asks of its items. Of conditions joined by `OR` AWS lets it not have it.
fn check_filter(condition: &Condition, source: &Source<'_>) -> Result<(), ApiError> {
    let Some(index) = source.index else {
        return Ok(());
    };
    let paths = paths::of_condition(condition);
    let roots = paths.into_iter().map(|path| &*path.root);
    let missing: BTreeSet<&str> = roots.filter(|root| !source.has(root)).collect();
    if missing.is_empty() || matches!(condition, Condition::Or(..)) {
        return Ok(());
    }
    let missing: Vec<&str> = missing.into_iter().collect();
    Err(invalid(format_args!(
        "Secondary index {} does not project one or more filter attributes: [{}]",
        index.name,
        missing.join(", ")
    )))
}

/// Puts places into the order that is asked for, and says whether items descend within them: they do where the order does not
/// name what sorts. (Source: floci's `ordersByTheKey`, recorded on AWS.)
fn order(
    select: &Select,
    key: &KeySchema,
    places: &mut Option<Vec<KeyCondition>>,
) -> Result<bool, ApiError> {
    let by = |name: &String| {
        let mut orders = select.order.iter();
        orders
            .find(|order| order.attribute == *name)
            .map(|order| order.descending)
    };
    if select.order.is_empty() {
        return Ok(false);
    }
    if select.condition.is_none() {
        return Err(validation(
            "Must have WHERE clause in the statement when using ORDER BY clause.",
        ));
    }
    let is_of_key = |name: &String| keys::names(key).any(|of_key| of_key == name);
    if let Some(other) = select
        .order
        .iter()
        .find(|order| !is_of_key(&order.attribute))
    {
        return Err(validation(format!(
            "Attribute {} in ORDER BY clause must be part of the primary key",
            other.attribute
        )));
    }
    let Some(places) = places else {
        return Err(validation(
            "Must have at least one non-optional hash key condition in WHERE clause when using ORDER BY clause.",
        ));
    };
    let by_partition = by(&key.partition);
    let first = places.first().map(|place| place.partition.clone());
    let are_several = places
        .iter()
        .any(|place| Some(&place.partition) != first.as_ref());
    if are_several && by_partition.is_none() {
        return Err(validation(
            "Must have hash key in ORDER BY clause when more than one hash key condition specified in WHERE clause.",
        ));
    }
    let descending = key.sort.as_ref().and_then(by).unwrap_or(true);
    places.sort_by(|one, other| {
        let partitions = bytes(&one.partition.1).cmp(&bytes(&other.partition.1));
        let sorts = sorting(one).cmp(&sorting(other));
        turned(partitions, by_partition == Some(true)).then(turned(sorts, descending))
    });
    Ok(descending)
}

fn turned(order: Ordering, descending: bool) -> Ordering {
    match descending {
        true => order.reverse(),
        false => order,
    }
}

/// The one value that sorts, of a place that has one item at the most.
fn sorting(place: &KeyCondition) -> Option<Vec<u8>> {
    match &place.sort {
        Some((_, SortCondition::Equal(value))) => Some(bytes(value)),
        _ => None,
    }
}

/// A value of a key as bytes, which are ordered as values are.
fn bytes(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    key::encode(value, &mut bytes);
    bytes
}
