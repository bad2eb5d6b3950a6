//! An answer that comes as events, read as they come: nothing is taken off the connection before its reader asks.

use bytes::BytesMut;
use futures_util::{StreamExt, stream};
use headwater_shapes::{ByteStream, Event, EventError, EventStream, Operation, Tree};
use serde_json::{Deserializer, Value};

use headwater_wire::event_stream::Message;

use crate::CallError;

/// The output: what its first message says, and the events behind that.
pub(crate) async fn read_events<Op: Operation>(
    status: u16,
    body: ByteStream,
) -> Result<Op::Output, CallError> {
    let refused = |error: EventError| CallError::answered(status, error.name, error.message);
    let mut messages = Messages {
        body,
        bytes: BytesMut::new(),
    };
    let first = messages
        .next()
        .await
        .and_then(|first| first.ok_or_else(cut))
        .map_err(refused)?;
    if first.header(":event-type") != Some("initial-response") {
        return Err(CallError::response(status, "the events have no beginning"));
    }
    let said = if first.payload.is_empty() {
        &b"{}"[..]
    } else {
        &first.payload
    };
    let tree = serde_json::from_slice(said).map_err(|error| CallError::response(status, error))?;
    let mut output =
        Op::Output::from_value(tree).map_err(|error| CallError::response(status, error))?;
    let events = stream::try_unfold(messages, async |mut messages: Messages| {
        Ok(messages
            .event::<Op::Event>()
            .await?
            .map(|event| (event.into(), messages)))
    });
    Op::set_event_stream(
        &mut output,
        EventStream {
            events: Box::pin(events),
        },
    );
    Ok(output)
}

/// A body in messages.
struct Messages {
    body: ByteStream,
    /// The bytes that came and are no whole message yet.
    bytes: BytesMut,
}

impl Messages {
    /// The next event; those of kinds that we do not know are passed over.
    async fn event<E: Event>(&mut self) -> Result<Option<E>, EventError> {
        while let Some(message) = self.next().await? {
            let name = message.header(":event-type").unwrap_or_default();
            let event = E::read(name, &mut Deserializer::from_slice(&message.payload))
                .map_err(unreadable)?;
            if event.is_some() {
                return Ok(event);
            }
        }
        Ok(None)
    }

    /// The next message; none at the end, and an error where it says one.
    async fn next(&mut self) -> Result<Option<Message>, EventError> {
        loop {
            if let Some(message) = Message::decode(&mut self.bytes).map_err(unreadable)? {
                return said_error(&message).map_or(Ok(Some(message)), Err);
            }
            match self.body.chunks.next().await {
                Some(chunk) => self.bytes.extend_from_slice(&chunk.map_err(broken)?),
                None if self.bytes.is_empty() => return Ok(None),
                None => return Err(cut()),
            }
        }
    }
}

/// The error that a message is: one that the model names, or one that it does not.
fn said_error(message: &Message) -> Option<EventError> {
    let header = |name| message.header(name).unwrap_or_default().to_owned();
    match message.header(":message-type") {
        Some("exception") => {
            let holds: Value = serde_json::from_slice(&message.payload).unwrap_or_default();
            let text = ["message", "Message"]
                .iter()
                .find_map(|name| holds[name].as_str());
            Some(EventError {
                name: header(":exception-type"),
                message: text.unwrap_or_default().to_owned(),
            })
        }
        Some("error") => Some(EventError {
            name: header(":error-code"),
            message: header(":error-message"),
        }),
        _ => None,
    }
}

fn unreadable(error: impl ToString) -> EventError {
    EventError {
        name: CallError::RESPONSE.to_owned(),
        message: error.to_string(),
    }
}

fn broken(error: impl ToString) -> EventError {
    EventError {
        name: CallError::TRANSPORT.to_owned(),
        message: error.to_string(),
    }
}

