//! Alarms: read out of requests, and shown in answers.

use headwater_alarms::{
    Actions, Alarm, Comparison, MetricAlarm, Missing, Part, PartOf, Source, Statistic, Watches,
};
use headwater_metrics::Statistic as Known;
use headwater_shapes_cloudwatch as shapes;
use headwater_shapes_cloudwatch::{Dimension, MetricDataQuery, MetricStat};
use headwater_types::Arn;
use headwater_wire::{ApiError, Context};

use crate::{
    errors::{invalid, validation},
    names, queries, ranges,
};

/// The services whose resources an alarm may have something done by.
const ACTIONS: &[&str] = &["sns", "lambda"];
/// Seconds that an alarm may look back: a day, or a week where its periods are an hour or longer.
const DAY: u64 = 24 * 3600;
const WEEK: u64 = 7 * DAY;
const HOUR: u64 = 3600;

/// The ARN of an alarm.
pub(crate) fn alarm_arn(name: &str, context: &Context) -> String {
    Arn::new(
        "cloudwatch",
        &context.region,
        &context.account,
        format!("alarm:{name}"),
    )
    .to_string()
}

/// The actions of an alarm, all of which can be done.
pub(crate) fn actions(
    ok: Option<Vec<String>>,
    alarm: Option<Vec<String>>,
    insufficient_data: Option<Vec<String>>,
) -> Result<Actions, ApiError> {
    let [ok, alarm, insufficient_data] =
        [ok, alarm, insufficient_data].map(Option::unwrap_or_default);
    for action in ok.iter().chain(&alarm).chain(&insufficient_data) {
        let arn: Option<Arn> = action.parse().ok();
        let arn = arn.ok_or_else(|| invalid(format!("Invalid arn syntax: {action}")))?;
        if !ACTIONS.contains(&&*arn.service) {
            return Err(ApiError::not_supported(format_args!(
                "the action {action} of an alarm"
            )));
        }
    }
    Ok(Actions {
        ok,
        alarm,
        insufficient_data,
    })
}

/// The statistic of a metric that an alarm watches, as PutMetricAlarm says it.
pub(crate) struct Named {
    pub namespace: Option<String>,
    pub metric_name: Option<String>,
    pub statistic: Option<String>,
    pub extended_statistic: Option<String>,
    pub dimensions: Option<Vec<Dimension>>,
    pub period: Option<i32>,
    pub unit: Option<String>,
}

impl Named {
    /// Whether nothing of it is said.
    pub fn is_nothing(&self) -> bool {
        self.namespace.is_none()
            && self.metric_name.is_none()
            && self.statistic.is_none()
            && self.extended_statistic.is_none()
            && self.dimensions.as_ref().is_none_or(Vec::is_empty)
            && self.period.is_none()
            && self.unit.is_none()
    }

    pub fn read(self) -> Result<Statistic, ApiError> {
        let lacks = |name: &str| validation(format!("The parameter {name} is required."));
        let statistic = match (self.statistic, self.extended_statistic) {
            (Some(_), Some(_)) => {
                return Err(validation(
                    "The parameters Statistic and ExtendedStatistic are mutually exclusive and you have specified both.",
                ));
            }
            (Some(plain), None) => plain,
            (None, Some(extended)) if Known::parse(&extended).is_some() => extended,
            (None, Some(extended)) => {
                return Err(invalid(format!(
                    "The value {extended} for parameter ExtendedStatistic is not supported."
                )));
            }
            (None, None) => return Err(lacks("Statistic")),
        };
        let metric = names::metric(
            &self.namespace.ok_or_else(|| lacks("Namespace"))?,
            &self.metric_name.ok_or_else(|| lacks("MetricName"))?,
            self.dimensions,
        );
        Ok(Statistic {
            namespace: metric.namespace,
            metric: metric.name,
            dimensions: metric.dimensions,
            period: period(self.period.ok_or_else(|| lacks("Period"))?)?,
            statistic,
            unit: self.unit,
        })
    }
}

fn period(seconds: i32) -> Result<u32, ApiError> {
    match seconds {
        10 | 20 | 30 => Ok(seconds.unsigned_abs()),
        _ if seconds > 0 && seconds % 60 == 0 => Ok(seconds.unsigned_abs()),
        _ => Err(validation("Period must be 10, 20, 30 or a multiple of 60")),
    }
}

/// The parts of what an alarm watches, one of which is it.
pub(crate) fn parts(metrics: Vec<MetricDataQuery>, context: &Context) -> Result<Source, ApiError> {
    queries::read(metrics.clone(), context)?;
    let parts = metrics
        .into_iter()
        .map(part)
        .collect::<Result<Vec<_>, _>>()?;
    let returned = parts.iter().filter(|part| part.is_returned != Some(false));
    match returned.count() {
        1 => Ok(Source::Parts(parts)),
        _ => Err(validation(
            "Exactly one element of the metrics list should return data.",
        )),
    }
}

