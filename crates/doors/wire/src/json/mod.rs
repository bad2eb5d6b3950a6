//! AWS JSON: inputs and outputs as JSON, without anything between bytes and types on the happy path.

mod de;
mod ser;

use bytes::Bytes;
use headwater_shapes::{Direct, Event, EventFormat, Valid};
use serde::Serialize;

use crate::{
    ApiError,
    event_stream::Payloads,
    validate::{self, Raw, serialization},
};

/// Bytes that most answers fit into.
const FIRST_BYTES: usize = 512;

/// The input of an operation, valid, or AWS's error.
pub(crate) fn read<Op: Direct>(body: Bytes) -> Result<Op::Input, ApiError> {
    let input = de::from_slice::<Op::Input>(&body).ok();
    if let Some(input) = input.filter(Op::Input::valid) {
        return Ok(input);
    }
    let raw = read_raw(&body)?;
    // It may be large, as what is made of it.
    drop(body);
    validate::repair::<Op>(raw)
}

pub(crate) fn read_raw(body: &[u8]) -> Result<Raw, ApiError> {
    let mut from = serde_json::Deserializer::from_slice(body);
    let raw = Raw::read(&mut from).and_then(|raw| from.end().map(|()| raw));
    match raw {
        Ok(raw @ (Raw::Map(_) | Raw::List(_))) => Ok(raw),
        // AWS says no more about what is not JSON, or only a scalar.
        _ => Err(serialization("")),
    }
}

/// The body of an answer; empty for operations without output.
pub(crate) fn write<Op: Direct>(output: &Op::Output) -> Result<Vec<u8>, ApiError> {
    if Op::SHAPE.output.name.is_empty() {
        return Ok(Vec::new());
    }
    to_vec(output)
}

fn to_vec(value: &impl Serialize) -> Result<Vec<u8>, ApiError> {
    let mut out = Vec::with_capacity(FIRST_BYTES);
    value
        .serialize(ser::Serializer::new(&mut out))
        .map_err(ApiError::internal)?;
    Ok(out)
}

/// How events are written in JSON.
pub(crate) fn payloads<E: Event>() -> Payloads<E> {
    Payloads {
        format: EventFormat::Json,
        content_type: "application/json",
        write: |event| to_vec(event),
        write_error: |error| {
            serde_json::json!({"message": error.message})
                .to_string()
                .into_bytes()
        },
    }
}

/// Whether a body is JSON at all, for requests whose operation is not known.
pub(crate) fn is_json(body: &[u8]) -> bool {
    serde_json::from_slice::<serde::de::IgnoredAny>(body).is_ok()
}