fn cut() -> EventError {
    broken("the answer ends within an event")
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use futures_util::TryStreamExt;
    use headwater_shapes_kinesis::{SubscribeToShardEvent, SubscribeToShardEventStream, ops};
    use proptest::prelude::*;

    use super::*;
    use headwater_wire::event_stream::encode;

    fn event(name: &str, payload: &str) -> Bytes {
        encode(
            &[(":event-type", name), (":message-type", "event")],
            payload.as_bytes(),
        )
    }

    fn exception(name: &str, payload: &str) -> Bytes {
        encode(
            &[(":exception-type", name), (":message-type", "exception")],
            payload.as_bytes(),
        )
    }

    /// Reads messages that come in pieces of `piece` bytes: the events, and what ended them.
    async fn read(
        messages: &[Bytes],
        piece: usize,
    ) -> Result<(Vec<SubscribeToShardEventStream>, Option<EventError>), CallError> {
        let pieces: Vec<_> = messages
            .concat()
            .chunks(piece)
            .map(Bytes::copy_from_slice)
            .map(Ok)
            .collect();
        let body = ByteStream {
            chunks: Box::pin(stream::iter(pieces)),
            len: None,
        };
        let mut events = read_events::<ops::SubscribeToShard>(200, body)
            .await?
            .event_stream
            .events;
        let mut seen = Vec::new();
        loop {
            match events.try_next().await {
                Ok(Some(event)) => seen.push(event.into_event()),
                Ok(None) => return Ok((seen, None)),
                Err(error) => return Ok((seen, Some(error))),
            }
        }
    }

    fn quiet(number: &str) -> SubscribeToShardEventStream {
        SubscribeToShardEventStream::SubscribeToShardEvent(SubscribeToShardEvent {
            continuation_sequence_number: Some(number.into()),
            ..Default::default()
        })
    }

    #[tokio::test]
    async fn events_are_read_however_they_are_cut_and_unknown_ones_passed_over() {
        let said = r#"{"ContinuationSequenceNumber":"7","MillisBehindLatest":0,"Records":[]}"#;
        let one = event("SubscribeToShardEvent", said);
        let messages = [
            event("initial-response", "{}"),
            one.clone(),
            event("NewEvent", "[]"),
            one,
        ];
        for piece in [1, 7, 10_000] {
            assert_eq!(
                read(&messages, piece).await.unwrap(),
                (vec![quiet("7"), quiet("7")], None)
            );
        }
    }

    #[tokio::test]
    async fn errors_are_told_wherever_they_come() {
        let (first, taken) = (event("initial-response", ""), r#"{"message":"taken"}"#);
        let expected = EventError {
            name: "ResourceInUseException".into(),
            message: "taken".into(),
        };
        let exception = exception("ResourceInUseException", taken);
        assert_eq!(
            read(&[first.clone(), exception.clone()], 50).await.unwrap(),
            (vec![], Some(expected))
        );
        let error = read(&[exception], 50).await.unwrap_err();
        assert_eq!(
            (error.code.as_str(), error.message.as_str()),
            ("ResourceInUseException", "taken")
        );
        let headers = [
            (":message-type", "error"),
            (":error-code", "Internal"),
            (":error-message", "it fell over"),
        ];
        let expected = EventError {
            name: "Internal".into(),
            message: "it fell over".into(),
        };
        assert_eq!(
            read(&[first.clone(), encode(&headers, b"")], 50)
                .await
                .unwrap()
                .1,
            Some(expected)
        );
        let half = first.slice(..first.len() - 1);
        assert_eq!(read(&[first, half], 50).await.unwrap().1, Some(cut()));
        assert_eq!(read(&[], 1).await.unwrap_err().code, CallError::TRANSPORT);
        let strange = event("SubscribeToShardEvent", "{}");
        assert_eq!(
            read(&[strange], 50).await.unwrap_err().code,
            CallError::RESPONSE
        );
    }

    proptest! {
        #[test]
        fn any_payload_is_survived(name in "[A-Za-z-]{0,24}", payload in ".{0,80}") {
            let messages = [event("initial-response", "{}"), event(&name, &payload)];
            let _ = futures_util::FutureExt::now_or_never(read(&messages, 1000)).unwrap();
        }
    }
}
