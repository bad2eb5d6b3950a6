//! Metrics: what was measured, kept by series and time, summed up as it ages, and asked for.
//!
//! A series is a metric with a unit. Of each period of a series there is kept how many values there were, their sum, least
//! and greatest, and how they are distributed. What is put goes into a journal, one shard of the log, and stands in
//! memory until it is folded into files (`docs/format/metrics.md`). Who may put what and which periods may be asked for is
//! the callers' to say.

mod bytes;
mod cell;
mod datum;
mod distribution;
mod error;
mod file;
mod files;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod index;
mod journal;
mod keeper;
pub mod limits;
pub mod math;
mod metric;
mod metrics;
mod names;
mod page;
mod read;
mod recent;
mod start;
mod state;
mod statistic;
mod writer;

pub use datum::{Datum, Summary, Values};
pub use distribution::Distribution;
pub use error::Error;
pub use index::Filter;
pub use metric::{Metric, Unit};
pub use metrics::{Metrics, Options, Usage};
pub use read::{Query, Series, aligned};
pub use statistic::{Bounds, Point, Statistic};
pub use writer::Beside;
