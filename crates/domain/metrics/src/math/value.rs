//! Values of expressions: numbers, series, and several series.

use std::cmp::Ordering;

use headwater_types::Millis;

use super::MathError;

/// A series of points.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TimeSeries {
    /// The id of the metric that it comes of; none of one that comes of several.
    pub id: Option<String>,
    /// The length of a period in seconds.
    pub period: u32,
    /// The points, in the order of their times.
    pub points: Vec<(Millis, f64)>,
}

/// The value of an expression.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A number.
    Scalar(f64),
    /// A series.
    Series(TimeSeries),
    /// Several series.
    Array(Vec<TimeSeries>),
}

impl TimeSeries {
    /// The series with each value in another's place; what is no finite number is left out.
    pub(super) fn map(&self, with: impl Fn(Millis, f64) -> f64) -> Self {
        let points = self
            .points
            .iter()
            .map(|(at, value)| (*at, with(*at, *value)));
        self.with(points)
    }

    /// The series with other points.
    pub(super) fn with(&self, points: impl IntoIterator<Item = (Millis, f64)>) -> Self {
        Self {
            id: self.id.clone(),
            period: self.period,
            points: points
                .into_iter()
                .filter(|point| point.1.is_finite())
                .collect(),
        }
    }

    /// Two series where both have a point.
    pub(super) fn zip(&self, other: &Self, with: impl Fn(f64, f64) -> f64) -> Self {
        let (mut points, mut others) = (Vec::new(), other.points.iter().peekable());
        for (at, value) in &self.points {
            while others.next_if(|other| other.0 < *at).is_some() {}
            if let Some((_, other)) = others.next_if(|other| other.0 == *at) {
                points.push((*at, with(*value, *other)));
            }
        }
        let joined = Self {
            id: self.id.clone().filter(|id| other.id.as_ref() == Some(id)),
            period: self.period.max(other.period),
            points: Vec::new(),
        };
        joined.with(points)
    }

    pub(super) fn value_at(&self, at: Millis) -> Option<f64> {
        let place = self
            .points
            .binary_search_by_key(&at, |point| point.0)
            .ok()?;
        Some(self.points[place].1)
    }

    pub(super) fn values(&self) -> impl Iterator<Item = f64> {
        self.points.iter().map(|point| point.1)
    }
}

impl Value {
    /// The series that it has.
    pub fn series(&self) -> &[TimeSeries] {
        match self {
            Self::Scalar(_) => &[],
            Self::Series(series) => std::slice::from_ref(series),
            Self::Array(array) => array,
        }
    }

    pub(super) fn points(&self) -> usize {
        self.series().iter().map(|series| series.points.len()).sum()
    }

    pub(super) fn scalar(self) -> Result<f64, MathError> {
        match self {
            Self::Scalar(number) => Ok(number),
            _ => Err(MathError::Kind("a number should stand where a series does")),
        }
    }

    pub(super) fn one_series(self) -> Result<TimeSeries, MathError> {
        match self {
            Self::Series(series) => Ok(series),
            Self::Scalar(_) => Err(MathError::Kind("a series should stand where a number does")),
            Self::Array(_) => Err(MathError::Kind("one series should stand where several do")),
        }
    }

    pub(super) fn array(self) -> Result<Vec<TimeSeries>, MathError> {
        match self {
            Self::Array(array) => Ok(array),
            Self::Series(series) => Ok(vec![series]),
            Self::Scalar(_) => Err(MathError::Kind("series should stand where a number does")),
        }
    }

    /// Each series in another's place.
    pub(super) fn each(self, with: impl Fn(&TimeSeries) -> TimeSeries) -> Result<Self, MathError> {
        match self {
            Self::Series(series) => Ok(Self::Series(with(&series))),
            Self::Array(array) => Ok(Self::Array(array.iter().map(with).collect())),
            Self::Scalar(_) => Err(MathError::Kind("a series should stand where a number does")),
        }
    }

    /// Each number in another's place, that of a number as those of series.
    pub(super) fn map(self, with: impl Fn(f64) -> f64) -> Self {
        match self {
            Self::Scalar(number) => Self::Scalar(with(number)),
            Self::Series(series) => Self::Series(series.map(|_, value| with(value))),
            Self::Array(array) => Self::Array(
                array
                    .iter()
                    .map(|series| series.map(|_, value| with(value)))
                    .collect(),
            ),
        }
    }

    /// Two values, number by number. Of two arrays only those of the same length.
    pub(super) fn zip(
        self,
        other: Self,
        with: impl Fn(f64, f64) -> f64,
    ) -> Result<Self, MathError> {
        Ok(match (self, other) {
            (Self::Scalar(left), Self::Scalar(right)) => Self::Scalar(with(left, right)),
            (left, Self::Scalar(right)) => left.map(|left| with(left, right)),
            (Self::Scalar(left), right) => right.map(|right| with(left, right)),
            (Self::Series(left), Self::Series(right)) => Self::Series(left.zip(&right, with)),
            (Self::Array(left), Self::Series(right)) => {
                let each = left.iter().map(|left| named(left.zip(&right, &with), left));
                Self::Array(each.collect())
            }
            (Self::Series(left), Self::Array(right)) => {
                let each = right
                    .iter()
                    .map(|right| named(left.zip(right, &with), right));
                Self::Array(each.collect())
            }
            (Self::Array(left), Self::Array(right)) => match left.len().cmp(&right.len()) {
                Ordering::Equal => {
                    let both = left.iter().zip(&right);
                    Self::Array(both.map(|(left, right)| left.zip(right, &with)).collect())
                }
                _ => return Err(MathError::Kind("two arrays should have as many series")),
            },
        })
    }
}

/// A series under the id of that which it comes of.
fn named(series: TimeSeries, of: &TimeSeries) -> TimeSeries {
    TimeSeries {
        id: of.id.clone(),
        ..series
    }
}
