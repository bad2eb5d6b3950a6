//! A delivery stream's description, as the catalog keeps it: its source, its destination and the steps between.
//!
//! Owns these types, what they say of themselves, and what earlier releases kept in their place
//! (`docs/format/delivery.md`). The folders that show a batch's way act by them.

mod address;
mod arn_text;
mod database;
mod destination;
mod secret;
mod step;
mod stream;
mod target;

pub use self::{
    address::{AddressError, WebAddress},
    database::{Database, JdbcError},
    destination::{Backup, Buffering, Compression, Conversion, Destination, GroupLimit, Logging},
    secret::Secret,
    step::{Deaggregation, Format, Function, Step},
    stream::{Encryption, NewOrigin, Origin, StreamRecord},
    target::{HecEndpoint, HttpEndpoint, OpenSearch, Redshift, Rotation, Splunk, Target},
};
