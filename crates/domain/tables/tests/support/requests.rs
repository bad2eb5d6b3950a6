//! Items, and what is asked for of the table.

use headwater_expressions::{Action, KeyCondition, Path, SetValue, SortCondition, Update};
use headwater_items::{Item, Value};
use headwater_tables::{Query, Range, ReadOptions, Scan, Target, Write, WriteAction};

use super::TABLE;

pub fn target(index: Option<&str>) -> Target {
    Target {
        table: TABLE.into(),
        index: index.map(Into::into),
    }
}

pub fn write(key: Item, action: WriteAction) -> Write {
    Write {
        key,
        condition: None,
        action,
    }
}

pub fn scan(segment: (u32, u32)) -> Range {
    let options = ReadOptions {
        limit: Some(3),
        ..ReadOptions::default()
    };
    Range::Scan(Scan { segment, options })
}

pub fn query(
    partition: (&str, Value),
    sort: Option<(&str, SortCondition)>,
    descending: bool,
) -> Range {
    let keys = KeyCondition {
        partition: (partition.0.into(), partition.1),
        sort: sort.map(|(name, wanted)| (name.into(), wanted)),
    };
    let options = ReadOptions {
        limit: Some(2),
        ..ReadOptions::default()
    };
    Range::Query(Query {
        keys,
        descending,
        options,
    })
}

pub fn text(value: &str) -> Value {
    Value::String(value.into())
}

pub fn number(value: i64) -> Value {
    Value::Number(value.into())
}

/// An item with a key and other attributes.
pub fn item(partition: &str, sort: i64, others: &[(&str, Value)]) -> Item {
    let key = [
        ("p".to_owned(), text(partition)),
        ("s".to_owned(), number(sort)),
    ];
    let others = others
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.clone()));
    key.into_iter().chain(others).collect()
}

pub fn key_of(item: &Item) -> Item {
    let is_key = |name: &String| name == "p" || name == "s";
    let key = item.iter().filter(|(name, _)| is_key(name));
    key.map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// Sets an attribute.
pub fn set(name: &str, value: Value) -> WriteAction {
    WriteAction::Update(Update(vec![Action::Set(
        path(name),
        SetValue::Value(value.into()),
    )]))
}

/// The path to an attribute.
pub fn path(name: &str) -> Path {
    Path {
        root: name.into(),
        steps: Vec::new(),
    }
}
