//! Durable control state: keys and values with compare-and-set.
//!
//! Owns what exists and who is where: streams, functions, buckets, checkpoints. Each value has a version; a commit
//! changes several keys together or none, and is durable when it returns. Holds no business rules: owners keep
//! their records in a [`Table`].

mod api;
mod limits;
mod memory;
mod sqlite;
mod table;
#[cfg(feature = "testing")]
pub mod testing;
mod wal;

pub use api::{Catalog, CatalogError, Change, Expect, Version, Versioned};
pub use memory::MemoryCatalog;
pub use sqlite::{Options, SqliteCatalog};
pub use table::Table;
