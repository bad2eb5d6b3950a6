//! Items as bytes.

use std::collections::BTreeSet;

use bytes::Bytes;
use proptest::prelude::*;

use super::{any::any_item, number};
use crate::{Damaged, Item, Value, decode, decode_shared, encode, limits::NESTING_MAX};

fn encoded(item: &Item) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode(item, &mut bytes);
    bytes
}

fn item<const N: usize>(attributes: [(&str, Value); N]) -> Item {
    attributes
        .map(|(name, value)| (name.to_owned(), value))
        .into()
}

/// A list in a list in a list: so many.
fn nested(levels: usize) -> Item {
    let innermost = Value::List(Vec::new());
    let value = (1..levels).fold(innermost, |value, _| Value::List(vec![value]));
    item([("a", value)])
}

#[test]
fn an_item_has_the_bytes_of_the_document() {
    let list = vec![Value::Bool(true), Value::Number(number("1700000000"))];
    let example = item([
        ("id", Value::String("u1".into())),
        ("n", Value::Number(number("-12.5"))),
        ("t", Value::List(list)),
    ]);
    let expected = b"\x01\x03\x02id\x01\x02u1\x01n\x02\x03\x7d\x01t\x07\x02\x05\x02\x20\x11";
    assert_eq!(encoded(&example), expected);
    assert_eq!(decode(expected), Ok(example));
}

#[test]
fn values_of_all_kinds_have_their_bytes() {
    let example = item([
        ("id", Value::String("u1".into())),
        ("n", Value::Number(number("-12.5"))),
        ("big", Value::Number(number("1700000000"))),
        ("raw", Value::Binary(Bytes::from_static(&[0, 0xff]))),
        (
            "t",
            Value::List(vec![Value::Bool(false), Value::Bool(true), Value::Null]),
        ),
        (
            "m",
            Value::Map(item([(
                "k",
                Value::NumberSet(BTreeSet::from([number("2"), number("-1")])),
            )])),
        ),
        (
            "s",
            Value::StringSet(BTreeSet::from(["b".to_owned(), "a".to_owned()])),
        ),
        (
            "z",
            Value::BinarySet(BTreeSet::from([Bytes::from_static(&[7])])),
        ),
    ]);
    let mut expected = vec![1, 8];
    expected.extend(b"\x03big\x02\x20\x11");
    expected.extend(b"\x02id\x01\x02u1");
    expected.extend(b"\x01m\x08\x01\x01k\x0a\x02\x01\x01\x00\x02");
    expected.extend(b"\x01n\x02\x03\x7d");
    expected.extend(b"\x03raw\x03\x02\x00\xff");
    expected.extend(b"\x01s\x09\x02\x01a\x01b");
    expected.extend(b"\x01t\x07\x03\x04\x05\x06");
    expected.extend(b"\x01z\x0b\x01\x01\x07");
    assert_eq!(encoded(&example), expected);
    assert_eq!(decode(&expected), Ok(example));
}

#[test]
fn what_is_not_written_is_not_read() {
    for (why, bytes) in [
        ("nothing", &b""[..]),
        ("another version", b"\x00\x00"),
        ("another version", b"\x02\x00"),
        ("no count", b"\x01"),
        ("more behind it", b"\x01\x00\x00"),
        ("more attributes than bytes", b"\x01\xff\xff\xff\xff\x7f"),
        ("a name longer than what is left", b"\x01\x01\x05a\x06"),
        ("a name that is not UTF-8", b"\x01\x01\x01\xff\x06"),
        ("a string that is not UTF-8", b"\x01\x01\x01a\x01\x01\xff"),
        ("no such tag", b"\x01\x01\x01a\x0c"),
        ("no such tag", b"\x01\x01\x01a\x00"),
        ("names out of order", b"\x01\x02\x01b\x06\x01a\x06"),
        ("a name twice", b"\x01\x02\x01a\x06\x01a\x06"),
        ("an empty set", b"\x01\x01\x01a\x09\x00"),
        ("a set out of order", b"\x01\x01\x01a\x09\x02\x01b\x01a"),
        ("an element twice", b"\x01\x01\x01a\x0a\x02\x00\x01\x00\x01"),
        (
            "numbers out of order",
            b"\x01\x01\x01a\x0a\x02\x00\x02\x00\x01",
        ),
        ("a count longer than it need be", b"\x01\x80\x00"),
        (
            "a count of more than 128 bits",
            b"\x01\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x04",
        ),
        (
            "digits with a zero at their end",
            b"\x01\x01\x01a\x02\x00\x0a",
        ),
        ("zero with a sign", b"\x01\x01\x01a\x02\x01\x00"),
        ("zero with an exponent", b"\x01\x01\x01a\x02\x04\x00"),
        ("a number too large", b"\x01\x01\x01a\x02\xf8\x03\x01"),
    ] {
        assert_eq!(decode(bytes), Err(Damaged), "{why}");
    }
}

#[test]
fn nesting_is_bounded() {
    let deepest = nested(NESTING_MAX);
    assert_eq!(decode(&encoded(&deepest)), Ok(deepest));
    assert_eq!(decode(&encoded(&nested(NESTING_MAX + 1))), Err(Damaged));
    let bottomless = [&[1, 1, 0][..], &[7, 1].repeat(100_000)].concat();
    assert_eq!(decode(&bottomless), Err(Damaged));
}

#[test]
fn binaries_share_what_they_were_read_from() {
    let bytes = Bytes::from(encoded(&item([(
        "a",
        Value::Binary(Bytes::from_static(&[1, 2, 3])),
    )])));
    let shared = decode_shared(&bytes).expect("an item");
    let Some(Value::Binary(binary)) = shared.get("a") else {
        panic!("no binary: {shared:?}");
    };
    assert!(bytes.as_ptr_range().contains(&binary.as_ptr()));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_read(item in any_item()) {
        let bytes = Bytes::from(encoded(&item));
        prop_assert_eq!(decode(&bytes), Ok(item.clone()));
        prop_assert_eq!(decode_shared(&bytes), Ok(item));
        for end in 0..bytes.len() {
            prop_assert_eq!(decode(&bytes[..end]), Err(Damaged));
        }
    }

    #[test]
    fn what_is_read_is_written_the_same(item in any_item(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut bytes = encoded(&item);
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Ok(item) = decode(&bytes) {
            prop_assert_eq!(encoded(&item), bytes);
        }
    }
}
