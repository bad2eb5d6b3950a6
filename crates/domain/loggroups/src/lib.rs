//! Log groups: lines that functions and deliveries leave behind, kept and searched.
//!
//! A group is one shard of the log, and a record in it is an event: its key the log stream, its value time and
//! message. So a group costs what a shard costs, a stream only a row in the catalog, and events come back in the order
//! in which they arrived. The list of groups and streams is in the catalog. The events of a deleted stream
//! stay in the shard until they expire, and are never shown.

mod changes;
mod error;
mod event;
mod groups;
pub mod limits;
mod pattern;
mod put;
mod records;
mod search;
mod sizes;
mod times;

pub use error::Error;
pub use event::{Event, NewEvent};
pub use groups::{Batch, LogGroups};
pub use pattern::Pattern;
pub use put::Rejected;
pub use records::{Group, Stream, Times as StreamTimes};
pub use search::{Found, Page, Place, Search, Streams, Times};
