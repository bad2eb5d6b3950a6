//! HTTP endpoints: AWS's page "HTTP endpoint delivery request and response specifications".
//!
//! One request a chunk, the same bytes and the same request id in every attempt, so that an endpoint that took it
//! without saying so can leave out what it has.

use std::io::Write;

use async_trait::async_trait;
use base64::{display::Base64Display, engine::general_purpose::STANDARD};
use bytes::Bytes;
use flate2::write::GzEncoder;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, header};
use serde::Deserialize;
use serde_json::json;

use super::{
    context::{SinkContext, guid, record_id},
    retries::{AttemptError, Retries},
    sink::{Chunk, ChunkLimit, Sink},
};
use crate::{
    config::HttpEndpoint,
    limits::{
        ENDPOINT_ANSWER_BYTES_MAX, ENDPOINT_RECORDS_MAX, ERROR_TEXT_BYTES_MAX,
        SINK_ANSWER_WAIT_MAX, SINK_BYTES_MAX,
    },
    ports::WebError,
    records::{ErrorKind, Failure, Item, Rejected},
};

const REQUEST_ID: &str = "x-amz-firehose-request-id";

/// Delivers to an HTTP endpoint.
pub struct HttpSink {
    pub endpoint: HttpEndpoint,
    pub(super) context: SinkContext,
}

#[async_trait]
impl Sink for HttpSink {
    fn limit(&self) -> ChunkLimit {
        ChunkLimit {
            bytes: self.endpoint.bytes.min(SINK_BYTES_MAX),
            records: ENDPOINT_RECORDS_MAX,
        }
    }

    async fn deliver(&self, chunk: Chunk) -> Vec<Rejected> {
        let id = guid(&chunk.id);
        let request = self.request(&chunk, &id).await;
        let mut retries = Retries::new(&self.context.env, self.endpoint.retry_s);
        loop {
            let Err(error) = self.attempt(&request, &id).await else {
                return Vec::new();
            };
            if error.is_permanent || !retries.again().await {
                let rejected = |item| self.rejected(item, &error.failure, retries.attempts);
                return chunk.items.iter().map(rejected).collect();
            }
        }
    }
}

impl HttpSink {
    async fn request(&self, chunk: &Chunk, id: &str) -> Request<Bytes> {
        let body = body(chunk, id, self.context.env.clock.now().0);
        let gzip = self.endpoint.gzip;
        let body = self
            .context
            .env
            .blocking(move || if gzip { compressed(&body) } else { body.into() })
            .await;
        let mut request = Request::post(self.endpoint.url.uri().clone())
            .body(body)
            .expect("an address that was parsed makes a request");
        *request.headers_mut() = self.headers(id);
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
        add(
            "x-amz-firehose-source-arn",
            &self.context.stream.to_string(),
            false,
        );
        let attributes = json!({"commonAttributes": self.endpoint.attributes}).to_string();
        add("x-amz-firehose-common-attributes", &attributes, false);
        if !self.endpoint.access_key.reveal().is_empty() {
            add(
                "x-amz-firehose-access-key",
                self.endpoint.access_key.reveal(),
                true,
            );
        }
        if self.endpoint.gzip {
            add("content-encoding", "gzip", false);
        }
        headers
    }

    async fn attempt(&self, request: &Request<Bytes>, id: &str) -> Result<(), AttemptError> {
        match self
            .context
            .web
            .send(
                request.clone(),
                SINK_ANSWER_WAIT_MAX,
                ENDPOINT_ANSWER_BYTES_MAX,
            )
            .await
        {
            Ok(answer) => taken(&answer, id),
            Err(error) => Err(unanswered(&error)),
        }
    }

    fn rejected(&self, item: &Item, failure: &Failure, attempts: u32) -> Rejected {
        let mut rejected = self
            .context
            .rejected(item, ErrorKind::HttpEndpoint, failure, attempts);
        rejected.more = vec![
            ("subsequenceNumber", item.origin.sub.into()),
            ("dataId", record_id(item).into()),
        ];
        rejected
    }
}

