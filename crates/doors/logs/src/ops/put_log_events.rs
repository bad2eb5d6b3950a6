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
        context: &Context,
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
            next_sequence_token: Some(next_sequence_token(&context.request_id)),
        })
    }
}

/// The token for the next put, which no put needs since 2023: 56 digits as AWS's, another one for each request.
fn next_sequence_token(request: &str) -> String {
    const OFFSET: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    const PRIME: u128 = 0x0100_0000_0000_0000_0000_013b;
    let hash = request.bytes().fold(OFFSET, |hash, byte| {
        (hash ^ u128::from(byte)).wrapping_mul(PRIME)
    });
    format!("49{hash:054}")
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
        let ok = async |input: Value| {
            let mut answer = world.ok::<PutLogEvents>(input).await;
            let token = answer["nextSequenceToken"].take();
            let token = token.as_str().unwrap();
            assert!(token.len() == 56 && token.bytes().all(|byte| byte.is_ascii_digit()));
            answer["rejectedLogEventsInfo"].take()
        };
        assert_eq!(ok(put(&[START, START, START + 1])).await, json!(null));
        let (code, text) = world
            .refused::<PutLogEvents>(put(&[START + 1, START]))
            .await;
        assert_eq!(code, "InvalidParameterException");
        assert_eq!(
            text,
            "Log events in a single PutLogEvents request must be in chronological order."
        );
        const HOUR: u64 = 3_600_000;
        assert_eq!(
            ok(put(&[START, START + 3 * HOUR])).await,
            json!({ "tooNewLogEventStartIndex": 1 })
        );
        assert_eq!(
            ok(put(&[START - 15 * 24 * HOUR])).await,
            json!({ "tooOldLogEventEndIndex": 1 })
        );
        let mut elsewhere = put(&[START]);
        elsewhere["logStreamName"] = json!("none");
        assert_eq!(
            world.refused::<PutLogEvents>(elsewhere).await.0,
            "ResourceNotFoundException"
        );
    }
}
