//! Expressions of tables: a text, read as each kind of expression, and what it means held against an item.
#![cfg_attr(feature = "libfuzzer", no_main)]

use std::collections::BTreeMap;

use headwater_expressions::{Placeholders, condition, key_condition, projection, update};
use headwater_fuzz::target;
use headwater_items::{Item, Number, Value};

target!(|text: &str| {
    let item = item();
    if let Ok(condition) = condition(text, &mut placeholders()) {
        condition.holds(&item);
    }
    if let Ok(update) = update(text, &mut placeholders()) {
        let touched = update.touched();
        touched.of(&item);
        if let Ok(updated) = update.apply(&item) {
            touched.of(&updated);
        }
    }
    if let Ok(projection) = projection(text, &mut placeholders()) {
        // What is kept already is kept again, but for elements of lists, which have moved.
        let kept = projection.of(&item);
        if !text.contains('[') {
            assert_eq!(projection.of(&kept), kept);
        }
    }
    drop(key_condition(text, &mut placeholders(), "a", Some("b")));
});

fn item() -> Item {
    let text = Value::String("text".to_owned());
    let set = Value::NumberSet([Number::from(1), Number::from(2)].into());
    let list = Value::List(vec![text.clone(), Value::Null, set.clone()]);
    let map = Item::from([
        ("a".to_owned(), list.clone()),
        ("b".to_owned(), text.clone()),
    ]);
    Item::from([
        ("a".to_owned(), Value::Number(Number::from(7))),
        ("b".to_owned(), text),
        ("c".to_owned(), list),
        ("d".to_owned(), set),
        ("e".to_owned(), Value::Map(map)),
    ])
}

fn placeholders() -> Placeholders {
    let names = [
        ("#a".to_owned(), "a".to_owned()),
        ("#e".to_owned(), "e".to_owned()),
    ];
    let values: BTreeMap<_, _> = item()
        .into_iter()
        .map(|(name, value)| (format!(":{name}"), value))
        .collect();
    Placeholders::new(names.into(), values)
}
