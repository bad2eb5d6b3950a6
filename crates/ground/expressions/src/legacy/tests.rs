//! The older dialect.

use headwater_items::{Item, Value};

use super::*;
use crate::{
    Condition, KeyCondition, SortCondition, Update,
    testing::{item, list, map, number, numbers, text, texts},
};

fn asked(attribute: &str, operator: &str, values: Vec<Value>) -> Filter {
    Filter {
        attribute: attribute.to_owned(),
        operator: Operator::parse(operator).expect("an operator"),
        values,
    }
}

fn an_item() -> Item {
    item([
        ("a.b", number("2")),
        ("s", text("hello")),
        ("l", list([text("x"), number("7")])),
        ("ss", texts(&["x", "y"])),
    ])
}

#[test]
fn filters_hold_or_not() {
    for (attribute, operator, values, holds) in [
        ("a.b", "EQ", vec![number("2")], true),
        ("a.b", "EQ", vec![text("2")], false),
        ("ss", "EQ", vec![texts(&["y", "x"])], true),
        ("l", "EQ", vec![list([text("x"), number("7")])], true),
        ("a.b", "NE", vec![number("3")], true),
        ("z", "NE", vec![number("3")], true),
        ("a.b", "LE", vec![number("2")], true),
        ("a.b", "LT", vec![number("2")], false),
        ("a.b", "GE", vec![number("2")], true),
        ("a.b", "GT", vec![number("1")], true),
        ("s", "GT", vec![number("1")], false),
        ("s", "NOT_NULL", vec![], true),
        ("z", "NOT_NULL", vec![], false),
        ("z", "NULL", vec![], true),
        ("s", "CONTAINS", vec![text("ell")], true),
        ("ss", "CONTAINS", vec![text("x")], true),
        ("l", "CONTAINS", vec![number("7")], true),
        ("s", "NOT_CONTAINS", vec![text("q")], true),
        ("s", "NOT_CONTAINS", vec![text("ell")], false),
        ("z", "NOT_CONTAINS", vec![text("q")], false),
        ("s", "BEGINS_WITH", vec![text("he")], true),
        ("l", "BEGINS_WITH", vec![text("he")], false),
        ("s", "IN", vec![text("a"), text("hello")], true),
        ("s", "IN", vec![text("a")], false),
        ("a.b", "BETWEEN", vec![number("1"), number("2")], true),
        ("a.b", "BETWEEN", vec![number("3"), number("4")], false),
    ] {
        let filters = vec![asked(attribute, operator, values)];
        let condition = filter(filters, Join::All).expect(operator).expect("one");
        assert_eq!(condition.holds(&an_item()), holds, "{attribute} {operator}");
    }
}

#[test]
fn filters_are_joined() {
    let many = |right: usize, wrong: usize, join| {
        let right = (0..right).map(|_| asked("s", "NOT_NULL", vec![]));
        let wrong = (0..wrong).map(|_| asked("z", "NOT_NULL", vec![]));
        filter(right.chain(wrong).collect(), join).expect("filters")
    };
    let holds = |condition: Option<Condition>| condition.expect("one").holds(&an_item());
    assert_eq!(many(0, 0, Join::All), None);
    assert!(holds(many(3, 0, Join::All)));
    assert!(!holds(many(100_000, 1, Join::All)));
    assert!(holds(many(1, 100_000, Join::Any)));
    assert!(!holds(many(0, 3, Join::Any)));
}

#[test]
fn operators_take_certain_values() {
    let number_of =
        |name| format!("Invalid number of argument(s) for the {name} ComparisonOperator");
    let kind = |name, kind| {
        format!("ComparisonOperator {name} is not valid for {kind} AttributeValue type")
    };
    let n = || number("1");
    for (operator, values, why) in [
        ("EQ", vec![], number_of("EQ")),
        ("EQ", vec![n(), n()], number_of("EQ")),
        ("NULL", vec![n()], number_of("NULL")),
        ("NOT_NULL", vec![n()], number_of("NOT_NULL")),
        ("IN", vec![], number_of("IN")),
        ("BETWEEN", vec![n()], number_of("BETWEEN")),
        ("BETWEEN", vec![n(), n(), n()], number_of("BETWEEN")),
        (
            "IN",
            vec![n(), text("1")],
            "AttributeValues inside AttributeValueList must be of same type".to_owned(),
        ),
        ("LT", vec![Value::Null], kind("LT", "NULL")),
        ("GE", vec![list([])], kind("GE", "L")),
        ("CONTAINS", vec![list([])], kind("CONTAINS", "L")),
        (
            "NOT_CONTAINS",
            vec![texts(&["a"])],
            kind("NOT_CONTAINS", "SS"),
        ),
        ("BEGINS_WITH", vec![n()], kind("BEGINS_WITH", "N")),
        ("IN", vec![map([])], kind("IN", "M")),
        (
            "BETWEEN",
            vec![Value::Bool(true), Value::Bool(true)],
            kind("BETWEEN", "BOOL"),
        ),
    ] {
        let refused = filter(vec![asked("a", operator, values)], Join::All);
        assert_eq!(refused, Err(invalid(why)), "{operator}");
    }
    let bounds = vec![asked("a", "BETWEEN", vec![number("2"), number("1")])];
    let words = "The BETWEEN condition was provided a range where the lower bound is greater than the upper bound";
    assert_eq!(filter(bounds, Join::All), Err(Invalid::bare(words)));
}

