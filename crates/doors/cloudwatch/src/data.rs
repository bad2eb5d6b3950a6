//! Data as PutMetricData is given them, held against what the service takes.

use std::time::Duration;

use headwater_metrics::{Datum, Summary, Unit, Values};
use headwater_shapes::Timestamp;
use headwater_shapes_cloudwatch::{Dimension, MetricDatum, StatisticSet};
use headwater_types::Millis;
use headwater_wire::ApiError;

use crate::{
    errors::{combination, invalid, missing, too_many},
    names, ranges,
};

/// Data of one request (API reference, PutMetricData, as all bounds here).
const DATA_MAX: usize = 1000;
/// Values of a datum.
const VALUES_MAX: usize = 150;
/// How old a datum may be.
const PAST: Duration = Duration::from_secs(14 * 24 * 3600);
/// How far ahead it may be.
const AHEAD: Duration = Duration::from_secs(2 * 3600);
/// The greatest value: 2^360. The least is its opposite.
const VALUE_MAX: f64 = f64::from_bits((1023 + 360) << 52);

/// All data of a request, or AWS's error for the first that is wrong.
pub(crate) fn read(
    namespace: &str,
    data: Vec<MetricDatum>,
    now: Millis,
) -> Result<Vec<Datum>, ApiError> {
    if data.is_empty() {
        return Err(missing("The parameter MetricData is required."));
    }
    if data.len() > DATA_MAX {
        return Err(too_many("MetricData", DATA_MAX));
    }
    let data = data.into_iter().enumerate();
    data.map(|(at, datum)| {
        let place = Place(format!("MetricData.member.{}", at + 1));
        place.datum(namespace, datum, now)
    })
    .collect()
}

/// The place of a datum in its request, as errors name it.
struct Place(String);

impl Place {
    fn datum(self, namespace: &str, datum: MetricDatum, now: Millis) -> Result<Datum, ApiError> {
        let MetricDatum {
            metric_name,
            dimensions,
            timestamp,
            value,
            statistic_values,
            values,
            counts,
            unit,
            storage_resolution,
        } = datum;
        self.is_text("MetricName", &metric_name)?;
        self.dimensions(dimensions.as_deref().unwrap_or_default())?;
        let at = self.time(timestamp, now)?;
        let is_high_resolution = self.resolution(storage_resolution)?;
        let values = self.values(Given {
            value,
            values,
            counts,
            set: statistic_values,
        })?;
        Ok(Datum {
            metric: names::metric(namespace, &metric_name, dimensions),
            unit: names::unit(unit.as_deref()).unwrap_or(Unit::None),
            at,
            is_high_resolution,
            values,
        })
    }

    fn dimensions(&self, dimensions: &[Dimension]) -> Result<(), ApiError> {
        for (at, Dimension { name, value }) in dimensions.iter().enumerate() {
            let place = format!("Dimensions.member.{}", at + 1);
            self.is_text(&format!("{place}.Name"), name)?;
            self.is_text(&format!("{place}.Value"), value)?;
            if dimensions[..at].iter().any(|other| other.name == *name) {
                return Err(invalid(
                    "No metric may specify the same dimension name twice.",
                ));
            }
        }
        Ok(())
    }

    /// Sees to it that a text is of ASCII's characters alone.
    fn is_text(&self, name: &str, text: &str) -> Result<(), ApiError> {
        let Self(datum) = self;
        match text.is_ascii() {
            true => Ok(()),
            false => Err(invalid(format!(
                "The parameter {datum}.{name} must contain only ASCII characters."
            ))),
        }
    }

    fn time(&self, time: Option<Timestamp>, now: Millis) -> Result<Millis, ApiError> {
        let Self(datum) = self;
        let time = time.map_or(now, ranges::millis);
        let fault = match time {
            _ if time < now.minus(PAST) => "within the past two weeks",
            _ if time > now.plus(AHEAD) => "no more than two hours in the future",
            _ => return Ok(time),
        };
        Err(invalid(format!(
            "The parameter {datum}.Timestamp must specify a time {fault}."
        )))
    }

