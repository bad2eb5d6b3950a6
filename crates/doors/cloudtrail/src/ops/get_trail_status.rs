//! GetTrailStatus.

use headwater_auth::sign::iso_date;
use headwater_shapes_cloudtrail::{
    GetTrailStatusRequest, GetTrailStatusResponse, ops::GetTrailStatus,
};
use headwater_types::Millis;
use headwater_wire::{ApiError, Context, Handle};

use crate::{CloudTrail, answers::time, errors::api, names};

impl Handle<GetTrailStatus> for CloudTrail {
    async fn handle(
        &self,
        input: GetTrailStatusRequest,
        context: &Context,
    ) -> Result<GetTrailStatusResponse, ApiError> {
        let GetTrailStatusRequest { name } = input;
        let name = names::name(&name, context)?;
        let trail = self.store.trail(&name).await.map_err(api)?;
        let text = |at: Option<Millis>| at.map_or_else(String::new, iso_date);
        let tried = trail.delivered.as_ref();
        let succeeded = trail.delivered_at;
        Ok(GetTrailStatusResponse {
            is_logging: Some(trail.is_logging()),
            latest_delivery_error: tried.and_then(|tried| tried.error.clone()),
            latest_delivery_time: succeeded.map(time),
            start_logging_time: trail.started.map(time),
            stop_logging_time: trail.stopped.map(time),
            latest_delivery_attempt_time: Some(text(tried.map(|tried| tried.at))),
            latest_delivery_attempt_succeeded: Some(text(succeeded)),
            latest_notification_attempt_time: Some(String::new()),
            latest_notification_attempt_succeeded: Some(String::new()),
            time_logging_started: Some(text(trail.started)),
            time_logging_stopped: Some(text(trail.stopped)),
            ..Default::default()
        })
    }
}
