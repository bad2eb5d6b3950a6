//! Texts made of chance: whatever they are, they are read to an end, and what they mean is evaluated.

use proptest::prelude::*;

use crate::{
    parse,
    testing::{item, list, map, number, placeholders, text},
};

/// Pieces of which texts are made that are sometimes right.
fn piece() -> impl Strategy<Value = String> {
    let words = prop::sample::select(vec![
        "a",
        "b",
        "c",
        "#a",
        "#b",
        "#zz",
        ":s",
        ":n",
        ":l",
        ":ss",
        ":zz",
        "(",
        ")",
        "((",
        "))",
        "[",
        "]",
        "[0]",
        ".",
        ",",
        "=",
        "<>",
        "<",
        ">=",
        "+",
        "-",
        "AND",
        "or",
        "NOT",
        "between",
        "IN",
        "SET",
        "remove",
        "ADD",
        "DELETE",
        "size(",
        "contains(",
        "attribute_exists(",
        "begins_with(",
        "list_append(",
        "if_not_exists(",
        "attribute_type(",
        "abort",
        "1",
        "ü",
        "!",
    ]);
    prop_oneof![
        9 => words.prop_map(str::to_owned),
        1 => ".{0,3}",
    ]
}

fn try_all(written: &str) {
    let names = [("#a", "a"), ("#b", "b")];
    let item = item([
        ("a", number("3")),
        ("b", map([("x", list([text("p"), number("1")]))])),
        ("c", list([text("p"), map([])])),
    ]);
    if let Ok(condition) = parse::condition(written, &mut placeholders(&names)) {
        condition.holds(&item);
    }
    if let Ok(update) = parse::update(written, &mut placeholders(&names)) {
        drop(update.apply(&item));
        update.touched().of(&item);
    }
    if let Ok(projection) = parse::projection(written, &mut placeholders(&names)) {
        projection.of(&item);
    }
    drop(parse::key_condition(
        written,
        &mut placeholders(&names),
        "a",
        Some("b"),
    ));
}

proptest! {
    #[test]
    fn any_text_is_read(written in ".{0,200}") {
        try_all(&written);
    }

    #[test]
    fn any_pieces_are_read(pieces in prop::collection::vec(piece(), 0..40), section in 0..5_usize) {
        let start = ["", "SET a = ", "REMOVE ", "ADD a ", "a = "][section];
        try_all(&format!("{start}{}", pieces.join(" ")));
        try_all(&format!("{start}{}", pieces.concat()));
    }
}
