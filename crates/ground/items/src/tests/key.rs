//! Keys as bytes.

use std::cmp::Ordering;

use bytes::Bytes;
use proptest::{collection::vec, prelude::*};

use super::{
    any::{any_bytes, any_number, any_scalar, any_text},
    number,
};
use crate::{Damaged, Value, key};

fn encoded(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    assert!(key::encode(value, &mut bytes));
    bytes
}

/// What the keys begin with of all that begins with `value`.
fn prefix(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    assert!(key::encode_prefix(value, &mut bytes));
    bytes
}

/// The order of values of one kind.
fn order(one: &Value, other: &Value) -> Option<Ordering> {
    match (one, other) {
        (Value::String(one), Value::String(other)) => Some(one.cmp(other)),
        (Value::Number(one), Value::Number(other)) => Some(one.cmp(other)),
        (Value::Binary(one), Value::Binary(other)) => Some(one.cmp(other)),
        _ => None,
    }
}

#[test]
fn a_key_has_the_bytes_of_the_document() {
    for (value, bytes) in [
        (Value::String("".into()), &b"\x20\x00"[..]),
        (Value::String("u1".into()), b"\x20u1\x00"),
        (
            Value::String("a\0\u{1}\u{2}".into()),
            b"\x20a\x01\x01\x01\x02\x02\x00",
        ),
        (
            Value::Binary(Bytes::from_static(&[0, 0xff])),
            b"\x30\x01\x01\xff\x00",
        ),
        (Value::Number(number("0")), b"\x11"),
        (Value::Number(number("1")), b"\x12\x82\x14"),
        (Value::Number(number("12.5")), b"\x12\x83\x19\x64"),
        (Value::Number(number("-12.5")), b"\x10\x7c\xe6\x9b"),
        (Value::Number(number("1e-130")), b"\x12\x00\x14"),
        (Value::Number(number("-99e124")), b"\x10\x00\x39"),
    ] {
        assert_eq!(encoded(&value), bytes, "{value:?}");
        assert_eq!(key::decode(bytes), Ok((value, &b""[..])));
    }
}

#[test]
fn other_kinds_are_no_keys() {
    for value in [
        Value::Null,
        Value::Bool(true),
        Value::List(Vec::new()),
        Value::Map([].into()),
    ] {
        let mut bytes = Vec::new();
        assert!(!key::encode(&value, &mut bytes) && !key::encode_prefix(&value, &mut bytes));
        assert_eq!(bytes, b"");
    }
    assert!(!key::encode_prefix(
        &Value::Number(number("1")),
        &mut Vec::new()
    ));
}

#[test]
fn what_is_not_written_is_not_read() {
    for (why, bytes) in [
        ("nothing", &b""[..]),
        ("no such tag", b"\x00"),
        ("a string without an end", b"\x20a"),
        ("a string that is not UTF-8", b"\x20\xff\x00"),
        ("an escape of nothing", b"\x20\x01\x00"),
        ("an escape of what needs none", b"\x20\x01\x03\x00"),
        ("a binary without an end", b"\x30"),
        ("a number without a power", b"\x12"),
        ("a number without digits", b"\x12\x82"),
        ("a number that goes on", b"\x12\x82\x15"),
        ("zero with digits", b"\x12\x82\x00"),
        ("a zero before the digits", b"\x12\x82\x02"),
        ("zeros behind the digits", b"\x12\x82\x15\x00"),
        ("two digits above 99", b"\x12\x82\xc8"),
        (
            "forty digits",
            &[&b"\x12\x82"[..], &[0x15; 19], &[0x14]].concat(),
        ),
    ] {
        assert_eq!(key::decode(bytes), Err(Damaged), "{why}");
    }
}

fn any_pair() -> impl Strategy<Value = (Value, Value)> {
    prop_oneof![
        (any_text(), any_text())
            .prop_map(|(one, other)| (Value::String(one), Value::String(other))),
        (any_bytes(), any_bytes())
            .prop_map(|(one, other)| (Value::Binary(one), Value::Binary(other))),
        (any_number(), any_number())
            .prop_map(|(one, other)| (Value::Number(one), Value::Number(other))),
        (any_number(), -9..9_i64).prop_map(|(one, other)| {
            let near = one.plus(other.into()).unwrap_or(one);
            (Value::Number(one), Value::Number(near))
        }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 1024, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_read(value in any_scalar(), rest in vec(any::<u8>(), 0..4)) {
        let bytes = encoded(&value);
        let both = [&bytes[..], &rest].concat();
        prop_assert_eq!(key::decode(&both), Ok((value, &rest[..])));
        for end in 0..bytes.len() {
            prop_assert_eq!(key::decode(&bytes[..end]), Err(Damaged));
        }
    }

    #[test]
    fn keys_are_ordered_as_their_values_whatever_follows(
        (one, other) in any_pair(),
        (after_one, after_other) in (vec(any::<u8>(), 0..4), vec(any::<u8>(), 0..4)),
    ) {
        let by_value = order(&one, &other);
        let (one, other) = (encoded(&one), encoded(&other));
        prop_assert_eq!(Some(one.cmp(&other)), by_value);
        if one != other {
            let (one, other) = ([one, after_one].concat(), [other, after_other].concat());
            prop_assert_eq!(Some(one.cmp(&other)), by_value);
        }
    }

    #[test]
    fn keys_begin_as_their_values_do(one in any_bytes(), other in any_bytes(), text in any_text(), end in any_text()) {
        let key = encoded(&Value::Binary(one.clone()));
        prop_assert_eq!(key.starts_with(&prefix(&Value::Binary(other.clone()))), one.starts_with(&other));
        let key = encoded(&Value::String(format!("{text}{end}")));
        prop_assert!(key.starts_with(&prefix(&Value::String(text))));
    }

    #[test]
    fn what_is_read_is_written_the_same(value in any_scalar(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut bytes = encoded(&value);
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Ok((value, rest)) = key::decode(&bytes) {
            prop_assert_eq!([&encoded(&value), rest].concat(), &bytes[..]);
        }
    }
}
