//! What is put: values of a metric at a time.

use headwater_types::Millis;

use crate::{Metric, Unit};

/// What was measured of a metric at a time.
#[derive(Debug, Clone, PartialEq)]
pub struct Datum {
    /// The metric.
    pub metric: Metric,
    /// The unit of the values.
    pub unit: Unit,
    /// When they were measured.
    pub at: Millis,
    /// Whether they are told apart by the second, for a while, and not only by the minute.
    pub is_high_resolution: bool,
    /// The values.
    pub values: Values,
}

/// The values of a datum. None may be what is no number, or infinite; counts are above zero.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    /// Each value, and how often it was measured.
    Each(Vec<(f64, f64)>),
    /// A set of them, summed up by its writer.
    Set(Summary),
}

impl Values {
    /// One value.
    pub fn one(value: f64) -> Self {
        Self::Each(vec![(value, 1.0)])
    }
}

/// Values summed up. Of no value at all, everything is zero.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Summary {
    /// How many they are.
    pub count: f64,
    /// Their sum.
    pub sum: f64,
    /// The least.
    pub min: f64,
    /// The greatest.
    pub max: f64,
}

impl Summary {
    /// The same value, `count` times.
    pub fn of(value: f64, count: f64) -> Self {
        Self {
            count,
            sum: value * count,
            min: value,
            max: value,
        }
    }

    /// Takes in what came later.
    pub fn add(&mut self, later: &Self) {
        if later.count == 0.0 {
            return;
        }
        if self.count == 0.0 {
            return *self = *later;
        }
        self.count += later.count;
        self.sum += later.sum;
        self.min = self.min.min(later.min);
        self.max = self.max.max(later.max);
    }
}
