//! Dashboards: what people drew of their metrics, kept by name, one set for each account in all of its regions.
//!
//! Owns which dashboards there are, their tags, and when they were changed, all of it in the catalog. A dashboard's body is
//! its door's: it is kept as it came.

mod dashboards;
mod error;
pub mod limits;
mod records;

pub use dashboards::Dashboards;
pub use error::Error;
pub use records::Dashboard;
