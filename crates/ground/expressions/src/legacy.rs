//! The older dialect of conditions and updates, as the trees of the newer.
//!
//! Its texts stand alone, without "Invalid …Expression: " before them. Names are those of whole attributes and never
//! paths, even with dots in them.

mod conditions;
mod updates;

pub use conditions::{Expected, Filter, Join, Operator, expected, filter, key_conditions};
pub use updates::{AttributeUpdate, UpdateAction, update};

use crate::Invalid;

/// Words behind those with which most refusals of the older dialect begin.
fn invalid(text: impl std::fmt::Display) -> Invalid {
    Invalid::bare(format!("One or more parameter values were invalid: {text}"))
}

#[cfg(test)]
mod tests;
