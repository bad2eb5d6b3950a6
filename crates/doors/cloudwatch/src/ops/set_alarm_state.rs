//! SetAlarmState: a state until the alarm is evaluated the next time.

use headwater_alarms::State;
use headwater_shapes::Nothing;
use headwater_shapes_cloudwatch::{
    SetAlarmStateInput, errors::INVALID_FORMAT_FAULT, ops::SetAlarmState,
};
use headwater_wire::{ApiError, Context, Handle};
use serde_json::Value;

use crate::{CloudWatch, errors::of_alarms};

impl Handle<SetAlarmState> for CloudWatch {
    async fn handle(&self, input: SetAlarmStateInput, _: &Context) -> Result<Nothing, ApiError> {
        let SetAlarmStateInput {
            alarm_name,
            state_value,
            state_reason,
            state_reason_data: data,
        } = input;
        let is_json = |data: &String| serde_json::from_str::<Value>(data).is_ok();
        if data.as_ref().is_some_and(|data| !is_json(data)) {
            return Err(ApiError::of(
                &INVALID_FORMAT_FAULT,
                "StateReasonData is not valid JSON",
            ));
        }
        // The model allows no other names than these.
        let state = match &*state_value {
            "ALARM" => State::Alarm,
            "OK" => State::Ok,
            _ => State::InsufficientData,
        };
        let set = self
            .alarms
            .set_state(&alarm_name, state, state_reason, data);
        set.await.map_err(of_alarms)?;
        Ok(Nothing {})
    }
}
