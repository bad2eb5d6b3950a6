//! What conditions say of items.

use headwater_items::{Item, Value};

use crate::testing::{blobs, bytes, item, list, map, number, numbers, placeholders, text, texts};

fn an_item() -> Item {
    item([
        ("n", number("1.50")),
        ("big", number("100000000000000000001")),
        ("s", text("hello")),
        ("wide", text("h\u{1F600}")),
        ("b", bytes(b"hi there")),
        ("low", bytes(&[127])),
        ("high", bytes(&[128])),
        ("yes", Value::Bool(true)),
        ("nil", Value::Null),
        (
            "l",
            list([text("hi"), numbers(&["1", "2"]), list([text("x")])]),
        ),
        (
            "m",
            map([("x", number("1")), ("y", list([number("-1"), number("2")]))]),
        ),
        ("ss", texts(&["a", "b"])),
        ("ns", numbers(&["1", "2"])),
        ("bs", blobs(&[b"a", b"b"])),
        ("x", text("x")),
        ("nothing", bytes(b"")),
    ])
}

/// Whether a condition holds of the item.
fn holds(written: &str) -> bool {
    crate::condition(written, &mut placeholders(&[]))
        .unwrap_or_else(|invalid| panic!("{written}: {invalid}"))
        .holds(&an_item())
}

fn check(table: &[(&str, bool)]) {
    for &(written, expected) in table {
        assert_eq!(holds(written), expected, "{written}");
    }
}

#[test]
fn values_are_equal_or_not() {
    check(&[
        ("m.x = :n", true),
        ("n = :n", false),
        ("s = :s", false),
        ("ss = :ss", true),
        ("ss <> :ss", false),
        ("ns = :ns", true),
        ("bs = :bs", true),
        ("yes = :bool", true),
        ("nil = :null", true),
        ("l = :l", false),
        ("l <> :l", true),
        // Different kinds, and what is not there.
        ("n = s", false),
        ("n <> s", true),
        ("z = :n", false),
        ("z <> :n", true),
        ("z <> q", true),
        ("z = q", false),
    ]);
}

#[test]
fn values_are_ordered() {
    check(&[
        ("n > :n", true),
        ("n < :two", true),
        ("n >= n2", false),
        ("big > :two", true),
        ("s > :s", false),
        ("s < :s", true),
        ("s <= :t", true),
        ("low < high", true),
        ("high > low", true),
        ("m.x <= :n", true),
        ("m.x >= :n", true),
        ("m.x < :n", false),
        ("m.x < m.y[1]", true),
        ("m.x < m.y[0]", false),
        ("n < :s", false),
        ("n > :s", false),
        ("l < :n", false),
        (":n < l", false),
        ("z < q", false),
        ("z >= q", false),
        ("n between :n and :two", true),
        ("m.x between :n and :n", true),
        (":n between m.x and n", true),
        ("s between :n and :two", false),
        ("z between :n and :two", false),
        ("n in (:s, m.x, n2)", false),
        ("m.x in (:s, :n)", true),
        ("z in (q)", false),
    ]);
}

#[test]
fn functions_look_at_values() {
    check(&[
        ("attribute_exists(m.y[1])", true),
        ("attribute_exists(m.y[2])", false),
        ("attribute_not_exists(m.z)", true),
        ("attribute_type(ss, :kind)", true),
        ("attribute_type(s, :kind)", false),
        ("attribute_type(z, :kind)", false),
        ("begins_with(s, :s)", false),
        ("begins_with(:s, s)", false),
        ("begins_with(b, nothing)", true),
        ("begins_with(n, :s)", false),
        ("contains(s, :s)", false),
        ("contains(l[0], l[0].a)", false),
        ("contains(l, ns)", true),
        ("contains(l, l[2])", true),
        ("contains(l, :s)", false),
        ("contains(l[2], x)", true),
        ("contains(ns, :n)", true),
        ("contains(ss, :s)", false),
        ("contains(bs, :b)", true),
        ("contains(b, nothing)", true),
        ("contains(b, :b)", false),
        ("contains(n, :n)", false),
        ("contains(z, :n)", false),
    ]);
}

#[test]
fn values_have_sizes() {
    check(&[
        ("size(m) = :two", true),
        ("size(m.y) = :two", true),
        ("size(ss) = :two", true),
        ("size(ns) = :two", true),
        ("size(bs) = :two", true),
        ("size(:s) = :n", true),
        ("size(x) = m.x", true),
        ("size(b) > :two", true),
        ("size(n) = :n", false),
        ("size(n) <> :n", true),
        ("size(z) < :two", false),
        ("size(wide) > :two", true),
    ]);
}

#[test]
fn conditions_are_joined() {
    check(&[
        ("s = s2 or n > :n", true),
        ("n > :n and s = s2", false),
        ("not s = s2", true),
        ("not (n > :n and n < :two)", false),
    ]);
}
