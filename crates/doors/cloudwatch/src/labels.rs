//! Labels: those that are given, with what they say of the values filled in, and those that are made.
//!
//! Made ones are a metric's name, with its statistic and its period where those of a request differ, as localstack recorded
//! it. What may be filled in is as the user guide's "Using dynamic labels" has it, without the times of values.

use std::fmt::Write;

use headwater_types::Millis;
use headwater_wire::{ApiError, Context};

use crate::queries::{Asked, Stat, What};

/// A label that was given, in its parts.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Label(Vec<Part>);

#[derive(Debug, Clone, PartialEq)]
enum Part {
    Text(String),
    /// The label that would be made.
    Made,
    Value(Of),
    /// A property of the metric.
    Property(String),
}

/// What is made of a series' values.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Of {
    Average,
    Minimum,
    Maximum,
    Sum,
    First,
    Last,
    Range,
    Count,
}

/// The words for values.
const VALUES: &[(&str, Of)] = &[
    ("AVG", Of::Average),
    ("MIN", Of::Minimum),
    ("MAX", Of::Maximum),
    ("SUM", Of::Sum),
    ("FIRST", Of::First),
    ("LAST", Of::Last),
    ("MIN_MAX_RANGE", Of::Range),
    ("DATAPOINT_COUNT", Of::Count),
];

/// The properties of a metric, but its dimensions.
const PROPERTIES: &[&str] = &[
    "Namespace",
    "MetricName",
    "Stat",
    "Period",
    "Region",
    "AccountId",
];
const DIMENSION: &str = "Dim.";

impl Label {
    /// Reads a label.
    ///
    /// # Errors
    /// Something is to be filled in that is not supported.
    pub fn parse(text: &str) -> Result<Self, ApiError> {
        let (mut parts, mut rest) = (Vec::new(), text);
        while let Some((before, after)) = rest.split_once("${")
            && let Some((word, behind)) = after.split_once('}')
        {
            let part = part(word)
                .ok_or_else(|| ApiError::not_supported(format_args!("${{{word}}} in a label")))?;
            parts.extend([Part::Text(before.to_owned()), part]);
            rest = behind;
        }
        parts.push(Part::Text(rest.to_owned()));
        Ok(Self(parts))
    }

    /// The label of a series, in whose place `made` would be made.
    pub fn fill(
        &self,
        made: &str,
        stat: Option<&Stat>,
        points: &[(Millis, f64)],
        context: &Context,
    ) -> String {
        let mut label = String::new();
        for part in &self.0 {
            match part {
                Part::Text(text) => label.push_str(text),
                Part::Made => label.push_str(made),
                Part::Value(of) => match of.values(points) {
                    Some(value) => write!(label, "{value}").expect("a string takes all"),
                    None => label.push_str("--"),
                },
                Part::Property(name) => label.push_str(&property(name, stat, context)),
            }
        }
        label
    }
}

fn part(word: &str) -> Option<Part> {
    if word == "LABEL" {
        return Some(Part::Made);
    }
    if let Some((_, of)) = VALUES.iter().find(|(name, _)| *name == word) {
        return Some(Part::Value(*of));
    }
    let name = word.strip_prefix("PROP('")?.strip_suffix("')")?;
    let is_known = PROPERTIES.contains(&name) || name.starts_with(DIMENSION);
    is_known.then(|| Part::Property(name.to_owned()))
}

impl Of {
    /// The value made of points in the order of their times; none of no points.
    fn values(self, points: &[(Millis, f64)]) -> Option<f64> {
        let values = || points.iter().map(|point| point.1);
        let count = points.len() as f64;
        let (least, most) = (values().reduce(f64::min), values().reduce(f64::max));
        Some(match self {
            Self::Count => count,
            Self::Average => values().sum::<f64>() / points.first().map(|_| count)?,
            Self::Minimum => least?,
            Self::Maximum => most?,
            Self::Sum => values().sum(),
            Self::First => values().next()?,
            Self::Last => values().next_back()?,
            Self::Range => most? - least?,
        })
    }
}

/// A property's value; empty of what has none, as expressions have none.
fn property(name: &str, stat: Option<&Stat>, context: &Context) -> String {
    match (name, stat) {
        ("Region", _) => context.region.0.clone(),
        ("AccountId", _) => context.account.0.clone(),
        (_, None) => String::new(),
        ("Namespace", Some(stat)) => stat.metric.namespace.clone(),
        ("MetricName", Some(stat)) => stat.metric.name.clone(),
        ("Stat", Some(stat)) => stat.name.clone(),
        ("Period", Some(stat)) => stat.period.to_string(),
        (name, Some(stat)) => {
            let name = name.strip_prefix(DIMENSION).unwrap_or_default();
            let mut dimensions = stat.metric.dimensions.iter();
            let found = dimensions.find(|(known, _)| known == name);
            found.map(|(_, value)| value.clone()).unwrap_or_default()
        }
    }
}

/// How labels are made in a request.
pub(crate) struct Making {
    with_statistic: bool,
    with_period: bool,
}

impl Making {
    /// What these queries differ in is said.
    pub fn of(asked: &[Asked]) -> Self {
        let stats = || {
            asked.iter().filter_map(|asked| match &asked.what {
                What::Stat(stat) => Some(stat),
                What::Expression(_) => None,
            })
        };
        let first = stats().next();
        Self {
            with_statistic: first.is_some_and(|first| stats().any(|stat| stat.name != first.name)),
            with_period: first.is_some_and(|first| stats().any(|stat| stat.period != first.period)),
        }
    }

    /// The label of a query that has none.
    pub fn make(&self, asked: &Asked) -> String {
        let What::Stat(stat) = &asked.what else {
            return asked.id.clone();
        };
        let mut label = stat.metric.name.clone();
        if self.with_statistic {
            label = format!("{label} {}", stat.name);
        }
        if self.with_period {
            label = format!("{label} {}", stat.period);
        }
        label
    }
}

#[cfg(test)]
mod tests {
    use headwater_types::{Account, Region};

    use super::*;

    fn filled(label: &str, points: &[f64]) -> String {
        let account = Account("000000000000".to_owned());
        let context = Context::new("request", Region("us-east-1".to_owned()), account, "host");
        let points: Vec<_> = points.iter().map(|value| (Millis(0), *value)).collect();
        Label::parse(label)
            .unwrap()
            .fill("made", None, &points, &context)
    }

    #[test]
    fn values_are_filled_in() {
        let points = [3.0, 1.0, 2.0];
        for (label, expected) in [
            ("plain", "plain"),
            ("${LABEL}: ${MAX} ${MIN} ${AVG}", "made: 3 1 2"),
            (
                "${SUM} of ${DATAPOINT_COUNT}, ${FIRST} to ${LAST}",
                "6 of 3, 3 to 2",
            ),
            ("${MIN_MAX_RANGE} in ${PROP('Region')}", "2 in us-east-1"),
            ("an open ${", "an open ${"),
        ] {
            assert_eq!(filled(label, &points), expected, "{label}");
        }
        assert_eq!(filled("${MAX} ${SUM} ${DATAPOINT_COUNT}", &[]), "-- 0 0");
    }

    #[test]
    fn what_is_not_supported_is_named() {
        for (label, named) in [
            ("${MAX_TIME}", "${MAX_TIME}"),
            ("a${PROP('X')}", "${PROP('X')}"),
        ] {
            let refused = Label::parse(label).unwrap_err();
            assert_eq!(refused.status(), 501);
            assert!(refused.message().contains(named), "{}", refused.message());
        }
    }
}
