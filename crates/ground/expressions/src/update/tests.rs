//! What updates make of items.

use headwater_items::{Item, Value};

use super::*;
use crate::testing::{item, list, map, number, numbers, placeholders, text, texts};

fn an_item() -> Item {
    item([
        ("n", number("3")),
        ("s", text("hi")),
        ("l", list(["a", "b", "c", "d", "e", "f"].map(text))),
        (
            "m",
            map([("x", number("1")), ("l", list([map([("p", text("p"))])]))]),
        ),
        ("ss", texts(&["a", "b", "c"])),
    ])
}

fn meant(written: &str) -> Update {
    crate::update(written, &mut placeholders(&[]))
        .unwrap_or_else(|invalid| panic!("{written}: {invalid}"))
}

/// The parts of the updated item that differ from what it was.
fn changed(written: &str) -> Vec<(String, Option<Value>)> {
    let before = an_item();
    let after = meant(written)
        .apply(&before)
        .unwrap_or_else(|error| panic!("{written}: {error}"));
    let names = before
        .keys()
        .chain(after.keys().filter(|&name| !before.contains_key(name)));
    names
        .filter(|&name| before.get(name) != after.get(name))
        .map(|name| (name.clone(), after.get(name).cloned()))
        .collect()
}

#[test]
fn updates_change_items() {
    for (written, name, value) in [
        ("SET z = :s", "z", Some(text("s"))),
        ("SET s = :null", "s", Some(Value::Null)),
        ("SET z = n + :two", "z", Some(number("5"))),
        ("SET n = :two - n", "n", Some(number("-1"))),
        ("SET z = if_not_exists(z, :n) + n", "z", Some(number("4"))),
        ("SET z = if_not_exists(n, :n)", "z", Some(number("3"))),
        (
            "SET z = list_append(:l, :l)",
            "z",
            Some(list([text("l"), text("l")])),
        ),
        (
            "SET m.x = :s",
            "m",
            Some(map([
                ("x", text("s")),
                ("l", list([map([("p", text("p"))])])),
            ])),
        ),
        (
            "SET m.l[0].q = m.x REMOVE m.x, m.l[0].p",
            "m",
            Some(map([("l", list([map([("q", number("1"))])]))])),
        ),
        ("REMOVE s", "s", None),
        ("REMOVE m.x, m.l", "m", Some(map([]))),
        (
            "REMOVE l[1] SET l[3] = :s",
            "l",
            Some(list(["a", "c", "s", "e", "f"].map(text))),
        ),
        (
            "SET l[3] = :s REMOVE l[1], l[5]",
            "l",
            Some(list(["a", "c", "s", "e"].map(text))),
        ),
        (
            "REMOVE l[0], l[10], l[2]",
            "l",
            Some(list(["b", "d", "e", "f"].map(text))),
        ),
        (
            "SET l[84] = :s, l[17] = :t REMOVE l[6]",
            "l",
            Some(list(["a", "b", "c", "d", "e", "f", "t", "s"].map(text))),
        ),
        ("ADD n :two", "n", Some(number("5"))),
        ("ADD z :two", "z", Some(number("2"))),
        (
            "ADD m.x :two",
            "m",
            Some(map([
                ("x", number("3")),
                ("l", list([map([("p", text("p"))])])),
            ])),
        ),
        ("ADD z :ns", "z", Some(numbers(&["1", "2"]))),
        ("DELETE ss :ss", "ss", Some(texts(&["c"]))),
    ] {
        assert_eq!(changed(written), [(name.to_owned(), value)], "{written}");
    }
}

#[test]
fn updates_may_change_nothing() {
    for written in [
        "ADD ss :ss",
        "DELETE z :ss",
        "REMOVE z",
        "REMOVE m.z",
        "REMOVE l[17]",
        "SET n = n",
    ] {
        assert_eq!(changed(written), [], "{written}");
    }
}

#[test]
fn values_are_those_before() {
    let mut swapped = changed("SET n = s, s = n");
    swapped.sort_by(|one, other| one.0.cmp(&other.0));
    assert_eq!(
        swapped,
        [
            ("n".to_owned(), Some(text("hi"))),
            ("s".to_owned(), Some(number("3")))
        ]
    );
}

