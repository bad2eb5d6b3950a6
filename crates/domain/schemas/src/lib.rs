//! Databases, tables, their versions and their partitions: what the columns of data are, and where it is.
//!
//! Owns the list of databases and tables, the life of their versions and their partitions, all of it in the catalog. The description of a
//! table beside its columns is the door's document, kept as it is; whether types can be read is for those who read
//! data by them.

mod error;
pub mod limits;
mod partitions;
mod records;
mod schemas;

pub use error::Error;
pub use partitions::PartitionChange;
pub use records::{Column, Database, Definition, Partition, Table};
pub use schemas::{Schemas, Update, Wanted};
