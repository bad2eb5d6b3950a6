//! A request's body on its way into memory: bounded, counted, and unpacked where it comes packed.

use bytes::Bytes;
use headwater_http::{Body, HoldError, Share};
use headwater_shapes::{OperationShape, Service};
use http::{header, request::Parts};

use crate::{
    ApiError, Context,
    dialect::Dialect,
    dynamo,
    packing::{Packing, Unpackable},
};

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
    let Some(encoding) = head.headers.get(header::CONTENT_ENCODING) else {
        return Ok(bytes);
    };
    let is_dynamo = service.is_some_and(dynamo::is_meant);
    let packing = encoding.to_str().ok().and_then(Packing::of);
    let packing = match packing.filter(|packing| is_dynamo || *packing == Packing::Gzip) {
        Some(packing) => packing,
        None if is_dynamo => return Err(dynamo::not_packed()),
        // Of all others AWS knows gzip alone; what it does not know it takes for the body itself.
        None => return Ok(bytes),
    };
    packing.unpack(&bytes, limit).map_err(|why| match why {
        Unpackable::TooLong => dialect.not_held(HoldError::TooLong { limit }, None),
        Unpackable::NotPacked if is_dynamo => dynamo::not_packed(),
        Unpackable::NotPacked => {
            ApiError::new(400, "SerializationException", "The body is not gzip.")
        }
    })
}