    fn resolution(&self, seconds: Option<i32>) -> Result<bool, ApiError> {
        let Self(datum) = self;
        match seconds {
            None | Some(60) => Ok(false),
            Some(1) => Ok(true),
            Some(other) => Err(invalid(format!(
                "The value {other} for parameter {datum}.StorageResolution is invalid."
            ))),
        }
    }

    fn values(&self, given: Given) -> Result<Values, ApiError> {
        let Given {
            value,
            values,
            counts,
            set,
        } = given;
        let values = values.filter(|values| !values.is_empty());
        match (value, values, set) {
            (Some(_), Some(_), _) => Err(self.exclusive("Values")),
            (Some(_), None, Some(_)) => Err(self.exclusive("StatisticValues")),
            (Some(value), None, None) => {
                self.is_value("Value", value)?;
                Ok(Values::one(value))
            }
            // AWS takes a set beside values, as localstack recorded it; these say more.
            (None, Some(values), _) => self.each(values, counts),
            (None, None, Some(set)) => self.set(set).map(Values::Set),
            (None, None, None) => {
                let Self(datum) = self;
                Err(missing(format!(
                    "At least one of the parameters {datum}.Value, {datum}.Values or {datum}.StatisticValues must be \
                     specified."
                )))
            }
        }
    }

    fn each(&self, values: Vec<f64>, counts: Option<Vec<f64>>) -> Result<Values, ApiError> {
        let Self(datum) = self;
        for (name, len) in [
            ("Values", values.len()),
            ("Counts", counts.as_ref().map_or(0, Vec::len)),
        ] {
            if len > VALUES_MAX {
                return Err(too_many(&format!("{datum}.{name}"), VALUES_MAX));
            }
        }
        let counts = counts.filter(|counts| !counts.is_empty());
        let counts = counts.unwrap_or_else(|| vec![1.0; values.len()]);
        if counts.len() != values.len() {
            return Err(invalid(format!(
                "The parameters {datum}.Values and {datum}.Counts must be of the same size."
            )));
        }
        for (value, count) in values.iter().zip(&counts) {
            self.is_value("Values", *value)?;
            self.is_value("Counts", *count)?;
            if *count < 0.0 {
                return Err(self.refused("Counts", *count));
            }
        }
        let each = values.into_iter().zip(counts);
        // A value that was never measured is none.
        Ok(Values::Each(each.filter(|each| each.1 > 0.0).collect()))
    }

    fn set(&self, set: StatisticSet) -> Result<Summary, ApiError> {
        let Self(datum) = self;
        let StatisticSet {
            sample_count: count,
            sum,
            minimum: min,
            maximum: max,
        } = set;
        for (name, value) in [
            ("SampleCount", count),
            ("Sum", sum),
            ("Minimum", min),
            ("Maximum", max),
        ] {
            self.is_value(&format!("StatisticValues.{name}"), value)?;
        }
        let set = format!("{datum}.StatisticValues");
        if count <= 0.0 {
            return Err(invalid(format!(
                "The parameter {set}.SampleCount must be greater than 0."
            )));
        }
        if max < min {
            return Err(invalid(format!(
                "The parameter {set}.Maximum must be greater than {set}.Minimum."
            )));
        }
        Ok(Summary {
            count,
            sum,
            min,
            max,
        })
    }

    fn is_value(&self, name: &str, value: f64) -> Result<(), ApiError> {
        match value.abs() <= VALUE_MAX {
            true => Ok(()),
            false => Err(self.refused(name, value)),
        }
    }

    fn refused(&self, name: &str, value: f64) -> ApiError {
        let (Self(datum), value) = (self, java(value));
        invalid(format!(
            "The value {value} for parameter {datum}.{name} is invalid."
        ))
    }

    fn exclusive(&self, other: &str) -> ApiError {
        let Self(datum) = self;
        combination(format!(
            "The parameters {datum}.Value and {datum}.{other} are mutually exclusive and you have specified both."
        ))
    }
}

/// The ways in which a datum says its values.
struct Given {
    value: Option<f64>,
    values: Option<Vec<f64>>,
    counts: Option<Vec<f64>>,
    set: Option<StatisticSet>,
}

