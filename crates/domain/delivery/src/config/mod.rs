//! What describes a delivery stream, as the catalog keeps it: its source, its destination and what lies between.
//!
//! Owns these types, what they say of themselves, and what earlier releases kept in their place
//! (`docs/format/delivery.md`). What is done by them is in the folders that show a batch's way.

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
