//! Numbers, items and keys against known bytes, and against models of them.

mod any;
mod codec;
mod key;
mod number;
mod sums;

/// The number that `text` is.
fn number(text: &str) -> crate::Number {
    text.parse().expect("a number")
}
