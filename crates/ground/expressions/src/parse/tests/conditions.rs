//! Conditions.

use headwater_items::Kind;

use crate::{
    Comparison, Condition, Operand, Path, parse,
    testing::{paths, placeholders, text},
};

use super::condition;

fn tree(text: &str) -> Condition {
    let mut given = placeholders(&[("#a", "a"), ("#b", "b.c")]);
    parse::condition(text, &mut given).unwrap_or_else(|invalid| panic!("{text}: {invalid}"))
}

fn at(path: &str) -> Operand {
    Operand::Path(paths(path).0.remove(0))
}

fn equal(name: &str) -> Condition {
    Condition::Compare(
        Comparison::Equal,
        at(name),
        Operand::Value(text("s").into()),
    )
}

#[test]
fn texts_become_trees() {
    let s = || Operand::Value(text("s").into());
    let both = |one, other| Condition::And(Box::new(one), Box::new(other));
    let either = |one, other| Condition::Or(Box::new(one), Box::new(other));
    let not = |inner| Condition::Not(Box::new(inner));
    for (written, meant) in [
        ("a = :s", equal("a")),
        ("(a) = (:s)", equal("a")),
        ("(a.b).c[1] = :s", equal("a.b.c[1]")),
        ("((a.b).c) = :s", equal("a.b.c")),
        (
            "a=:s and b=:s or c=:s",
            either(both(equal("a"), equal("b")), equal("c")),
        ),
        (
            "a=:s Or b=:s aNd c=:s",
            either(equal("a"), both(equal("b"), equal("c"))),
        ),
        (
            "(a=:s or b=:s) and c=:s",
            both(either(equal("a"), equal("b")), equal("c")),
        ),
        ("not a=:s and b=:s", both(not(equal("a")), equal("b"))),
        ("NOT NOT (a=:s)", not(not(equal("a")))),
        ("((a=:s) and b=:s)", both(equal("a"), equal("b"))),
        (
            "a <> :s",
            Condition::Compare(Comparison::NotEqual, at("a"), s()),
        ),
        (
            "a<=:s",
            Condition::Compare(Comparison::LessOrEqual, at("a"), s()),
        ),
        (
            "a between :s and :t",
            Condition::Between(at("a"), s(), Operand::Value(text("t").into())),
        ),
        (
            "(a)between(:s)and(b)",
            Condition::Between(at("a"), s(), at("b")),
        ),
        ("a in (:s, b)", Condition::In(at("a"), vec![s(), at("b")])),
        (
            "attribute_exists (#a)",
            Condition::Exists(Path::attribute("a")),
        ),
        (
            "attribute_not_exists(#b)",
            Condition::NotExists(Path::attribute("b.c")),
        ),
        (
            "attribute_type(a, :kind)",
            Condition::IsKind(at("a"), Kind::StringSet),
        ),
        (
            "attribute_type(:s, :kind)",
            Condition::IsKind(s(), Kind::StringSet),
        ),
        ("begins_with(:s, a)", Condition::BeginsWith(s(), at("a"))),
        ("contains(a, :s)", Condition::Contains(at("a"), s())),
        (
            "( ( ( size ( a )) < b.x ) AND ( a = :s ) )",
            both(
                Condition::Compare(
                    Comparison::Less,
                    Operand::Size(Box::new(at("a"))),
                    at("b.x"),
                ),
                equal("a"),
            ),
        ),
    ] {
        assert_eq!(tree(written), meant, "{written}");
    }
}

#[test]
fn parentheses_around_parentheses_are_redundant() {
    for text in [
        "((a = :s))",
        "a=a and a > ((views))",
        "(a)between(((b.c)).d)and(c)",
        "a > whatever((:things), ((a)))",
        "a=a AND ((a=a AND a=a)) AND a=a",
        "a=a OR ((a=a OR (a=a OR a=a)))",
    ] {
        assert_eq!(
            condition(text),
            "The expression has redundant parentheses;",
            "{text}"
        );
    }
}

