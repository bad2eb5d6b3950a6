//! Why an alarm is in its state: in AWS's words, and as its JSON of version 1.0.
//!
//! Texts and members are those of recorded alarms, events and notifications.

use headwater_types::Millis;
use jiff::{Timestamp, tz::TimeZone};
use serde::Serialize;

use crate::{
    Comparison, Missing, Source, State,
    evaluate::{Evaluated, Reading},
};

/// The reason in words.
pub(crate) fn text(evaluated: &Evaluated<'_>, before: State, state: State) -> String {
    let alarm = evaluated.alarm;
    if state == State::InsufficientData {
        let (count, unknown) = (alarm.periods, "unknown");
        return format!(
            "Insufficient Data: {} {} {unknown}.",
            datapoints(count),
            were(count)
        );
    }
    let missing = evaluated.missing;
    let treated = match alarm.treatment() {
        Missing::Breaching if missing > 0 => Some("Breaching"),
        Missing::NotBreaching if missing > 0 => Some("NonBreaching"),
        _ => None,
    };
    let treated = treated.map(|name| {
        format!(
            " and {} {} treated as [{name}]",
            missing_datapoints(missing),
            were(missing)
        )
    });
    if evaluated.readings.is_empty() {
        let periods = if alarm.periods == 1 {
            "period"
        } else {
            "periods"
        };
        let treated = treated.unwrap_or_default();
        return format!(
            "Threshold Crossed: no datapoints were received for {} {periods}{treated}.",
            alarm.periods
        );
    }
    let (readings, not) = match state {
        State::Alarm => (evaluated.breaching(), ""),
        _ => (evaluated.not_breaching(), "not "),
    };
    let count = readings.len() as u32;
    let counted = match alarm.to_alarm {
        Some(_) => format!("{count} out of the last {} datapoints", alarm.periods),
        None => datapoints(count),
    };
    let shown: Vec<_> = readings.iter().map(shown).collect();
    let least = alarm.to_alarm.map(|to_alarm| {
        let least = match state {
            State::Alarm => to_alarm,
            _ => alarm.periods + 1 - to_alarm,
        };
        format!(
            " (minimum {} for {} -> {} transition)",
            datapoints(least),
            before.name(),
            state.name()
        )
    });
    format!(
        "Threshold Crossed: {counted} [{}] {} {not}{} the threshold ({}){}{}.",
        shown.join(", "),
        were(count),
        alarm.comparison.words(),
        decimal(alarm.threshold),
        treated.unwrap_or_default(),
        least.unwrap_or_default(),
    )
}

/// The reason as JSON; its members are in AWS's order.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Data<'a> {
    version: &'static str,
    query_date: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    start_date: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unit: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    statistic: Option<&'a str>,
    period: u32,
    recent_datapoints: Vec<f64>,
    threshold: f64,
    evaluated_datapoints: Vec<Datapoint>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Datapoint {
    timestamp: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    sample_count: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<f64>,
}

/// The reason as JSON.
pub(crate) fn data(evaluated: &Evaluated<'_>) -> String {
    let alarm = evaluated.alarm;
    let statistic = match &alarm.source {
        Source::Statistic(statistic) => Some(statistic),
        Source::Parts(_) => None,
    };
    let data = Data {
        version: "1.0",
        query_date: time(evaluated.now),
        start_date: evaluated.readings.last().map(|oldest| time(oldest.at)),
        unit: statistic.and_then(|statistic| statistic.unit.as_deref()),
        statistic: statistic.map(|statistic| statistic.statistic.as_str()),
        period: alarm.period(),
        recent_datapoints: evaluated
            .readings
            .iter()
            .rev()
            .map(|reading| reading.value)
            .collect(),
        threshold: alarm.threshold,
        evaluated_datapoints: evaluated_datapoints(evaluated),
    };
    json(&data)
}

