//! Answers that come as events: the framing of `application/vnd.amazon.eventstream`, and a body made of it.
//!
//! A message is a prelude (its length, its headers' length, their CRC32), headers, a payload and the CRC32 of it all,
//! big-endian. (Source: the event stream encoding in the Smithy and Amazon Transcribe documentation.)

use bytes::{Buf, BufMut, Bytes, BytesMut};
use crc_fast::CrcAlgorithm;
use futures_util::{Stream, StreamExt, future, stream};
use headwater_shapes::{ByteStream, Event, EventError, EventFormat, EventStream, Shared};

use crate::{ApiError, limits::EVENT_MESSAGE_BYTES};

/// The content type of an answer that is an event stream.
pub const CONTENT_TYPE: &str = "application/vnd.amazon.eventstream";

/// The two lengths and their checksum.
const PRELUDE: usize = 12;
/// The checksum behind a message.
const CHECKSUM: usize = 4;
/// A header's value is a text.
const TEXT: u8 = 7;

/// One message.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Message {
    /// The headers whose values are texts, which all are that AWS's services send.
    pub headers: Vec<(String, String)>,
    /// The bytes of the event or the error that it carries.
    pub payload: Bytes,
}

/// Why bytes are no message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a message of an event stream: {0}")]
pub struct Malformed(&'static str);

impl Message {
    /// The header of that name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(found, _)| found == name)
            .map(|(_, value)| value.as_str())
    }

    /// Takes the first message off the front of `bytes`; none while there is only a part of it.
    pub fn decode(bytes: &mut BytesMut) -> Result<Option<Self>, Malformed> {
        let Some(mut prelude) = bytes.get(..PRELUDE) else {
            return Ok(None);
        };
        if crc(&prelude[..PRELUDE - 4]) != (&prelude[PRELUDE - 4..]).get_u32() {
            return Err(Malformed("the checksum of its lengths is wrong"));
        }
        let (total, headers) = (prelude.get_u32() as usize, prelude.get_u32() as usize);
        if total > EVENT_MESSAGE_BYTES {
            return Err(Malformed("it is too long"));
        }
        if headers.saturating_add(PRELUDE + CHECKSUM) > total {
            return Err(Malformed("its lengths contradict each other"));
        }
        if bytes.len() < total {
            return Ok(None);
        }
        let message = bytes.split_to(total).freeze();
        let (covered, mut checksum) = message.split_at(total - CHECKSUM);
        if crc(covered) != checksum.get_u32() {
            return Err(Malformed("its checksum is wrong"));
        }
        let payload = PRELUDE + headers;
        let headers =
            read_headers(&message[PRELUDE..payload]).ok_or(Malformed("its headers are cut"))?;
        Ok(Some(Self {
            headers,
            payload: message.slice(payload..total - CHECKSUM),
        }))
    }
}

fn read_headers(mut bytes: &[u8]) -> Option<Vec<(String, String)>> {
    let mut headers = Vec::new();
    while !bytes.is_empty() {
        let name = take(&mut bytes, 1)?;
        let kind = bytes.try_get_u8().ok()?;
        let width = match kind {
            0 | 1 => 0,
            2 => 1,
            3 => 2,
            4 => 4,
            5 | 8 => 8,
            9 => 16,
            6 | TEXT => {
                let value = take(&mut bytes, 2)?;
                if kind == TEXT {
                    headers.push((text(name)?, text(value)?));
                }
                continue;
            }
            _ => return None,
        };
        bytes
            .split_at_checked(width)
            .map(|(_, rest)| bytes = rest)?;
    }
    Some(headers)
}

/// Takes what stands behind its own length of `width` bytes.
fn take<'a>(bytes: &mut &'a [u8], width: usize) -> Option<&'a [u8]> {
    let length = if width == 1 {
        bytes.try_get_u8().ok()?.into()
    } else {
        bytes.try_get_u16().ok()?
    };
    let (taken, rest) = bytes.split_at_checked(length.into())?;
    *bytes = rest;
    Some(taken)
}

fn text(bytes: &[u8]) -> Option<String> {
    std::str::from_utf8(bytes).ok().map(str::to_owned)
}

fn crc(bytes: &[u8]) -> u32 {
    crc_fast::checksum(CrcAlgorithm::Crc32IsoHdlc, bytes) as u32
}

/// A message with headers of texts, each at most 255 and 65,535 bytes.
pub fn encode(headers: &[(&str, &str)], payload: &[u8]) -> Bytes {
    let headers_len: usize = headers
        .iter()
        .map(|(name, value)| 4 + name.len() + value.len())
        .sum();
    let total = PRELUDE + headers_len + payload.len() + CHECKSUM;
    let mut message = BytesMut::with_capacity(total);
    message.put_u32(length(total));
    message.put_u32(length(headers_len));
    message.put_u32(crc(&message));
    for (name, value) in headers {
        message.put_u8(u8::try_from(name.len()).expect("names of headers are ours, and short"));
        message.put_slice(name.as_bytes());
        message.put_u8(TEXT);
        message
            .put_u16(u16::try_from(value.len()).expect("values of headers are names, and short"));
        message.put_slice(value.as_bytes());
    }
    message.put_slice(payload);
    message.put_u32(crc(&message));
    message.freeze()
}

