//! What all texts have in common: tokens, sizes, names and paths.

use crate::{Placeholders, parse, testing::placeholders};

use super::{condition, projection, update};

#[test]
fn a_fault_of_syntax_is_shown_with_its_neighbours() {
    for (text, token, near) in [
        ("a-b", "-", "a-b"),
        ("foo", "<EOF>", "foo"),
        ("foo  ", "<EOF>", "foo"),
        ("a = ", "<EOF>", "="),
        ("a == :s", "=", "== :s"),
        ("a <> :s b", "b", ":s b"),
        ("a:s-b", ":s", "a:s-"),
        (
            "#a attribute_exists :s",
            "attribute_exists",
            "#a attribute_exists :s",
        ),
        ("begins_with(a, G_M#)", "#", "G_M#)"),
        ("a > 4", "4", "> 4"),
        ("a in b", "b", "in b"),
        ("a in ()", ")", "()"),
        ("a in (b,)", ")", ",)"),
        ("a > between", "between", "> between"),
        ("attribute_exists(a..b)", ".", "..b"),
        ("a[x] = :s", "x", "[x]"),
        ("a[-1] = :s", "-", "[-1"),
        ("ü > a", "ü", "ü >"),
        ("_a > a", "_", "_a"),
        ("size(a).b > a", ".", ").b"),
        ("(size(a))[0] > a", "[", ")[0"),
        ("(a)between(b.(c.d))and(c)", "(", ".(c"),
        ("(a)between(b.c.d)and((c)", "<EOF>", ")"),
        ("a AND :s", "AND", "a AND :s"),
        ("NOT a", "<EOF>", "a"),
        ("(a = b) = c", "=", ") = c"),
        ("a = (b = c)", "=", "b = c"),
        ("a = :s OR NOT :s", "<EOF>", ":s"),
        ("a, b", ",", "a, b"),
    ] {
        let fault = format!("Syntax error; token: \"{token}\", near: \"{near}\"");
        assert_eq!(condition(text), fault, "{text}");
    }
}

#[test]
fn faults_of_updates_and_projections_are_shown_so_too() {
    for (text, token, near) in [
        ("INVALID SYNTAX HERE", "INVALID", "INVALID SYNTAX"),
        ("ADD hits : incr", ":", "hits : incr"),
        ("SET a = :s SETT b = :t", "SETT", ":s SETT b"),
        ("SET _123 = :s", "_", "SET _123"),
        ("SET a", "<EOF>", "a"),
        ("SET", "<EOF>", "SET"),
        ("SET a = set", "set", "= set"),
        ("SET a = b, #, c", "#", ", #,"),
        ("SET a = b + c + d", "+", "c + d"),
        ("SET a = (b + c) + d", "+", ") + d"),
        ("SET a = b + (c + d)", "+", "c + d"),
        ("SET a = (b.c).d + e", ".", ").d"),
        ("SET (a = (b + c))", "(", "SET (a"),
        ("SET a = f(b + c)", "+", "b + c"),
        ("SET a = b / c", "/", "b / c"),
        ("SET :s = b", ":s", "SET :s ="),
        ("ADD a b", "b", "a b"),
        ("ADD a f(b)", "f", "a f("),
        ("REMOVE a b", "b", "a b"),
        ("REMOVE a = b", "=", "a = b"),
        ("DELETE a = b", "=", "a = b"),
    ] {
        let fault = format!("Syntax error; token: \"{token}\", near: \"{near}\"");
        assert_eq!(update(text), fault, "{text}");
    }
    for (text, token, near) in [
        ("!!!", "!", "!!"),
        ("(a)", "(", "(a"),
        ("a,,b", ",", ",,b"),
        ("a,", "<EOF>", ","),
        ("whatever(stuff)", "(", "whatever(stuff"),
        (":a", ":a", ":a"),
        ("a[]", "]", "[]"),
    ] {
        let fault = format!("Syntax error; token: \"{token}\", near: \"{near}\"");
        assert_eq!(projection(text), fault, "{text}");
    }
}

