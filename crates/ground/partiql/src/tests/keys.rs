//! What conditions want of a key.

use headwater_expressions::{Condition, KeyCondition, SortCondition};
use headwater_items::Item;

use super::{read, text};
use crate::{Statement, one_item, reads};

fn condition(partiql: &str) -> Condition {
    match read(&format!("SELECT * FROM t WHERE {partiql}")).unwrap() {
        Statement::Select(select) => select.condition.unwrap(),
        other => panic!("{other:?}"),
    }
}

/// The places that a condition comes to, each as its partition and what is wanted behind it.
fn places(partiql: &str) -> Result<Option<Vec<String>>, String> {
    let shown = |place: KeyCondition| {
        let sort = place.sort.map(|(_, sort)| match sort {
            SortCondition::Equal(value) => format!("{value:?}"),
            other => format!("{other:?}"),
        });
        format!("{:?} {}", place.partition.1, sort.unwrap_or_default())
    };
    let plain = |text: String| text.replace("String", "").replace(['(', ')', '"'], "");
    let places = reads(&condition(partiql), "p", Some("s")).map_err(|refused| refused.0)?;
    let shown = places.map(|places| {
        places
            .into_iter()
            .map(|place| plain(shown(place)).trim_end().to_owned())
    });
    Ok(shown.map(Iterator::collect))
}

#[test]
fn items_are_where_the_key_is_told() {
    for (partiql, found) in [
        ("p = 'a'", Some(&["a"][..])),
        ("'a' = p AND s = 'x' AND b = 1", Some(&["a x"])),
        ("p = 'a' AND s > 'x'", Some(&["a Greaterx"])),
        ("p = 'a' AND 'x' >= s", Some(&["a LessOrEqualx"])),
        ("p = 'a' AND begins_with(s, 'x')", Some(&["a BeginsWithx"])),
        (
            "p = 'a' AND s BETWEEN 'x' AND 'y'",
            Some(&["a Betweenx, y"]),
        ),
        ("p IN ['a', 'b']", Some(&["a", "b"])),
        ("p = 'a' OR p = 'b'", Some(&["a", "b"])),
        (
            "p IN ['a', 'b'] AND s IN ['x', 'y']",
            Some(&["a x", "a y", "b x", "b y"]),
        ),
        (
            "(p = 'a' AND s = 'x') OR (p = 'b' AND b = 1)",
            Some(&["a x", "b"]),
        ),
        ("(p = 'a' OR p = 'b') AND c = 1", Some(&["a", "b"])),
        (
            "((p = 'a' AND s = 'x') OR p = 'b') AND c = 1",
            Some(&["a x", "b"]),
        ),
        ("p = 'a' AND (s < 'x' OR s > 'x')", Some(&["a"])),
        (
            "(p = 'a' AND s < 'x') OR (p = 'a' AND s > 'x')",
            Some(&["a"]),
        ),
        ("p = 'a' AND p = 'b'", Some(&["a"])),
        ("p > 'a'", None),
        ("p <> 'a'", None),
        ("NOT p = 'a'", None),
        ("p = b", None),
        ("p.x = 'a'", None),
        ("s = 'x'", None),
        ("p = 'a' OR b = 1", None),
    ] {
        let found = found.map(|found| found.iter().map(|&place| place.to_owned()).collect());
        assert_eq!(places(partiql), Ok(found), "{partiql}");
    }
}

#[test]
fn places_that_overlap_or_are_too_many_are_refused() {
    let overlap = "Overlapping conditions with range keys are not supported in where clause";
    for partiql in [
        "p IN ['a', 'a']",
        "p = 'a' OR p = 'a'",
        "(p = 'a' AND b = 1) OR (p = 'a' AND b = 2)",
        "p = 'a' AND b = 1 OR p = 'a' AND s = 'x'",
    ] {
        assert_eq!(places(partiql), Err(overlap.to_owned()), "{partiql}");
    }
    let values = |count: usize| {
        let values: Vec<String> = (0..count).map(|at| format!("'{at}'")).collect();
        values.join(",")
    };
    let many = "Too many decomposed read operations for a given query.";
    assert!(places(&format!("p IN [{}]", values(50))).is_ok());
    for partiql in [
        format!("p IN [{}]", values(51)),
        format!("p IN [{}] AND s IN ['x', 'y']", values(26)),
    ] {
        assert_eq!(places(&partiql), Err(many.to_owned()));
    }
    assert_eq!(places(&format!("p IN [{}] OR b = 1", values(51))), Ok(None));
}

#[test]
fn one_item_is_told_by_its_whole_key() {
    let names = ["p", "s"];
    let key = Item::from([("p".to_owned(), text("a")), ("s".to_owned(), text("x"))]);
    for (partiql, rest) in [
        ("p = 'a' AND s = 'x'", None),
        ("(s = 'x' AND p = 'a') AND p = 'a'", None),
        (
            "b = 1 AND p = 'a' AND s = 'x' AND c = 2",
            Some("b = 1 AND c = 2"),
        ),
        ("p = 'a' AND s = 'x' AND p = 'b'", Some("p = 'b'")),
    ] {
        let item = one_item(condition(partiql), &names, false).unwrap();
        assert_eq!(item.key, key, "{partiql}");
        assert_eq!(item.rest, rest.map(condition), "{partiql}");
        assert_eq!(item.twice.is_some(), partiql.ends_with("p = 'b'"));
    }
    for partiql in [
        "p = 'a'",
        "p = 'a' OR s = 'x'",
        "p = 'a' AND s > 'x'",
        "p IN ['a'] AND s = 'x'",
    ] {
        assert_eq!(
            one_item(condition(partiql), &names, false),
            None,
            "{partiql}"
        );
    }
    assert!(one_item(condition("p IN ['a'] AND s = 'x'"), &names, true).is_some());
}
