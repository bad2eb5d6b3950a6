//! Statistics: what is asked of the values of a period.

use headwater_types::Millis;

use crate::{Distribution, Summary};

/// A statistic, as the API names it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Statistic {
    /// How many values there are.
    SampleCount,
    /// Their sum.
    Sum,
    /// Their mean.
    Average,
    /// The least.
    Minimum,
    /// The greatest.
    Maximum,
    /// The value that this share of all values, in percent, is not above.
    Percentile(f64),
    /// The mean of the values within bounds.
    TrimmedMean(Bounds),
    /// The mean of all values, those beyond the bounds taken to be the bounds.
    WinsorizedMean(Bounds),
    /// How many values are within bounds.
    TrimmedCount(Bounds),
    /// The sum of the values within bounds.
    TrimmedSum(Bounds),
    /// The share of all values, in percent, that is within bounds of values.
    PercentileRank(Bounds),
}

/// A part of the values: those above `from`, up to `to`, itself included.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bounds {
    /// The lower bound, which is not of the part; none where there is none.
    pub from: Option<f64>,
    /// The upper bound, which is of the part; none where there is none.
    pub to: Option<f64>,
    /// Whether the bounds are shares of all values, in percent, and not values.
    pub are_percent: bool,
}

/// What was measured of a series in a period.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// When the period begins.
    pub at: Millis,
    /// The values summed up; there is at least one.
    pub summary: Summary,
    /// How they are distributed; none where a value is negative or came summed up with others.
    pub distribution: Option<Distribution>,
}

impl Statistic {
    /// The statistic with this name: one of the five, `p99.9`, `tm99`, `TM(5%:95%)`, `TM(10:200)`, the same with `wm`,
    /// `tc` and `ts`, `PR(:300)`, or `IQM`.
    pub fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "SampleCount" => Self::SampleCount,
            "Sum" => Self::Sum,
            "Average" => Self::Average,
            "Minimum" => Self::Minimum,
            "Maximum" => Self::Maximum,
            "IQM" | "iqm" => Self::TrimmedMean(percent(Some(25.0), Some(75.0))),
            _ => return Self::extended(name),
        })
    }

    fn extended(name: &str) -> Option<Self> {
        if let Some(number) = name.strip_prefix('p') {
            return Some(Self::Percentile(share(number)?));
        }
        let (kind, bounds) = name.split_at_checked(2)?;
        let bounds = match bounds.strip_prefix('(') {
            Some(bounds) => Bounds::parse(bounds.strip_suffix(')')?)?,
            None => percent(None, Some(share(bounds)?)),
        };
        Some(match kind {
            "tm" | "TM" => Self::TrimmedMean(bounds),
            "wm" | "WM" => Self::WinsorizedMean(bounds),
            "tc" | "TC" => Self::TrimmedCount(bounds),
            "ts" | "TS" => Self::TrimmedSum(bounds),
            "pr" | "PR" if !bounds.are_percent => Self::PercentileRank(bounds),
            _ => return None,
        })
    }
}

impl Bounds {
    /// Bounds as `5%:95%`, `:95%`, `10:200` or `10:`.
    fn parse(text: &str) -> Option<Self> {
        let (from, to) = text.split_once(':')?;
        let are_percent = text.ends_with('%') || from.ends_with('%');
        let bound = |text: &str| match (text, are_percent) {
            ("", _) => Some(None),
            (text, true) => share(text.strip_suffix('%')?).map(Some),
            (text, false) => number(text).map(Some),
        };
        let (from, to) = (bound(from)?, bound(to)?);
        let are_ordered = match (from, to) {
            (Some(from), Some(to)) => from < to,
            (from, to) => from.is_some() || to.is_some(),
        };
        are_ordered.then_some(Self {
            from,
            to,
            are_percent,
        })
    }
}

fn percent(from: Option<f64>, to: Option<f64>) -> Bounds {
    Bounds {
        from,
        to,
        are_percent: true,
    }
}

/// A share in percent, with at most ten digits behind the point.
fn share(text: &str) -> Option<f64> {
    number(text).filter(|share| *share <= 100.0)
}

/// A number of digits and at most one point.
fn number(text: &str) -> Option<f64> {
    const LENGTH_MAX: usize = 24;
    let is_one = text.len() <= LENGTH_MAX
        && text.starts_with(|first: char| first.is_ascii_digit())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.');
    text.parse().ok().filter(|_| is_one)
}

impl Point {
    /// A statistic of the values; none where it takes more than is known of them.
    pub fn statistic(&self, statistic: &Statistic) -> Option<f64> {
        let Summary {
            count,
            sum,
            min,
            max,
        } = self.summary;
        Some(match *statistic {
            Statistic::SampleCount => count,
            Statistic::Sum => sum,
            Statistic::Average => sum / count,
            Statistic::Minimum => min,
            Statistic::Maximum => max,
            Statistic::Percentile(0.0) => self.distribution.as_ref().map(|_| min)?,
            Statistic::Percentile(100.0) => self.distribution.as_ref().map(|_| max)?,
            Statistic::Percentile(percent) => self.at_percent(percent)?,
            Statistic::TrimmedMean(bounds) => {
                let (count, sum) = self.within(bounds)?;
                (count > 0.0).then(|| sum / count)?
            }
            Statistic::TrimmedCount(bounds) => self.within(bounds)?.0,
            Statistic::TrimmedSum(bounds) => self.within(bounds)?.1,
            Statistic::PercentileRank(bounds) => self.within(bounds)?.0 / count * 100.0,
            Statistic::WinsorizedMean(bounds) => self.winsorized(bounds)?,
        })
    }