/// The periods that were evaluated, the newest first; where there is no value at all, those that are missing.
fn evaluated_datapoints(evaluated: &Evaluated<'_>) -> Vec<Datapoint> {
    let of_reading = |reading: &Reading| Datapoint {
        timestamp: time(reading.at),
        sample_count: reading.samples,
        value: Some(reading.value),
    };
    if !evaluated.readings.is_empty() {
        return evaluated.readings.iter().map(of_reading).collect();
    }
    let period = u64::from(evaluated.range.period) * 1000;
    let missing = |number: u64| Datapoint {
        timestamp: time(Millis(evaluated.range.to.0.saturating_sub(number * period))),
        sample_count: None,
        value: None,
    };
    (1..=u64::from(evaluated.alarm.periods))
        .map(missing)
        .collect()
}

/// A value as JSON.
pub(crate) fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("what is written here has texts as its keys")
}

fn datapoints(count: u32) -> String {
    format!(
        "{count} {}",
        if count == 1 {
            "datapoint"
        } else {
            "datapoints"
        }
    )
}

fn missing_datapoints(count: u32) -> String {
    format!(
        "{count} missing {}",
        if count == 1 {
            "datapoint"
        } else {
            "datapoints"
        }
    )
}

fn were(count: u32) -> &'static str {
    if count == 1 { "was" } else { "were" }
}

impl Comparison {
    fn words(self) -> &'static str {
        match self {
            Self::Greater => "greater than",
            Self::GreaterOrEqual => "greater than or equal to",
            Self::Less => "less than",
            Self::LessOrEqual => "less than or equal to",
        }
    }
}

/// A value with its time, as `21.5 (29/11/26 05:00:00)`.
fn shown(reading: &Reading) -> String {
    format!(
        "{} ({})",
        decimal(reading.value),
        formatted(reading.at, "%d/%m/%y %H:%M:%S")
    )
}

/// A time as `2019-10-01T13:56:40.985+0000`.
pub(crate) fn time(at: Millis) -> String {
    format!(
        "{}.{:03}+0000",
        formatted(at, "%Y-%m-%dT%H:%M:%S"),
        at.0 % 1000
    )
}

/// A time as `Friday 22 July, 2022 15:57:45 UTC`.
pub(crate) fn long_time(at: Millis) -> String {
    formatted(at, "%A %d %B, %Y %H:%M:%S UTC")
}

fn formatted(at: Millis, format: &str) -> String {
    let millis = i64::try_from(at.0).unwrap_or(i64::MAX);
    let time = Timestamp::from_millisecond(millis).unwrap_or(Timestamp::MAX);
    time.to_zoned(TimeZone::UTC).strftime(format).to_string()
}

