//! The expressions of tables: conditions, updates, projections and key conditions.
//!
//! Owns the language: what a text means, which texts are refused and with which words, and what an expression makes of an
//! item. The older dialect (`Expected`, `AttributeUpdates`, `KeyConditions` and filters) becomes the same trees. Leaves
//! items themselves to `items`, and what is done with the outcome to others.

mod condition;
mod key_condition;
pub mod legacy;
mod parse;
mod path;
mod update;

pub use condition::{Comparison, Condition, Operand};
pub use key_condition::{KeyCondition, SortCondition};
pub use parse::{Invalid, Placeholders, condition, key_condition, projection, update};
pub use path::{Path, Projection, Step};
pub use update::{Action, SetValue, Update, UpdateError};
