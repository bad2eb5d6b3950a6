//! Values of metrics, gathered in any order and written in one of the forms in which they leave the server.

use std::{collections::BTreeMap, fmt};

use super::families::{Kind, Metric};

/// Values of metrics. In what is made of them those of one metric stand together.
pub struct Samples {
    form: Box<dyn Form>,
    region: String,
    /// The values of each metric as they are written, by its name.
    families: BTreeMap<&'static str, (&'static Metric, String)>,
}

/// A form in which metrics are written.
pub trait Form: Send {
    /// Adds a value to those of its metric.
    fn value(&self, metric: &Metric, labels: Labels<'_>, value: Number, to: &mut String);

    /// Adds a histogram to those of its metric.
    fn histogram(&self, metric: &Metric, labels: Labels<'_>, of: Histogram<'_>, to: &mut String);

    /// Adds a metric with all its values to the whole.
    fn family(&self, metric: &Metric, values: &str, to: &mut String);
}

/// The values of a metric's labels.
#[derive(Debug, Clone, Copy)]
pub struct Labels<'a> {
    region: Option<&'a str>,
    others: &'a [&'a str],
}

/// The counts of a histogram, of which each but the last has its bound, and the sum of what was counted.
#[derive(Debug, Clone, Copy)]
pub struct Histogram<'a> {
    /// The highest value of each count but the last.
    pub bounds: &'a [f64],
    /// How many values lie in each range.
    pub counts: &'a [u64],
    /// The sum of the values.
    pub sum: f64,
}

/// The numbers that a value may be.
#[derive(Debug, Clone, Copy)]
pub enum Number {
    /// A count.
    Whole(u64),
    /// A measure.
    Real(f64),
}

impl Samples {
    /// No values yet; those that are added are of `region`, where their metric has such a label.
    pub fn of_region(region: &str, form: Box<dyn Form>) -> Self {
        Self {
            form,
            region: region.to_owned(),
            families: BTreeMap::new(),
        }
    }

    /// Those that are added from now on are of another region.
    pub fn set_region(&mut self, region: &str) {
        region.clone_into(&mut self.region);
    }

    /// Adds a value of a metric, with the values of its labels behind the region.
    pub fn add(&mut self, metric: &'static Metric, labels: &[&str], value: impl Into<Number>) {
        debug_assert_ne!(metric.kind, Kind::Histogram, "{}", metric.name);
        let value = value.into();
        self.put(metric, labels, |form, labels, values| {
            form.value(metric, labels, value, values);
        });
    }

    /// Adds a histogram of a metric.
    pub fn add_histogram(&mut self, metric: &'static Metric, labels: &[&str], of: Histogram<'_>) {
        debug_assert_eq!(metric.kind, Kind::Histogram, "{}", metric.name);
        debug_assert_eq!(of.bounds.len() + 1, of.counts.len(), "{}", metric.name);
        self.put(metric, labels, |form, labels, values| {
            form.histogram(metric, labels, of, values);
        });
    }

    fn put(
        &mut self,
        metric: &'static Metric,
        others: &[&str],
        write: impl FnOnce(&dyn Form, Labels<'_>, &mut String),
    ) {
        let of_region = metric.labels.first() == Some(&"region");
        let count = others.len() + usize::from(of_region);
        debug_assert_eq!(metric.labels.len(), count, "{}", metric.name);
        let region = of_region.then_some(&*self.region);
        let family = self.families.entry(metric.name);
        let (_, values) = family.or_insert((metric, String::new()));
        write(&*self.form, Labels { region, others }, values);
    }

    /// All of them in their form.
    pub fn into_text(self) -> String {
        let mut text = String::new();
        for (metric, values) in self.families.into_values() {
            self.form.family(metric, &values, &mut text);
        }
        text
    }
}

impl<'a> Labels<'a> {
    /// The names and values of the labels.
    pub fn pairs(self, metric: &Metric) -> impl Iterator<Item = (&'a str, &'a str)> {
        let values = self.region.into_iter().chain(self.others.iter().copied());
        metric.labels.iter().copied().zip(values)
    }
}

impl From<u64> for Number {
    fn from(value: u64) -> Self {
        Self::Whole(value)
    }
}

impl From<f64> for Number {
    fn from(value: f64) -> Self {
        Self::Real(value)
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole(value) => value.fmt(f),
            Self::Real(value) => value.fmt(f),
        }
    }
}
