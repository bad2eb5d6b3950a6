//! DeleteAlarms: all of them or none.

use headwater_shapes::Nothing;
use headwater_shapes_cloudwatch::{DeleteAlarmsInput, ops::DeleteAlarms};
use headwater_wire::{ApiError, Context, Handle};

use crate::{CloudWatch, errors::of_alarms};

impl Handle<DeleteAlarms> for CloudWatch {
    async fn handle(&self, input: DeleteAlarmsInput, _: &Context) -> Result<Nothing, ApiError> {
        let DeleteAlarmsInput { alarm_names } = input;
        self.alarms.delete(alarm_names).await.map_err(of_alarms)?;
        Ok(Nothing {})
    }
}
