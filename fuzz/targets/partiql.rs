//! Statements of PartiQL: read, and held against an item, which must be where its condition has it looked for.
#![cfg_attr(feature = "libfuzzer", no_main)]

use headwater_expressions::Condition;
use headwater_fuzz::target;
use headwater_items::{Item, Number, Value};
use headwater_partiql::{Statement, one_item, reads, statement};

target!(|text: &str| {
    let item = item();
    let parameters = vec![Value::String("x".to_owned()); text.matches('?').count()];
    let Ok(statement) = statement(text, parameters) else {
        return;
    };
    match statement {
        Statement::Select(select) | Statement::Exists(select) => {
            if let Some(condition) = &select.condition {
                check(condition, &item);
            }
            select.shown(item);
        }
        Statement::Update(update) => {
            if let Some(condition) = &update.condition {
                check(condition, &item);
            }
            let touched = update.changes.touched();
            if let Ok(updated) = update.changes.apply(&item) {
                touched.of(&updated);
            }
        }
        Statement::Delete(delete) => {
            if let Some(condition) = &delete.condition {
                check(condition, &item);
            }
        }
        Statement::Insert(_) => {}
    }
});

/// Holds where a condition's items are to what the condition says of an item.
fn check(condition: &Condition, item: &Item) {
    let holds = condition.holds(item);
    let is_in_partition = |places: Vec<headwater_expressions::KeyCondition>| {
        let mut places = places.iter();
        places.any(|place| item.get("p") == Some(&place.partition.1))
    };
    if let Ok(Some(places)) = reads(condition, "p", Some("s")) {
        assert!(!holds || is_in_partition(places));
    }
    if let Some(one) = one_item(condition.clone(), &["p", "s"], true) {
        let is_it = one
            .key
            .iter()
            .all(|(name, value)| item.get(name) == Some(value));
        let rest = one.rest.is_none_or(|rest| rest.holds(item));
        assert_eq!(holds, is_it && rest);
    }
}

fn item() -> Item {
    let text = Value::String("x".to_owned());
    let list = Value::List(vec![text.clone(), Value::Null]);
    let map = Item::from([("b".to_owned(), list.clone())]);
    Item::from([
        ("p".to_owned(), text.clone()),
        ("s".to_owned(), Value::Number(Number::from(1))),
        ("a".to_owned(), text),
        ("l".to_owned(), list),
        ("m".to_owned(), Value::Map(map)),
    ])
}