#[test]
fn functions_have_their_places() {
    let unknown = |name| format!("Invalid function name; function: {name}");
    let foreign =
        |name| format!("The function is not allowed in a condition expression; function: {name}");
    let misplaced = |name| {
        format!(
            "The function is not allowed to be used this way in an expression; function: {name}"
        )
    };
    for (text, why) in [
        ("a=a and whatever((:things)) > a", unknown("whatever")),
        ("attRIbute_exIsts((views), #a)", unknown("attRIbute_exIsts")),
        ("if_not_exists(a, a) = :s", foreign("if_not_exists")),
        ("list_append(a, b)", foreign("list_append")),
        (
            "a=a and attribute_exists((views), (#a)) > b",
            misplaced("attribute_exists"),
        ),
        ("contains(:things, c) > b", misplaced("contains")),
        ("size(contains(a, b)) > a", misplaced("contains")),
        ("size(things)", misplaced("size")),
        ("a = :s and size(things)", misplaced("size")),
        (
            "a between b and attribute_exists(things)",
            misplaced("attribute_exists"),
        ),
        (
            "a in (b, attribute_exists(things))",
            misplaced("attribute_exists"),
        ),
    ] {
        assert_eq!(condition(text), why, "{text}");
    }
}

#[test]
fn names_and_values_are_defined() {
    for (text, what, name) in [
        (
            "attribute_exists(#P.R, :x) and a=a",
            "name used in the document path",
            "#P",
        ),
        (
            "begins_with(Pictures.#R)",
            "name used in the document path",
            "#R",
        ),
        (
            "(a)between(b.c[45].#d)and(:x)",
            "name used in the document path",
            "#d",
        ),
        (
            "begins_with(:hello, #a, #c)",
            "value used in expression",
            ":hello",
        ),
        (":x < :y", "value used in expression", ":x"),
    ] {
        let noun = if name.starts_with('#') {
            "name"
        } else {
            "value"
        };
        let why =
            format!("An expression attribute {what} is not defined; attribute {noun}: {name}");
        assert_eq!(condition(text), why, "{text}");
    }
}

#[test]
fn functions_take_so_many_operands() {
    for (text, name, count) in [
        ("attribute_exists(things, a) and a=a", "attribute_exists", 2),
        ("attribute_not_exists(things, b)", "attribute_not_exists", 2),
        ("attribute_type(things)", "attribute_type", 1),
        ("begins_with(things)", "begins_with", 1),
        ("begins_with(things, size(a), b)", "begins_with", 3),
        ("contains(things)", "contains", 1),
        ("size(things, a) > b", "size", 2),
    ] {
        let why = format!(
            "Incorrect number of operands for operator or function; operator or function: {name}, \
             number of operands: {count}"
        );
        assert_eq!(condition(text), why, "{text}");
    }
}

#[test]
fn operands_have_kinds() {
    let any = "{NS,SS,L,BS,N,M,B,BOOL,NULL,S}";
    for (text, name, kind) in [
        ("attribute_type(a.b[1], b)", "attribute_type", any),
        (
            "attribute_type(a, size(a)) and a=a and a=:x",
            "attribute_type",
            "N",
        ),
        ("attribute_type(a, :bool)", "attribute_type", "BOOL"),
        ("attribute_type(a, :ss)", "attribute_type", "SS"),
        ("begins_with(a, size(a)) and a=:x", "begins_with", "N"),
        ("begins_with(a, :n)", "begins_with", "N"),
        ("begins_with(:m, a)", "begins_with", "M"),
        ("size(size(a)) > :n", "size", "N"),
        ("attribute_not_exists(size(:n))", "size", "N"),
        ("size(:bool) > a", "size", "BOOL"),
        ("size(:null) = a", "size", "NULL"),
        ("a < :l", "<", "L"),
        (":ss >= a", ">=", "SS"),
        ("a between :bool and :bool", "BETWEEN", "BOOL"),
        (":m between a and b", "BETWEEN", "M"),
    ] {
        let why = format!(
            "Incorrect operand type for operator or function; operator or function: {name}, \
             operand type: {kind}"
        );
        assert_eq!(condition(text), why, "{text}");
    }
    for text in [
        "a = :l",
        "a <> :m",
        "a in (:l, :null)",
        "size(:s) > a",
        "contains(a, :l)",
    ] {
        assert_eq!(condition(text), "taken", "{text}");
    }
    assert_eq!(
        condition("attribute_type(a, :s)"),
        "Invalid attribute type name found; type: s, valid types: {B,NULL,SS,BOOL,L,BS,N,NS,S,M}"
    );
    for (text, name) in [
        ("attribute_exists(:s) and a=a", "attribute_exists"),
        ("attribute_not_exists(size(:s))", "attribute_not_exists"),
    ] {
        let why =
            format!("Operator or function requires a document path; operator or function: {name}");
        assert_eq!(condition(text), why, "{text}");
    }
}

