//! AWS JSON: inputs and outputs as JSON, without anything between bytes and types on the happy path.

use headwater_shapes::{Event, Operation, Valid};

use crate::{
    ApiError,
    event_stream::Payloads,
    validate::{self, Raw, serialization},
};

/// The input of an operation, valid, or AWS's error.
pub(crate) fn read<Op: Operation>(body: &[u8]) -> Result<Op::Input, ApiError> {
    match serde_json::from_slice::<Op::Input>(body) {
        Ok(input) if input.valid() => Ok(input),
        _ => validate::repair::<Op>(read_raw(body)?),
    }
}

fn read_raw(body: &[u8]) -> Result<Raw, ApiError> {
    let mut from = serde_json::Deserializer::from_slice(body);
    let raw = Raw::read(&mut from).and_then(|raw| from.end().map(|()| raw));
    match raw {
        Ok(raw @ (Raw::Map(_) | Raw::List(_))) => Ok(raw),
        // AWS says no more about what is not JSON, or only a scalar.
        _ => Err(serialization("")),
    }
}

/// The body of an answer; empty for operations without output.
pub(crate) fn write<Op: Operation>(output: &Op::Output) -> Result<Vec<u8>, ApiError> {
    if Op::SHAPE.output.name.is_empty() {
        return Ok(Vec::new());
    }
    serde_json::to_vec(output).map_err(ApiError::internal)
}

/// How events are written in JSON.
pub(crate) fn payloads<E: Event>() -> Payloads<E> {
    Payloads {
        content_type: "application/json",
        write: |event| serde_json::to_vec(event).map_err(ApiError::internal),
        write_error: |error| serde_json::json!({"message": error.message}).to_string().into_bytes(),
    }
}

/// Whether a body is JSON at all, for requests whose operation is not known.
pub(crate) fn is_json(body: &[u8]) -> bool {
    serde_json::from_slice::<serde::de::IgnoredAny>(body).is_ok()
}
