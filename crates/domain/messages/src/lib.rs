//! Queues of messages: sent, received for a while, deleted, delivered again, set aside as dead letters.
//!
//! A queue is two shards of the log: its messages, and the changes of their state (receives, deletions, visibility). A
//! send is one append. Of a queue's backlog nothing is in memory: a queue knows how far it has looked, and of what it has
//! looked at and not deleted some words each. A worker for each queue changes that state, writes what it changed with one
//! durable write, and only then answers. Owns contents, order, groups, duplicates, visibility, dead letters and depth;
//! leaves AWS's spelling, defaults and texts, and who may do what, to the door.

mod backlog;
mod changes;
mod codec;
mod contents;
mod dedup;
mod digest;
mod error;
mod fold;
pub mod limits;
mod load;
mod manage;
mod message;
mod queues;
mod receipt;
mod receive;
mod record;
mod sending;
mod state;
mod store;
mod tallies;
mod worker;

pub use contents::{Fault, is_name};
pub use digest::{md5_of_attributes, md5_of_text};
pub use error::{Error, ReceiptError};
pub use manage::NewQueue;
pub use message::{Attribute, Attributes, NewMessage, Value};
pub use queues::{Messages, Sent};
pub use receipt::Receipt;
pub use record::{Fifo, QueueRecord, Redrive, RedriveAllow, Settings, Tags};
pub use state::Depth;
pub use tallies::QueueCalls;
pub use worker::{Receive, Received, Settle, Taken};
