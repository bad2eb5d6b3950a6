//! What the server itself puts into the store of metrics, minute by minute, as AWS's services do.
//!
//! Owns the names, units and dimensions, and the way of a minute into the store. The domains count as plain values and know
//! nothing of this; what a service emits of its domain stands in a file here, and the service says so
//! ([`Running::emits`](crate::services::Running::emits)). `docs/cloudwatch-emitted.md` lists all of it, and which of it is
//! exact through a crash.

pub mod deliveries;
mod emitter;
pub mod functions;
pub mod messages;
pub mod streams;
pub mod tables;
#[cfg(test)]
mod tests;

use async_trait::async_trait;
use headwater_metrics::{Datum, Metric, Summary, Unit, Values};
use headwater_types::{Millis, Tallied};

pub use emitter::{Emitter, begin};

/// A part of a service that emits metrics.
#[async_trait]
pub trait Emits: Send + Sync {
    /// Adds what was counted of calls since this was asked last, and how things are now.
    async fn take(&self, to: &mut Emitted);

    /// Adds what arrived in a minute that is over, as what is stored says.
    async fn arrived(&self, _minute: u64, _: &mut Emitted) {}

    /// The first minute from `from` on in which anything arrived, by what is stored.
    async fn next_arrival(&self, _from: u64) -> Option<u64> {
        None
    }
}

/// A metric by its name, without dimensions.
pub struct Name {
    namespace: &'static str,
    name: &'static str,
    unit: Unit,
    /// What a value that was counted is multiplied by.
    factor: f64,
}

impl Name {
    /// A metric whose values are as they were counted.
    pub const fn new(namespace: &'static str, name: &'static str, unit: Unit) -> Self {
        Self {
            namespace,
            name,
            unit,
            factor: 1.0,
        }
    }

    /// The same where what was counted is so many of the unit.
    pub const fn times(self, factor: f64) -> Self {
        Self { factor, ..self }
    }
}

/// What is emitted of a minute.
pub struct Emitted {
    at: Millis,
    data: Vec<Datum>,
}

impl Emitted {
    /// Nothing yet, of the minute with this number since the epoch.
    pub fn of(minute: u64) -> Self {
        Self {
            at: Millis::of_minute(minute),
            data: Vec::new(),
        }
    }

    /// Adds values of a metric with these dimensions, where there are any.
    pub fn add(&mut self, name: &Name, dimensions: &[(&str, &str)], tallied: Option<Tallied>) {
        if let Some(tallied) = tallied {
            self.add_summary(name, dimensions, summary(&tallied, name.factor));
        }
    }

    /// Adds one value, as it is.
    pub fn add_one(&mut self, name: &Name, dimensions: &[(&str, &str)], value: f64) {
        self.add_summary(name, dimensions, Summary::of(value, 1.0));
    }

    fn add_summary(&mut self, name: &Name, dimensions: &[(&str, &str)], summary: Summary) {
        let owned = dimensions.iter();
        let owned = owned.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        self.data.push(Datum {
            metric: Metric::new(name.namespace, name.name, owned.collect()),
            unit: name.unit,
            at: self.at,
            is_high_resolution: false,
            values: Values::Set(summary),
        });
    }
}

/// Counts stay below 2^53, where they are exact.
#[expect(clippy::cast_precision_loss, reason = "no minute has so many")]
fn summary(tallied: &Tallied, factor: f64) -> Summary {
    Summary {
        count: tallied.count as f64,
        sum: tallied.sum as f64 * factor,
        min: tallied.least as f64 * factor,
        max: tallied.most as f64 * factor,
    }
}
