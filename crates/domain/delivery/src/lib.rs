//! Delivery streams: readers with checkpoints, batches, intents, transforms and sinks.
//!
//! Owns how records get from a source to a bucket exactly once: a batch is a range of positions; before its first
//! byte is written, an intent in the catalog names the range and the objects; it is carried out, again after a
//! crash, under the same names; then one commit moves the checkpoint and drops the intent. Knows no API: doors turn
//! requests into [`NewStream`]s, and `server` connects the [`Ports`] to the other domains.

mod budget;
mod config;
mod deliveries;
mod direct;
mod encode;
mod engine;
mod execute;
mod form;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod groups;
mod gzip;
mod item;
mod ledger;
pub mod limits;
mod log_lines;
mod names;
mod object;
mod outlets;
mod pattern;
mod ports;
mod prefix;
mod quota;
mod reader;
mod secret;
mod sinks;
mod spool;
mod steps;
mod store;
mod template;
#[cfg(test)]
mod testing;
mod trouble;

pub use budget::Budget;
pub use config::{
    Backup, Buffering, Compression, Conversion, Destination, Encryption, Function, Logging,
    NewOrigin, Origin, Step, StreamRecord, Target,
};
pub use deliveries::{Accepted, Deliveries, DeliveryError, NewStream, Options, Status};
pub use groups::UserRecord;
pub use item::{ErrorKind, Failure, Item, Keys, Rejected};
pub use pattern::PatternError;
pub use ports::{
    Body, Invoke, InvokeError, LogSink, Login, ObjectMeta, Objects, ObjectsError, Offline, Ports,
    Session, Source, SourceChunk, SourceError, SourceLimit, SourceRecord, SourceShard, Sources,
    TableError, TableVersion, Tables, Warehouse, WarehouseError, Web, WebError,
};
pub use prefix::{PrefixError, Prefixes, Which};
pub use quota::Quotas;
pub use secret::Secret;
pub use sinks::{
    AddressError, Chunk, ChunkLimit, Database, HecEndpoint, HttpEndpoint, JdbcError, Load, Loader,
    OpenSearch, Redshift, Rotation, Sink, Splunk, WebAddress, loader, sink,
};
pub use steps::{
    check::Format,
    deaggregate::Deaggregation,
    query::{Query, QueryError, keys_of},
};
pub use store::{Family, Totals};
pub use template::DEFAULT as DEFAULT_KEY_TEMPLATE;
pub use trouble::Trouble;
