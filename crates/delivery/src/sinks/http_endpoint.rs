//! HTTP endpoints: AWS's page "HTTP endpoint delivery request and response specifications".
//!
//! One request a chunk, the same bytes and the same request id in every attempt, so that an endpoint that took it
//! without saying so can leave out what it has.

use std::{collections::BTreeMap, io::Write};

use async_trait::async_trait;
use base64::{display::Base64Display, engine::general_purpose::STANDARD};
use bytes::Bytes;
use flate2::write::GzEncoder;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, header};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Chunk, ChunkLimit, Outside, Sink, WebAddress, record_id, retries::{Retries, Trouble}};
use crate::{
    item::{ErrorKind, Failure, Item, Rejected},
    limits::{ENDPOINT_ANSWER_BYTES_MAX, ENDPOINT_RECORDS_MAX, ERROR_TEXT_BYTES_MAX, SINK_ANSWER_WAIT_MAX, SINK_BYTES_MAX},
    ports::WebError,
    secret::Secret,
};

const REQUEST_ID: &str = "x-amz-firehose-request-id";

/// An HTTP endpoint, as the catalog keeps it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HttpEndpoint {
    /// Where requests go.
    pub url: WebAddress,
    /// What it knows its callers by; none where empty.
    pub access_key: Secret,
    /// Whether requests are compressed.
    pub gzip: bool,
    /// What is said of all records.
    pub attributes: BTreeMap<String, String>,
    /// Bytes of data that a request may have.
    pub bytes: usize,
    /// Seconds of pauses between attempts, in all.
    pub retry_s: u32,
}

/// Delivers to an HTTP endpoint.
pub struct HttpSink {
    pub endpoint: HttpEndpoint,
    pub(super) outside: Outside,
}

#[async_trait]
impl Sink for HttpSink {
    fn limit(&self) -> ChunkLimit {
        ChunkLimit { bytes: self.endpoint.bytes.min(SINK_BYTES_MAX), records: ENDPOINT_RECORDS_MAX }
    }

    async fn deliver(&self, chunk: Chunk) -> Vec<Rejected> {
        let request = self.request(&chunk).await;
        let mut retries = Retries::new(&self.outside.env, self.endpoint.retry_s);
        loop {
            let Err(trouble) = self.attempt(&request, &chunk.id).await else { return Vec::new() };
            if trouble.lasting || !retries.again().await {
                let rejected = |item| self.rejected(item, &trouble.failure, retries.attempts);
                return chunk.items.iter().map(rejected).collect();
            }
        }
    }
}

impl HttpSink {
    async fn request(&self, chunk: &Chunk) -> Request<Bytes> {
        let body = body(chunk, self.outside.env.clock.now().0);
        let gzip = self.endpoint.gzip;
        let body = self.outside.env.blocking(move || if gzip { compressed(&body) } else { body.into() }).await;
        let mut request = Request::post(self.endpoint.url.uri().clone())
            .body(body)
            .expect("an address that was parsed makes a request");
        *request.headers_mut() = self.headers(&chunk.id);
        request
    }

    fn headers(&self, id: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let mut add = |name: &'static str, value: &str, secret: bool| {
            // The door refuses what no header can carry.
            if let Ok(mut value) = HeaderValue::from_bytes(value.as_bytes()) {
                value.set_sensitive(secret);
                headers.insert(name, value);
            }
        };
        add("content-type", "application/json", false);
        add("x-amz-firehose-protocol-version", "1.0", false);
        add(REQUEST_ID, id, false);
        add("x-amz-firehose-source-arn", &self.outside.stream.to_string(), false);
        let attributes = json!({"commonAttributes": self.endpoint.attributes}).to_string();
        add("x-amz-firehose-common-attributes", &attributes, false);
        if !self.endpoint.access_key.reveal().is_empty() {
            add("x-amz-firehose-access-key", self.endpoint.access_key.reveal(), true);
        }
        if self.endpoint.gzip {
            add("content-encoding", "gzip", false);
        }
        headers
    }

    async fn attempt(&self, request: &Request<Bytes>, id: &str) -> Result<(), Trouble> {
        let web = &self.outside.ports.web;
        match web.send(request.clone(), SINK_ANSWER_WAIT_MAX, ENDPOINT_ANSWER_BYTES_MAX).await {
            Ok(answer) => taken(&answer, id),
            Err(error) => Err(unanswered(&error)),
        }
    }

    fn rejected(&self, item: &Item, failure: &Failure, attempts: u32) -> Rejected {
        let mut rejected = self.outside.rejected(item, ErrorKind::HttpEndpoint, failure, attempts);
        rejected.more =
            vec![("subsequenceNumber", item.origin.sub.into()), ("dataId", record_id(item).into())];
        rejected
    }
}

