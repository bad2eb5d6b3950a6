//! Where the items of a batch go once their steps are done: into one object, into one a partition, or to a
//! destination beside the bucket.
//!
//! Owns what these have in common, the objects on their way to the store, and the objects and log lines for what fails.

mod chunks;
mod error_log;
mod errors;
mod object;
mod one_object;
mod outlet;
mod part;
mod partitions;
mod spool;

pub use self::{
    chunks::Chunks, error_log::ErrorLog, errors::Errors, object::ObjectWriter,
    one_object::OneObject, outlet::Outlet, partitions::Partitions,
};
