//! One attempt at a call: address, signature, request, answer.

use std::io;

use bytes::Bytes;
use futures_util::TryStreamExt;
use headwater_shapes::{ByteStream, Operation, Service};
use http::{HeaderMap, HeaderValue, Request, header};
use http_body::Frame;
use http_body_util::{BodyExt, Full, StreamBody};

use headwater_auth::sign::{Payload, Scope, sign};

use crate::{
    CallError, Client,
    events::read_events,
    http::RequestBody,
    protocol::{AttemptBody, Call, ReadOutput, read_error, streams_output},
};

const AGENT: HeaderValue =
    HeaderValue::from_static(concat!("headwater/", env!("CARGO_PKG_VERSION")));

/// Sends `call` once and reads the answer.
pub(crate) async fn attempt<Op: Operation>(
    client: &Client,
    call: &mut Call,
    read_output: ReadOutput<Op>,
) -> Result<Op::Output, CallError> {
    let request = signed_request(client, Op::SERVICE, call).await?;
    let (head, body) = client.http.send(request).await?.into_parts();
    let status = head.status.as_u16();
    if !head.status.is_success() {
        let body = client.http.collect(status, body).await?;
        return Err(read_error(Op::SERVICE, status, &head.headers, &body));
    }
    if Op::HAS_EVENTS {
        return read_events::<Op>(status, client.http.stream(body, None)).await;
    }
    if !streams_output(Op::SHAPE) {
        let body = client.http.collect(status, body).await?;
        return read_output(status, &head.headers, body);
    }
    let mut output = read_output(status, &head.headers, Bytes::new())?;
    let len = head
        .headers
        .get(header::CONTENT_LENGTH)
        .and_then(|len| len.to_str().ok()?.parse().ok());
    Op::set_output_stream(&mut output, client.http.stream(body, len));
    Ok(output)
}

/// The call as a request to the service's address, signed.
async fn signed_request(
    client: &Client,
    service: &Service,
    call: &mut Call,
) -> Result<Request<RequestBody>, CallError> {
    let (base, region) = client.config.address(service)?;
    let credentials = client
        .config
        .credentials
        .credentials()
        .await
        .map_err(CallError::request)?;
    let uri = format!("{}{}", base.trim_end_matches('/'), call.path_and_query);
    let request = Request::builder()
        .method(call.method.clone())
        .uri(uri)
        .body(());
    let (mut head, ()) = request.map_err(CallError::request)?.into_parts();
    head.headers = call.headers.clone();
    head.headers.insert(header::USER_AGENT, AGENT);
    let body = call.body.take();
    let payload = match &body {
        AttemptBody::Bytes(bytes) => Payload::Bytes(bytes),
        AttemptBody::Stream(stream) => {
            announce_stream(&mut head.headers, stream)?;
            Payload::Unsigned
        }
    };
    let scope = Scope {
        service: service.signing_name,
        region: &region,
        at: client.env.clock.now(),
    };
    sign(&mut head, payload, &credentials, &scope);
    Ok(Request::from_parts(head, request_body(body)))
}

/// S3 wants to know the length of what is put before it comes.
fn announce_stream(headers: &mut HeaderMap, stream: &ByteStream) -> Result<(), CallError> {
    let Some(len) = stream.len else {
        return Err(CallError::request("a streamed body needs a known length"));
    };
    headers.insert(header::CONTENT_LENGTH, len.into());
    Ok(())
}

fn request_body(body: AttemptBody) -> RequestBody {
    match body {
        AttemptBody::Bytes(bytes) => Full::new(bytes)
            .map_err(|never| match never {})
            .boxed_unsync(),
        AttemptBody::Stream(stream) => {
            let frames = stream
                .chunks
                .map_ok(Frame::<Bytes>::data)
                .map_err(|error: io::Error| error);
            BodyExt::boxed_unsync(StreamBody::new(frames))
        }
    }
}
