//! Event source mappings: functions that are called with the records of a stream or the changes of a table, in batches,
//! shard by shard, or with the messages of a queue.
//!
//! A mapping reads each shard in order, or each of a shard's lanes where it may work on several keys of a shard at once;
//! it remembers durably how far every lane is before the next batch begins. So a crash repeats a batch and skips none.
//! Nothing of what is read of a stream is kept: a batch that has to wait for its next try is read again from the log. What becomes of
//! a batch follows AWS's rules: tries and their bounds, halves, partial failures, windows with a state, and a destination
//! for what is given up. Where functions run and where given-up batches go is behind [`ports`]; AWS's spelling of requests
//! is the door's, that of events is here, since it is what functions are written for.

mod attempt;
mod batch;
mod changes;
mod counts;
mod error;
mod filter;
mod form;
mod gathered;
mod judge;
mod lane;
pub mod limits;
mod mappings;
mod measure;
mod message;
mod payload;
mod poller;
pub mod ports;
mod progress;
mod record;
mod window;
mod worker;

pub use changes::NewMapping;
pub use counts::{MappingMetrics, Trouble};
pub use error::Error;
pub use headwater_reading::Start;
pub use mappings::Mappings;
pub use record::{Mapping, Settings};
pub use worker::LastResult;

#[cfg(test)]
mod tests;
