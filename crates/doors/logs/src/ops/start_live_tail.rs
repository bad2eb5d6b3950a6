//! StartLiveTail: events as they come, an update each second.

use std::sync::Arc;

use futures_util::stream;
use headwater_loggroups::{Event, LiveTail, Pattern, TailOptions, TailUpdate, limits};
use headwater_shapes::{EventError, EventStream, Shared};
use headwater_shapes_logs::{
    LiveTailSessionLogEvent, LiveTailSessionMetadata, LiveTailSessionStart, LiveTailSessionUpdate,
    StartLiveTailRequest, StartLiveTailResponse, StartLiveTailResponseStream, ops::StartLiveTail,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    Logs,
    errors::{api, invalid_parameter},
    group,
};

impl Handle<StartLiveTail> for Logs {
    async fn handle(
        &self,
        input: StartLiveTailRequest,
        context: &Context,
    ) -> Result<StartLiveTailResponse, ApiError> {
        let StartLiveTailRequest {
            log_group_identifiers,
            log_stream_names,
            log_stream_name_prefixes,
            log_event_filter_pattern,
        } = input;
        check(
            &log_group_identifiers,
            log_stream_names.is_some(),
            log_stream_name_prefixes.is_some(),
        )?;
        let names = log_group_identifiers.iter();
        let names = names.map(|identifier| group::of_arn(identifier, context));
        let options = TailOptions {
            groups: names.collect::<Result<_, _>>()?,
            streams: log_stream_names.clone().unwrap_or_default(),
            prefixes: log_stream_name_prefixes.clone().unwrap_or_default(),
            pattern: Pattern::parse(log_event_filter_pattern.as_deref().unwrap_or_default())
                .map_err(api)?,
        };
        // AWS names the groups of events by account and name.
        let shown = options.groups.iter();
        let shown = shown.map(|name| format!("{}:{name}", context.account.0));
        let shown = shown.collect();
        let tail = self.groups.tail(options).await.map_err(api)?;
        let start = LiveTailSessionStart {
            request_id: Some(context.request_id.to_string()),
            session_id: Some(context.request_id.to_string()),
            log_group_identifiers: Some(log_group_identifiers),
            log_stream_names: Some(log_stream_names.unwrap_or_default()),
            log_stream_name_prefixes: Some(log_stream_name_prefixes.unwrap_or_default()),
            log_event_filter_pattern: Some(log_event_filter_pattern.unwrap_or_default()),
        };
        Ok(StartLiveTailResponse {
            response_stream: events(start, tail, shown),
        })
    }
}

/// The service's own rules for what may be tailed.
fn check(identifiers: &[String], has_names: bool, has_prefixes: bool) -> Result<(), ApiError> {
    if has_names && has_prefixes {
        return Err(invalid_parameter(
            "logStreamNames and logStreamNamePrefixes are mutually exclusive parameters.",
        ));
    }
    if identifiers.len() > 1 && (has_names || has_prefixes) {
        return Err(invalid_parameter(
            "logStreamNames and logStreamNamePrefixes can only be used with a single log group.",
        ));
    }
    if identifiers.len() > limits::TAIL_GROUPS_MAX {
        return Err(invalid_parameter("A session has at most 10 log groups."));
    }
    Ok(())
}

type Told = Result<Shared<StartLiveTailResponseStream>, EventError>;

/// The steps of a session.
enum Session {
    Begins(Box<LiveTailSessionStart>, Box<LiveTail>),
    Runs(Box<LiveTail>),
    Ended,
}

fn events(
    start: LiveTailSessionStart,
    tail: LiveTail,
    groups: Arc<[String]>,
) -> EventStream<StartLiveTailResponseStream> {
    let first = Session::Begins(Box::new(start), Box::new(tail));
    let events = stream::unfold(first, move |session| next(session, groups.clone()));
    EventStream {
        events: Box::pin(events),
    }
}

async fn next(session: Session, groups: Arc<[String]>) -> Option<(Told, Session)> {
    let mut tail = match session {
        Session::Begins(start, tail) => {
            let start = StartLiveTailResponseStream::SessionStart(*start);
            return Some((Ok(Shared::from(start)), Session::Runs(tail)));
        }
        Session::Runs(tail) => tail,
        Session::Ended => return None,
    };
    let update = match tail.next().await {
        Ok(Some(update)) => Ok(Shared::from(show(update, &groups))),
        Ok(None) if tail.is_over() => Err(error(
            "SessionTimeoutException",
            "Your live tail session has timed out. A session can go on for three hours.".to_owned(),
        )),
        Ok(None) => return None,
        Err(failed) => Err(error("SessionStreamingException", failed.to_string())),
    };
    let session = match update {
        Ok(_) => Session::Runs(tail),
        Err(_) => Session::Ended,
    };
    Some((update, session))
}

fn error(name: &str, message: String) -> EventError {
    EventError {
        name: name.to_owned(),
        message,
    }
}

