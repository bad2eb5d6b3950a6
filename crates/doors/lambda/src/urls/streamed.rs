//! An answer in pieces as that of a request: with status and headers before its body where the function sends such.

use std::io;

use bytes::{Buf, Bytes, BytesMut};
use futures_util::stream;
use headwater_functions::StreamedAnswer;
use headwater_http::{Body, body};
use http::{HeaderValue, Response, header};

use super::answer::Prelude;

/// The content type of an answer with status and headers before its body.
const WITH_PRELUDE: &str = "application/vnd.awslambda.http-integration-response";
/// What stands between the two.
const PRELUDE_END: [u8; 8] = [0; 8];
/// The most that status and headers may take.
const PRELUDE_BYTES_MAX: usize = 128 * 1024;

/// The answer that a stream makes; none where it fails before there is one.
pub(super) async fn of(mut stream: StreamedAnswer) -> Option<Response<Body>> {
    let kind = stream.content_type.clone().unwrap_or_default();
    if !kind.eq_ignore_ascii_case(WITH_PRELUDE) {
        let first = stream.next().await;
        let kind = HeaderValue::from_str(&kind)
            .ok()
            .filter(|kind| !kind.is_empty());
        let kind = kind.unwrap_or(HeaderValue::from_static("application/octet-stream"));
        return begun(stream, first, Prelude::default(), kind).await;
    }
    let mut head = BytesMut::new();
    let end = loop {
        if let Some(end) = head
            .windows(PRELUDE_END.len())
            .position(|window| window == PRELUDE_END)
        {
            break end;
        }
        if head.len() > PRELUDE_BYTES_MAX {
            return None;
        }
        head.extend_from_slice(&stream.next().await?);
    };
    let prelude = serde_json::from_slice(&head[..end]).ok()?;
    head.advance(end + PRELUDE_END.len());
    let kind = HeaderValue::from_static("application/octet-stream");
    begun(stream, Some(head.freeze()), prelude, kind).await
}

async fn begun(
    stream: StreamedAnswer,
    first: Option<Bytes>,
    prelude: Prelude,
    kind: HeaderValue,
) -> Option<Response<Body>> {
    let Some(first) = first else {
        // Nothing came: it is told apart from an answer of nothing before there is one.
        let end = stream.end().await.ok()?;
        let mut response = Response::new(body::empty());
        prelude.apply(&mut response)?;
        response
            .headers_mut()
            .entry(header::CONTENT_TYPE)
            .or_insert(kind);
        return (!end.failed).then_some(response);
    };
    let mut response = Response::new(body::streamed(pieces(first, stream), None));
    prelude.apply(&mut response)?;
    response
        .headers_mut()
        .entry(header::CONTENT_TYPE)
        .or_insert(kind);
    Some(response)
}

/// The pieces; an answer that fails in the middle breaks off, so that nobody takes it for a whole one.
fn pieces(
    first: Bytes,
    stream: StreamedAnswer,
) -> impl futures_util::Stream<Item = io::Result<Bytes>> + Send + 'static {
    let rest = stream::try_unfold(Some(stream), |stream| async {
        let Some(mut stream) = stream else {
            return Ok(None);
        };
        if let Some(piece) = stream.next().await {
            return Ok(Some((piece, Some(stream))));
        }
        match stream.end().await {
            Ok(end) if !end.failed => Ok(None),
            _ => Err(io::Error::other(
                "the function failed in the middle of its answer",
            )),
        }
    });
    futures_util::StreamExt::chain(stream::iter([Ok(first)]), rest)
}
