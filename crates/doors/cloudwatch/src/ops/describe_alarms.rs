//! DescribeAlarms: those over metrics, unless other kinds are asked for.

use headwater_alarms::{Alarm, Watches};
use headwater_shapes_cloudwatch::{DescribeAlarmsInput, DescribeAlarmsOutput, ops::DescribeAlarms};
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    CloudWatch,
    alarms::{kind, show_composite, show_metric},
    errors::{combination, token_fault},
    ops::put_metric_alarm::refuse,
    token,
};

/// Alarms in one answer (API reference, DescribeAlarms).
const PAGE: usize = 50;
const PAGE_MAX: usize = 100;

impl Handle<DescribeAlarms> for CloudWatch {
    async fn handle(
        &self,
        input: DescribeAlarmsInput,
        _: &Context,
    ) -> Result<DescribeAlarmsOutput, ApiError> {
        let DescribeAlarmsInput {
            alarm_names,
            alarm_name_prefix,
            alarm_types,
            children_of_alarm_name,
            parents_of_alarm_name,
            state_value,
            action_prefix,
            max_records,
            next_token,
        } = input;
        refuse(&[
            ("ChildrenOfAlarmName", children_of_alarm_name.is_some()),
            ("ParentsOfAlarmName", parents_of_alarm_name.is_some()),
        ])?;
        if alarm_names.is_some() && alarm_name_prefix.is_some() {
            return Err(combination(
                "The parameters AlarmNames and AlarmNamePrefix are mutually exclusive and you have specified both.",
            ));
        }
        let kinds = alarm_types.unwrap_or_else(|| vec!["MetricAlarm".to_owned()]);
        let after = next_token.map(|token| token::text(&token).ok_or_else(token_fault));
        let after = after.transpose()?;
        let page = max_records.map_or(PAGE, |most| PAGE_MAX.min(most.unsigned_abs() as usize));
        let is_wanted = |alarm: &Alarm| {
            kinds.iter().any(|wanted| wanted == kind(alarm))
                && alarm_names
                    .as_ref()
                    .is_none_or(|names| names.contains(&alarm.name))
                && alarm_name_prefix
                    .as_ref()
                    .is_none_or(|start| alarm.name.starts_with(start))
                && state_value
                    .as_ref()
                    .is_none_or(|state| alarm.state.value.name() == state)
                && action_prefix
                    .as_ref()
                    .is_none_or(|start| has_action(alarm, start))
                && after.as_ref().is_none_or(|after| alarm.name > *after)
        };
        let mut found = self.alarms.all();
        found.retain(|alarm| is_wanted(alarm));
        let has_more = found.len() > page;
        found.truncate(page);
        let last = found.last().filter(|_| has_more);
        let next_token = last.map(|alarm| token::of_text(&alarm.name));
        let (mut metric_alarms, mut composite_alarms) = (Vec::new(), Vec::new());
        for alarm in found {
            match &alarm.watches {
                Watches::Metric(of) => metric_alarms.push(show_metric(&alarm, of)),
                Watches::Alarms(rule) => composite_alarms.push(show_composite(&alarm, rule)),
            }
        }
        Ok(DescribeAlarmsOutput {
            composite_alarms: Some(composite_alarms),
            metric_alarms: Some(metric_alarms),
            log_alarms: Some(Vec::new()),
            next_token,
        })
    }
}

fn has_action(alarm: &Alarm, start: &str) -> bool {
    let actions = &alarm.actions;
    let all = [&actions.ok, &actions.alarm, &actions.insufficient_data];
    all.into_iter()
        .flatten()
        .any(|action| action.starts_with(start))
}
