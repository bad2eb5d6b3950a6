//! Updates.

use crate::{
    Action, SetValue, Update, parse,
    testing::{list, number, paths, placeholders, text, texts},
};

use super::update;

fn tree(text: &str) -> Vec<Action> {
    let Update(actions) = parse::update(text, &mut placeholders(&[("#a", "a")]))
        .unwrap_or_else(|invalid| panic!("{text}: {invalid}"));
    actions
}

#[test]
fn texts_become_trees() {
    let path = |text: &str| paths(text).0.remove(0);
    let at = |text: &str| Box::new(SetValue::Path(path(text)));
    let n = || Box::new(SetValue::Value(number("1").into()));
    for (written, meant) in [
        ("SET a = :n", vec![Action::Set(path("a"), *n())]),
        ("sEt #a.b[2]=((b.c))", vec![]),
        (
            "set a = ((b.c)+(e))",
            vec![Action::Set(path("a"), SetValue::Plus(at("b.c"), at("e")))],
        ),
        (
            "SET c = (c - :n)",
            vec![Action::Set(path("c"), SetValue::Minus(at("c"), n()))],
        ),
        (
            "SET b = if_not_exists(b, :n)+:n",
            vec![Action::Set(
                path("b"),
                SetValue::Plus(Box::new(SetValue::IfNotExists(path("b"), n())), n()),
            )],
        ),
        (
            "SET b = list_append(if_not_exists(b, if_not_exists(c, :l)), (d))",
            vec![Action::Set(
                path("b"),
                SetValue::ListAppend(
                    Box::new(SetValue::IfNotExists(
                        path("b"),
                        Box::new(SetValue::IfNotExists(
                            path("c"),
                            Box::new(SetValue::Value(list([text("l")]).into())),
                        )),
                    )),
                    at("d"),
                ),
            )],
        ),
        (
            "REMOVE b, c[1] DELETE d :ss ADD e :n, f :ss SET g = h, i = :n",
            vec![
                Action::Remove(path("b")),
                Action::Remove(path("c[1]")),
                Action::Delete(path("d"), texts(&["a", "b"]).into()),
                Action::Add(path("e"), number("1").into()),
                Action::Add(path("f"), texts(&["a", "b"]).into()),
                Action::Set(path("g"), *at("h")),
                Action::Set(path("i"), *n()),
            ],
        ),
    ] {
        if meant.is_empty() {
            assert_eq!(update(written), "The expression has redundant parentheses;");
        } else {
            assert_eq!(tree(written), meant, "{written}");
        }
    }
}

#[test]
fn a_section_comes_once() {
    for (text, section) in [
        ("set a = #c set c = :d", "SET"),
        ("remove #d set a = b remove e", "REMOVE"),
        ("add #d :e set a = b add e :f", "ADD"),
        ("delete #d :e set a = b delete #e :f", "DELETE"),
    ] {
        let why =
            format!("The \"{section}\" section can only be used once in an update expression;");
        assert_eq!(update(text), why, "{text}");
    }
}

#[test]
fn functions_are_those_of_updates() {
    let misplaced =
        "The function is not allowed to be used this way in an expression; function: list_append";
    for (text, why) in [
        (
            "set #c = if_not_exist(:c) set c = d",
            "Invalid function name; function: if_not_exist",
        ),
        (
            "set a = LIST_APPEND(b, c)",
            "Invalid function name; function: LIST_APPEND",
        ),
        (
            "set a = size(b)",
            "The function is not allowed in an update expression; function: size",
        ),
        ("set a = list_append(list_append(b, c), d)", misplaced),
        (
            "set a = if_not_exists(c)",
            "Incorrect number of operands for operator or function; operator or function: \
             if_not_exists, number of operands: 1",
        ),
        (
            "set a = list_append(b, c, d)",
            "Incorrect number of operands for operator or function; operator or function: \
             list_append, number of operands: 3",
        ),
        (
            "set a = if_not_exists(:s, c)",
            "Operator or function requires a document path; operator or function: if_not_exists",
        ),
        (
            "set a = if_not_exists(if_not_exists(a, b), c)",
            "Operator or function requires a document path; operator or function: if_not_exists",
        ),
    ] {
        assert_eq!(update(text), why, "{text}");
    }
}

#[test]
fn checks_are_made_of_the_whole_in_order() {
    let name = "An expression attribute name used in the document path is not defined; \
                attribute name: #c";
    let value = "An expression attribute value used in expression is not defined; \
                 attribute value: :c";
    assert_eq!(update("SET a = if_not_exists(:c), b = #c"), name);
    assert_eq!(update("SET a = if_not_exists(:c)"), value);
    assert_eq!(update("ADD a :s DELETE b :c"), value);
}

#[test]
fn operands_have_kinds() {
    for (text, section, kind) in [
        (
            "set b = list_append(:s, a), c = if_not_exists(a) add a.b :s",
            "ADD",
            "STRING",
        ),
        ("delete a.b :s", "DELETE", "STRING"),
        ("add a.b :null", "ADD", "NULL"),
        ("add a.b :bool", "ADD", "BOOLEAN"),
        ("delete a.b :b", "DELETE", "BINARY"),
        ("add a.b :m", "ADD", "MAP"),
        ("add a.b :l", "ADD", "LIST"),
        ("delete a.b :n", "DELETE", "NUMBER"),
    ] {
        let why = format!(
            "Incorrect operand type for operator or function; operator: {section}, \
             operand type: {kind}, typeSet: ALLOWED_FOR_{section}_OPERAND"
        );
        assert_eq!(update(text), why, "{text}");
    }
    for (text, name, kind) in [
        ("set a = list_append(:s, a)", "list_append", "S"),
        ("set a = list_append(a, :ns)", "list_append", "NS"),
        ("set a = a + :s", "+", "S"),
        ("set a = :l - a", "-", "L"),
    ] {
        let why = format!(
            "Incorrect operand type for operator or function; operator or function: {name}, \
             operand type: {kind}"
        );
        assert_eq!(update(text), why, "{text}");
    }
}
