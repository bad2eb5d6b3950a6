//! The key behind which a query or a scan goes on.

use headwater_attributes::{AttributeValue, Fault};
use headwater_expressions::KeyCondition;
use headwater_items::{Item, Value};
use headwater_wire::ApiError;

use crate::{
    errors::validation,
    items::{
        keys,
        kinds::letters,
        query::{finds_one, is_sorted_so},
        source::Source,
        values::{Attributes, check_name},
    },
};

const INVALID: &str = "The provided starting key is invalid";

/// The key that was sent.
///
/// # Errors
/// One of its values is none.
pub(crate) fn read(sent: Option<Attributes>) -> Result<Option<Item>, ApiError> {
    let Some(sent) = sent else {
        return Ok(None);
    };
    sent.keys().try_for_each(|name| check_name(name))?;
    let key = AttributeValue::into_item(sent);
    key.map(Some).map_err(|fault| match is_told_alone(&fault) {
        true => validation(fault.to_string()),
        false => validation(format!("{INVALID}: {fault}")),
    })
}

/// Whether AWS says no more than the fault itself: so of numbers, and of sets with a value twice.
fn is_told_alone(fault: &Fault) -> bool {
    match fault {
        Fault::NoNumber
        | Fault::NotANumber(_)
        | Fault::TooManyDigits
        | Fault::Overflow
        | Fault::Underflow
        | Fault::NoNumbers
        | Fault::SameStrings(_)
        | Fault::SameNumbers
        | Fault::SameBinaries(_) => true,
        Fault::Empty
        | Fault::Several
        | Fault::NotNull
        | Fault::NoStrings
        | Fault::NoBinaries
        | Fault::TooDeep => false,
    }
}

/// Whether a query can go on behind a key.
///
/// # Errors
/// The key is not one of what is read, or the query never comes by.
pub(crate) fn check_query(
    start: &Item,
    keys: &KeyCondition,
    source: &Source<'_>,
) -> Result<(), ApiError> {
    let has_all = source
        .key_names()
        .iter()
        .all(|name| start.contains_key(*name));
    if start.len() != source.key_names().len() || !has_all {
        return Err(validation(INVALID));
    }
    keys::check_parts(start, source.key(), source.table)?;
    check_table_key(start, source)?;
    let (name, value) = &keys.partition;
    let is_same = start.get(name) == Some(value);
    match &keys.sort {
        Some((name, wanted)) if !is_sorted_so(start, name, wanted) => Err(validation(
            "The provided starting key does not match the range key predicate",
        )),
        Some(_) if !is_same => Err(validation(
            "The query can return at most one row and cannot be restarted",
        )),
        None if !is_same => Err(validation(
            "The provided starting key is outside query boundaries based on provided conditions",
        )),
        None if finds_one(keys, source) => Err(validation(format!(
            "The provided exclusive start key is invalid: ExclusiveStartKey: {{{}}}",
            listed(start)
        ))),
        _ => Ok(()),
    }
}

/// Whether a scan can go on behind a key.
///
/// # Errors
/// The key is not one of what is read.
pub(crate) fn check_scan(start: &Item, source: &Source<'_>) -> Result<(), ApiError> {
    let names = source.key_names();
    let has_all = names.iter().all(|name| start.contains_key(*name));
    if start.len() != names.len() || !has_all {
        return Err(match source.index {
            Some(_) => validation(INVALID),
            None => validation(format!(
                "{INVALID}: The provided key element does not match the schema"
            )),
        });
    }
    if let Some(index) = source.index {
        keys::check_parts(start, index.key, source.table)?;
    }
    check_table_key(start, source)
}

fn check_table_key(start: &Item, source: &Source<'_>) -> Result<(), ApiError> {
    let checked = keys::check_parts(start, &source.table.key, source.table);
    checked.map_err(|fault| validation(format!("{INVALID}: {}", fault.text())))
}

/// A key as AWS shows it: `p=AttributeValue: {S:a}`.
fn listed(key: &Item) -> String {
    let shown = |(name, value): (&String, &Value)| {
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            Value::Binary(bytes) => {
                let len = bytes.len();
                format!("java.nio.HeapByteBuffer[pos=0 lim={len} cap={len}]")
            }
            _ => String::new(),
        };
        format!(
            "{name}=AttributeValue: {{{}:{text}}}",
            letters(value.kind())
        )
    };
    let all: Vec<String> = key.iter().map(shown).collect();
    all.join(", ")
}
