//! Log groups: lines that functions and deliveries leave behind, kept and searched.
//!
//! A group is one shard of the log, and a record in it is an event: its key the log stream, its value time and
//! message. So a group costs what a shard costs, a stream only a row in the catalog, and events come back in the order
//! in which they arrived. The list of groups and streams is in the catalog. The events of a deleted stream
//! stay in the shard until they expire, and are never shown.
//!
//! Who follows a group reads its shard: each subscription has a task that sends what its pattern matches, and the metric
//! filters of a group have one that counts. Where that goes is behind [`ports`]; the form of a subscriber's message is here,
//! since it is what subscribers are written for.

mod changes;
mod counter;
mod error;
mod event;
mod followers;
mod groups;
pub mod limits;
mod live_tail;
mod message;
mod metric_filters;
mod note;
mod pattern;
pub mod ports;
mod put;
mod records;
mod search;
mod sender;
mod sizes;
mod subscriptions;
mod times;
mod transformation;

pub use error::Error;
pub use event::{Event, NewEvent};
pub use groups::{Batch, LogGroups};
pub use live_tail::{LiveTail, TailOptions, TailUpdate};
pub use metric_filters::MetricFilter;
pub use pattern::Pattern;
pub use put::Rejected;
pub use records::{Group, Stream, Times as StreamTimes};
pub use search::{Found, Page, Place, Search, Streams, Times};
pub use subscriptions::{Destination, Distribution, NewSubscription, Subscription};
pub use transformation::Transformation;
