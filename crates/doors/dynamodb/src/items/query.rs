//! The keys that a query wants.

use std::collections::BTreeMap;

use headwater_expressions::{
    Comparison, Condition, KeyCondition, KeyConditions, Operand, Path, Placeholders, SortCondition,
    legacy,
};
use headwater_items::{Item, Value};
use headwater_tables::TableRecord;
use headwater_wire::ApiError;

use crate::{
    errors::{invalid, validation},
    items::{keys, kinds, older, placeholders::refused, source::Source},
};

/// The wanted keys in either dialect, as they were sent.
#[derive(Debug, Default)]
pub(crate) struct Keyed {
    /// `KeyConditionExpression`.
    pub expression: Option<String>,
    /// `KeyConditions`.
    pub older: Option<BTreeMap<String, headwater_shapes_dynamodb::Condition>>,
}

impl Keyed {
    /// Whether any keys are named.
    ///
    /// # Errors
    /// None are.
    pub fn check(&self) -> Result<(), ApiError> {
        match self.expression.is_some() || self.older.is_some() {
            true => Ok(()),
            false => Err(validation(
                "Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.",
            )),
        }
    }

    /// What is wanted of attributes, of which it is not known yet which make the key.
    ///
    /// # Errors
    /// What was sent is none.
    pub fn read(self, placeholders: &mut Placeholders) -> Result<KeyConditions, ApiError> {
        if let Some(text) = &self.expression {
            let conditions = headwater_expressions::key_conditions(text, placeholders);
            return conditions.map_err(refused("KeyConditionExpression"));
        }
        let filters = older::filters(self.older.unwrap_or_default())?;
        legacy::key_conditions(filters).map_err(|invalid| validation(invalid.text))
    }
}

/// The keys that are wanted of a table or an index.
///
/// # Errors
/// Its key cannot be asked so.
pub(crate) fn of_source(
    conditions: KeyConditions,
    source: &Source<'_>,
) -> Result<KeyCondition, ApiError> {
    let key = source.key();
    let condition = conditions.of_key(&key.partition, key.sort.as_deref());
    let condition = condition.map_err(refused("KeyConditionExpression"))?;
    let (name, value) = &condition.partition;
    check(name, value, true, source.table)?;
    if let Some((name, wanted)) = &condition.sort {
        for value in values(wanted) {
            check(name, value, false, source.table)?;
        }
    }
    Ok(condition)
}

/// Whether an attribute of a key can have this value.
///
/// # Errors
/// It cannot.
pub(crate) fn check(
    name: &str,
    value: &Value,
    is_partition: bool,
    table: &TableRecord,
) -> Result<(), ApiError> {
    let kind = keys::kind(name, table);
    if kind.map(kinds::of_key) != Some(value.kind()) {
        return Err(invalid(
            "Condition parameter type does not match schema type",
        ));
    }
    Ok(match (kind, kinds::key_bytes(value)) {
        (Some(kind), Some(0)) => Err(crate::items::fault::Fault::EmptyKey {
            attribute: name.to_owned(),
            kind,
        }),
        (_, Some(bytes)) => keys::check_bytes(bytes, is_partition),
        (_, None) => Ok(()),
    }?)
}

/// The values that an attribute which sorts is compared with.
pub(crate) fn values(wanted: &SortCondition) -> Vec<&Value> {
    match wanted {
        SortCondition::Equal(value)
        | SortCondition::Less(value)
        | SortCondition::LessOrEqual(value)
        | SortCondition::Greater(value)
        | SortCondition::GreaterOrEqual(value)
        | SortCondition::BeginsWith(value) => vec![value],
        SortCondition::Between(low, high) => vec![low, high],
    }
}

/// Whether an item has what is wanted of the attribute that sorts.
pub(crate) fn is_sorted_so(item: &Item, name: &str, wanted: &SortCondition) -> bool {
    let attribute = Operand::Path(Path::attribute(name));
    let value = |value: &Value| Operand::Value(value.clone().into());
    let compared =
        |comparison, with| Condition::Compare(comparison, attribute.clone(), value(with));
    let condition = match wanted {
        SortCondition::Equal(with) => compared(Comparison::Equal, with),
        SortCondition::Less(with) => compared(Comparison::Less, with),
        SortCondition::LessOrEqual(with) => compared(Comparison::LessOrEqual, with),
        SortCondition::Greater(with) => compared(Comparison::Greater, with),
        SortCondition::GreaterOrEqual(with) => compared(Comparison::GreaterOrEqual, with),
        SortCondition::Between(low, high) => {
            Condition::Between(attribute.clone(), value(low), value(high))
        }
        SortCondition::BeginsWith(start) => Condition::BeginsWith(attribute.clone(), value(start)),
    };
    condition.holds(item)
}

/// Whether a query finds one item at the most: all of the table's key is given.
pub(crate) fn finds_one(condition: &KeyCondition, source: &Source<'_>) -> bool {
    let is_whole = match &condition.sort {
        None => source.key().sort.is_none(),
        Some((_, wanted)) => matches!(wanted, SortCondition::Equal(_)),
    };
    source.index.is_none() && is_whole
}
