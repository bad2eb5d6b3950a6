//! What an alarm tells topics and functions as it goes into another state, as localstack recorded it on AWS.

use headwater_alarms::{
    Alarm, Comparison, MetricAlarm, Owed, Part, PartOf, Source, StateRecord, Statistic, Watches,
};
use headwater_types::{Account, Millis, Region};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::alarms::missing_name;

/// The longest subject of a message, in characters.
const SUBJECT_MAX: usize = 100;

/// The subject of a message.
pub fn subject(owed: &Owed, region: &Region) -> String {
    let (state, name) = (owed.alarm.state.value.name(), &owed.alarm.name);
    let subject = format!("{state}: \"{name}\" in {}", region_name(region));
    subject.chars().take(SUBJECT_MAX).collect()
}

/// The body of a message.
pub fn message(owed: &Owed, account: &Account, region: &Region) -> String {
    let alarm = &owed.alarm;
    let mut told = json!({
        "AlarmName": alarm.name,
        "AlarmDescription": alarm.description,
        "AWSAccountId": account.0,
        "AlarmConfigurationUpdatedTimestamp": time(alarm.configured),
        "NewStateValue": alarm.state.value.name(),
        "NewStateReason": alarm.state.reason,
        "StateChangeTime": time(alarm.state.transitioned),
        "Region": region_name(region),
        "AlarmArn": alarm.arn,
        "OldStateValue": owed.before.value.name(),
        "OKActions": alarm.actions.ok,
        "AlarmActions": alarm.actions.alarm,
        "InsufficientDataActions": alarm.actions.insufficient_data,
    });
    match &alarm.watches {
        Watches::Metric(of) => told["Trigger"] = trigger(of),
        Watches::Alarms(rule) => {
            told["AlarmRule"] = rule.as_str().into();
            told["TriggeringChildren"] = triggering(alarm);
        }
    }
    told.to_string()
}

fn trigger(of: &MetricAlarm) -> Value {
    let mut trigger = json!({
        "EvaluationPeriods": of.periods,
        "ComparisonOperator": comparison(of.comparison),
        "Threshold": of.threshold,
        "TreatMissingData": of.missing.map(missing_name).unwrap_or_default(),
        "EvaluateLowSampleCountPercentile": of.low_samples.as_deref().unwrap_or_default(),
    });
    if let Some(count) = of.to_alarm {
        trigger["DatapointsToAlarm"] = count.into();
    }
    match &of.source {
        Source::Statistic(statistic) => {
            trigger["MetricName"] = statistic.metric.as_str().into();
            trigger["Namespace"] = statistic.namespace.as_str().into();
            trigger["Period"] = statistic.period.into();
            trigger["Unit"] = statistic.unit.as_deref().into();
            trigger["Dimensions"] = dimensions(statistic);
            let is_plain = statistic.statistic.bytes().all(|b| b.is_ascii_alphabetic());
            let (kind, name) = match is_plain {
                true => ("Statistic", statistic.statistic.to_uppercase()),
                false => ("ExtendedStatistic", statistic.statistic.clone()),
            };
            trigger["StatisticType"] = kind.into();
            trigger[if is_plain {
                "Statistic"
            } else {
                "ExtendedStatistic"
            }] = name.into();
        }
        Source::Parts(parts) => {
            trigger["Metrics"] = parts.iter().map(part).collect();
        }
    }
    trigger
}

fn comparison(comparison: Comparison) -> &'static str {
    match comparison {
        Comparison::Greater => "GreaterThanThreshold",
        Comparison::GreaterOrEqual => "GreaterThanOrEqualToThreshold",
        Comparison::Less => "LessThanThreshold",
        Comparison::LessOrEqual => "LessThanOrEqualToThreshold",
    }
}

fn dimensions(statistic: &Statistic) -> Value {
    let dimensions = statistic.dimensions.iter();
    dimensions
        .map(|(name, value)| json!({"name": name, "value": value}))
        .collect()
}

fn part(part: &Part) -> Value {
    let returns = part.is_returned.unwrap_or(true);
    match &part.of {
        PartOf::Expression { text, .. } => json!({
            "Expression": text, "Id": part.id, "Label": part.label, "ReturnData": returns,
        }),
        PartOf::Statistic(statistic) => json!({
            "Id": part.id,
            "MetricStat": {
                "Metric": {
                    "Dimensions": dimensions(statistic),
                    "MetricName": statistic.metric,
                    "Namespace": statistic.namespace,
                },
                "Period": statistic.period,
                "Stat": statistic.statistic,
            },
            "ReturnData": returns,
        }),
    }
}

