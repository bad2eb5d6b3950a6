//! PutCompositeAlarm.

use headwater_alarms::{NewAlarm, Watches};
use headwater_shapes::Nothing;
use headwater_shapes_cloudwatch::{PutCompositeAlarmInput, ops::PutCompositeAlarm};
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    CloudWatch,
    alarms::{self, alarm_arn},
    errors::of_alarms,
    ops::put_metric_alarm::refuse,
    tags,
};

impl Handle<PutCompositeAlarm> for CloudWatch {
    async fn handle(
        &self,
        input: PutCompositeAlarmInput,
        context: &Context,
    ) -> Result<Nothing, ApiError> {
        let PutCompositeAlarmInput {
            actions_enabled,
            alarm_actions,
            alarm_description,
            alarm_name: name,
            alarm_rule,
            insufficient_data_actions,
            ok_actions,
            tags,
            actions_suppressor,
            actions_suppressor_wait_period,
            actions_suppressor_extension_period,
            action_configuration,
        } = input;
        refuse(&[
            ("ActionsSuppressor", actions_suppressor.is_some()),
            (
                "ActionsSuppressorWaitPeriod",
                actions_suppressor_wait_period.is_some(),
            ),
            (
                "ActionsSuppressorExtensionPeriod",
                actions_suppressor_extension_period.is_some(),
            ),
            ("ActionConfiguration", action_configuration.is_some()),
        ])?;
        let put = self.alarms.put(NewAlarm {
            arn: alarm_arn(&name, context),
            name,
            description: alarm_description,
            does_actions: actions_enabled.unwrap_or(true),
            actions: alarms::actions(ok_actions, alarm_actions, insufficient_data_actions)?,
            tags: tags::read(tags.unwrap_or_default())?,
            watches: Watches::Alarms(alarm_rule),
        });
        put.await.map_err(of_alarms)?;
        Ok(Nothing {})
    }
}