fn length(bytes: usize) -> u32 {
    u32::try_from(bytes).expect("an event is far below 4 GiB")
}

/// How payloads are written.
#[derive(Clone, Copy)]
pub(crate) struct Payloads<E> {
    /// Their format.
    pub format: EventFormat,
    /// Their content type, for the messages' headers.
    pub content_type: &'static str,
    /// Writes an event.
    pub write: fn(&E) -> Result<Vec<u8>, ApiError>,
    /// Writes the text of an error.
    pub write_error: fn(&EventError) -> Vec<u8>,
}

/// The body of an answer: the members that are no events, then the events. An error ends it.
pub(crate) fn body<E: Event>(
    initial: Vec<u8>,
    events: EventStream<E>,
    payloads: Payloads<E>,
) -> ByteStream {
    let first = event("initial-response", payloads.content_type, &initial);
    let rest = until_error(events.events).map(move |event| message(event, &payloads));
    let chunks = stream::once(future::ready(first)).chain(rest).map(Ok);
    ByteStream {
        chunks: Box::pin(chunks),
        len: None,
    }
}

fn until_error<E>(
    events: impl Stream<Item = Result<E, EventError>> + Send,
) -> impl Stream<Item = Result<E, EventError>> + Send
where
    E: Send,
{
    events.scan(false, |failed, event| {
        let over = std::mem::replace(failed, event.is_err());
        future::ready((!over).then_some(event))
    })
}

fn message<E: Event>(next: Result<Shared<E>, EventError>, payloads: &Payloads<E>) -> Bytes {
    next.and_then(|next| written(&next, payloads))
        .unwrap_or_else(|error| {
            let headers = [
                (":exception-type", error.name.as_str()),
                (":content-type", payloads.content_type),
                (":message-type", "exception"),
            ];
            encode(&headers, &(payloads.write_error)(&error))
        })
}

/// The message of an event, which another reader that shares the event may have written already.
fn written<E: Event>(shared: &Shared<E>, payloads: &Payloads<E>) -> Result<Bytes, EventError> {
    let place = shared.written(payloads.format);
    if let Some(written) = place.get() {
        return Ok(written.clone());
    }
    let payload = (payloads.write)(shared)?;
    let message = event(shared.name(), payloads.content_type, &payload);
    Ok(place.get_or_init(|| message).clone())
}

