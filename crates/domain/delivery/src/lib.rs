//! Delivery streams: readers with checkpoints, batches, intents, transforms and sinks.
//!
//! Owns how records get from a source to a bucket exactly once: a batch is a range of positions; before its first
//! byte is written, an intent in the catalog names the range and the objects; it is carried out, again after a
//! crash, under the same names; then one commit moves the checkpoint and drops the intent. Knows no API: doors turn
//! requests into [`NewStream`]s, and `server` connects the [`Ports`] to the other domains.

mod budget;
mod config;
mod deliveries;
mod encoding;
mod engine;
mod execute;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod incidents;
mod intent;
pub mod limits;
mod naming;
mod outlets;
mod ports;
mod quota;
mod reading;
mod records;
mod sinks;
mod status;
mod steps;
mod tallies;
#[cfg(test)]
mod testing;

pub use budget::{Budget, InUse};
pub use config::{
    AddressError, Backup, Buffering, Compression, Conversion, Database, Deaggregation, Destination,
    Encryption, Format, Function, HecEndpoint, HttpEndpoint, JdbcError, Logging, NewOrigin,
    OpenSearch, Origin, Redshift, Rotation, Secret, Splunk, Step, StreamRecord, Target, WebAddress,
};
pub use deliveries::{Accepted, Deliveries, DeliveryError, NewStream, Options, Places};
pub use incidents::Incident;
pub use intent::{Family, Totals};
pub use naming::{DEFAULT_KEY_TEMPLATE, PatternError, PrefixError, PrefixKind, Prefixes};
pub use ports::{
    ChunkStream, Invoke, InvokeError, LogSink, Login, ObjectMeta, Objects, ObjectsError, Offline,
    Ports, Session, Source, SourceChunk, SourceError, SourceLimit, SourceRecord, SourceShard,
    Sources, TableError, TableVersion, Tables, Warehouse, WarehouseError, Web, WebError,
};
pub use quota::Quotas;
pub use records::{ErrorKind, Failure, Item, Keys, Rejected, UserRecord};
pub use sinks::{Chunk, ChunkLimit, Load, Loader, Sink, loader, sink};
pub use status::{Status, Taken, TakenCalls};
pub use steps::query::{Query, QueryError, keys_of};
pub use tallies::{Delivered, DeliveryCalls};
