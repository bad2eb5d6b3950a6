//! Tables of items: written, read by key and by index, with their changes kept in order.
//!
//! A table is cut into partitions by a hash of its partition key. Each partition has a shard of the log, its change log,
//! and one worker, which alone writes there: it evaluates what callers want against the items as they are, appends the
//! changes with one durable write, applies them to the index, and only then answers. The index, by key and by secondary
//! indexes, is derived from the change log: it knows how far it has come, and catches up from there at the start. Owns
//! items, indexes, transactions, expiry, the streams of changes and the sending of them; leaves AWS's spelling, defaults and texts to the door.

mod build;
mod calls;
mod capacity;
mod change;
mod codec;
mod core;
mod counts;
mod destinations;
mod error;
mod index;
mod keeper;
mod keys;
mod layout;
pub mod limits;
mod load;
mod manage;
mod meta;
mod page;
mod partition;
mod pass;
mod ports;
mod read;
mod record;
mod store;
mod streams;
mod tables;
#[cfg(test)]
mod testing;
mod tokens;
mod transact;
mod transaction;
mod worker;
mod write;

pub use calls::{CallKind, Called, Ended, TableCalls};
pub use capacity::{Access, Limit, Metered, Throttled, Units, Used, units};
pub use change::Change;
pub use counts::{Counts, IndexMetrics, TableMetrics};
pub use destinations::{Destination, DestinationFault, DestinationState, Precision};
pub use error::Error;
pub use index::{Batch, FjallIndex, Index, LateIndex, Lookup, MemoryIndex, Rows, Span, View};
pub use ports::{NotPut, Outgoing, OutgoingChange, Receivers, Unfit};
pub use read::{Page, Query, Range, ReadOptions, Scan, Target};
pub use record::{
    Begin, Billing, GlobalIndex, IndexState, KeyKind, KeySchema, LocalIndex, NewTable, Projected,
    Stream, TableRecord, TableState, Tags, Throughput, TimeToLive, ViewType,
};
pub use streams::{
    Event, EventKind, EventPage, Extent, NotAShard, ShardId, StreamIterator, StreamShard,
    TableStream,
};

// The fault of a text that is not a position in a stream.
pub use headwater_sealing::TokenError;
pub use tables::{Changes, Tables};
pub use write::{Cancellation, Transaction, Write, WriteAction, WriteError, Written};