fn event(name: &str, content_type: &str, payload: &[u8]) -> Bytes {
    let headers = [
        (":event-type", name),
        (":content-type", content_type),
        (":message-type", "event"),
    ];
    encode(&headers, payload)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::{Deserialize, Deserializer, Serialize};

    use super::*;

    /// A message that other encoders publish as their test vector: no headers, a payload of JSON.
    #[test]
    fn a_published_message_is_written_and_read() {
        let bytes = b"\0\0\0\x1d\0\0\0\0\xfdR\x8cZ{'foo':'bar'}\xc3e96";
        assert_eq!(encode(&[], b"{'foo':'bar'}"), &bytes[..]);
        let read = Message::decode(&mut BytesMut::from(&bytes[..]))
            .unwrap()
            .unwrap();
        assert_eq!(
            (read.headers.len(), &read.payload[..]),
            (0, &b"{'foo':'bar'}"[..])
        );
    }

    #[test]
    fn headers_that_are_no_texts_are_passed_over() {
        let mut headers = Vec::new();
        for (kind, value) in [
            (0, &[][..]),
            (1, &[]),
            (2, &[7]),
            (3, &[0; 2]),
            (4, &[0; 4]),
            (5, &[0; 8]),
            (6, &[0, 1, 9]),
            (8, &[0; 8]),
            (9, &[0; 16]),
            (TEXT, &[0, 2, b'h', b'i']),
        ] {
            headers.extend_from_slice(&[1, b'a' + kind, kind]);
            headers.extend_from_slice(value);
        }
        assert_eq!(
            read_headers(&headers),
            Some(vec![("h".to_owned(), "hi".to_owned())])
        );
        assert_eq!(read_headers(&[1, b'a', 10]), None);
        assert_eq!(read_headers(&headers[..headers.len() - 1]), None);
    }

    #[derive(Clone, Serialize)]
    struct Tick(u32);

    impl Event for Tick {
        fn name(&self) -> &'static str {
            "Tick"
        }

        fn read<'de, D: Deserializer<'de>>(_: &str, from: D) -> Result<Option<Self>, D::Error> {
            u32::deserialize(from).map(|ticks| Some(Tick(ticks)))
        }
    }

    #[tokio::test]
    async fn a_body_begins_with_the_answer_and_ends_with_the_first_error() {
        let error = EventError {
            name: "ResourceInUseException".into(),
            message: "taken".into(),
        };
        let events = stream::iter([Ok(Tick(1).into()), Err(error), Ok(Tick(2).into())]);
        let payloads = Payloads {
            format: EventFormat::Json,
            content_type: "application/json",
            write: |event: &Tick| serde_json::to_vec(event).map_err(ApiError::internal),
            write_error: |error| error.message.clone().into_bytes(),
        };
        let body = body(
            b"{}".to_vec(),
            EventStream {
                events: Box::pin(events),
            },
            payloads,
        );
        let mut bytes = BytesMut::new();
        for chunk in body.chunks.collect::<Vec<_>>().await {
            bytes.extend_from_slice(&chunk.unwrap());
        }
        let mut read = Vec::new();
        while let Some(message) = Message::decode(&mut bytes).unwrap() {
            let kind = message.header(":message-type").unwrap().to_owned();
            let name = message
                .header(":event-type")
                .or(message.header(":exception-type"))
                .unwrap()
                .to_owned();
            read.push((
                kind,
                name,
                String::from_utf8(message.payload.to_vec()).unwrap(),
            ));
        }
        let owned = |a: &str, b: &str, c: &str| (a.to_owned(), b.to_owned(), c.to_owned());
        assert_eq!(
            read,
            [
                owned("event", "initial-response", "{}"),
                owned("event", "Tick", "1"),
                owned("exception", "ResourceInUseException", "taken"),
            ]
        );
        assert!(bytes.is_empty());
    }

    #[test]
    fn an_event_is_written_once_for_all_who_share_it() {
        let payloads = |text: fn(&Tick) -> Result<Vec<u8>, ApiError>, format| Payloads {
            format,
            content_type: "text/plain",
            write: text,
            write_error: |error| error.message.clone().into_bytes(),
        };
        let first = payloads(|_| Ok(b"first".to_vec()), EventFormat::Json);
        let again = payloads(|_| panic!("it was written before"), EventFormat::Json);
        let other = payloads(|_| Ok(b"other".to_vec()), EventFormat::Cbor);
        let shared = Shared::from(Tick(1));
        let [first, again, other] =
            [first, again, other].map(|payloads| message(Ok(shared.clone()), &payloads));
        assert_eq!(first, again);
        assert_ne!(first, other);
    }

    proptest! {
        #[test]
        fn messages_read_back_however_they_are_cut(
            headers in proptest::collection::vec(("[a-z:-]{1,40}", ".{0,60}"), 0..6),
            payload in proptest::collection::vec(any::<u8>(), 0..500),
            cut in any::<prop::sample::Index>(),
        ) {
            let refs: Vec<_> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            let bytes = encode(&refs, &payload);
            let mut part = BytesMut::from(&bytes[..cut.index(bytes.len())]);
            prop_assert_eq!(Message::decode(&mut part), Ok(None));
            part.extend_from_slice(&bytes[part.len()..]);
            part.extend_from_slice(b"rest");
            let read = Message::decode(&mut part).unwrap().unwrap();
            prop_assert_eq!(read, Message { headers, payload: payload.into() });
            prop_assert_eq!(&part[..], b"rest");
        }

        #[test]
        fn a_changed_bit_is_noticed(payload in proptest::collection::vec(any::<u8>(), 0..50), bit in any::<prop::sample::Index>()) {
            let mut bytes = BytesMut::from(&encode(&[(":a", "b")], &payload)[..]);
            let bit = bit.index(bytes.len() * 8);
            bytes[bit / 8] ^= 1 << (bit % 8);
            prop_assert!(!matches!(Message::decode(&mut bytes), Ok(Some(_))));
        }

        #[test]
        fn arbitrary_bytes_do_no_harm(bytes in proptest::collection::vec(any::<u8>(), 0..100), sealed in any::<bool>()) {
            let mut bytes = BytesMut::from(&bytes[..]);
            if sealed && bytes.len() >= PRELUDE + CHECKSUM {
                // With right checksums, so that what is behind them is reached.
                let len = bytes.len();
                bytes[..8].copy_from_slice(&[0, 0, 0, len as u8, 0, 0, 0, (len - PRELUDE - CHECKSUM) as u8]);
                let prelude = crc(&bytes[..8]).to_be_bytes();
                bytes[8..12].copy_from_slice(&prelude);
                let whole = crc(&bytes[..len - CHECKSUM]).to_be_bytes();
                bytes[len - CHECKSUM..].copy_from_slice(&whole);
            }
            let _ = Message::decode(&mut bytes);
        }
    }
}
