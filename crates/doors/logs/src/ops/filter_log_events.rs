//! FilterLogEvents: events of a group by streams, times and a pattern. The order is that in which they arrived; within
//! a page, that of their times.

use headwater_loggroups::{Event, Pattern, Search, Streams, Times};
use headwater_shapes_logs::{
    FilterLogEventsRequest, FilterLogEventsResponse, FilteredLogEvent, ops::FilterLogEvents,
};
use headwater_types::Millis;
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    Logs,
    errors::{api, invalid_parameter, refuse},
    group, token,
};

impl Handle<FilterLogEvents> for Logs {
    async fn handle(
        &self,
        input: FilterLogEventsRequest,
        context: &Context,
    ) -> Result<FilterLogEventsResponse, ApiError> {
        let FilterLogEventsRequest {
            log_group_name,
            log_group_identifier,
            log_stream_names,
            log_stream_name_prefix,
            start_time,
            end_time,
            filter_pattern,
            next_token,
            limit,
            start_from_head,
            // AWS ignores it since 2019: streams are always interleaved.
            interleaved: _,
            // There are no data protection policies, so nothing is masked.
            unmask: _,
        } = input;
        refuse(start_from_head == Some(false), "startFromHead=false")?;
        let group = group::name(log_group_name, log_group_identifier, context)?;
        let streams = match (log_stream_names, log_stream_name_prefix) {
            (None, None) => Streams::All,
            (Some(names), None) => Streams::Named(names),
            (None, Some(prefix)) => Streams::Prefix(prefix),
            (Some(_), Some(_)) => {
                return Err(invalid_parameter(
                    "logStreamNames and logStreamNamePrefix are mutually exclusive parameters.",
                ));
            }
        };
        let search = Search {
            streams,
            times: Times {
                start: start_time.map(millis),
                // AWS's end is the last time that is wanted.
                end: end_time.map(|end| millis(end.saturating_add(1))),
            },
            pattern: Pattern::parse(&filter_pattern.unwrap_or_default()).map_err(api)?,
            limit: limit.map_or(usize::MAX, |limit| limit.unsigned_abs() as usize),
            from: next_token.as_deref().map(token::offset).transpose()?,
        };
        let mut found = self.groups.search(&group, &search).await.map_err(api)?;
        found.events.sort_by_key(|event| event.time);
        Ok(FilterLogEventsResponse {
            events: Some(found.events.into_iter().map(show).collect()),
            searched_log_streams: Some(Vec::new()),
            next_token: found.next.map(token::of_offset),
        })
    }
}

pub(super) fn millis(time: i64) -> Millis {
    Millis(u64::try_from(time).unwrap_or(0))
}

fn show(event: Event) -> FilteredLogEvent {
    FilteredLogEvent {
        event_id: Some(event.id()),
        log_stream_name: Some(event.stream),
        timestamp: Some(event.time.0 as i64),
        message: Some(event.message),
        ingestion_time: Some(event.ingested.0 as i64),
    }
}

#[cfg(test)]
mod tests {
    use headwater_shapes_logs::ops::{FilterLogEvents, PutLogEvents};
    use serde_json::{Value, json};

    use crate::testing::{START, World};

    #[tokio::test]
    async fn events_are_filtered_and_paged() {
        let world = World::with_stream().await;
        let event = |at: u64, message: &str| json!({ "timestamp": START + at, "message": message });
        let events = json!([event(0, "one"), event(5, "an ERROR"), event(9, "two")]);
        world
            .ok::<PutLogEvents>(
                json!({ "logGroupName": "g", "logStreamName": "s", "logEvents": events }),
            )
            .await;
        let filter = async |mut members: Value| {
            members["logGroupName"] = json!("g");
            world.ok::<FilterLogEvents>(members).await
        };
        let messages = |answer: &Value| {
            let events = answer["events"].as_array().unwrap();
            events
                .iter()
                .map(|e| e["message"].as_str().unwrap().to_owned())
                .collect::<Vec<_>>()
        };
        let error = filter(json!({ "filterPattern": "ERROR" })).await;
        let id = format!("{:020}{:036}", START + 5, 1);
        let shown = json!({
            "logStreamName": "s", "timestamp": START + 5, "message": "an ERROR", "ingestionTime": START, "eventId": id,
        });
        assert_eq!(
            error,
            json!({ "events": [shown], "searchedLogStreams": [] })
        );
        let times = json!({ "startTime": START + 5, "endTime": START + 9 });
        assert_eq!(
            messages(&filter(times).await),
            ["an ERROR", "two"],
            "both ends are wanted"
        );
        let first = filter(json!({ "limit": 2 })).await;
        assert_eq!(messages(&first), ["one", "an ERROR"]);
        assert_eq!(
            messages(&filter(json!({ "nextToken": first["nextToken"] })).await),
            ["two"]
        );
        assert_eq!(
            messages(&filter(json!({ "logStreamNamePrefix": "t" })).await).len(),
            0
        );

        for (members, code) in [
            (
                json!({ "logGroupName": "none" }),
                "ResourceNotFoundException",
            ),
            (
                json!({ "logGroupName": "g", "logStreamNames": ["none"] }),
                "ResourceNotFoundException",
            ),
            (
                json!({ "logGroupName": "g", "nextToken": "invalid" }),
                "InvalidParameterException",
            ),
            (
                json!({ "logGroupName": "g", "filterPattern": "{ $.a }" }),
                "InvalidParameterException",
            ),
            (
                json!({ "logGroupName": "g", "logStreamNames": ["s"], "logStreamNamePrefix": "s" }),
                "InvalidParameterException",
            ),
            (json!({}), "ValidationException"),
        ] {
            assert_eq!(world.refused::<FilterLogEvents>(members).await.0, code);
        }
    }
}
