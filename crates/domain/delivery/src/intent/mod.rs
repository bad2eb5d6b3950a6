//! Intents: what is decided of a batch before its first byte is written, and where that is kept.
//!
//! An intent names a range of positions and the objects that its records go to. It is executed again until it
//! succeeds, always under the same names; `execute` does that.

mod error;
mod ledger;
mod names;
mod plan;
mod progress;
mod store;

pub use self::{
    error::ExecuteError,
    plan::{Intent, Range},
    progress::{Progress, Totals},
    store::{Family, Store},
};
pub(crate) use self::{ledger::Ledger, names::Names};
