//! What all who follow a source of records have in common: which shards there are, which of them may be read now, and
//! where a reader begins.
//!
//! Children are read after their parents, through any resharding. How records are gathered, and where it is remembered
//! how far a reader is, belongs to the readers: deliveries, queues, mappings.

mod lineage;
mod start;
#[cfg(feature = "testing")]
pub mod testing;

pub use lineage::{Lineage, SHARDS_REFRESH};
pub use start::{Start, first_positions};
