//! DescribeAlarmsForMetric: the alarms that watch a metric itself, and not what is calculated of it.

use headwater_alarms::{Source, Watches};
use headwater_shapes_cloudwatch::{
    DescribeAlarmsForMetricInput, DescribeAlarmsForMetricOutput, ops::DescribeAlarmsForMetric,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{CloudWatch, alarms::show_metric, names};

impl Handle<DescribeAlarmsForMetric> for CloudWatch {
    async fn handle(
        &self,
        input: DescribeAlarmsForMetricInput,
        _: &Context,
    ) -> Result<DescribeAlarmsForMetricOutput, ApiError> {
        let DescribeAlarmsForMetricInput {
            metric_name,
            namespace,
            statistic,
            extended_statistic,
            dimensions,
            period,
            unit,
        } = input;
        let wanted = names::metric(&namespace, &metric_name, dimensions);
        let name = statistic.or(extended_statistic);
        let is_wanted = |of: &headwater_alarms::Statistic| {
            of.namespace == wanted.namespace
                && of.metric == wanted.name
                && of.dimensions == wanted.dimensions
                && name.as_ref().is_none_or(|name| of.statistic == *name)
                && period.is_none_or(|period| i64::from(of.period) == i64::from(period))
                && unit
                    .as_ref()
                    .is_none_or(|unit| of.unit.as_ref() == Some(unit))
        };
        let found = self.alarms.all().into_iter().filter_map(|alarm| {
            let Watches::Metric(of) = &alarm.watches else {
                return None;
            };
            match &of.source {
                Source::Statistic(statistic) if is_wanted(statistic) => {
                    Some(show_metric(&alarm, of))
                }
                _ => None,
            }
        });
        Ok(DescribeAlarmsForMetricOutput {
            metric_alarms: Some(found.collect()),
        })
    }
}
