//! The expressions of tables: conditions, updates, projections and key conditions.
//!
//! Owns the language: what a text means, which texts are refused and with which words, and what an expression makes of an
//! item. The older dialect (`Expected`, `AttributeUpdates`, `KeyConditions` and filters) becomes the same trees. Leaves
//! items themselves to `items`, and what is done with the outcome to others.

pub mod checked;
mod condition;
mod invalid;
mod key_condition;
mod kinds;
pub mod legacy;
pub mod limits;
mod parse;
mod path;
mod placeholders;
mod update;

pub use condition::{Comparison, Condition, Operand};
pub use invalid::Invalid;
pub use key_condition::{KeyCondition, KeyConditions, SortCondition};
pub use parse::{condition, key_condition, key_conditions, projection, update};
pub use path::{Path, Projection, Step};
pub use placeholders::Placeholders;
pub use update::{Action, SetValue, Update, UpdateError};

#[cfg(test)]
mod testing;
