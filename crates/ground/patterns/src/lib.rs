//! Event patterns: filters over JSON documents, as AWS spells them for rules of EventBridge, event source mappings and
//! subscriptions.
//!
//! A pattern is parsed once and matched against any number of events. Its errors have AWS's words and the place in the
//! text that AWS names. Where patterns come from, how long they may be, and what an event is made of belongs to those who
//! use them.

mod compile;
mod error;
mod event;
mod matcher;
mod pattern;
mod tokens;
mod wildcard;

pub use error::PatternError;
pub use pattern::{Flavor, Pattern};
pub use tokens::json_fault;
pub use wildcard::Wildcard;

#[cfg(test)]
mod tests;