/// A number as Java shows it.
fn java(value: f64) -> String {
    if value.is_infinite() {
        return match value > 0.0 {
            true => "Infinity".to_owned(),
            false => "-Infinity".to_owned(),
        };
    }
    if value.is_nan() || value == 0.0 || (1e-3..1e7).contains(&value.abs()) {
        return format!("{value:?}");
    }
    let text = format!("{value:E}");
    match text.split_once('E') {
        Some((digits, power)) if !digits.contains('.') => format!("{digits}.0E{power}"),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use headwater_shapes_cloudwatch::ops::PutMetricData;
    use serde_json::{Value, json};

    use super::*;
    use crate::testing::{START, World};

    async fn refused(datum: Value) -> (String, String) {
        let mut datum = datum;
        datum["MetricName"] = "m".into();
        let world = World::new().await;
        let put = json!({"Namespace": "n", "MetricData": [datum]});
        world.refused::<PutMetricData>(put).await
    }

    /// localstack's `test_put_metric_data_validation`, and what the API reference says.
    #[tokio::test]
    async fn what_is_no_datum_is_refused_in_awss_words() {
        let set = json!({"SampleCount": 10, "Sum": 55, "Minimum": 1, "Maximum": 10});
        let (value, combination) = (
            "InvalidParameterValueException",
            "InvalidParameterCombinationException",
        );
        for (datum, code, text) in [
            (
                json!({"Value": 1.5, "Values": [1.0, 10.0]}),
                combination,
                "The parameters MetricData.member.1.Value and MetricData.member.1.Values are mutually exclusive and you \
                 have specified both.",
            ),
            (
                json!({"Values": [1.0, 10.0], "Counts": [2, 4, 5]}),
                value,
                "The parameters MetricData.member.1.Values and MetricData.member.1.Counts must be of the same size.",
            ),
            (
                json!({"Value": 1.5, "StatisticValues": set}),
                combination,
                "The parameters MetricData.member.1.Value and MetricData.member.1.StatisticValues are mutually exclusive \
                 and you have specified both.",
            ),
            (
                json!({"Value": "NaN"}),
                value,
                "The value NaN for parameter MetricData.member.1.Value is invalid.",
            ),
            (
                json!({"Value": 1e109}),
                value,
                "The value 1.0E109 for parameter MetricData.member.1.Value is invalid.",
            ),
            (
                json!({"Values": vec![1.0; 151]}),
                value,
                "The collection MetricData.member.1.Values must not have a size greater than 150.",
            ),
            (
                json!({"Value": 1, "Timestamp": START / 1000 - 14 * 24 * 3600 - 1}),
                value,
                "The parameter MetricData.member.1.Timestamp must specify a time within the past two weeks.",
            ),
            (
                json!({"Value": 1, "Timestamp": START / 1000 + 7201}),
                value,
                "The parameter MetricData.member.1.Timestamp must specify a time no more than two hours in the future.",
            ),
            (
                json!({"Value": 1, "StorageResolution": 10}),
                value,
                "The value 10 for parameter MetricData.member.1.StorageResolution is invalid.",
            ),
        ] {
            let expected = (code.to_owned(), text.to_owned());
            assert_eq!(refused(datum.clone()).await, expected, "{datum}");
        }
        let (code, _) = refused(json!({})).await;
        assert_eq!(code, "MissingRequiredParameterException");
    }

    #[test]
    fn the_greatest_value_is_two_to_the_360th() {
        assert_eq!(VALUE_MAX, 2f64.powi(360));
        let place = Place("d".to_owned());
        assert!(place.is_value("v", -VALUE_MAX).is_ok());
        assert!(place.is_value("v", VALUE_MAX * 1.001).is_err());
    }

    #[test]
    fn numbers_are_shown_as_in_java() {
        for (value, text) in [
            (f64::NAN, "NaN"),
            (f64::NEG_INFINITY, "-Infinity"),
            (1.5e300, "1.5E300"),
            (-1e109, "-1.0E109"),
            (-1.0, "-1.0"),
        ] {
            assert_eq!(java(value), text);
        }
    }
}
