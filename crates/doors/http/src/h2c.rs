//! `Upgrade: h2c`: from HTTP/1.1 to HTTP/2 on the same connection, as RFC 7540 has it in section 3.2.
//!
//! The request that asks for it becomes the first stream of HTTP/2. What the client would have sent for it is put
//! behind the client's own first frame, where HTTP/2 reads on: nothing there knows of the change.

use std::io;

use bytes::{BufMut, Bytes, BytesMut};
use http::{
    HeaderName, HeaderValue, Request, Response, StatusCode, Version, header, request::Parts,
};
use http_body::Body as _;
use tokio::io::AsyncReadExt;

use crate::{
    Body, Buffers, HoldError, Peer, body,
    headers::{OF_CONNECTION, has_token},
    limits::H2C_BODY_BYTES,
    socket::Resumed,
};

/// How a client begins that speaks HTTP/2 without asking.
pub(crate) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// The largest frame before the peers have agreed on another.
const FRAME_BYTES: usize = 16_384;
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const SETTINGS: u8 = 4;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
const HTTP2_SETTINGS: HeaderName = HeaderName::from_static("http2-settings");

/// A request that asked for HTTP/2: as it came, where it stays in HTTP/1.1, or its frames in HTTP/2 and the answer that
/// says so.
pub(crate) enum Upgrade {
    No(Request<Body>),
    Yes(Bytes, Response<Body>),
}

/// Takes a request apart that asks for HTTP/2. One whose head is large is answered in HTTP/1.1 instead, as any server
/// may.
pub(crate) async fn take(request: Request<Body>, buffers: &Buffers) -> Result<Upgrade, HoldError> {
    let (head, body) = request.into_parts();
    let block = header_block(&head);
    if block.len() > FRAME_BYTES {
        return Ok(Upgrade::No(Request::from_parts(head, body)));
    }
    let buffered = buffers.hold(body, H2C_BODY_BYTES).await?;
    let first = frames(&block, &buffered.bytes);
    let mut response = Response::new(body::empty());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    response
        .headers_mut()
        .insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    response
        .headers_mut()
        .insert(header::UPGRADE, HeaderValue::from_static("h2c"));
    Ok(Upgrade::Yes(first, response))
}

/// Whether a request asks for HTTP/2 as it may, with a body that one may wait for before it is answered. Under TLS it may
/// not: ALPN is for that (RFC 7540, section 3.3), and a proxy that ends TLS may pass on what it does not understand.
pub(crate) fn asks(request: &Request<Body>, peer: Peer) -> bool {
    let settings = request.headers().get_all(HTTP2_SETTINGS).iter().count();
    !peer.secure
        && request.version() == Version::HTTP_11
        && settings == 1
        && has_token(request.headers(), &header::UPGRADE, "h2c")
        && has_token(request.headers(), &header::CONNECTION, "upgrade")
        && request
            .body()
            .size_hint()
            .exact()
            .is_some_and(|len| len <= H2C_BODY_BYTES as u64)
}

/// The request's head in HPACK, every field written out.
fn header_block(head: &Parts) -> Bytes {
    let mut block = BytesMut::new();
    let host = head
        .headers
        .get(header::HOST)
        .map_or(&b""[..], HeaderValue::as_bytes);
    let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
    field(&mut block, b":method", head.method.as_str().as_bytes());
    field(&mut block, b":scheme", b"http");
    field(&mut block, b":authority", host);
    field(&mut block, b":path", path.as_bytes());
    for (name, value) in &head.headers {
        if !OF_CONNECTION.contains(name) && *name != header::HOST && *name != HTTP2_SETTINGS {
            field(&mut block, name.as_str().as_bytes(), value.as_bytes());
        }
    }
    block.freeze()
}

/// A literal field, not indexed and not compressed (RFC 7541, section 6.2.2).
fn field(block: &mut BytesMut, name: &[u8], value: &[u8]) {
    block.put_u8(0);
    for text in [name, value] {
        length(block, text.len());
        block.put_slice(text);
    }
}

/// An integer with a prefix of seven bits (RFC 7541, section 5.1).
fn length(block: &mut BytesMut, len: usize) {
    const PREFIX: usize = 127;
    if len < PREFIX {
        return block.put_u8(len as u8);
    }
    block.put_u8(PREFIX as u8);
    let mut rest = len - PREFIX;
    while rest >= 128 {
        block.put_u8((rest % 128) as u8 | 128);
        rest /= 128;
    }
    block.put_u8(rest as u8);
}

/// The request as frames of stream 1.
fn frames(block: &[u8], body: &[u8]) -> Bytes {
    let mut out = BytesMut::new();
    let end = if body.is_empty() { END_STREAM } else { 0 };
    frame(&mut out, HEADERS, END_HEADERS | end, block);
    let mut chunks = body.chunks(FRAME_BYTES).peekable();
    while let Some(chunk) = chunks.next() {
        frame(
            &mut out,
            DATA,
            if chunks.peek().is_none() {
                END_STREAM
            } else {
                0
            },
            chunk,
        );
    }
    out.freeze()
}

fn frame(out: &mut BytesMut, kind: u8, flags: u8, payload: &[u8]) {
    out.put_uint(payload.len() as u64, 3);
    out.put_u8(kind);
    out.put_u8(flags);
    out.put_u32(1);
    out.put_slice(payload);
}

/// The connection as HTTP/2 has it, once its client has begun to speak that: the client's own beginning, and behind it
/// the request that it asked with.
pub(crate) async fn begin(mut connection: Resumed, first: &[u8]) -> io::Result<Resumed> {
    let mut begin = vec![0; PREFACE.len() + 9];
    connection.read_exact(&mut begin).await?;
    let (preface, head) = begin.split_at(PREFACE.len());
    let len = usize::from(head[0]) << 16 | usize::from(head[1]) << 8 | usize::from(head[2]);
    if preface != PREFACE || head[3] != SETTINGS || len > FRAME_BYTES {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "the client does not begin as HTTP/2 does",
        ));
    }
    begin.resize(PREFACE.len() + 9 + len, 0);
    connection
        .read_exact(&mut begin[PREFACE.len() + 9..])
        .await?;
    begin.extend_from_slice(first);
    Ok(connection.with_before(&begin))
}
