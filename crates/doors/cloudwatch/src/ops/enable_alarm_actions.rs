//! EnableAlarmActions and DisableAlarmActions.

use headwater_shapes::Nothing;
use headwater_shapes_cloudwatch::{
    DisableAlarmActionsInput, EnableAlarmActionsInput,
    ops::{DisableAlarmActions, EnableAlarmActions},
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{CloudWatch, errors::of_alarms};

impl Handle<EnableAlarmActions> for CloudWatch {
    async fn handle(
        &self,
        input: EnableAlarmActionsInput,
        _: &Context,
    ) -> Result<Nothing, ApiError> {
        let EnableAlarmActionsInput { alarm_names } = input;
        let set = self.alarms.set_actions(alarm_names, true).await;
        set.map(|()| Nothing {}).map_err(of_alarms)
    }
}

impl Handle<DisableAlarmActions> for CloudWatch {
    async fn handle(
        &self,
        input: DisableAlarmActionsInput,
        _: &Context,
    ) -> Result<Nothing, ApiError> {
        let DisableAlarmActionsInput { alarm_names } = input;
        let set = self.alarms.set_actions(alarm_names, false).await;
        set.map(|()| Nothing {}).map_err(of_alarms)
    }
}
