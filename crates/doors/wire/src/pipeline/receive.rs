//! A request's body on its way into memory: bounded, counted, and unpacked where it comes packed.

use std::io::Read;

use bytes::Bytes;
use flate2::read::MultiGzDecoder;
use headwater_http::{Body, Share};
use headwater_shapes::{OperationShape, Service};
use http::{HeaderMap, header, request::Parts};

use crate::{ApiError, Context, dialect::Dialect, dynamo};

/// A body in memory, as it came.
pub(super) struct Received {
    pub(super) bytes: Bytes,
    /// Its share of the room for bodies; dropping it gives that back.
    pub(super) share: Share,
}

impl Received {
    /// The body itself, with a share for what it is unpacked: a small body may become a large one.
    pub(super) async fn unpacked(
        self,
        head: &Parts,
        limit: usize,
        context: &Context,
        service: Option<&Service>,
    ) -> Result<Self, ApiError> {
        let packed = self.bytes.len();
        let bytes = unpack(self.bytes, head, limit, context.dialect, service)?;
        if bytes.len() <= packed {
            return Ok(Self { bytes, ..self });
        }
        // Given back first: who waits for room holds none.
        drop(self.share);
        let share = context.buffers.take(bytes.len()).await;
        Ok(Self { bytes, share })
    }
}

/// Holds a body of at most `limit` bytes.
pub(super) async fn hold(
    body: Body,
    limit: usize,
    operation: Option<&OperationShape>,
    context: &Context,
) -> Result<Received, ApiError> {
    let held = context.buffers.hold(body, limit).await;
    let held = held.map_err(|error| context.dialect.not_held(error, operation))?;
    Ok(Received {
        bytes: held.bytes,
        share: held.share,
    })
}

/// The body itself: the bytes that its signature covers may be packed. Unpacked it may have `limit` bytes as well.
pub(super) fn unpack(
    bytes: Bytes,
    head: &Parts,
    limit: usize,
    dialect: Dialect,
    service: Option<&Service>,
) -> Result<Bytes, ApiError> {
    let encoding = head.headers.get(header::CONTENT_ENCODING);
    if let Some(encoding) = encoding.filter(|_| service.is_some_and(dynamo::is_meant)) {
        return dynamo::unpack(bytes, encoding, limit, dialect);
    }
    if !is_gzip(&head.headers) {
        return Ok(bytes);
    }
    let mut unpacked = Vec::new();
    let mut from = MultiGzDecoder::new(&bytes[..]).take(limit as u64 + 1);
    if from.read_to_end(&mut unpacked).is_err() {
        return Err(ApiError::new(
            400,
            "SerializationException",
            "The body is not gzip.",
        ));
    }
    match unpacked.len() > limit {
        true => Err(dialect.not_held(headwater_http::HoldError::TooLong { limit }, None)),
        false => Ok(unpacked.into()),
    }
}

fn is_gzip(headers: &HeaderMap) -> bool {
    let encoding = headers.get(header::CONTENT_ENCODING);
    encoding.is_some_and(|encoding| encoding.as_bytes().eq_ignore_ascii_case(b"gzip"))
}