#[test]
fn texts_have_a_size() {
    for refused in [condition, update, projection] {
        for empty in ["", "  \n"] {
            assert_eq!(refused(empty), "The expression can not be empty;");
        }
        assert_eq!(
            refused(&"(".repeat(4097)),
            "Expression size has exceeded the maximum allowed size; expression size: 4097"
        );
    }
    assert_eq!(projection(&"x".repeat(4096)), "taken");
}

#[test]
fn names_are_no_reserved_words() {
    let reserved = |word| format!("Attribute name is a reserved keyword; reserved keyword: {word}");
    assert_eq!(condition("attribute_exists(views, #c)"), reserved("views"));
    assert_eq!(condition(":x < abOrT"), reserved("abOrT"));
    assert_eq!(condition("set = :s"), reserved("set"));
    assert_eq!(update(" set #c = :c set abOrt = true "), reserved("abOrt"));
    assert_eq!(update(" remove Absolute "), reserved("Absolute"));
    assert_eq!(update("set and = :s"), reserved("and"));
    assert_eq!(projection("a.abORt"), reserved("abORt"));
    assert_eq!(projection("#zz,ABSoLUTE"), reserved("ABSoLUTE"));
    assert_eq!(condition("size(a) = :n"), "taken");
}

#[test]
fn paths_have_bounds() {
    let deep = |levels: usize| format!("a{}", ".b".repeat(levels - 1));
    assert_eq!(projection(&deep(32)), "taken");
    for (refused, text) in [
        (projection as fn(&str) -> String, deep(33)),
        (condition, format!("attribute_exists({})", deep(33))),
        (update, format!("REMOVE {}", deep(33))),
    ] {
        assert_eq!(
            refused(&text),
            "The document path has too many nesting levels; nesting levels: 33"
        );
    }
    assert_eq!(
        projection("a[99999999999999]"),
        "List index is not within the allowable range; index: [99999999999999]"
    );
    assert_eq!(projection("a[2147483647]"), "taken");
}

#[test]
fn paths_do_not_stand_in_each_others_way() {
    let clash = |what, one, two| {
        format!(
            "Two document paths {what} with each other; must remove or rewrite one of these paths; \
             path one: {one}, path two: {two}"
        )
    };
    for (text, what, one, two) in [
        ("b[1], b.a, #a.b, a", "overlap", "[a, b]", "[a]"),
        ("a, #a[1]", "overlap", "[a]", "[a, [1]]"),
        ("a.b, a.b[2].c", "overlap", "[a, b]", "[a, b, [2], c]"),
        ("a.b, #a[1], #b", "conflict", "[a, b]", "[a, [1]]"),
        ("a[3].b, #a.#b.b", "conflict", "[a, [3], b]", "[a, [3], b]"),
    ] {
        assert_eq!(projection(text), clash(what, one, two), "{text}");
    }
    for (text, what, one, two) in [
        (
            "set d[1] = a, d.b = a, z[1].a = a, z = if_not_exists(a)",
            "overlap",
            "[z, [1], a]",
            "[z]",
        ),
        (
            "set z[3].#d = a, z[3] = a",
            "overlap",
            "[z, [3], [3]]",
            "[z, [3]]",
        ),
        ("remove a.z set a[1] = #d", "conflict", "[a, z]", "[a, [1]]"),
        ("set a = :s remove a", "overlap", "[a]", "[a]"),
    ] {
        assert_eq!(update(text), clash(what, one, two), "{text}");
    }
    assert_eq!(projection("a.b, a.c[1], b, a.c[2]"), "taken");
}

#[test]
fn what_is_used_is_remembered() {
    let mut given = placeholders(&[("#a", "a"), ("#b", "b")]);
    parse::condition("#a = :s", &mut given).expect("a condition");
    assert_eq!(given.unused_names(), ["#b"]);
    assert!(!given.unused_values().contains(&":s"));
    parse::projection("#b", &mut given).expect("a projection");
    assert!(given.unused_names().is_empty());
    assert!(given.unused_values().contains(&":t"));
    let nothing = Placeholders::default();
    assert!(nothing.unused_names().is_empty() && nothing.unused_values().is_empty());
}
