//! PutMetricAlarm.

use headwater_alarms::{MetricAlarm, NewAlarm, Source, Watches};
use headwater_shapes::Nothing;
use headwater_shapes_cloudwatch::{PutMetricAlarmInput, ops::PutMetricAlarm};
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    CloudWatch,
    alarms::{self, Named, alarm_arn},
    errors::{of_alarms, validation},
    tags,
};

impl Handle<PutMetricAlarm> for CloudWatch {
    async fn handle(
        &self,
        input: PutMetricAlarmInput,
        context: &Context,
    ) -> Result<Nothing, ApiError> {
        let PutMetricAlarmInput {
            alarm_name: name,
            alarm_description,
            actions_enabled,
            ok_actions,
            alarm_actions,
            insufficient_data_actions,
            metric_name,
            namespace,
            statistic,
            extended_statistic,
            dimensions,
            period,
            unit,
            evaluation_periods,
            datapoints_to_alarm,
            threshold,
            comparison_operator,
            treat_missing_data,
            evaluate_low_sample_count_percentile,
            metrics,
            tags,
            threshold_metric_id,
            evaluation_window,
            warm_up_configuration,
            evaluation_criteria,
            evaluation_interval,
            action_configuration,
        } = input;
        refuse(&[
            ("ThresholdMetricId", threshold_metric_id.is_some()),
            ("EvaluationWindow", evaluation_window.is_some()),
            ("WarmUpConfiguration", warm_up_configuration.is_some()),
            ("EvaluationCriteria", evaluation_criteria.is_some()),
            ("EvaluationInterval", evaluation_interval.is_some()),
            ("ActionConfiguration", action_configuration.is_some()),
        ])?;
        let named = Named {
            namespace,
            metric_name,
            statistic,
            extended_statistic,
            dimensions,
            period,
            unit,
        };
        let watched = MetricAlarm {
            source: source(named, metrics, context)?,
            periods: count("EvaluationPeriods", evaluation_periods)?
                .ok_or_else(|| validation("The parameter EvaluationPeriods is required."))?,
            to_alarm: count("DatapointsToAlarm", datapoints_to_alarm)?,
            threshold: threshold
                .ok_or_else(|| validation("The parameter Threshold is required."))?,
            comparison: alarms::comparison(comparison_operator.as_deref())?,
            missing: treat_missing_data
                .as_deref()
                .map(alarms::missing)
                .transpose()?,
            low_samples: low_samples(evaluate_low_sample_count_percentile)?,
        };
        alarms::check_span(&watched)?;
        let put = self.alarms.put(NewAlarm {
            arn: alarm_arn(&name, context),
            name,
            description: alarm_description,
            does_actions: actions_enabled.unwrap_or(true),
            actions: alarms::actions(ok_actions, alarm_actions, insufficient_data_actions)?,
            tags: tags::read(tags.unwrap_or_default())?,
            watches: Watches::Metric(watched),
        });
        put.await.map_err(of_alarms)?;
        Ok(Nothing {})
    }
}

/// Refuses the first member that is there and not done.
pub(super) fn refuse(members: &[(&str, bool)]) -> Result<(), ApiError> {
    match members.iter().find(|(_, is_there)| *is_there) {
        Some((name, _)) => Err(ApiError::not_supported(name)),
        None => Ok(()),
    }
}

fn source(
    named: Named,
    metrics: Option<Vec<headwater_shapes_cloudwatch::MetricDataQuery>>,
    context: &Context,
) -> Result<Source, ApiError> {
    match metrics {
        Some(metrics) if named.is_nothing() => alarms::parts(metrics, context),
        Some(_) => Err(validation(
            "The parameters MetricName and Metrics are mutually exclusive and you have specified both.",
        )),
        None => named.read().map(Source::Statistic),
    }
}

fn count(name: &str, count: Option<i32>) -> Result<Option<u32>, ApiError> {
    let positive = |count: i32| match u32::try_from(count) {
        Ok(count @ 1..) => Ok(count),
        _ => Err(validation(format!(
            "The parameter {name} must be greater than or equal to 1."
        ))),
    };
    count.map(positive).transpose()
}

fn low_samples(option: Option<String>) -> Result<Option<String>, ApiError> {
    match option.as_deref() {
        None | Some("evaluate" | "ignore") => Ok(option),
        Some(other) => Err(validation(format!(
            "Option {other} is not supported. Supported options for parameter EvaluateLowSampleCountPercentile are \
             evaluate and ignore."
        ))),
    }
}