fn show(update: TailUpdate, groups: &[String]) -> StartLiveTailResponseStream {
    let TailUpdate { events, sampled } = update;
    let shown = events.into_iter().map(|(group, event)| {
        let Event {
            offset: _,
            stream,
            time,
            ingested,
            message,
        } = event;
        LiveTailSessionLogEvent {
            log_stream_name: Some(stream),
            log_group_identifier: Some(groups[group].clone()),
            message: Some(message),
            timestamp: Some(time.0 as i64),
            ingestion_time: Some(ingested.0 as i64),
        }
    });
    StartLiveTailResponseStream::SessionUpdate(LiveTailSessionUpdate {
        session_results: Some(shown.collect()),
        session_metadata: Some(LiveTailSessionMetadata {
            sampled: Some(sampled),
        }),
    })
}

#[cfg(test)]
mod tests {
    use futures_util::{FutureExt, StreamExt};
    use headwater_loggroups::limits;
    use headwater_shapes_logs::{
        StartLiveTailResponseStream,
        ops::{PutLogEvents, StartLiveTail},
    };
    use serde_json::{Value, json};

    use super::Told;
    use crate::testing::{START, World};

    const ARN: &str = "arn:aws:logs:us-east-1:000000000000:log-group:g";

    type Events = headwater_shapes::EventStream<StartLiveTailResponseStream>;

    async fn start(world: &World, more: Value) -> Events {
        let mut input = json!({ "logGroupIdentifiers": [ARN] });
        input
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        let output = world.output::<StartLiveTail>(input).await.unwrap();
        output.response_stream
    }

    /// What comes next, for which the clock is moved.
    async fn told(world: &World, events: &mut Events) -> Option<Told> {
        let mut next = events.events.next();
        loop {
            match (&mut next).now_or_never() {
                Some(next) => return next,
                None => world.advance(limits::TAIL_EVERY),
            }
            tokio::task::yield_now().await;
        }
    }

    async fn event(world: &World, events: &mut Events) -> Value {
        let event = told(world, events).await.unwrap().unwrap();
        serde_json::to_value(&*event).unwrap()
    }

    async fn put(world: &World, messages: &[&str]) {
        let event = |message| json!({ "timestamp": START, "message": message });
        let events: Vec<Value> = messages.iter().map(event).collect();
        let input = json!({ "logGroupName": "g", "logStreamName": "s", "logEvents": events });
        world.ok::<PutLogEvents>(input).await;
    }

    #[tokio::test]
    async fn events_are_told_as_they_come() {
        let world = World::with_stream().await;
        put(&world, &["before"]).await;
        let mut events = start(&world, json!({ "logEventFilterPattern": "ERROR" })).await;
        let first = event(&world, &mut events).await;
        assert_eq!(first["logGroupIdentifiers"], json!([ARN]));
        assert_eq!(first["logEventFilterPattern"], "ERROR");
        let nothing = event(&world, &mut events).await;
        assert_eq!(nothing["sessionResults"], json!([]));
        put(&world, &["fine", "an ERROR"]).await;
        let update = event(&world, &mut events).await;
        let mut shown = update["sessionResults"][0].clone();
        shown["ingestionTime"] = json!(0);
        let expected = json!({
            "logStreamName": "s", "logGroupIdentifier": "000000000000:g", "message": "an ERROR", "timestamp": START,
            "ingestionTime": 0,
        });
        assert_eq!(shown, expected);
        assert_eq!(update["sessionResults"].as_array().unwrap().len(), 1);
        assert_eq!(update["sessionMetadata"], json!({ "sampled": false }));
    }

    #[tokio::test]
    async fn many_events_are_sampled_and_a_session_ends() {
        let world = World::with_stream().await;
        let mut events = start(&world, json!({ "logStreamNamePrefixes": ["s"] })).await;
        event(&world, &mut events).await;
        let many = vec!["m"; limits::TAIL_EVENTS_MAX + 1];
        put(&world, &many).await;
        let update = event(&world, &mut events).await;
        let found = update["sessionResults"].as_array().unwrap().len();
        assert_eq!(found, limits::TAIL_EVENTS_MAX);
        assert_eq!(update["sessionMetadata"]["sampled"], true);
        world.advance(limits::TAIL_FOR);
        let end = told(&world, &mut events).await.unwrap().err().unwrap();
        assert_eq!(end.name, "SessionTimeoutException");
        assert!(told(&world, &mut events).await.is_none());
    }

    #[tokio::test]
    async fn sessions_have_their_bounds() {
        let world = World::with_stream().await;
        let mut open = Vec::new();
        for _ in 0..limits::TAILS_MAX {
            open.push(start(&world, json!({})).await);
        }
        let input = json!({ "logGroupIdentifiers": [ARN] });
        let refused = world
            .output::<StartLiveTail>(input.clone())
            .await
            .unwrap_err();
        assert_eq!(refused.code(), "LimitExceededException");
        drop(open.pop());
        assert!(world.output::<StartLiveTail>(input).await.is_ok());
        for (input, code) in [
            (
                json!({ "logGroupIdentifiers": [format!("{ARN}-none")] }),
                "ResourceNotFoundException",
            ),
            (
                json!({ "logGroupIdentifiers": [ARN], "logStreamNames": ["s"], "logStreamNamePrefixes": ["s"] }),
                "InvalidParameterException",
            ),
            (
                json!({ "logGroupIdentifiers": [ARN, ARN], "logStreamNames": ["s"] }),
                "InvalidParameterException",
            ),
        ] {
            drop(open.pop());
            let refused = world.output::<StartLiveTail>(input).await.unwrap_err();
            assert_eq!(refused.code(), code);
        }
    }
}
