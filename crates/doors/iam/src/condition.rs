//! Conditions: what a request must be like for a statement to cover it.

use std::{collections::BTreeMap, net::IpAddr};

use jiff::Timestamp;

use crate::{
    Malformed, Pattern,
    pattern::Reading,
    raw::{Pairs, Texts},
    values::{Compare, Network, number, time, truth},
};

/// A request's values by the names of their keys, such as `aws:SourceIp`; upper and lower case are alike in names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Keys(BTreeMap<String, Vec<String>>);

impl Keys {
    /// These, and one more value of a key.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<String>) -> Self {
        self.0
            .entry(key.to_ascii_lowercase())
            .or_default()
            .push(value.into());
        self
    }

    /// All values of a key, whose name is in lower case.
    fn of(&self, key: &str) -> &[String] {
        self.0.get(key).map_or(&[], Vec::as_slice)
    }

    /// The value of a key that has one.
    pub(crate) fn one(&self, key: &str) -> Option<&str> {
        match self.of(key) {
            [one] => Some(one),
            _ => None,
        }
    }
}

/// One key, and what its values must be like.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    /// In lower case.
    key: String,
    test: Test,
    /// `…Not…`: holds where the test does not.
    negated: bool,
    /// `…IfExists`: holds where there is no value.
    if_exists: bool,
    /// `ForAnyValue:` or `ForAllValues:`.
    set: Option<Set>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Set {
    Any,
    All,
}

/// A value fits when it fits one of those listed.
#[derive(Debug, Clone, PartialEq)]
enum Test {
    Text(Vec<Pattern>),
    TextInAnyCase(Vec<Pattern>),
    Arn(Vec<Pattern>),
    Number(Compare, Vec<f64>),
    Time(Compare, Vec<Timestamp>),
    Truth(Vec<bool>),
    Address(Vec<Network>),
    /// `Null`: that there is no value, or that there is one.
    Absent(Vec<bool>),
}

impl Condition {
    /// Whether the request is like that. A key without values fits no test, so that it fits every negated one.
    pub(crate) fn holds(&self, keys: &Keys) -> bool {
        let values = keys.of(&self.key);
        if let Test::Absent(wanted) = &self.test {
            return wanted.contains(&values.is_empty());
        }
        let fits = |value: &String| self.test.fits(value, keys) != self.negated;
        match (self.set, values) {
            (_, []) if self.if_exists => true,
            (None, []) => self.negated,
            (Some(Set::All), values) => values.iter().all(fits),
            (None, values) if self.negated => values.iter().all(fits),
            (Some(Set::Any) | None, values) => values.iter().any(fits),
        }
    }
}

impl Test {
    fn fits(&self, value: &str, keys: &Keys) -> bool {
        match self {
            Self::Text(texts) => texts.iter().any(|text| text.matches(value, keys)),
            Self::TextInAnyCase(texts) => {
                texts.iter().any(|text| text.matches_any_case(value, keys))
            }
            Self::Arn(arns) => arns.iter().any(|arn| arn.matches_arn(value, keys)),
            Self::Number(compare, listed) => number(value).is_some_and(|value| {
                listed
                    .iter()
                    .filter_map(|number| value.partial_cmp(number))
                    .any(|order| compare.is(order))
            }),
            Self::Time(compare, listed) => time(value)
                .is_some_and(|value| listed.iter().any(|time| compare.is(value.cmp(time)))),
            Self::Truth(listed) => truth(value).is_some_and(|value| listed.contains(&value)),
            Self::Address(networks) => value
                .parse::<IpAddr>()
                .is_ok_and(|address| networks.iter().any(|network| network.holds(address))),
            Self::Absent(_) => false,
        }
    }
}

/// The conditions of a statement.
pub(crate) fn read(
    Pairs(operators): Pairs<Pairs<Texts>>,
    variables: bool,
) -> Result<Vec<Condition>, Malformed> {
    let mut conditions = Vec::new();
    for (operator, Pairs(keys)) in operators {
        for (key, Texts(values)) in keys {
            conditions.push(condition(&operator, &key, values, variables)?);
        }
    }
    Ok(conditions)
}

