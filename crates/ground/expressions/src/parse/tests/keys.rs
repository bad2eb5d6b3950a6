//! Key conditions.

use crate::{
    Invalid, KeyCondition, SortCondition, parse,
    testing::{placeholders, text},
};

fn key(written: &str, sort: Option<&str>) -> Result<KeyCondition, Invalid> {
    parse::key_condition(
        written,
        &mut placeholders(&[("#p", "p"), ("#c", "c")]),
        "p",
        sort,
    )
}

#[test]
fn texts_become_trees() {
    let s = || text("s");
    for (written, sort) in [
        ("p = :t", None),
        (":t = #p", None),
        ("p = :t AND c = :s", Some(SortCondition::Equal(s()))),
        ("((c = :s) AND (p = :t))", Some(SortCondition::Equal(s()))),
        ("p = :t AND c < :s", Some(SortCondition::Less(s()))),
        ("p = :t AND :s < c", Some(SortCondition::Greater(s()))),
        (
            "p = :t AND :s <= #c",
            Some(SortCondition::GreaterOrEqual(s())),
        ),
        ("p = :t AND :s > c", Some(SortCondition::Less(s()))),
        (
            "p = :t AND c >= :s",
            Some(SortCondition::GreaterOrEqual(s())),
        ),
        (
            "p = :t AND begins_with(c, :s)",
            Some(SortCondition::BeginsWith(s())),
        ),
        (
            "p = :t AnD c BeTwEeN :s aNd :t",
            Some(SortCondition::Between(s(), text("t"))),
        ),
    ] {
        let meant = KeyCondition {
            partition: ("p".to_owned(), text("t")),
            sort: sort.map(|sort| ("c".to_owned(), sort)),
        };
        assert_eq!(key(written, Some("c")), Ok(meant), "{written}");
    }
}

#[test]
fn what_no_index_finds_is_refused() {
    let operator = |name| format!("Invalid operator used in KeyConditionExpression: {name}");
    let first = |name| {
        format!(
            "Invalid condition in KeyConditionExpression: {name} operator must have the key \
             attribute as its first operand"
        )
    };
    let many = "Invalid condition in KeyConditionExpression: Multiple attribute names used in one condition";
    for (written, why) in [
        ("a > b and size(b) > c or a > c", operator("OR")),
        ("a in (b, size(c), d)", operator("IN")),
        ("attribute_exists(a)", operator("attribute_exists")),
        ("attribute_type(a, :kind)", operator("attribute_type")),
        ("contains(a.d, b)", operator("contains")),
        ("not a > b", operator("NOT")),
        ("a <> b", operator("<>")),
        (
            ":n between size(b) and size(a) and b > :n",
            first("BETWEEN"),
        ),
        ("begins_with(:s, b) and a > :n", first("begins_with")),
        ("b > a.b", many.to_owned()),
        ("a between b and size(a)", many.to_owned()),
        (
            ":s > :t AND p < :s",
            "Invalid condition in KeyConditionExpression: No key attribute specified".to_owned(),
        ),
        (
            "p = :s and c = :s and d = :s",
            "Conditions can be of length 1 or 2 only".to_owned(),
        ),
        (
            "c = :s",
            "Query condition missed key schema element: p".to_owned(),
        ),
        (
            "p = :s and d = :s",
            "Query condition missed key schema element: c".to_owned(),
        ),
        ("p < :s", "Query key condition not supported".to_owned()),
    ] {
        assert_eq!(
            key(written, Some("c")),
            Err(Invalid::bare(why)),
            "{written}"
        );
    }
    let alone = key("p = :s and c = :s", None);
    assert_eq!(
        alone,
        Err(Invalid::bare("Query key condition not supported"))
    );
}

#[test]
fn some_words_stand_behind_the_name_of_the_expression() {
    for (written, why) in [
        (
            "p = :s and p = :s",
            "KeyConditionExpressions must only contain one condition per key",
        ),
        (
            "a > size(b.d)",
            "KeyConditionExpressions cannot contain nested operations",
        ),
        (
            "a.d > c",
            "KeyConditionExpressions cannot have conditions on nested attributes",
        ),
        (
            "b[0] > a",
            "KeyConditionExpressions cannot have conditions on nested attributes",
        ),
        (
            "p = :s AND dog(c, :s)",
            "Invalid function name; function: dog",
        ),
        ("((p = :s))", "The expression has redundant parentheses;"),
        ("", "The expression can not be empty;"),
    ] {
        assert_eq!(key(written, Some("c")), Err(Invalid::new(why)), "{written}");
    }
}
