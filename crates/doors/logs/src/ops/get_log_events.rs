//! GetLogEvents: one stream's events, forward and backward, in the order in which they arrived.

use headwater_loggroups::{Event, Place, Times};
use headwater_shapes_logs::{
    GetLogEventsRequest, GetLogEventsResponse, OutputLogEvent, ops::GetLogEvents,
};
use headwater_wire::{ApiError, Context, Handle};

use super::filter_log_events::millis;
use crate::{Logs, errors::api, group, token};

impl Handle<GetLogEvents> for Logs {
    async fn handle(
        &self,
        input: GetLogEventsRequest,
        context: &Context,
    ) -> Result<GetLogEventsResponse, ApiError> {
        let GetLogEventsRequest {
            log_group_name,
            log_group_identifier,
            log_stream_name,
            start_time,
            end_time,
            next_token,
            limit,
            start_from_head,
            // There are no data protection policies, so nothing is masked.
            unmask: _,
        } = input;
        let group = group::name(log_group_name, log_group_identifier, context)?;
        let place = match next_token.as_deref() {
            Some(given) => token::place(given)?,
            None if start_from_head == Some(true) => Place::Head,
            None => Place::Tail,
        };
        let times = Times {
            start: start_time.map(millis),
            end: end_time.map(millis),
        };
        let limit = limit.map_or(usize::MAX, |limit| limit.unsigned_abs() as usize);
        let found = self
            .groups
            .events(&group, &log_stream_name, times, place, limit)
            .await;
        let page = found.map_err(api)?;
        Ok(GetLogEventsResponse {
            events: Some(page.events.into_iter().map(show).collect()),
            next_forward_token: Some(token::of_place(Place::From(page.forward))),
            next_backward_token: Some(token::of_place(Place::Before(page.backward))),
        })
    }
}

fn show(event: Event) -> OutputLogEvent {
    OutputLogEvent {
        timestamp: Some(event.time.0 as i64),
        message: Some(event.message),
        ingestion_time: Some(event.ingested.0 as i64),
    }
}

#[cfg(test)]
mod tests {
    use headwater_shapes_logs::ops::{GetLogEvents, PutLogEvents};
    use serde_json::{Value, json};

    use crate::testing::{START, World};

    #[tokio::test]
    async fn a_stream_is_paged_in_both_directions() {
        let world = World::with_stream().await;
        let events: Vec<Value> = (0..5)
            .map(|i| json!({ "timestamp": START + i, "message": i.to_string() }))
            .collect();
        world
            .ok::<PutLogEvents>(
                json!({ "logGroupName": "g", "logStreamName": "s", "logEvents": events }),
            )
            .await;
        let get = async |mut members: Value| {
            members["logGroupName"] = json!("g");
            members["logStreamName"] = json!("s");
            let answer = world.ok::<GetLogEvents>(members).await;
            let events = answer["events"].as_array().unwrap();
            let text = events
                .iter()
                .map(|e| e["message"].as_str().unwrap())
                .collect::<String>();
            (
                text,
                answer["nextForwardToken"].clone(),
                answer["nextBackwardToken"].clone(),
            )
        };
        let (newest, forward, backward) = get(json!({ "limit": 2 })).await;
        assert_eq!(newest, "34");
        let (before, ..) = get(json!({ "limit": 2, "nextToken": backward })).await;
        assert_eq!(before, "12");
        assert_eq!(
            get(json!({ "nextToken": forward })).await.1,
            forward,
            "at the end the token stays"
        );
        let (oldest, forward, _) = get(json!({ "limit": 2, "startFromHead": true })).await;
        assert_eq!(oldest, "01");
        assert_eq!(get(json!({ "nextToken": forward })).await.0, "234");
        let times = json!({ "startTime": START + 1, "endTime": START + 3 });
        assert_eq!(get(times).await.0, "12", "the end is not wanted");
        let forged = json!({ "logGroupName": "g", "logStreamName": "s", "nextToken": "f/1/s" });
        let text = "The specified nextToken is invalid.";
        assert_eq!(
            world.refused::<GetLogEvents>(forged).await,
            ("InvalidParameterException".into(), text.into())
        );
        let none = json!({ "logGroupName": "g", "logStreamName": "none" });
        assert_eq!(
            world.refused::<GetLogEvents>(none).await.1,
            "The specified log stream does not exist."
        );
    }
}
