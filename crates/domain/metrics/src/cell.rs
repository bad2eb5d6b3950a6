//! A cell: all that is kept of one series in one period.

use crate::{Distribution, Summary, Values};

/// What is kept of a series in a period: the values summed up, and how they are distributed.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Cell {
    pub summary: Summary,
    pub spread: Spread,
}

/// How the values of a cell are distributed, as it is kept.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) enum Spread {
    /// All values are the same.
    #[default]
    Even,
    /// Their distribution.
    Known(Box<Distribution>),
    /// Not known: a value is negative, or they came summed up.
    Unknown,
}

impl Cell {
    /// A cell of what was put.
    pub fn of(values: &Values) -> Self {
        match values {
            Values::Set(set) => Self::of_set(*set),
            Values::Each(each) => {
                let mut cell = Self::default();
                for (value, count) in each {
                    cell.add(&Self::of_set(Summary::of(*value, *count)));
                }
                cell
            }
        }
    }

    /// A set says how its values are distributed where it has one, or all are the same.
    fn of_set(summary: Summary) -> Self {
        let spread = match summary.min >= 0.0 {
            true if summary.min == summary.max => Spread::Even,
            // Its writer may say another least and greatest.
            true if summary.count == 1.0 && summary.sum >= 0.0 => {
                Spread::Known(Box::new(Distribution::of(summary.sum, 1.0)))
            }
            _ => Spread::Unknown,
        };
        Self { summary, spread }
    }

    /// Takes in what came later.
    pub fn add(&mut self, later: &Self) {
        if later.summary.count == 0.0 {
            return;
        }
        if self.summary.count == 0.0 {
            return *self = later.clone();
        }
        self.spread_to(later);
        self.summary.add(&later.summary);
    }

    fn spread_to(&mut self, later: &Self) {
        match (&mut self.spread, &later.spread) {
            (Spread::Unknown, _) => {}
            (spread, Spread::Unknown) => *spread = Spread::Unknown,
            (Spread::Even, Spread::Even) if self.summary.min == later.summary.min => {}
            (Spread::Known(all), Spread::Even) => all.add(later.summary.min, later.summary.count),
            (Spread::Known(all), Spread::Known(more)) => all.add_all(more),
            (spread, more) => {
                let mut all = Distribution::of(self.summary.min, self.summary.count);
                match more {
                    Spread::Known(more) => all.add_all(more),
                    _ => all.add(later.summary.min, later.summary.count),
                }
                *spread = Spread::Known(Box::new(all));
            }
        }
    }

    /// The distribution of its values, where it is known.
    pub fn distribution(&self) -> Option<Distribution> {
        match &self.spread {
            Spread::Even => Some(Distribution::of(self.summary.min, self.summary.count)),
            Spread::Known(known) => Some((**known).clone()),
            Spread::Unknown => None,
        }
    }

    /// About how many bytes of memory it takes.
    pub fn weight(&self) -> usize {
        let buckets = match &self.spread {
            Spread::Known(known) => known.buckets().len(),
            _ => 0,
        };
        size_of::<Self>() + buckets * size_of::<(u32, f64)>()
    }
}