fn part(query: MetricDataQuery) -> Result<Part, ApiError> {
    let MetricDataQuery {
        id,
        metric_stat,
        expression,
        label,
        return_data,
        period: of_expression,
        // Those of other accounts are refused when the queries are read.
        account_id: _,
    } = query;
    let of = match (metric_stat, expression) {
        (Some(stat), _) => PartOf::Statistic(statistic(stat)?),
        (None, Some(text)) => PartOf::Expression {
            text,
            period: of_expression.map(period).transpose()?,
        },
        (None, None) => return Err(validation("The parameter MetricStat is required.")),
    };
    Ok(Part {
        id,
        label,
        is_returned: return_data,
        of,
    })
}

fn statistic(stat: MetricStat) -> Result<Statistic, ApiError> {
    let MetricStat {
        metric,
        period: seconds,
        stat,
        unit,
    } = stat;
    let shapes::Metric {
        namespace,
        metric_name,
        dimensions,
    } = metric;
    let (namespace, name) = (
        namespace.unwrap_or_default(),
        metric_name.unwrap_or_default(),
    );
    let metric = names::metric(&namespace, &name, dimensions);
    Ok(Statistic {
        namespace: metric.namespace,
        metric: metric.name,
        dimensions: metric.dimensions,
        period: period(seconds)?,
        statistic: stat,
        unit,
    })
}

/// The comparison of that name.
pub(crate) fn comparison(name: Option<&str>) -> Result<Comparison, ApiError> {
    match name {
        Some("GreaterThanOrEqualToThreshold") => Ok(Comparison::GreaterOrEqual),
        Some("GreaterThanThreshold") => Ok(Comparison::Greater),
        Some("LessThanThreshold") => Ok(Comparison::Less),
        Some("LessThanOrEqualToThreshold") => Ok(Comparison::LessOrEqual),
        // The others are of anomaly detectors.
        Some(other) => Err(ApiError::not_supported(format_args!(
            "the comparison {other} of an alarm"
        ))),
        None => Err(validation("The parameter ComparisonOperator is required.")),
    }
}

fn comparison_name(comparison: Comparison) -> &'static str {
    match comparison {
        Comparison::GreaterOrEqual => "GreaterThanOrEqualToThreshold",
        Comparison::Greater => "GreaterThanThreshold",
        Comparison::Less => "LessThanThreshold",
        Comparison::LessOrEqual => "LessThanOrEqualToThreshold",
    }
}

/// The words for what a period without a value is taken for.
const MISSING: &[(&str, Missing)] = &[
    ("breaching", Missing::Breaching),
    ("notBreaching", Missing::NotBreaching),
    ("ignore", Missing::Ignore),
    ("missing", Missing::Missing),
];

/// The treatment of periods without a value.
pub(crate) fn missing(name: &str) -> Result<Missing, ApiError> {
    let found = MISSING.iter().find(|(known, _)| *known == name);
    found.map(|(_, missing)| *missing).ok_or_else(|| {
        validation(format!(
            "The value {name} is not supported for TreatMissingData parameter. Supported values are [breaching, \
             notBreaching, ignore, missing]."
        ))
    })
}

/// The word for it.
pub(crate) fn missing_name(missing: Missing) -> &'static str {
    let mut words = MISSING.iter();
    let found = words.find(|(_, known)| *known == missing);
    found.map_or("missing", |(name, _)| name)
}

/// Holds an alarm to the time that it may look back, and to as many breaching periods as there are.
pub(crate) fn check_span(alarm: &MetricAlarm) -> Result<(), ApiError> {
    let period = u64::from(alarm.period());
    let (most, words) = match period >= HOUR {
        true => (WEEK, "seven days"),
        false => (DAY, "a day"),
    };
    if u64::from(alarm.periods) * period > most {
        return Err(validation(format!(
            "Metrics cannot be checked across more than {words} (EvaluationPeriods * Period must be <= {most})."
        )));
    }
    match alarm.least_to_alarm() > alarm.periods {
        true => Err(validation(
            "DatapointsToAlarm must be less than or equal to EvaluationPeriods.",
        )),
        false => Ok(()),
    }
}

