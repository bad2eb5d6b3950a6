//! PutLogEvents.

use headwater_loggroups::{NewEvent, Rejected};
use headwater_shapes_logs::{
    InputLogEvent, PutLogEventsRequest, PutLogEventsResponse, RejectedEntityInfo,
    RejectedLogEventsInfo, ops::PutLogEvents,
};
use headwater_wire::{ApiError, Context, Handle};

use super::filter_log_events::millis;
use crate::{Logs, errors::api};

impl Handle<PutLogEvents> for Logs {
    async fn handle(
        &self,
        input: PutLogEventsRequest,
        _context: &Context,
    ) -> Result<PutLogEventsResponse, ApiError> {
        let PutLogEventsRequest {
            log_group_name,
            log_stream_name,
            log_events,
            // AWS ignores it since 2023, whatever it is.
            sequence_token: _,
            entity,
        } = input;
        let events = log_events.into_iter();
        let events = events.map(|InputLogEvent { timestamp, message }| NewEvent {
            time: millis(timestamp),
            message,
        });
        let put = self
            .groups
            .put(&log_group_name, &log_stream_name, events.collect())
            .await;
        let rejected = put.map_err(api)?;
        let info = (rejected != Rejected::default()).then(|| RejectedLogEventsInfo {
            too_new_log_event_start_index: index(rejected.too_new_start),
            too_old_log_event_end_index: index(rejected.too_old_end),
            expired_log_event_end_index: index(rejected.expired_end),
        });
        // A bad entity costs no events on AWS, and entities are not kept here: this one is refused as AWS refuses one.
        let rejected_entity_info = entity.map(|_| RejectedEntityInfo {
            error_type: "UnsupportedLogGroupType".to_owned(),
        });
        Ok(PutLogEventsResponse {
            rejected_log_events_info: info,
            rejected_entity_info,
            ..Default::default()
        })
    }
}

fn index(at: Option<usize>) -> Option<i32> {
    at.and_then(|at| i32::try_from(at).ok())
}

#[cfg(test)]
mod tests {
    use headwater_shapes_logs::ops::PutLogEvents;
    use serde_json::{Value, json};

    use crate::testing::{START, World};

    #[tokio::test]
    async fn events_have_to_be_in_order_and_of_their_time() {
        let world = World::with_stream().await;
        let put = |times: &[u64]| {
            let events: Vec<Value> = times
                .iter()
                .map(|t| json!({ "timestamp": t, "message": "m" }))
                .collect();
            json!({ "logGroupName": "g", "logStreamName": "s", "logEvents": events })
        };
        assert_eq!(
            world
                .ok::<PutLogEvents>(put(&[START, START, START + 1]))
                .await,
            json!({})
        );
        let (code, text) = world
            .refused::<PutLogEvents>(put(&[START + 1, START]))
            .await;
        assert_eq!(code, "InvalidParameterException");
        assert_eq!(
            text,
            "Log events in a single PutLogEvents request must be in chronological order."
        );
        const HOUR: u64 = 3_600_000;
        let new = world
            .ok::<PutLogEvents>(put(&[START, START + 3 * HOUR]))
            .await;
        assert_eq!(
            new,
            json!({ "rejectedLogEventsInfo": { "tooNewLogEventStartIndex": 1 } })
        );
        let old = world
            .ok::<PutLogEvents>(put(&[START - 15 * 24 * HOUR]))
            .await;
        assert_eq!(
            old,
            json!({ "rejectedLogEventsInfo": { "tooOldLogEventEndIndex": 1 } })
        );
        let mut elsewhere = put(&[START]);
        elsewhere["logStreamName"] = json!("none");
        assert_eq!(
            world.refused::<PutLogEvents>(elsewhere).await.0,
            "ResourceNotFoundException"
        );
    }
}
