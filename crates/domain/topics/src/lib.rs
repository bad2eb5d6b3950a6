//! Topics: messages that are published to them go to every subscription, at least once.
//!
//! A publish is done when the message is synced in the topic's shard of the log. Each subscription reads that shard by
//! itself, passes over what its filter does not want, and remembers durably which messages are done: a crash repeats some
//! and loses none. A message that waits for its next try is not held in memory but read again. What becomes of a message
//! that is not taken follows AWS's rules, and so does the form in which it comes, since it is what subscribers are written
//! for. Where messages go, queues, functions, delivery streams and HTTP, is behind [`ports`]; AWS's spelling of requests
//! is the door's.

mod address;
mod changes;
mod checkpoints;
mod counts;
mod envelope;
mod error;
mod filter;
mod flight;
pub mod limits;
mod message;
mod notices;
pub mod ports;
mod progress;
mod publish;
mod record;
mod retries;
mod signing;
mod topics;
mod worker;

pub use address::Place;
pub use changes::{Confirmed, NewSubscription, Subscribed};
pub use counts::{SubscriptionMetrics, TopicMetrics};
pub use error::Error;
pub use filter::{FilterFault, Scope, compact};
pub use message::{Attribute, Message, Value};
pub use record::{Protocol, Subscription, SubscriptionSettings, Topic, TopicSettings};
pub use retries::{Backoff, Retries};
pub use topics::Topics;

#[cfg(test)]
mod tests;
