//! What expressions share, and how large they may be with what they name.

use std::sync::Arc;

use headwater_items::{Value, limits::ITEM_BYTES};

use crate::{
    Action, Condition, Invalid, Operand, Placeholders, SetValue, limits::EXPANDED_BYTES, parse,
    testing::text,
};

/// The name `#n` and the value `:v` of so many bytes, and the small value `:s`.
fn given(name: usize, value: usize) -> Placeholders {
    let names = [("#n".to_owned(), "n".repeat(name))];
    let values = [(":v", text(&"v".repeat(value))), (":s", text("s"))];
    let values = values.map(|(key, value)| (key.to_owned(), value));
    Placeholders::new(names.into(), values.into())
}

fn refused<T>(outcome: Result<T, Invalid>) -> Option<String> {
    outcome.err().map(|invalid| invalid.text)
}

fn shared(operand: &Operand) -> &Arc<Value> {
    match operand {
        Operand::Value(value) => value,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_value_is_shared_by_all_that_use_it() {
    let condition = parse::condition("a in (:v, :v)", &mut given(1, 1)).expect("a condition");
    let Condition::In(_, others) = condition else {
        panic!("{condition:?}");
    };
    assert!(Arc::ptr_eq(shared(&others[0]), shared(&others[1])));
    let update = "SET a = :s, b = if_not_exists(c, :s) ADD d :v, e :v";
    let values = [
        (":v".to_owned(), Value::Number(1.into())),
        (":s".to_owned(), text("s")),
    ];
    let mut given = Placeholders::new([].into(), values.into());
    let actions = parse::update(update, &mut given).expect("an update").0;
    match &actions[..] {
        [
            Action::Set(_, SetValue::Value(a)),
            Action::Set(_, SetValue::IfNotExists(_, b)),
            Action::Add(_, d),
            Action::Add(_, e),
        ] => {
            assert!(matches!(&**b, SetValue::Value(b) if Arc::ptr_eq(a, b)));
            assert!(Arc::ptr_eq(d, e));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_name_is_shared_by_all_that_use_it() {
    let paths = parse::projection("#n.a, #n.b", &mut given(1, 1)).expect("a projection");
    assert!(Arc::ptr_eq(&paths.0[0].root, &paths.0[1].root));
}

#[test]
fn what_is_named_counts_as_often_as_it_is_used() {
    let too_large = Some("Expression size has exceeded the maximum allowed size;".to_owned());
    let condition = "a in (:v, :v)";
    let most = (EXPANDED_BYTES - condition.len()) / 2;
    let of = |text: &str, name, value| refused(parse::condition(text, &mut given(name, value)));
    assert_eq!(of(condition, 1, most), None);
    assert_eq!(of(condition, 1, most + 1), too_large);
    assert_eq!(of("a = :v", 1, most + 1), None);
    assert_eq!(of("#n.#n.#n = :s", EXPANDED_BYTES / 3, 1), too_large);
    let projection = "#n.a, #n.b";
    assert_eq!(
        refused(parse::projection(
            projection,
            &mut given(EXPANDED_BYTES / 2, 1)
        )),
        too_large
    );
    let key = parse::key_conditions("a = :v and b > :v", &mut given(1, most + 1));
    assert_eq!(refused(key), too_large);
    // Its syntax and what it names is looked at before.
    assert_eq!(
        of("a in (:v, :v, :v) and b = :x", 1, most),
        Some(
            "An expression attribute value used in expression is not defined; attribute value: :x"
                .to_owned()
        )
    );
}

#[test]
fn an_update_gives_no_more_than_an_item_has() {
    let of = |text: &str, name, value| refused(parse::update(text, &mut given(name, value)));
    let too_large = Some("Item size to update has exceeded the maximum allowed size".to_owned());
    let half = ITEM_BYTES / 2;
    assert_eq!(of("SET a = :v, b = :v", 1, half - 1), None);
    assert_eq!(of("SET a = :v, b = :v", 1, half), too_large);
    assert_eq!(
        of("SET a = if_not_exists(a, :v), b = :v", 1, half),
        too_large
    );
    // A name that a path has twice counts once, and what is only taken away not at all.
    assert_eq!(of("SET #n.#n = :s", ITEM_BYTES - 1, 1), None);
    assert_eq!(of("SET #n.#n = :s", ITEM_BYTES, 1), too_large);
    assert_eq!(of("REMOVE #n.#n", ITEM_BYTES, 1), None);
    // What is larger than an expression may be is told so.
    assert_eq!(
        of("SET a = :v, b = :v", 1, EXPANDED_BYTES / 2),
        Some("Expression size has exceeded the maximum allowed size;".to_owned())
    );
}
