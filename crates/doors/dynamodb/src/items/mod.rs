//! The parts that operations on items have in common: what a request says of items in either dialect, whether a table
//! takes it, and how answers show items and what they cost.
//!
//! Owns the checks of requests in AWS's order and with its texts. Leaves the language of expressions to `expressions`, and
//! what items become to the domain.

pub(crate) mod action;
pub(crate) mod actions;
pub(crate) mod capacity;
pub(crate) mod collection;
pub(crate) mod condition;
pub(crate) mod dialect;
pub(crate) mod failed;
pub(crate) mod fault;
pub(crate) mod filter;
pub(crate) mod indexes;
pub(crate) mod keys;
pub(crate) mod kinds;
pub(crate) mod limits;
pub(crate) mod named;
pub(crate) mod older;
pub(crate) mod page;
pub(crate) mod paths;
pub(crate) mod placeholders;
pub(crate) mod projection;
pub(crate) mod query;
pub(crate) mod returned;
pub(crate) mod select;
pub(crate) mod single;
pub(crate) mod source;
pub(crate) mod start;
pub(crate) mod throttled;
pub(crate) mod together;
pub(crate) mod transaction;
pub(crate) mod update;
pub(crate) mod values;
pub(crate) mod writes;

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
