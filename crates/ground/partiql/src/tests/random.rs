//! Texts made of chance: whatever they are, they are read to an end, and where items are is true of those that are found.

use headwater_items::{Item, Value};
use proptest::prelude::*;

use super::text;
use crate::{Statement, one_item, reads, statement};

const PIECES: [&str; 48] = [
    "SELECT",
    "*",
    "FROM",
    "t",
    "\"t\"",
    "WHERE",
    "p",
    "s",
    "a",
    "=",
    "<>",
    "<",
    ">=",
    "'x'",
    "'y'",
    "1",
    "-",
    "+",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "<<",
    ">>",
    ",",
    ":",
    ".",
    "?",
    "AND",
    "OR",
    "NOT",
    "IN",
    "BETWEEN",
    "IS",
    "MISSING",
    "NULL",
    "begins_with(",
    "size(",
    "UPDATE",
    "SET",
    "REMOVE",
    "set_add(",
    "INSERT INTO t VALUE",
    "DELETE FROM t",
    "RETURNING ALL OLD *",
    "ü",
];

fn condition() -> impl Strategy<Value = String> {
    let name = || prop::sample::select(vec!["p", "s", "a"]);
    let value = || prop::sample::select(vec!["'x'", "'y'"]);
    let sign = prop::sample::select(vec!["=", "=", "=", "<", ">=", "<>"]);
    let leaf = prop_oneof![
        (name(), sign, value()).prop_map(|(name, sign, value)| format!("{name} {sign} {value}")),
        (name(), value()).prop_map(|(name, value)| format!("{name} IN [{value}]")),
        (name(), value()).prop_map(|(name, value)| format!("begins_with({name}, {value})")),
    ];
    leaf.prop_recursive(4, 12, 2, |inner| {
        let join = prop::sample::select(vec!["AND", "OR"]);
        prop_oneof![
            (inner.clone(), join, inner.clone())
                .prop_map(|(one, join, other)| format!("({one} {join} {other})")),
            inner.prop_map(|inner| format!("NOT ({inner})")),
        ]
    })
}

proptest! {
    #[test]
    fn any_text_is_read_to_an_end(pieces in prop::collection::vec(prop::sample::select(&PIECES[..]), 0..40)) {
        drop(statement(&pieces.join(" "), vec![text("x"); 3]));
    }

    #[test]
    fn any_characters_are_read_to_an_end(text in "\\PC{0,60}") {
        drop(statement(&text, Vec::new()));
    }

    #[test]
    fn an_item_that_is_wanted_is_in_one_place(condition in condition(), p in "[xy]", s in "[xyz]", a in "[xy]") {
        let read = statement(&format!("SELECT * FROM t WHERE {condition}"), Vec::new());
        let Ok(Statement::Select(select)) = read else {
            return Ok(());
        };
        let Some(wanted) = select.condition else {
            return Ok(());
        };
        let item = Item::from([("p".to_owned(), text(&p)), ("s".to_owned(), text(&s)), ("a".to_owned(), text(&a))]);
        if let Ok(Some(places)) = reads(&wanted, "p", Some("s")) {
            let has = |place: &&headwater_expressions::KeyCondition| {
                let is_sorted = place.sort.as_ref().is_none_or(|(_, sort)| is_sorted_so(sort, &s));
                place.partition.1 == text(&p) && is_sorted
            };
            let found = places.iter().filter(has).count();
            prop_assert!(found <= 1);
            prop_assert!(found == 1 || !wanted.holds(&item));
        }
        if let Some(one) = one_item(wanted.clone(), &["p", "s"], true) {
            let is_it = one.key.iter().all(|(name, value)| item.get(name) == Some(value));
            let rest = one.rest.is_none_or(|rest| rest.holds(&item));
            prop_assert_eq!(wanted.holds(&item), is_it && rest);
        }
    }
}

fn is_sorted_so(sort: &headwater_expressions::SortCondition, s: &str) -> bool {
    use headwater_expressions::SortCondition::{
        BeginsWith, Between, Equal, Greater, GreaterOrEqual, Less, LessOrEqual,
    };
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        _ => String::new(),
    };
    match sort {
        Equal(value) => s == text(value),
        Less(value) => *s < *text(value),
        LessOrEqual(value) => *s <= *text(value),
        Greater(value) => *s > *text(value),
        GreaterOrEqual(value) => *s >= *text(value),
        Between(low, high) => *s >= *text(low) && *s <= *text(high),
        BeginsWith(start) => s.starts_with(&text(start)),
    }
}