#[test]
fn bounds_are_of_one_kind_and_in_order() {
    assert_eq!(
        condition("a between :n and :s"),
        "The BETWEEN operator requires same data type for lower and upper bounds; lower bound \
         operand: AttributeValue: {N:1}, upper bound operand: AttributeValue: {S:s}"
    );
    assert_eq!(
        condition("a between :t and :s"),
        "The BETWEEN operator requires upper bound to be greater than or equal to lower bound; \
         lower bound operand: AttributeValue: {S:t}, upper bound operand: AttributeValue: {S:s}"
    );
    assert_eq!(condition("a between :s and :s"), "taken");
}

#[test]
fn operands_are_distinct() {
    for (text, operator, first) in [
        ("a = a AND #a = b AND :views > a", "=", "[a]"),
        ("#a <> a", "<>", "[a]"),
        ("a > #a", ">", "[a]"),
        ("((a=a) OR (a=a))", "=", "[a]"),
        (
            "contains(ab.bc[1].a, ab.bc[1].#a)",
            "contains",
            "[ab, bc, [1], a]",
        ),
        (
            "attribute_type(ab.bc[1].#a, ab.bc[1].a)",
            "attribute_type",
            "[ab, bc, [1], a]",
        ),
        ("a in (b, a)", "IN", "[a]"),
    ] {
        let why = format!(
            "The first operand must be distinct from the remaining operands for this operator or \
             function; operator: {operator}, first operand: {first}"
        );
        assert_eq!(condition(text), why, "{text}");
    }
    assert_eq!(condition(":s = :s"), "taken");
}

#[test]
fn operators_and_operands_are_bounded() {
    let or = |more: usize| format!("a<b {}{}", "or (a<b ".repeat(more), ")".repeat(more));
    let many = "The expression contains too many operators; operator count: 301";
    assert_eq!(condition(&or(149)), "taken");
    assert_eq!(condition(&or(150)), many);
    assert_eq!(condition(&or(454)), many);
    assert_eq!(condition(&format!("{}a<b", "not ".repeat(1000))), many);
    let nots = |more: usize| format!("{}a<b{}", "not(".repeat(more), ")".repeat(more));
    assert_eq!(condition(&nots(299)), "taken");
    assert_eq!(condition(&nots(300)), many);
    let values = |count: usize| format!("a in (b{})", ",:s".repeat(count - 1));
    assert_eq!(condition(&values(100)), "taken");
    assert_eq!(
        condition(&values(101)),
        "The IN operator is provided with too many operands; number of operands: 101"
    );
}

#[test]
fn what_is_nested_deeply_is_refused() {
    let nested = |open: &str, inner: &str, depth: usize| {
        format!("{}{inner}{}", open.repeat(depth), ")".repeat(depth))
    };
    let redundant = "The expression has redundant parentheses;";
    assert_eq!(condition(&nested("(", "a<b", 2046)), redundant);
    assert_eq!(
        condition(&"(".repeat(4096)),
        "Syntax error; token: \"<EOF>\", near: \"(\""
    );
    assert_eq!(
        condition(&format!("a < {}", nested("(", "b", 2000))),
        redundant
    );
    assert_eq!(
        condition(&format!("a < {}", nested("f(", "b", 1355))),
        "Invalid function name; function: f"
    );
    assert_eq!(
        condition(&format!("a < {}", nested("size(", "b", 680))),
        "Incorrect operand type for operator or function; operator or function: size, operand type: N"
    );
}