fn condition(
    operator: &str,
    key: &str,
    values: Vec<String>,
    variables: bool,
) -> Result<Condition, Malformed> {
    let (set, bare) = match operator.split_once(':') {
        Some(("ForAnyValue", bare)) => (Some(Set::Any), bare),
        Some(("ForAllValues", bare)) => (Some(Set::All), bare),
        Some(_) => return Err(Malformed::Operator(operator.to_owned())),
        None => (None, operator),
    };
    let (bare, if_exists) = match bare.strip_suffix("IfExists") {
        Some(bare) => (bare, true),
        None => (bare, false),
    };
    if bare == "Null" && (set.is_some() || if_exists) {
        return Err(Malformed::Operator(operator.to_owned()));
    }
    let (test, negated) = test(bare, operator, &values, variables)?;
    Ok(Condition {
        key: key.to_ascii_lowercase(),
        test,
        negated,
        if_exists,
        set,
    })
}

/// The test of an operator without prefix and suffix, and whether it is negated.
fn test(
    bare: &str,
    operator: &str,
    values: &[String],
    variables: bool,
) -> Result<(Test, bool), Malformed> {
    let texts = |wildcards| {
        values
            .iter()
            .map(|text| {
                Pattern::read(
                    text,
                    Reading {
                        wildcards,
                        variables,
                    },
                )
            })
            .collect::<Result<_, _>>()
    };
    let numbers =
        |compare| all(operator, values, number).map(|numbers| Test::Number(compare, numbers));
    let times = |compare| all(operator, values, time).map(|times| Test::Time(compare, times));
    let networks = || all(operator, values, Network::read).map(Test::Address);
    Ok(match bare {
        "StringEquals" => (Test::Text(texts(false)?), false),
        "StringNotEquals" => (Test::Text(texts(false)?), true),
        "StringEqualsIgnoreCase" => (Test::TextInAnyCase(texts(false)?), false),
        "StringNotEqualsIgnoreCase" => (Test::TextInAnyCase(texts(false)?), true),
        "StringLike" => (Test::Text(texts(true)?), false),
        "StringNotLike" => (Test::Text(texts(true)?), true),
        // As the guide says, the two are the same.
        "ArnEquals" | "ArnLike" => (Test::Arn(texts(true)?), false),
        "ArnNotEquals" | "ArnNotLike" => (Test::Arn(texts(true)?), true),
        "NumericEquals" => (numbers(Compare::Equal)?, false),
        "NumericNotEquals" => (numbers(Compare::Equal)?, true),
        "NumericLessThan" => (numbers(Compare::Less)?, false),
        "NumericLessThanEquals" => (numbers(Compare::LessOrEqual)?, false),
        "NumericGreaterThan" => (numbers(Compare::Greater)?, false),
        "NumericGreaterThanEquals" => (numbers(Compare::GreaterOrEqual)?, false),
        "DateEquals" => (times(Compare::Equal)?, false),
        "DateNotEquals" => (times(Compare::Equal)?, true),
        "DateLessThan" => (times(Compare::Less)?, false),
        "DateLessThanEquals" => (times(Compare::LessOrEqual)?, false),
        "DateGreaterThan" => (times(Compare::Greater)?, false),
        "DateGreaterThanEquals" => (times(Compare::GreaterOrEqual)?, false),
        "Bool" => (Test::Truth(all(operator, values, truth)?), false),
        "IpAddress" => (networks()?, false),
        "NotIpAddress" => (networks()?, true),
        "Null" => (Test::Absent(all(operator, values, truth)?), false),
        _ => return Err(Malformed::Operator(operator.to_owned())),
    })
}

/// All values as the operator compares them.
fn all<T>(
    operator: &str,
    values: &[String],
    read: impl Fn(&str) -> Option<T>,
) -> Result<Vec<T>, Malformed> {
    let one = |value: &String| {
        read(value).ok_or_else(|| Malformed::Value {
            operator: operator.to_owned(),
            value: value.clone(),
        })
    };
    values.iter().map(one).collect()
}