    /// What is not above so many percent of the values. A bucket says less than the least and the greatest value do.
    fn at_percent(&self, percent: f64) -> Option<f64> {
        let found = self.distribution.as_ref()?.at_share(percent / 100.0);
        Some(found.max(self.summary.min).min(self.summary.max))
    }

    /// Count and sum of the values within bounds.
    fn within(&self, bounds: Bounds) -> Option<(f64, f64)> {
        let distribution = self.distribution.as_ref()?;
        let all = distribution.count();
        let rank = |percent: f64| percent / 100.0 * all;
        let (mut seen, mut count, mut sum) = (0.0, 0.0, 0.0);
        for (value, of_value) in distribution.values() {
            let value = value.max(self.summary.min).min(self.summary.max);
            let is_within = bounds.from.is_none_or(|from| value > from)
                && bounds.to.is_none_or(|to| value <= to);
            let part = match bounds.are_percent {
                true => {
                    let from = bounds.from.map_or(0.0, rank).max(seen);
                    let to = bounds.to.map_or(all, rank).min(seen + of_value);
                    (to - from).max(0.0)
                }
                false if is_within => of_value,
                false => 0.0,
            };
            seen += of_value;
            count += part;
            sum += part * value;
        }
        Some((count, sum))
    }

    fn winsorized(&self, bounds: Bounds) -> Option<f64> {
        let bound = |bound: f64| match bounds.are_percent {
            true => self.at_percent(bound),
            false => Some(bound),
        };
        let from = bounds
            .from
            .map(bound)
            .map_or(Some(self.summary.min), |from| from)?;
        let to = bounds
            .to
            .map(bound)
            .map_or(Some(self.summary.max), |to| to)?;
        let distribution = self.distribution.as_ref()?;
        let sum: f64 = distribution
            .values()
            .map(|(value, count)| value.max(from).min(to) * count)
            .sum();
        Some(sum / distribution.count())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Values, cell::Cell};

    fn point(values: &[f64]) -> Point {
        let values = values.iter().map(|value| (*value, 1.0)).collect();
        let cell = Cell::of(&Values::Each(values));
        Point {
            at: Millis(0),
            summary: cell.summary,
            distribution: cell.distribution(),
        }
    }

    fn of(values: &[f64], name: &str) -> Option<f64> {
        point(values).statistic(&Statistic::parse(name).unwrap())
    }

    #[test]
    fn statistics_of_the_numbers_to_a_hundred() {
        let values: Vec<f64> = (1..=100).map(f64::from).collect();
        for (name, expected) in [
            ("SampleCount", 100.0),
            ("Sum", 5050.0),
            ("Average", 50.5),
            ("Minimum", 1.0),
            ("Maximum", 100.0),
            ("p0", 1.0),
            ("p50", 50.0),
            ("p99", 99.0),
            ("p99.9", 100.0),
            ("p100", 100.0),
            ("tm90", 45.5),
            ("TM(10%:90%)", 50.5),
            ("TM(10:20)", 15.5),
            ("IQM", 50.5),
            ("tc90", 90.0),
            ("TC(:10)", 10.0),
            ("ts50", 1275.0),
            ("PR(:30)", 30.0),
            ("PR(30:)", 70.0),
            ("wm90", 49.95),
        ] {
            assert_eq!(of(&values, name), Some(expected), "{name}");
        }
    }

    #[test]
    fn one_value_is_exact_and_negative_ones_have_no_percentiles() {
        assert_eq!(of(&[1234.567], "p90"), Some(1234.567));
        assert_eq!(of(&[1234.567; 3], "tm99"), Some(1234.567));
        assert_eq!(of(&[5.0, -1.0], "p90"), None);
        assert_eq!(of(&[5.0, -1.0], "Minimum"), Some(-1.0));
        assert_eq!(of(&[5.0, 7.0], "TM(8:9)"), None);
    }

    #[test]
    fn what_is_no_statistic() {
        for name in [
            "",
            "sum",
            "p",
            "p101",
            "p-1",
            "p1e1",
            "pp",
            "tm",
            "tm101",
            "TM()",
            "TM(1)",
            "TM(:)",
            "TM(9:1)",
            "TM(1%:2)",
            "TM(1:2%)",
            "PR(1%:2%)",
            "PR90",
            "xx90",
            "ü9",
            "p.5",
            "pNaN",
        ] {
            assert_eq!(Statistic::parse(name), None, "{name}");
        }
    }
}
