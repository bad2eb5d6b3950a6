//! Points asked for: the period's beginnings, and what is in each.

use std::{collections::BTreeMap, time::Duration};

use headwater_types::Millis;

use crate::{Metric, Point, Unit, cell::Cell, recent::Dot};

/// Points that are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// The metric.
    pub metric: Metric,
    /// The unit that the values were put with; every one when it is none.
    pub unit: Option<Unit>,
    /// The beginning of the first period; rounded down to what is still told apart of that age.
    pub from: Millis,
    /// The end, itself not included.
    pub to: Millis,
    /// The length of a period in seconds, at least one.
    pub period: u32,
}

/// The points of a metric that were put with one unit.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// The unit.
    pub unit: Unit,
    /// The points, in the order of their times. There is none for a period without a value.
    pub points: Vec<Point>,
}

const MINUTE: u64 = 60;
const DAY: u64 = 24 * 3600;

/// The beginning of the first period: `from` rounded down to the minute, after 15 days to five minutes and after 63 to the
/// hour; a period below a minute begins at a part of the minute that is as long. As GetMetricData's documentation has it.
pub fn aligned(from: Millis, period: u32, now: Millis) -> Millis {
    let age = now.since(from);
    let step = if age < Duration::from_secs(15 * DAY) {
        MINUTE.min(u64::from(period.max(1)))
    } else if age < Duration::from_secs(63 * DAY) {
        5 * MINUTE
    } else {
        60 * MINUTE
    };
    Millis(from.seconds() / step * step * 1000)
}

/// Cells by period.
pub(crate) struct Periods {
    from: u64,
    /// The first second that is not wanted.
    to: u64,
    period: u64,
    cells: BTreeMap<u64, Cell>,
}

impl Periods {
    pub fn new(from: Millis, to: Millis, period: u32) -> Self {
        Self {
            from: from.seconds(),
            to: to.0.div_ceil(1000),
            period: u64::from(period.max(1)),
            cells: BTreeMap::new(),
        }
    }

    /// Takes in the points that are wanted of a series, which came later than those before.
    pub fn add(&mut self, dots: &[Dot]) {
        let start = dots.partition_point(|dot| dot.at < self.from);
        for dot in dots[start..].iter().take_while(|dot| dot.at < self.to) {
            let period = (dot.at - self.from) / self.period;
            self.cells.entry(period).or_default().add(&dot.cell);
        }
    }

    pub fn points(self) -> Vec<Point> {
        let (from, period) = (self.from, self.period);
        let point = |(number, cell): (u64, Cell)| Point {
            at: Millis((from + number * period) * 1000),
            distribution: cell.distribution(),
            summary: cell.summary,
        };
        self.cells.into_iter().map(point).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_beginning_is_rounded_down_by_age() {
        let now = Millis(1_700_000_000_000);
        let at = |days: u64, period| {
            let from = Millis(now.0 - days * DAY * 1000 + 47_123);
            from.seconds() - aligned(from, period, now).seconds()
        };
        // 20 seconds behind the minute and 4 of them behind five, at 13 minutes past the hour.
        assert_eq!((at(1, 60), at(1, 1), at(1, 10), at(1, 300)), (7, 0, 7, 7));
        assert_eq!((at(16, 300), at(64, 3600)), (247, 847));
    }
}
