//! Databases, tables and their versions: what the columns of data are.
//!
//! Owns which databases and tables there are and what becomes of their versions, all of it in the catalog. What is said
//! of a table beside its columns is the door's document, kept as it is; whether types can be read is for whoever reads
//! data by them.

mod error;
pub mod limits;
mod records;
mod schemas;

pub use error::Error;
pub use records::{Column, Database, Definition, Table};
pub use schemas::{Schemas, Update, Wanted};
