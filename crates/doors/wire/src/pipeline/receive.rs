//! A request's body on its way into memory: bounded, counted, and unpacked where it comes packed.

use bytes::Bytes;
use headwater_http::{Body, Buffers, HoldError, Share};
use headwater_shapes::{OperationShape, Service};
use http::{header, request::Parts};

use crate::{
    ApiError, Context, dynamo,
    packing::{Packing, Unpackable},
};

/// A body in memory, as it came.
pub(super) struct Received {
    pub(super) bytes: Bytes,
    /// Its share of the room for bodies; dropping it gives that back.
    pub(super) share: Share,
}

impl Received {
    /// The body itself: the bytes that its signature covers may be packed. Unpacked it may have `limit` bytes as well, and
    /// each step of it is counted before it has memory, as a small body may become a large one.
    pub(super) async fn unpacked(
        mut self,
        head: &Parts,
        limit: usize,
        context: &Context,
        service: Option<&Service>,
    ) -> Result<Self, ApiError> {
        let is_dynamo = service.is_some_and(dynamo::is_meant);
        let Some(packing) = packing(head, is_dynamo)? else {
            return Ok(self);
        };
        let refuse = |why| match why {
            Unpackable::TooLong => context.dialect.not_held(HoldError::TooLong { limit }, None),
            Unpackable::NotPacked if is_dynamo => dynamo::not_packed(),
            Unpackable::NotPacked => {
                ApiError::new(400, "SerializationException", "The body is not gzip.")
            }
        };
        let mut unpacking = packing.unpacking(&self.bytes, limit);
        loop {
            let step = context.buffers.grow(&mut self.share).await;
            if !unpacking.more(step).map_err(refuse)? {
                break;
            }
        }
        self.bytes = unpacking.done();
        Buffers::shrink(&mut self.share, self.bytes.len());
        Ok(self)
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

/// How a body is packed, if it is, as its head says.
fn packing(head: &Parts, is_dynamo: bool) -> Result<Option<Packing>, ApiError> {
    let Some(encoding) = head.headers.get(header::CONTENT_ENCODING) else {
        return Ok(None);
    };
    let packing = encoding.to_str().ok().and_then(Packing::of);
    match packing.filter(|packing| is_dynamo || *packing == Packing::Gzip) {
        None if is_dynamo => Err(dynamo::not_packed()),
        // Of all others AWS knows gzip alone; what it does not know it takes for the body itself.
        packing => Ok(packing),
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use futures_util::poll;
    use headwater_http::body::full;
    use headwater_types::{Account, Region};
    use http::Request;

    use super::*;

    const LIMIT: usize = 1 << 20;

    fn context(room: usize) -> Context {
        let account = Account("000000000000".to_owned());
        Context {
            buffers: Buffers::new(room),
            ..Context::new("R1", Region("us-east-1".to_owned()), account, "localhost")
        }
    }

    fn head() -> Parts {
        let request = Request::post("/").header(header::CONTENT_ENCODING, "gzip");
        request.body(()).unwrap().into_parts().0
    }

    async fn packed(bytes: usize, context: &Context) -> Received {
        let packed = Packing::Gzip.pack(&vec![b'a'; bytes]).unwrap();
        assert!(packed.len() < 4096);
        hold(full(packed), LIMIT, None, context).await.ok().unwrap()
    }

    #[tokio::test]
    async fn a_packed_body_is_counted_as_what_it_becomes() {
        let context = context(64 << 20);
        let received = packed(LIMIT, &context).await;
        let received = received.unpacked(&head(), LIMIT, &context, None).await;
        let received = received.ok().unwrap();
        assert_eq!(received.bytes.len(), LIMIT);
        assert_eq!(context.buffers.taken().0, 3 * LIMIT);
        drop(received);
        assert_eq!(context.buffers.taken().0, 0);
        let long = packed(LIMIT + 1, &context).await;
        assert!(long.unpacked(&head(), LIMIT, &context, None).await.is_err());
        assert_eq!(context.buffers.taken().0, 0);
    }

    #[tokio::test]
    async fn packed_bodies_wait_for_room_one_behind_another_and_all_are_unpacked() {
        let context = context(1 << 20);
        let head = head();
        let (one, other) = (packed(LIMIT, &context).await, packed(LIMIT, &context).await);
        // All room is taken: one body at a time goes on without.
        let rest = context.buffers.taken();
        let rest = context.buffers.take(rest.1 - rest.0).await;
        let one = one
            .unpacked(&head, LIMIT, &context, None)
            .await
            .ok()
            .unwrap();
        let mut other = pin!(other.unpacked(&head, LIMIT, &context, None));
        assert!(poll!(other.as_mut()).is_pending());
        drop(one);
        assert_eq!(other.await.ok().unwrap().bytes.len(), LIMIT);
        drop(rest);
        assert_eq!(context.buffers.taken().0, 0);
    }
}