/// The request's body, written without a copy of every record on the way.
fn body(chunk: &Chunk, id: &str, now: u64) -> Vec<u8> {
    let bytes: usize = chunk
        .items
        .iter()
        .map(|item| item.data.len().div_ceil(3) * 4 + 12)
        .sum();
    let mut body = Vec::with_capacity(bytes + 128);
    let id = serde_json::Value::from(id);
    let wrote =
        write!(body, r#"{{"requestId":{id},"timestamp":{now},"records":["#).and_then(|()| {
            chunk.items.iter().enumerate().try_for_each(|(i, item)| {
                let comma = if i == 0 { "" } else { "," };
                write!(
                    body,
                    r#"{comma}{{"data":"{}"}}"#,
                    Base64Display::new(&item.data, &STANDARD)
                )
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

/// The answer of an endpoint.
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
fn taken(answer: &Response<Bytes>, id: &str) -> Result<(), AttemptError> {
    let said = shortened(answer.body());
    if answer.status() != StatusCode::OK {
        let status = answer.status().as_u16();
        let text = format!(
            "The following response was received from the endpoint destination. {status}: {said}"
        );
        let failure = Failure::new("HttpEndpoint.DestinationException", text);
        return Err(AttemptError {
            failure,
            is_permanent: answer.status() == StatusCode::PAYLOAD_TOO_LARGE,
        });
    }
    conforms(answer, id).map_err(|what| {
        let text = format!(
            "The response received from the specified endpoint is invalid. Contact the owner of the endpoint to \
             resolve the issue. Response for request {id} {what}. Raw response received: 200 {said}"
        );
        AttemptError::transient("HttpEndpoint.InvalidResponseFromDestination", text)
    })
}

/// Whether a successful answer has the published form; what is wrong with it, otherwise.
fn conforms(answer: &Response<Bytes>, id: &str) -> Result<(), &'static str> {
    let header = |name| {
        answer
            .headers()
            .get(name)
            .and_then(|value| value.to_str().ok())
    };
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
fn unanswered(error: &WebError) -> AttemptError {
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
    AttemptError::transient(code, text)
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, io::Read, sync::Arc};

    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;
    use crate::{
        config::{Secret, WebAddress},
        sinks::context::tests::{chunk, context, id, lines},
        testing::{FakeWeb, json as answered},
    };

    fn endpoint(retry_s: u32) -> HttpEndpoint {
        HttpEndpoint {
            url: WebAddress::parse("https://example.com/intake?k=v").unwrap(),
            access_key: Secret::new("hush"),
            gzip: false,
            attributes: BTreeMap::from([("stage".into(), "test".into())]),
            bytes: 1 << 20,
            retry_s,
        }
    }

    fn sink(endpoint: HttpEndpoint) -> (Arc<FakeWeb>, HttpSink) {
        let web = Arc::<FakeWeb>::default();
        (
            web.clone(),
            HttpSink {
                endpoint,
                context: context(&web),
            },
        )
    }

    /// The answer that the contract asks for.
    fn thanks(request: &Request<Bytes>) -> Result<Response<Bytes>, WebError> {
        let id = request.headers()[REQUEST_ID].to_str().unwrap();
        Ok(answered(
            200,
            json!({"requestId": id, "timestamp": 1_700_000_000_000_u64}).to_string(),
        ))
    }

    #[tokio::test]
    async fn a_request_is_as_published() {
        let (web, sink) = sink(endpoint(0));
        web.reply(thanks);
        assert_eq!(sink.deliver(chunk(&["one", ""])).await, []);
        let request = &web.requests.lock()[0];
        assert_eq!(
            (request.method().as_str(), request.uri()),
            ("POST", sink.endpoint.url.uri())
        );
        let header = |name: &str| {
            request
                .headers()
                .get(name)
                .map(|value| value.to_str().unwrap().to_owned())
        };
        for (name, value) in [
            ("content-type", "application/json"),
            ("x-amz-firehose-protocol-version", "1.0"),
            ("x-amz-firehose-request-id", &guid("the-id")),
            (
                "x-amz-firehose-source-arn",
                "arn:aws:firehose:us-east-1:000000000000:deliverystream/d",
            ),
            ("x-amz-firehose-access-key", "hush"),
            (
                "x-amz-firehose-common-attributes",
                r#"{"commonAttributes":{"stage":"test"}}"#,
            ),
        ] {
            assert_eq!(header(name).as_deref(), Some(value), "{name}");
        }
        assert_eq!(header("content-encoding"), None);
        let body: Value = serde_json::from_slice(request.body()).unwrap();
        let records = json!([{"data": "b25l"}, {"data": ""}]);
        let whole = json!({"requestId": guid("the-id"), "timestamp": 1_700_000_000_000_u64, "records": records});
        assert_eq!(body, whole);
        assert!(!format!("{:?} {request:?}", sink.endpoint).contains("hush"));
    }

    #[tokio::test]
    async fn a_body_may_be_compressed_and_a_key_left_out() {
        let (web, sink) = sink(HttpEndpoint {
            gzip: true,
            access_key: Secret::default(),
            ..endpoint(0)
        });
        web.reply(thanks);
        assert_eq!(sink.deliver(chunk(&["one"])).await, []);
        let request = &web.requests.lock()[0];
        assert_eq!(request.headers()["content-encoding"], "gzip");
        assert!(!request.headers().contains_key("x-amz-firehose-access-key"));
        let mut body = String::new();
        flate2::read::GzDecoder::new(&request.body()[..])
            .read_to_string(&mut body)
            .unwrap();
        assert!(body.contains("b25l"));
    }

    #[tokio::test]
    async fn what_was_stored_and_not_acknowledged_comes_again_unchanged() {
        let (web, sink) = sink(endpoint(300));
        web.reply(|_| Err(WebError::TimedOut));
        web.reply(|_| Err(WebError::Broken("reset".into())));
        web.answer(503, "busy");
        web.answer(200, r#"{"requestId":"another","timestamp":1}"#);
        web.answer(200, r#"{"requestId":"#);
        web.reply(thanks);
        assert_eq!(sink.deliver(chunk(&["one"])).await, []);
        let requests = web.requests.lock();
        assert_eq!(requests.len(), 6);
        let first = &requests[0];
        assert!(
            requests
                .iter()
                .all(|r| r.headers() == first.headers() && r.body() == first.body())
        );
    }

    #[tokio::test]
    async fn what_is_not_taken_in_time_is_given_back() {
        let (web, sink) = sink(endpoint(10));
        let rejected = sink.deliver(chunk(&["one", "two"])).await;
        let attempts = web.requests.lock().len();
        assert!((4..=6).contains(&attempts), "{attempts} attempts");
        let lines = lines(&rejected);
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[1]["errorCode"], "HttpEndpoint.RequestTimeout");
        assert_eq!(lines[1]["attemptsMade"], attempts);
        assert_eq!(
            (&lines[1]["dataId"], &lines[1]["subsequenceNumber"]),
            (&json!(id(1)), &json!(0))
        );
        assert_eq!(
            (&lines[1]["rawData"], rejected[0].kind),
            (&json!("dHdv"), ErrorKind::HttpEndpoint)
        );
    }

    #[tokio::test]
    async fn without_a_retry_duration_there_is_one_attempt_and_too_large_stays_so() {
        for (status, retry_s) in [(500, 0), (413, 7200)] {
            let (web, sink) = sink(endpoint(retry_s));
            web.answer(status, r#"{"errorMessage":"no"}"#);
            let rejected = sink.deliver(chunk(&["one"])).await;
            assert_eq!((rejected.len(), web.requests.lock().len()), (1, 1));
            let line = &lines(&rejected)[0];
            assert_eq!(
                (&line["errorCode"], &line["attemptsMade"]),
                (&json!("HttpEndpoint.DestinationException"), &json!(1))
            );
            let text = line["errorMessage"].as_str().unwrap();
            assert!(
                text.ends_with(&format!(r#"{status}: {{"errorMessage":"no"}}"#)),
                "{text}"
            );
        }
    }

    #[test]
    fn an_answer_that_does_not_conform_is_a_failure() {
        let good = r#"{"requestId":"a","timestamp":1,"errorMessage":"fine"}"#;
        assert!(taken(&answered(200, good), "a").is_ok());
        for bad in [
            "",
            "{}",
            "nonsense",
            r#"{"requestId":null}"#,
            r#"{"requestId":"a"}"#,
            r#"{"requestId":"b","timestamp":1}"#,
            r#"{"requestId":"a","timestamp":"1"}"#,
            r#"{"requestId":"a","timestamp":1,"more":2}"#,
        ] {
            let error = taken(&answered(200, bad), "a").unwrap_err();
            assert_eq!(
                error.failure.code, "HttpEndpoint.InvalidResponseFromDestination",
                "{bad}"
            );
        }
        for header in ["content-type", "content-length"] {
            let mut answer = answered(200, good);
            answer.headers_mut().remove(header);
            assert!(taken(&answer, "a").is_err(), "{header}");
        }
        let mut answer = answered(200, good);
        answer
            .headers_mut()
            .insert("content-encoding", HeaderValue::from_static("gzip"));
        assert!(taken(&answer, "a").is_err());
        assert!(taken(&answered(202, good), "a").is_err());
    }

    proptest! {
        #[test]
        fn any_answer_is_judged(status in 100_u16..600, body: Vec<u8>, id: String) {
            let refused = taken(&answered(status, body), &id).is_err();
            prop_assert!(refused || status == 200);
        }
    }
}
