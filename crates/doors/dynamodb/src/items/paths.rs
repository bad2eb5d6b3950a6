//! The paths that expressions lead through items, and whether a table takes them.

use headwater_expressions::{Action, Condition, Operand, Path, SetValue, Update};
use headwater_tables::TableRecord;

use crate::items::{fault::Fault, indexes, keys};

/// The paths of a condition.
pub(crate) fn of_condition(condition: &Condition) -> Vec<&Path> {
    let mut found = Vec::new();
    add_condition(condition, &mut found);
    found
}

/// The paths of an update: those that it changes and those that it reads.
pub(crate) fn of_update(update: &Update) -> Vec<&Path> {
    let mut found = Vec::new();
    for action in &update.0 {
        found.push(action.place());
        if let Action::Set(_, value) = action {
            add_value(value, &mut found);
        }
    }
    found
}

/// Whether no path leads into an attribute of a key, which has no parts.
///
/// # Errors
/// The attribute that one leads into.
pub(crate) fn check(paths: &[&Path], table: &TableRecord) -> Result<(), Fault> {
    let leads_into = |attribute: &&String| {
        let into = |path: &&Path| *path.root == **attribute && !path.steps.is_empty();
        paths.iter().any(into)
    };
    if let Some(attribute) = keys::names(&table.key).find(leads_into) {
        return Err(Fault::PathIntoKey(attribute.clone()));
    }
    let indexes = indexes::all(table).into_iter();
    let mut attributes = indexes.flat_map(|(_, key)| keys::names(key));
    match attributes.find(leads_into) {
        None => Ok(()),
        Some(attribute) => Err(Fault::PathIntoIndexKey(attribute.clone())),
    }
}

fn add_condition<'a>(condition: &'a Condition, found: &mut Vec<&'a Path>) {
    match condition {
        Condition::And(one, other) | Condition::Or(one, other) => {
            add_condition(one, found);
            add_condition(other, found);
        }
        Condition::Not(one) => add_condition(one, found),
        Condition::Exists(path) | Condition::NotExists(path) => found.push(path),
        Condition::Compare(_, one, other)
        | Condition::BeginsWith(one, other)
        | Condition::Contains(one, other) => add_operands([one, other], found),
        Condition::Between(value, low, high) => add_operands([value, low, high], found),
        Condition::In(value, others) => add_operands(std::iter::once(value).chain(others), found),
        Condition::IsKind(value, _) => add_operands([value], found),
    }
}

fn add_operands<'a>(operands: impl IntoIterator<Item = &'a Operand>, found: &mut Vec<&'a Path>) {
    for mut operand in operands {
        while let Operand::Size(of) = operand {
            operand = of;
        }
        if let Operand::Path(path) = operand {
            found.push(path);
        }
    }
}

fn add_value<'a>(value: &'a SetValue, found: &mut Vec<&'a Path>) {
    match value {
        SetValue::Path(path) => found.push(path),
        SetValue::Value(_) => {}
        SetValue::Plus(one, other)
        | SetValue::Minus(one, other)
        | SetValue::ListAppend(one, other) => {
            add_value(one, found);
            add_value(other, found);
        }
        SetValue::IfNotExists(path, other) => {
            found.push(path);
            add_value(other, found);
        }
    }
}