/// The alarms that made a composite one go into its state, as its reason has them.
fn triggering(alarm: &Alarm) -> Value {
    let data: Value = alarm
        .state
        .data
        .as_deref()
        .and_then(|data| serde_json::from_str(data).ok())
        .unwrap_or_default();
    let children = data["triggeringAlarms"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let children = children.into_iter().map(|child| {
        json!({
            "Arn": child["arn"],
            "State": {"Value": child["state"]["value"], "Timestamp": child["state"]["timestamp"]},
        })
    });
    children.collect()
}

/// The event that a function is called with.
pub fn event(owed: &Owed, account: &Account, region: &Region, id: &str) -> String {
    let alarm = &owed.alarm;
    let mut configuration = Map::new();
    if let Some(description) = &alarm.description {
        configuration.insert("description".to_owned(), description.as_str().into());
    }
    let (name, what) = match &alarm.watches {
        Watches::Metric(of) => ("metrics", watched(of, id)),
        Watches::Alarms(rule) => ("alarmRule", rule.as_str().into()),
    };
    configuration.insert(name.to_owned(), what);
    json!({
        "source": "aws.cloudwatch",
        "alarmArn": alarm.arn,
        "accountId": account.0,
        "time": time(alarm.state.transitioned),
        "region": region.0,
        "alarmData": {
            "alarmName": alarm.name,
            "state": state(&alarm.state),
            "previousState": state(&owed.before),
            "configuration": configuration,
        },
    })
    .to_string()
}

fn state(state: &StateRecord) -> Value {
    let mut shown = json!({
        "value": state.value.name(),
        "reason": state.reason,
        "timestamp": time(state.updated),
    });
    if let Some(data) = &state.data {
        shown["reasonData"] = data.as_str().into();
    }
    shown
}

/// The metrics of an alarm. That of an alarm that names one has no id of its own.
fn watched(of: &MetricAlarm, id: &str) -> Value {
    let stat = |statistic: &Statistic| {
        let dimensions = statistic.dimensions.iter();
        let dimensions = dimensions.map(|(name, value)| (name.clone(), value.as_str().into()));
        json!({
            "metric": {
                "namespace": statistic.namespace,
                "name": statistic.metric,
                "dimensions": dimensions.collect::<Map<String, Value>>(),
            },
            "period": statistic.period,
            "stat": statistic.statistic,
        })
    };
    match &of.source {
        Source::Statistic(statistic) => {
            json!([{"id": id, "metricStat": stat(statistic), "returnData": true}])
        }
        Source::Parts(parts) => parts
            .iter()
            .map(|part| match &part.of {
                PartOf::Statistic(statistic) => json!({
                    "id": part.id,
                    "metricStat": stat(statistic),
                    "returnData": part.is_returned.unwrap_or(true),
                }),
                PartOf::Expression { text, .. } => json!({
                    "id": part.id,
                    "expression": text,
                    "label": part.label,
                    "returnData": part.is_returned.unwrap_or(true),
                }),
            })
            .collect(),
    }
}

/// A time as messages have it: `2023-11-14T22:13:20.000+0000`.
fn time(at: Millis) -> String {
    let at = i64::try_from(at.0).unwrap_or(i64::MAX);
    let at = Timestamp::from_millisecond(at).unwrap_or_default();
    at.strftime("%Y-%m-%dT%H:%M:%S.%3f+0000").to_string()
}

/// The names of regions, as messages have them. Others are named by their codes.
const REGIONS: &[(&str, &str)] = &[
    ("us-east-1", "US East (N. Virginia)"),
    ("us-east-2", "US East (Ohio)"),
    ("us-west-1", "US West (N. California)"),
    ("us-west-2", "US West (Oregon)"),
    ("eu-central-1", "EU (Frankfurt)"),
    ("eu-west-1", "EU (Ireland)"),
    ("eu-west-2", "EU (London)"),
    ("eu-west-3", "EU (Paris)"),
    ("eu-north-1", "EU (Stockholm)"),
    ("ap-northeast-1", "Asia Pacific (Tokyo)"),
    ("ap-southeast-1", "Asia Pacific (Singapore)"),
    ("ap-southeast-2", "Asia Pacific (Sydney)"),
    ("ap-south-1", "Asia Pacific (Mumbai)"),
    ("sa-east-1", "South America (Sao Paulo)"),
];

fn region_name(region: &Region) -> &str {
    let found = REGIONS.iter().find(|(code, _)| *code == region.0);
    found.map_or(&region.0, |(_, name)| *name)
}
