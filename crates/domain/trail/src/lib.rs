//! The trail: calls that were made, kept for 90 days, found again, and delivered into buckets.
//!
//! An [`Event`] is one call: some attributes that it is found by, and a text that is given out as it is. Events of a place
//! are one shard of the log. They are noted when a call has its answer and written together a moment later; the
//! number of those that are not written yet is bounded, and a full backlog makes the next call wait.
//! Delivery streams of events, which are called trails, put each event into their bucket exactly once: an intent in
//! the catalog names the range and the object before the object is written. What an event says, and when a call
//! makes one, is its callers'.

mod backlog;
mod deliver;
mod error;
mod event;
pub mod limits;
mod lookup;
mod pace;
mod store;
mod trails;

pub use error::Error;
pub use event::{Event, Resource, decode, encode};
pub use lookup::{Attribute, Found, Lookup};
pub use store::{Place, Store};
pub use trails::{Bucket, BucketError, Delivered, NewTrail, Settings, Trail, Wanted};