fn expecting(change: impl FnOnce(&mut Expected)) -> Expected {
    let mut expected = Expected {
        attribute: "s".to_owned(),
        ..Expected::default()
    };
    change(&mut expected);
    expected
}

#[test]
fn expectations_hold_or_not() {
    for (one, holds) in [
        (expecting(|one| one.value = Some(text("hello"))), true),
        (expecting(|one| one.value = Some(text("x"))), false),
        (
            expecting(|one| (one.exists, one.value) = (Some(true), Some(text("hello")))),
            true,
        ),
        (expecting(|one| one.exists = Some(false)), false),
        (
            expecting(|one| (one.attribute, one.exists) = ("z".to_owned(), Some(false))),
            true,
        ),
        (
            expecting(|one| one.operator = Some(Operator::NotNull)),
            true,
        ),
        (
            expecting(|one| {
                (one.operator, one.value) = (Some(Operator::NotEqual), Some(text("x")))
            }),
            true,
        ),
        (
            expecting(|one| {
                (one.operator, one.values) = (Some(Operator::BeginsWith), Some(vec![text("he")]));
            }),
            true,
        ),
    ] {
        let condition = expected(vec![one.clone()], Join::All).expect("an expectation");
        assert_eq!(
            condition.map(|one| one.holds(&an_item())),
            Some(holds),
            "{one:?}"
        );
    }
    assert_eq!(expected(vec![], Join::Any), Ok(None));
}

#[test]
fn expectations_fit_together() {
    let equal = Some(Operator::Equal);
    for (one, why) in [
        (
            expecting(|_| ()),
            "Value must be provided when Exists is null for Attribute: s",
        ),
        (
            expecting(|one| one.exists = Some(true)),
            "Value must be provided when Exists is true for Attribute: s",
        ),
        (
            expecting(|one| (one.exists, one.value) = (Some(false), Some(text("x")))),
            "Value cannot be used when Exists is false for Attribute: s",
        ),
        (
            expecting(|one| one.operator = Some(Operator::Less)),
            "Value or AttributeValueList must be used with ComparisonOperator: LT for Attribute: s",
        ),
        (
            expecting(|one| (one.operator, one.exists) = (equal, Some(true))),
            "Exists and ComparisonOperator cannot be used together for Attribute: s",
        ),
        (
            expecting(|one| (one.values, one.value) = (Some(vec![]), Some(text("x")))),
            "Value and AttributeValueList cannot be used together for Attribute: s",
        ),
        (
            expecting(|one| one.values = Some(vec![])),
            "AttributeValueList can only be used with a ComparisonOperator for Attribute: s",
        ),
        (
            expecting(|one| (one.operator, one.values) = (equal, Some(vec![]))),
            "Invalid number of argument(s) for the EQ ComparisonOperator",
        ),
        (
            expecting(|one| (one.operator, one.value) = (Some(Operator::Null), Some(text("x")))),
            "Invalid number of argument(s) for the NULL ComparisonOperator",
        ),
    ] {
        assert_eq!(expected(vec![one], Join::All), Err(invalid(why)));
    }
}

