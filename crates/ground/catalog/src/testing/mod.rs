//! For the tests of other crates: catalogs that misbehave on command, and the suite that every engine must pass.

mod contract;
mod mortal;

pub use contract::{contract, put, remove};
pub use mortal::MortalCatalog;
