//! Any numbers, values and items.

use bytes::Bytes;
use proptest::{
    collection::{btree_map, btree_set, vec},
    prelude::*,
    sample::select,
};

use crate::{Item, Number, Value};

/// Numbers of all lengths and sizes, most of them near to one.
pub(super) fn any_number() -> impl Strategy<Value = Number> {
    let power = prop_oneof![-40..40_i64, -130..=125_i64];
    (any::<bool>(), 1..=38_u32, any::<u128>(), power).prop_map(
        |(negative, digits, magnitude, power)| {
            let magnitude = magnitude % 10_u128.pow(digits);
            let exponent = power - i64::from(magnitude.checked_ilog10().unwrap_or(0));
            Number::new(negative, magnitude, exponent).expect("a number in range")
        },
    )
}

/// Strings in which the bytes that keys escape are not rare.
pub(super) fn any_text() -> impl Strategy<Value = String> {
    let chars = vec![
        '\0',
        '\u{1}',
        '\u{2}',
        'a',
        'b',
        '\u{ff}',
        '\u{ffff}',
        '\u{10ffff}',
    ];
    vec(select(chars), 0..6).prop_map(String::from_iter)
}

/// Binaries in which the bytes that keys escape are not rare.
pub(super) fn any_bytes() -> impl Strategy<Value = Bytes> {
    vec(prop_oneof![0..3_u8, any::<u8>()], 0..6).prop_map(Bytes::from)
}

/// Strings, numbers and binaries.
pub(super) fn any_scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        any_text().prop_map(Value::String),
        any_number().prop_map(Value::Number),
        any_bytes().prop_map(Value::Binary),
    ]
}

/// Items with values of all kinds.
pub(super) fn any_item() -> impl Strategy<Value = Item> {
    let leaf = prop_oneof![
        4 => any_scalar(),
        1 => any::<bool>().prop_map(Value::Bool),
        1 => Just(Value::Null),
        1 => btree_set(any_text(), 1..4).prop_map(Value::StringSet),
        1 => btree_set(any_number(), 1..4).prop_map(Value::NumberSet),
        1 => btree_set(any_bytes(), 1..4).prop_map(Value::BinarySet),
    ];
    let value = leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::List),
            btree_map(any_text(), inner, 0..4).prop_map(Value::Map),
        ]
    });
    btree_map(any_text(), value, 0..6)
}
