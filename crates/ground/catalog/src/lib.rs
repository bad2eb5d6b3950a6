//! Durable control state: keys and values with compare-and-set.
//!
//! Owns what exists and who is where: streams, functions, buckets, checkpoints. A commit changes several keys together
//! or none, makes the next revision of the catalog, and is durable when it returns; a value's version is the revision
//! that wrote it. Holds no business rules: owners keep their records in a [`Table`] or a [`Single`], by an entry of the registry.

mod api;
mod counts;
mod json;
mod limits;
mod memory;
mod scoped;
mod single;
mod sqlite;
mod table;
#[cfg(feature = "testing")]
pub mod testing;
mod wal;

pub use api::{Catalog, CatalogError, Change, Checked, Expect, Version, Versioned, Write};
pub use counts::{Count, Counts};
pub use memory::MemoryCatalog;
pub use scoped::ScopedCatalog;
pub use single::Single;
pub use sqlite::{Options, SqliteCatalog};
pub use table::Table;