/// A number as Java writes it, in which AWS's texts have it: at least one digit behind the point, and an exponent for what is
/// from ten millions on or below a thousandth.
pub(crate) fn decimal(number: f64) -> String {
    let size = number.abs();
    if size == 0.0 || (1e-3..1e7).contains(&size) {
        return format!("{number:?}");
    }
    let text = format!("{number:E}");
    match text.split_once('E') {
        Some((digits, exponent)) if !digits.contains('.') => format!("{digits}.0E{exponent}"),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{MetricAlarm, Range, Statistic, evaluate};

    /// 2026-11-29T05:01:30Z.
    const NOW: Millis = Millis(1_795_928_490_985);

    fn alarm(periods: u32, to_alarm: Option<u32>, missing: Missing) -> MetricAlarm {
        MetricAlarm {
            source: Source::Statistic(Statistic {
                namespace: "space".into(),
                metric: "m".into(),
                dimensions: Vec::new(),
                period: 10,
                statistic: "Average".into(),
                unit: Some("Seconds".into()),
            }),
            periods,
            to_alarm,
            threshold: 21.0,
            comparison: Comparison::Greater,
            missing: Some(missing),
            low_samples: None,
        }
    }

    fn verdict(alarm: &MetricAlarm, before: State, values: &[f64]) -> (String, String) {
        let range = Range::of(alarm, NOW);
        let first = alarm.periods + 2 - values.len() as u32;
        let readings: Vec<_> = (first..)
            .zip(values)
            .map(|(number, value)| Reading {
                at: Millis(range.from.0 + u64::from(number) * 10_000),
                value: *value,
                samples: Some(2.0),
            })
            .collect();
        let verdict = evaluate(alarm, before, &readings, range, NOW).unwrap();
        (verdict.reason, verdict.data)
    }

    #[test]
    fn reasons_are_as_recorded() {
        let unsaid = alarm(1, None, Missing::Ignore);
        let said = alarm(2, Some(2), Missing::Missing);
        for (alarm, before, values, expected) in [
            (
                &unsaid,
                State::InsufficientData,
                &[21.5][..],
                "Threshold Crossed: 1 datapoint [21.5 (29/11/26 05:01:20)] was greater than the threshold (21.0).",
            ),
            (
                &said,
                State::Ok,
                &[30.0, 1e7],
                "Threshold Crossed: 2 out of the last 2 datapoints [1.0E7 (29/11/26 05:01:20), 30.0 (29/11/26 05:01:10)] \
                 were greater than the threshold (21.0) (minimum 2 datapoints for OK -> ALARM transition).",
            ),
            (
                &said,
                State::Alarm,
                &[30.0, 0.25],
                "Threshold Crossed: 1 out of the last 2 datapoints [0.25 (29/11/26 05:01:20)] was not greater than the \
                 threshold (21.0) (minimum 1 datapoint for ALARM -> OK transition).",
            ),
            (
                &said,
                State::Ok,
                &[],
                "Insufficient Data: 2 datapoints were unknown.",
            ),
            (
                &alarm(2, None, Missing::Breaching),
                State::Ok,
                &[],
                "Threshold Crossed: no datapoints were received for 2 periods and 2 missing datapoints were treated as \
                 [Breaching].",
            ),
            (
                &alarm(1, None, Missing::NotBreaching),
                State::Ok,
                &[],
                "Threshold Crossed: no datapoints were received for 1 period and 1 missing datapoint was treated as \
                 [NonBreaching].",
            ),
        ] {
            assert_eq!(verdict(alarm, before, values).0, expected);
        }
    }

    #[test]
    fn data_are_as_recorded() {
        let (_, data) = verdict(&alarm(1, None, Missing::Ignore), State::Ok, &[21.5]);
        assert_eq!(
            data,
            r#"{"version":"1.0","queryDate":"2026-11-29T05:01:30.985+0000","startDate":"2026-11-29T05:01:20.000+0000","unit":"Seconds","statistic":"Average","period":10,"recentDatapoints":[21.5],"threshold":21.0,"evaluatedDatapoints":[{"timestamp":"2026-11-29T05:01:20.000+0000","sampleCount":2.0,"value":21.5}]}"#
        );
        let (_, data) = verdict(&alarm(2, None, Missing::Breaching), State::Ok, &[]);
        assert_eq!(
            data,
            r#"{"version":"1.0","queryDate":"2026-11-29T05:01:30.985+0000","unit":"Seconds","statistic":"Average","period":10,"recentDatapoints":[],"threshold":21.0,"evaluatedDatapoints":[{"timestamp":"2026-11-29T05:01:20.000+0000"},{"timestamp":"2026-11-29T05:01:10.000+0000"}]}"#
        );
    }

    #[test]
    fn numbers_and_times_are_as_java_has_them() {
        let shown = [
            0.0,
            21.0,
            0.0666851903306472,
            1e7,
            12_345_678.9,
            0.0005,
            -3.0,
        ]
        .map(decimal);
        assert_eq!(
            shown,
            [
                "0.0",
                "21.0",
                "0.0666851903306472",
                "1.0E7",
                "1.23456789E7",
                "5.0E-4",
                "-3.0"
            ]
        );
        assert_eq!(
            long_time(Millis(1_658_505_465_000)),
            "Friday 22 July, 2022 15:57:45 UTC"
        );
    }
}