#[test]
fn a_set_without_elements_goes() {
    let item = item([("ss", texts(&["b"]))]);
    assert_eq!(meant("DELETE ss :ss").apply(&item), Ok(Item::new()));
}

#[test]
fn updates_fail_with_the_words_of_aws() {
    let no_value = "The provided expression refers to an attribute that does not exist in the item";
    let path = "The document path provided in the update expression is invalid for update";
    let kind = "An operand in the update expression has an incorrect data type";
    for (written, why) in [
        ("SET z = y", no_value),
        ("SET z = list_append(y, :l)", no_value),
        ("SET z = y + :n", no_value),
        ("SET y.a = :n", path),
        ("SET y[1] = :n", path),
        ("SET s.a = :n", path),
        ("SET m[1] = :n", path),
        ("SET l.a = :n", path),
        ("SET m.z.y = :n", path),
        ("REMOVE y.a", path),
        ("REMOVE s[1]", path),
        ("DELETE y.a :ss", path),
        ("ADD y[1] :n", path),
        ("SET z = s + :n", kind),
        ("SET z = list_append(s, :l)", kind),
        ("ADD s :n", kind),
        ("ADD l :ss", kind),
        ("DELETE n :ss", kind),
        ("DELETE ss :ns", kind),
    ] {
        let error = meant(written).apply(&an_item()).expect_err(written);
        assert_eq!(error.to_string(), why, "{written}");
    }
}

#[test]
fn sums_stay_numbers() {
    let item = item([("big", number("9E+125")), ("far", number("1E+100"))]);
    for written in ["SET z = big + big", "ADD far :n"] {
        let error = meant(written).apply(&item).expect_err(written);
        assert_eq!(
            error.to_string(),
            "Number overflow. Attempting to store a number with magnitude larger than supported range"
        );
    }
}

#[test]
fn what_was_touched_is_shown() {
    let update = meant("SET l[1] = :s, m.x = :two REMOVE s ADD z :n");
    let before = an_item();
    let after = update.apply(&before).expect("an update");
    assert_eq!(
        update.touched().of(&before),
        item([
            ("l", list([text("b")])),
            ("m", map([("x", number("1"))])),
            ("s", text("hi")),
        ])
    );
    assert_eq!(
        update.touched().of(&after),
        item([
            ("l", list([text("s")])),
            ("m", map([("x", number("2"))])),
            ("z", number("1")),
        ])
    );
}

#[test]
fn what_only_takes_away_makes_no_item() {
    for (written, makes) in [
        ("REMOVE a", false),
        ("REMOVE a DELETE b :ss", false),
        ("REMOVE a ADD b :n", true),
        ("SET a = :n", true),
    ] {
        assert_eq!(meant(written).makes_item(), makes, "{written}");
    }
    assert!(Update(Vec::new()).makes_item());
}

/// A list with so many texts of a kilobyte.
fn kilobytes(count: usize) -> Value {
    list((0..count).map(|_| text(&"x".repeat(1024))))
}

#[test]
fn what_no_item_has_room_for_is_not_made() {
    let large = item([
        ("l", kilobytes(150)),
        ("t", text(&"x".repeat(150 * 1024))),
        ("n", number("1")),
        ("ns", numbers(&["1"])),
    ]);
    let apply = |written: &str| meant(written).apply(&large);
    // What is there already is not counted here, but where the item is kept.
    assert!(apply("SET a = t, b = t").is_ok());
    assert!(apply("SET a = list_append(l, l)").is_ok());
    for written in [
        "SET a = t, b = t, c = t",
        "SET a = list_append(l, l), b = t",
        "SET a = list_append(l, if_not_exists(x, list_append(l, l)))",
        "SET a = t, b = t, c = t ADD n :n",
    ] {
        assert_eq!(apply(written), Err(UpdateError::TooLarge), "{written}");
    }
    // All other faults are told before.
    for (written, why) in [
        ("SET a = t, b = t, c = t, d = x", UpdateError::NoValue),
        ("SET a = t, b = t, c = t, d.e = t", UpdateError::InvalidPath),
        (
            "SET a = n + list_append(l, if_not_exists(x, list_append(l, l)))",
            wrong_operand(),
        ),
    ] {
        assert_eq!(apply(written), Err(why), "{written}");
    }
}
