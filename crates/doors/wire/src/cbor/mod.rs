//! AWS's CBOR (`application/x-amz-cbor-1.1`): the same structures as AWS JSON, with bytes as bytes and times tagged.
//!
//! Times are tag 1 over milliseconds, as the AWS SDK for Java writes them to Kinesis; a fraction under the tag is
//! taken for seconds where it is small enough, as the standard has it.

mod de;
mod ser;
mod tree;

pub(crate) use tree::write_tree;

use std::collections::BTreeMap;

use bytes::Bytes;
use headwater_shapes::{Direct, Event, EventFormat, Valid};
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    ApiError,
    event_stream::Payloads,
    validate::{self, Raw, serialization},
};

/// How times are written under their tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Times {
    /// As whole milliseconds: AWS's CBOR.
    Milliseconds,
    /// As seconds with a fraction: Smithy RPC v2, and the standard.
    Seconds,
}

/// The reason why bytes are no CBOR, or why CBOR cannot hold a value.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct CborError(String);

impl serde::de::Error for CborError {
    fn custom<T: std::fmt::Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

impl serde::ser::Error for CborError {
    fn custom<T: std::fmt::Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

/// Reads one value that takes up all of `bytes`.
pub fn from_slice<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, CborError> {
    let mut from = de::Deserializer::new(bytes);
    let value = T::deserialize(&mut from)?;
    from.end().map(|()| value)
}

/// Writes one value.
pub fn to_vec<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, CborError> {
    let mut bytes = Vec::new();
    value.serialize(&mut ser::Serializer::new(&mut bytes))?;
    Ok(bytes)
}

/// The input of an operation, valid, or AWS's error.
pub(crate) fn read<Op: Direct>(body: Bytes) -> Result<Op::Input, ApiError> {
    if let Some(input) = from_slice::<Op::Input>(&body).ok().filter(Op::Input::valid) {
        return Ok(input);
    }
    let raw = read_raw(&body, Times::Milliseconds)?;
    // It may be large, as what is made of it.
    drop(body);
    validate::repair::<Op>(raw)
}

pub(crate) fn read_raw(body: &[u8], times: Times) -> Result<Raw, ApiError> {
    let mut from = de::Deserializer::of_times(body, times);
    let raw = Raw::read(&mut from).and_then(|raw| from.end().map(|()| raw));
    match raw {
        Ok(raw @ (Raw::Map(_) | Raw::List(_))) => Ok(raw),
        _ => Err(serialization("")),
    }
}

/// The body of an answer; empty for operations without output.
pub(crate) fn write<Op: Direct>(output: &Op::Output) -> Result<Vec<u8>, ApiError> {
    if Op::SHAPE.output.name.is_empty() {
        return Ok(Vec::new());
    }
    to_vec(output).map_err(ApiError::internal)
}

/// How events are written in CBOR.
pub(crate) fn payloads<E: Event>() -> Payloads<E> {
    Payloads {
        format: EventFormat::Cbor,
        content_type: "application/x-amz-cbor-1.1",
        write: |event| to_vec(event).map_err(ApiError::internal),
        write_error: |error| {
            to_vec(&BTreeMap::from([("message", &error.message)]))
                .expect("texts have a form in CBOR")
        },
    }
}

#[cfg(test)]
mod tests;