#[test]
fn key_conditions_are_those_of_the_newer_dialect() {
    let of_key = |filters| key_conditions(filters)?.of_key("p", Some("c"));
    let p = || asked("p", "EQ", vec![text("x")]);
    let c = |operator, values| asked("c", operator, values);
    let found = |sort: Option<SortCondition>| KeyCondition {
        partition: ("p".to_owned(), text("x")),
        sort: sort.map(|sort| ("c".to_owned(), sort)),
    };
    let n = || number("1");
    assert_eq!(of_key(vec![p()]), Ok(found(None)));
    for (operator, sort) in [
        ("EQ", SortCondition::Equal(n())),
        ("LT", SortCondition::Less(n())),
        ("LE", SortCondition::LessOrEqual(n())),
        ("GT", SortCondition::Greater(n())),
        ("GE", SortCondition::GreaterOrEqual(n())),
    ] {
        assert_eq!(
            of_key(vec![c(operator, vec![n()]), p()]),
            Ok(found(Some(sort)))
        );
    }
    let between = c("BETWEEN", vec![n(), number("2")]);
    let sort = SortCondition::Between(n(), number("2"));
    assert_eq!(of_key(vec![p(), between]), Ok(found(Some(sort))));
    let begins = c("BEGINS_WITH", vec![text("x")]);
    let sort = SortCondition::BeginsWith(text("x"));
    assert_eq!(of_key(vec![p(), begins]), Ok(found(Some(sort))));

    let other = asked("a", "EQ", vec![n()]);
    for (filters, why) in [
        (
            vec![c("EQ", vec![n()])],
            "Query condition missed key schema element: p",
        ),
        (
            vec![p(), other.clone()],
            "Query condition missed key schema element: c",
        ),
        (
            vec![p(), c("EQ", vec![n()]), other],
            "Conditions can be of length 1 or 2 only",
        ),
        (vec![], "Conditions can be of length 1 or 2 only"),
        (
            vec![asked("p", "GT", vec![n()])],
            "Query key condition not supported",
        ),
        (
            vec![p(), c("NE", vec![n()])],
            "Attempted conditional constraint is not an indexable operation",
        ),
        (
            vec![asked("p", "NOT_NULL", vec![])],
            "Attempted conditional constraint is not an indexable operation",
        ),
    ] {
        assert_eq!(of_key(filters), Err(Invalid::bare(why)));
    }
}

fn change(attribute: &str, action: UpdateAction, value: Option<Value>) -> Result<Update, Invalid> {
    update(vec![AttributeUpdate {
        attribute: attribute.to_owned(),
        action,
        value,
    }])
}

#[test]
fn attributes_are_updated() {
    use UpdateAction::{Add, Delete, Put};
    for (attribute, action, value, after) in [
        ("x.y", Put, Some(text("s")), Some(text("s"))),
        ("a.b", Add, Some(number("-3.5")), Some(number("-1.5"))),
        ("z", Add, Some(number("2")), Some(number("2"))),
        (
            "ss",
            Add,
            Some(texts(&["z"])),
            Some(texts(&["x", "y", "z"])),
        ),
        ("z", Add, Some(numbers(&["7"])), Some(numbers(&["7"]))),
        (
            "l",
            Add,
            Some(list([text("e")])),
            Some(list([text("x"), number("7"), text("e")])),
        ),
        ("z", Add, Some(list([text("e")])), Some(list([text("e")]))),
        ("s", Delete, None, None),
        ("z", Delete, None, None),
        ("ss", Delete, Some(texts(&["x", "q"])), Some(texts(&["y"]))),
        ("ss", Delete, Some(texts(&["x", "y"])), None),
        ("z", Delete, Some(texts(&["x"])), None),
    ] {
        let update = change(attribute, action, value).expect(attribute);
        let item = update.apply(&an_item()).expect(attribute);
        assert_eq!(
            item.get(attribute),
            after.as_ref(),
            "{attribute} {action:?}"
        );
    }
}

#[test]
fn attributes_are_updated_with_what_fits() {
    use UpdateAction::{Add, Delete, Put};
    for (attribute, action, value) in [
        ("ss", Add, number("1")),
        ("ss", Add, list([])),
        ("l", Add, number("1")),
        ("a.b", Add, list([])),
        ("a.b", Add, numbers(&["1"])),
        ("s", Delete, texts(&["x"])),
        ("ss", Delete, numbers(&["1"])),
    ] {
        let update = change(attribute, action, Some(value)).expect(attribute);
        let error = update.apply(&an_item()).expect_err(attribute);
        assert_eq!(error.to_string(), "Type mismatch for attribute to update");
    }
    let missing = "Only DELETE action is allowed when no attribute value is specified";
    for (action, value, why) in [
        (Put, None, missing),
        (Add, None, missing),
        (
            Add,
            Some(text("x")),
            "ADD action is not supported for the type S",
        ),
        (
            Add,
            Some(map([])),
            "ADD action is not supported for the type M",
        ),
        (
            Delete,
            Some(list([])),
            "DELETE action with value is not supported for the type L",
        ),
    ] {
        assert_eq!(change("a", action, value), Err(invalid(why)));
    }
}
