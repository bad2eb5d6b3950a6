//! What a metric filter makes of an event that it matches: a value of a metric.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Error, Pattern, limits::FILTER_DIMENSIONS_MAX, pattern::Select};

/// How a metric filter makes values, as it is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Transformation {
    /// The metric's namespace.
    pub namespace: String,
    /// The metric's name.
    pub name: String,
    /// The value: a number, or the place of one in the event, `$.latency` or `$bytes`.
    pub value: String,
    /// The value of a minute in which events came and none matched.
    pub default: Option<f64>,
    /// Names of dimensions and the places of their values in the event.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub dimensions: BTreeMap<String, String>,
    /// The name of the unit, as users write it.
    pub unit: Option<String>,
}

/// A transformation, understood.
#[derive(Debug, Clone)]
pub(crate) struct Values {
    value: Value,
    dimensions: Vec<(String, Select)>,
}

#[derive(Debug, Clone)]
enum Value {
    Number(f64),
    At(Select),
}

impl Values {
    /// Understands a transformation of events that a pattern matches. Texts as AWS's.
    ///
    /// # Errors
    /// [`Error::Transformation`] says what is wrong with it.
    pub fn parse(of: &Transformation, pattern: &Pattern) -> Result<Self, Error> {
        let refused =
            |why: &str| Error::Transformation(format!("Invalid metric transformation: {why}"));
        if of.default.is_some() && !of.dimensions.is_empty() {
            return Err(refused(
                "dimensions and default value are mutually exclusive properties",
            ));
        }
        if of.dimensions.len() > FILTER_DIMENSIONS_MAX {
            return Err(refused("at most three dimensions are allowed"));
        }
        if of.default.is_some_and(|value| !value.is_finite()) {
            return Err(refused("default value must be a valid number"));
        }
        let value = match number(&of.value) {
            Some(number) => Value::Number(number),
            None => Select::parse(&of.value, pattern)
                .map(Value::At)
                .map_err(|_| {
                    refused(&format!("metric value {} must be a valid number", of.value))
                })?,
        };
        let dimensions = of.dimensions.iter().map(|(name, place)| {
            let place = Select::parse(place, pattern);
            let place = place.map_err(|_| refused("dimension value must be valid selector"))?;
            Ok((name.clone(), place))
        });
        Ok(Self {
            value,
            dimensions: dimensions.collect::<Result<_, Error>>()?,
        })
    }

    /// The value of a message that matches, and its dimensions; none where one of them is not there, or the value is no
    /// number.
    pub fn of(&self, pattern: &Pattern, message: &str) -> Option<(f64, Vec<(String, String)>)> {
        let value = match &self.value {
            Value::Number(number) => *number,
            Value::At(place) => number(&place.text(pattern, message)?)?,
        };
        let dimensions = self.dimensions.iter().map(|(name, place)| {
            let found = place.text(pattern, message)?;
            (!found.is_empty()).then(|| (name.clone(), found))
        });
        Some((value, dimensions.collect::<Option<_>>()?))
    }
}

fn number(text: &str) -> Option<f64> {
    let is_of_number = |c: char| c.is_ascii_digit() || "+-.eE".contains(c);
    let number: f64 = text
        .chars()
        .all(is_of_number)
        .then(|| text.parse().ok())??;
    number.is_finite().then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn transformation(value: &str, dimensions: &[(&str, &str)]) -> Transformation {
        let dimensions = dimensions.iter();
        Transformation {
            namespace: "n".into(),
            name: "m".into(),
            value: value.into(),
            default: None,
            dimensions: dimensions
                .map(|(name, place)| ((*name).into(), (*place).into()))
                .collect(),
            unit: None,
        }
    }

    fn value(
        pattern: &str,
        value: &str,
        dimensions: &[(&str, &str)],
        message: &str,
    ) -> Option<(f64, String)> {
        let pattern = Pattern::parse(pattern).unwrap();
        let values = Values::parse(&transformation(value, dimensions), &pattern).unwrap();
        let (value, dimensions) = values.of(&pattern, message)?;
        let shown = dimensions
            .into_iter()
            .map(|(name, value)| format!("{name}={value}"));
        Some((value, shown.collect::<Vec<_>>().join(" ")))
    }

    #[test]
    fn values_are_numbers_or_stand_in_the_event() {
        let none = String::new;
        assert_eq!(value("ERROR", "1", &[], "an ERROR"), Some((1.0, none())));
        assert_eq!(
            value("ERROR", "-2.5e1", &[], "an ERROR"),
            Some((-25.0, none()))
        );
        let message = r#"{"latency": 12.5, "text": "7", "user": {"ids": ["a", "b"]}}"#;
        let json = |place: &str| value("{ $.latency = * }", place, &[], message);
        assert_eq!(json("$.latency"), Some((12.5, none())));
        assert_eq!(json("$.text"), Some((7.0, none())));
        assert_eq!(json("$.user.ids[1]"), None, "it is no number");
        assert_eq!(json("$.missing"), None);
        let line = r#"127.0.0.1 - frank [10/Oct/2000:13:25:15 -0700] "GET /" 404 1534"#;
        let fields = "[ip, ..., status, bytes]";
        assert_eq!(value(fields, "$bytes", &[], line), Some((1534.0, none())));
        assert_eq!(value(fields, "$ip", &[], line), None);
        let dimensions = [("Status", "$status"), ("Ip", "$ip")];
        let expected = Some((1.0, "Ip=127.0.0.1 Status=404".to_owned()));
        assert_eq!(value(fields, "1", &dimensions, line), expected);
        assert_eq!(
            value("{ $.text = * }", "1", &[("A", "$.missing")], message),
            None
        );
    }

    #[test]
    fn what_cannot_be_made_is_refused_in_the_words_of_aws() {
        let refused = |of: &Transformation, pattern: &str| {
            let pattern = Pattern::parse(pattern).unwrap();
            Values::parse(of, &pattern).unwrap_err().to_string()
        };
        let number = "Invalid metric transformation: metric value $x must be a valid number";
        assert_eq!(refused(&transformation("$x", &[]), "[a, b]"), number);
        let selector = "Invalid metric transformation: dimension value must be valid selector";
        assert_eq!(
            refused(&transformation("1", &[("A", "b")]), "[a, b]"),
            selector
        );
        let both = Transformation {
            default: Some(0.0),
            ..transformation("1", &[("A", "$a")])
        };
        let exclusive = "Invalid metric transformation: dimensions and default value are mutually exclusive properties";
        assert_eq!(refused(&both, "[a, b]"), exclusive);
    }
}