/// An alarm over a metric, as answers have it.
pub(crate) fn show_metric(alarm: &Alarm, of: &MetricAlarm) -> shapes::MetricAlarm {
    let mut shown = shapes::MetricAlarm {
        alarm_name: Some(alarm.name.clone()),
        alarm_arn: Some(alarm.arn.clone()),
        alarm_description: alarm.description.clone(),
        alarm_configuration_updated_timestamp: Some(ranges::timestamp(alarm.configured)),
        actions_enabled: Some(alarm.does_actions),
        ok_actions: Some(alarm.actions.ok.clone()),
        alarm_actions: Some(alarm.actions.alarm.clone()),
        insufficient_data_actions: Some(alarm.actions.insufficient_data.clone()),
        state_value: Some(alarm.state.value.name().to_owned()),
        state_reason: Some(alarm.state.reason.clone()),
        state_reason_data: alarm.state.data.clone(),
        state_updated_timestamp: Some(ranges::timestamp(alarm.state.updated)),
        state_transitioned_timestamp: Some(ranges::timestamp(alarm.state.transitioned)),
        evaluation_periods: i32::try_from(of.periods).ok(),
        datapoints_to_alarm: of.to_alarm.and_then(|count| i32::try_from(count).ok()),
        threshold: Some(of.threshold),
        comparison_operator: Some(comparison_name(of.comparison).to_owned()),
        treat_missing_data: of.missing.map(|missing| missing_name(missing).to_owned()),
        evaluate_low_sample_count_percentile: of.low_samples.clone(),
        dimensions: Some(Vec::new()),
        ..shapes::MetricAlarm::default()
    };
    match &of.source {
        Source::Statistic(statistic) => {
            let is_plain = PLAIN.contains(&&*statistic.statistic);
            let name = Some(statistic.statistic.clone());
            (shown.statistic, shown.extended_statistic) = match is_plain {
                true => (name, None),
                false => (None, name),
            };
            shown.namespace = Some(statistic.namespace.clone());
            shown.metric_name = Some(statistic.metric.clone());
            shown.dimensions = Some(dimensions(&statistic.dimensions));
            shown.period = i32::try_from(statistic.period).ok();
            shown.unit = statistic.unit.clone();
        }
        Source::Parts(parts) => shown.metrics = Some(parts.iter().map(show_part).collect()),
    }
    shown
}

/// The statistics that are no extended ones.
const PLAIN: &[&str] = &["SampleCount", "Average", "Sum", "Minimum", "Maximum"];

fn dimensions(dimensions: &[(String, String)]) -> Vec<Dimension> {
    let dimensions = dimensions.iter().cloned();
    dimensions
        .map(|(name, value)| Dimension { name, value })
        .collect()
}

fn show_part(part: &Part) -> MetricDataQuery {
    let mut shown = MetricDataQuery {
        id: part.id.clone(),
        label: part.label.clone(),
        return_data: Some(part.is_returned.unwrap_or(true)),
        ..MetricDataQuery::default()
    };
    match &part.of {
        PartOf::Statistic(statistic) => {
            shown.metric_stat = Some(MetricStat {
                metric: shapes::Metric {
                    namespace: Some(statistic.namespace.clone()),
                    metric_name: Some(statistic.metric.clone()),
                    dimensions: Some(dimensions(&statistic.dimensions)),
                },
                period: i32::try_from(statistic.period).unwrap_or(i32::MAX),
                stat: statistic.statistic.clone(),
                unit: statistic.unit.clone(),
            });
        }
        PartOf::Expression { text, period } => {
            shown.expression = Some(text.clone());
            shown.period = period.and_then(|period| i32::try_from(period).ok());
        }
    }
    shown
}

/// An alarm over other alarms, as answers have it.
pub(crate) fn show_composite(alarm: &Alarm, rule: &str) -> shapes::CompositeAlarm {
    shapes::CompositeAlarm {
        actions_enabled: Some(alarm.does_actions),
        alarm_actions: Some(alarm.actions.alarm.clone()),
        alarm_arn: Some(alarm.arn.clone()),
        alarm_configuration_updated_timestamp: Some(ranges::timestamp(alarm.configured)),
        alarm_description: alarm.description.clone(),
        alarm_name: Some(alarm.name.clone()),
        alarm_rule: Some(rule.to_owned()),
        insufficient_data_actions: Some(alarm.actions.insufficient_data.clone()),
        ok_actions: Some(alarm.actions.ok.clone()),
        state_reason: Some(alarm.state.reason.clone()),
        state_reason_data: alarm.state.data.clone(),
        state_updated_timestamp: Some(ranges::timestamp(alarm.state.updated)),
        state_value: Some(alarm.state.value.name().to_owned()),
        state_transitioned_timestamp: Some(ranges::timestamp(alarm.state.transitioned)),
        ..shapes::CompositeAlarm::default()
    }
}

/// The name of the kind of an alarm.
pub(crate) fn kind(alarm: &Alarm) -> &'static str {
    match alarm.watches {
        Watches::Metric(_) => "MetricAlarm",
        Watches::Alarms(_) => "CompositeAlarm",
    }
}