/// The request's body, written without a copy of every record on the way.
fn body(chunk: &Chunk, now: u64) -> Vec<u8> {
    let bytes: usize = chunk.items.iter().map(|item| item.data.len().div_ceil(3) * 4 + 12).sum();
    let mut body = Vec::with_capacity(bytes + 128);
    let id = serde_json::Value::from(chunk.id.as_str());
    let wrote = write!(body, r#"{{"requestId":{id},"timestamp":{now},"records":["#).and_then(|()| {
        chunk.items.iter().enumerate().try_for_each(|(i, item)| {
            let comma = if i == 0 { "" } else { "," };
            write!(body, r#"{comma}{{"data":"{}"}}"#, Base64Display::new(&item.data, &STANDARD))
        })
    });
    wrote.expect("writing to memory does not fail");
    body.extend_from_slice(b"]}");
    body
}

pub(super) fn compressed(body: &[u8]) -> Bytes {
    let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::default());
    let wrote = encoder.write_all(body).and_then(|()| encoder.finish());
    wrote.expect("writing to memory does not fail").into()
}

/// What an endpoint answers with.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Answer {
    request_id: String,
    #[serde(rename = "timestamp")]
    _timestamp: i64,
    #[serde(rename = "errorMessage")]
    _error_message: Option<String>,
}

/// Whether an answer says that the request `id` was taken.
fn taken(answer: &Response<Bytes>, id: &str) -> Result<(), Trouble> {
    let said = shortened(answer.body());
    if answer.status() != StatusCode::OK {
        let status = answer.status().as_u16();
        let text =
            format!("The following response was received from the endpoint destination. {status}: {said}");
        let failure = Failure::new("HttpEndpoint.DestinationException", text);
        return Err(Trouble { failure, lasting: answer.status() == StatusCode::PAYLOAD_TOO_LARGE });
    }
    conforms(answer, id).map_err(|what| {
        let text = format!(
            "The response received from the specified endpoint is invalid. Contact the owner of the endpoint to \
             resolve the issue. Response for request {id} {what}. Raw response received: 200 {said}"
        );
        Trouble::passing("HttpEndpoint.InvalidResponseFromDestination", text)
    })
}

/// Whether a successful answer has the published form; what is wrong with it, otherwise.
fn conforms(answer: &Response<Bytes>, id: &str) -> Result<(), &'static str> {
    let header = |name| answer.headers().get(name).and_then(|value| value.to_str().ok());
    let media = header(header::CONTENT_TYPE).and_then(|value| value.split(';').next());
    if !media.is_some_and(|media| media.trim().eq_ignore_ascii_case("application/json")) {
        return Err("does not have the content type application/json");
    }
    if answer.headers().contains_key(header::CONTENT_ENCODING) {
        return Err("is content-encoded");
    }
    if !answer.headers().contains_key(header::CONTENT_LENGTH) {
        return Err("does not have a Content-Length header");
    }
    let Ok(parsed) = serde_json::from_slice::<Answer>(answer.body()) else {
        return Err("is not recognized as valid JSON or has unexpected fields");
    };
    if parsed.request_id != id {
        return Err("does not have the request's id");
    }
    Ok(())
}

/// The beginning of an answer, as text.
pub(super) fn shortened(body: &[u8]) -> String {
    String::from_utf8_lossy(&body[..body.len().min(ERROR_TEXT_BYTES_MAX)]).into_owned()
}

/// AWS's words for each way not to be answered.
fn unanswered(error: &WebError) -> Trouble {
    let (code, text) = match error {
        WebError::TimedOut => (
            "HttpEndpoint.RequestTimeout",
            "The request timed out before a response was received and will be retried. If this error persists, \
             contact the owner of the endpoint."
                .to_owned(),
        ),
        WebError::Insecure(why) => (
            "HttpEndpoint.SSLHandshakeFailure",
            format!("Unable to complete an SSL handshake with the endpoint: {why}"),
        ),
        WebError::NotConnected(why) => {
            ("HttpEndpoint.ConnectionFailed", format!("Unable to connect to the endpoint: {why}"))
        }
        WebError::Broken(why) => (
            "HttpEndpoint.ConnectionReset",
            format!("The connection to the endpoint was reset or closed: {why}"),
        ),
        WebError::TooLarge => (
            "HttpEndpoint.ResponseTooLarge",
            "The response received from the endpoint is too large. It must be less than 1 MiB.".to_owned(),
        ),
    };
    Trouble::passing(code, text)
}
