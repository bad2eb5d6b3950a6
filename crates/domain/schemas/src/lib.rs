//! Databases, tables and their versions: what the columns of data are.
//!
//! Owns the list of databases and tables and the life of their versions, all of it in the catalog. The description of a
//! table beside its columns is the door's document, kept as it is; whether types can be read is for those who read
//! data by them.

mod error;
pub mod limits;
mod records;
mod schemas;

pub use error::Error;
pub use records::{Column, Database, Definition, Table};
pub use schemas::{Schemas, Update, Wanted};
