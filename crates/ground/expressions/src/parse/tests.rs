//! Tables of texts and of what becomes of them.

mod conditions;
mod keys;
mod random;
mod sizes;
mod syntax;
mod updates;

use crate::{Invalid, testing::placeholders};

/// Why a text is refused; it must be.
fn refused<T>(outcome: Result<T, Invalid>) -> String {
    match outcome {
        Ok(_) => "taken".to_owned(),
        Err(invalid) => invalid.text,
    }
}

fn condition(text: &str) -> String {
    refused(super::condition(
        text,
        &mut placeholders(&[("#a", "a"), ("#b", "b.c")]),
    ))
}

fn update(text: &str) -> String {
    refused(super::update(
        text,
        &mut placeholders(&[("#a", "a"), ("#b", "b"), ("#d", "[3]")]),
    ))
}

fn projection(text: &str) -> String {
    refused(super::projection(
        text,
        &mut placeholders(&[("#a", "a"), ("#b", "[3]")]),
    ))
}
