//! Values there and back, and those that are none.

#![allow(clippy::unwrap_used, reason = "test code")]

use serde_json::{Value as Json, json};

use super::*;

fn both(sent: &Json) -> AttributeValue {
    let from_tree = AttributeValue::from_value(sent.clone()).unwrap();
    let from_bytes: AttributeValue = serde_json::from_str(&sent.to_string()).unwrap();
    assert_eq!(from_tree, from_bytes, "{sent}");
    from_tree
}

#[test]
fn values_come_back_as_they_were_sent() {
    for sent in [
        json!({"S": "a"}),
        json!({"S": ""}),
        json!({"B": "AP8="}),
        json!({"BOOL": false}),
        json!({"NULL": true}),
        json!({"N": "-1.5"}),
        json!({"NS": ["-1.5", "100"]}),
        json!({"SS": ["a", "b"]}),
        json!({"BS": ["AA==", "AP8="]}),
        json!({"L": [{"S": "a"}, {"L": []}, {"M": {}}]}),
        json!({"M": {"a": {"M": {"b": {"NULL": true}}}, "c": {"BOOL": true}}}),
    ] {
        let read = both(&sent);
        assert_eq!(read.to_value(), sent);
        assert_eq!(serde_json::to_value(&read).unwrap(), sent);
        assert!(read.into_value().is_ok(), "{sent}");
    }
}

#[test]
fn what_is_no_value_says_why() {
    let string_set = "One or more parameter values were invalid: Input collection [a, b, a] contains duplicates.";
    let binary_set = "One or more parameter values were invalid: Input collection [Yg==, Yg==]of type BS contains duplicates.";
    for (sent, text) in [
        (json!({}), Fault::Empty.to_string()),
        (json!(null), Fault::Empty.to_string()),
        (json!({"X": "a", "S": null}), Fault::Empty.to_string()),
        (json!({"S": "a", "BOOL": true}), Fault::Several.to_string()),
        (json!({"S": "a", "SS": []}), Fault::NoStrings.to_string()),
        (json!({"NULL": false}), Fault::NotNull.to_string()),
        (json!({"N": ""}), Fault::NoNumber.to_string()),
        (
            json!({"N": "b"}),
            Fault::NotANumber("b".to_owned()).to_string(),
        ),
        (
            json!({"N": "1".repeat(39)}),
            Fault::TooManyDigits.to_string(),
        ),
        (json!({"N": "1e126"}), Fault::Overflow.to_string()),
        (json!({"N": "1e-131"}), Fault::Underflow.to_string()),
        (json!({"NS": ["1", "1.0"]}), Fault::SameNumbers.to_string()),
        (json!({"NS": []}), Fault::NoNumbers.to_string()),
        (json!({"BS": []}), Fault::NoBinaries.to_string()),
        (json!({"SS": ["a", "b", "a"]}), string_set.to_owned()),
        (json!({"BS": ["Yg==", "Yg=="]}), binary_set.to_owned()),
        (json!({"M": {"a": {"L": [{}]}}}), Fault::Empty.to_string()),
    ] {
        let fault = both(&sent).into_value().unwrap_err();
        assert_eq!(fault.to_string(), text, "{sent}");
    }
}

#[test]
fn numbers_are_shown_without_what_says_nothing() {
    for (sent, shown) in [("1E+2", "100"), ("0010.50", "10.5"), ("-0", "0")] {
        assert_eq!(both(&json!({"N": sent})).to_value(), json!({"N": shown}));
    }
}

#[test]
fn what_is_of_another_type_is_not_read_at_all() {
    for sent in [
        json!({"S": 1}),
        json!({"SS": "a"}),
        json!("a"),
        json!({"B": "?"}),
    ] {
        assert!(serde_json::from_str::<AttributeValue>(&sent.to_string()).is_err());
        assert!(AttributeValue::from_value(sent).is_err());
    }
}

#[test]
fn values_stand_no_deeper_than_32() {
    let nested =
        |times: usize| (0..times).fold(json!({"S": "a"}), |inner, _| json!({"L": [inner]}));
    assert!(both(&nested(31)).into_value().is_ok());
    assert_eq!(both(&nested(32)).into_value(), Err(Fault::TooDeep));
}
