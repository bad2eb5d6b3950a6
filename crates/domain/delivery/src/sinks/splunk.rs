//! Splunk's HTTP event collector (HEC), with indexer acknowledgement: what is sent counts once the indexers say that
//! they have it.
//!
//! The raw endpoint takes the records' bytes one behind the other, the event endpoint takes them as the JSON objects
//! that they have to be. A chunk is sent and asked about on one channel, which it keeps in every attempt.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderValue, Request, StatusCode, Uri, header};
use serde_json::{Value, json};

use super::{
    context::{SinkContext, guid, record_id},
    http_endpoint::shortened,
    retries::{AttemptError, Retries},
    sink::{Chunk, ChunkLimit, Sink},
};
use crate::{
    config::{HecEndpoint, Splunk},
    limits::{
        ENDPOINT_ANSWER_BYTES_MAX, HEC_ACK_PAUSE, HEC_RECORDS_MAX, SINK_ANSWER_WAIT_MAX,
        SINK_BYTES_MAX,
    },
    ports::WebError,
    records::{ErrorKind, Failure, Item, Rejected},
};

/// Delivers to Splunk.
pub struct SplunkSink {
    pub splunk: Splunk,
    pub(super) context: SinkContext,
}

#[async_trait]
impl Sink for SplunkSink {
    fn limit(&self) -> ChunkLimit {
        ChunkLimit {
            bytes: SINK_BYTES_MAX,
            records: HEC_RECORDS_MAX,
        }
    }

    async fn deliver(&self, chunk: Chunk) -> Vec<Rejected> {
        let body: Bytes = chunk
            .items
            .iter()
            .map(|item| &item.data[..])
            .collect::<Vec<_>>()
            .concat()
            .into();
        let channel = guid(&chunk.id);
        let mut retries = Retries::new(&self.context.env, self.splunk.retry_s);
        loop {
            let Err(error) = self.attempt(&body, &channel).await else {
                return Vec::new();
            };
            if error.is_permanent || !retries.again().await {
                let rejected = |item| self.rejected(item, &error.failure, retries.attempts);
                return chunk.items.iter().map(rejected).collect();
            }
        }
    }
}

impl SplunkSink {
    /// Sends what there is and waits until it is acknowledged.
    async fn attempt(&self, body: &Bytes, channel: &str) -> Result<(), AttemptError> {
        let path = match self.splunk.endpoint {
            HecEndpoint::Raw => "/services/collector/raw",
            HecEndpoint::Event => "/services/collector/event",
        };
        let answer = self
            .send(path, channel, body.clone(), SINK_ANSWER_WAIT_MAX)
            .await;
        let (status, answer) = answer.map_err(|error| unanswered(&error))?;
        let ack = accepted(status, &answer)?;
        self.acknowledged(channel, ack).await
    }

    /// Asks until the acknowledgement `ack` is there or its time is over.
    async fn acknowledged(&self, channel: &str, ack: u64) -> Result<(), AttemptError> {
        let clock = &self.context.env.clock;
        let end = clock.elapsed() + Duration::from_secs(self.splunk.ack_s.into());
        let question = Bytes::from(json!({"acks": [ack]}).to_string());
        loop {
            let left = end.saturating_sub(clock.elapsed());
            if left.is_zero() {
                return Err(AttemptError::transient("Splunk.AckTimeout", ACK_TIMEOUT));
            }
            clock.sleep(HEC_ACK_PAUSE.min(left)).await;
            let within =
                SINK_ANSWER_WAIT_MAX.min(end.saturating_sub(clock.elapsed()).max(HEC_ACK_PAUSE));
            // No answer says nothing about the data: it is asked again while there is time.
            let Ok((status, answer)) = self
                .send("/services/collector/ack", channel, question.clone(), within)
                .await
            else {
                continue;
            };
            if is_acknowledged(status, &answer, ack)? {
                return Ok(());
            }
        }
    }

    async fn send(
        &self,
        path: &str,
        channel: &str,
        body: Bytes,
        within: Duration,
    ) -> Result<(StatusCode, Bytes), WebError> {
        let uri: Uri = self.splunk.url.join(path);
        let mut request = Request::post(uri)
            .body(body)
            .expect("an address that was parsed makes a request");
        let headers = request.headers_mut();
        // The door refuses a token that no header can carry.
        if let Ok(mut token) =
            HeaderValue::try_from(format!("Splunk {}", self.splunk.token.reveal()))
        {
            token.set_sensitive(true);
            headers.insert(header::AUTHORIZATION, token);
        }
        if let Ok(channel) = HeaderValue::try_from(channel) {
            headers.insert("x-splunk-request-channel", channel);
        }
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        );
        let answer = self
            .context
            .web
            .send(request, within, ENDPOINT_ANSWER_BYTES_MAX)
            .await?;
        Ok((answer.status(), answer.into_body()))
    }

    fn rejected(&self, item: &Item, failure: &Failure, attempts: u32) -> Rejected {
        let mut rejected = self
            .context
            .rejected(item, ErrorKind::Splunk, failure, attempts);
        rejected.more = vec![("EventId", record_id(item).into())];
        rejected
    }
}

/// The number of the acknowledgement to wait for, of an answer to what was sent.
fn accepted(status: StatusCode, answer: &[u8]) -> Result<u64, AttemptError> {
    let parsed: Value = serde_json::from_slice(answer).unwrap_or_default();
    if !status.is_success() {
        return Err(refused(status, parsed["code"].as_u64(), answer));
    }
    parsed["ackId"].as_u64().ok_or_else(|| {
        AttemptError::transient(
            "Splunk.DisabledAck",
            "Indexer acknowledgement is disabled for the HEC token. Enable indexer acknowledgement and try again.",
        )
    })
}

/// Whether an answer says that the acknowledgement is there.
fn is_acknowledged(status: StatusCode, answer: &[u8], ack: u64) -> Result<bool, AttemptError> {
    // A collector that does not know the channel is another than the one that took the data.
    if status == StatusCode::BAD_REQUEST {
        return Err(AttemptError::transient(
            "Splunk.ProxyWithoutStickySessions",
            "If you have a proxy (ELB or other) between Firehose and the HEC node, you must enable sticky sessions to \
             support HEC ACKs.",
        ));
    }
    let parsed: Value = serde_json::from_slice(answer).unwrap_or_default();
    Ok(status.is_success() && parsed["acks"][ack.to_string()] == json!(true))
}

const ACK_TIMEOUT: &str = "Did not receive an acknowledgement from HEC before the HEC acknowledgement timeout expired. \
    Despite the acknowledgement timeout, it's possible the data was indexed successfully in Splunk. Data for which the \
    acknowledgement timeout expired is backed up in the bucket.";

/// AWS's code for a collector's status code (Splunk's page "AttemptErrorshoot HTTP Event Collector").
fn refused(status: StatusCode, code: Option<u64>, answer: &[u8]) -> AttemptError {
    let (code, what) = match code {
        Some(1) => (
            "Splunk.DisabledToken",
            "The HEC token is disabled. Enable the token",
        ),
        Some(2..=4) => (
            "Splunk.InvalidToken",
            "The HEC token is invalid. Give a valid one",
        ),
        Some(5 | 6 | 12 | 13 | 15) => (
            "Splunk.InvalidDataFormat",
            "The data is not formatted correctly",
        ),
        Some(7) => (
            "Splunk.InvalidIndex",
            "The HEC token or input is configured with an invalid index",
        ),
        Some(14) => (
            "Splunk.DisabledAck",
            "Indexer acknowledgement is disabled for the HEC token",
        ),
        Some(9 | 18..=23) => ("Splunk.IndexerBusy", "The indexer is busy"),
        _ => (
            "Splunk.ServerError",
            "Data delivery to Splunk failed due to an error from the HEC node",
        ),
    };
    AttemptError::transient(
        code,
        format!(
            "{what}. The answer was {}: {}",
            status.as_u16(),
            shortened(answer)
        ),
    )
}

/// AWS's words for each way not to be answered.
fn unanswered(error: &WebError) -> AttemptError {
    let (code, text) = match error {
        WebError::TimedOut => (
            "Splunk.ConnectionTimeout",
            "The connection to Splunk timed out.".to_owned(),
        ),
        WebError::Insecure(why) => (
            "Splunk.SSLHandshake",
            format!(
                "Could not connect to the HEC endpoint. Make sure that the certificate and the host are valid: {why}"
            ),
        ),
        WebError::NotConnected(why) => (
            "Splunk.InvalidEndpoint",
            format!(
                "Could not connect to the HEC endpoint. Make sure that its URL is valid and reachable: {why}"
            ),
        ),
        WebError::Broken(why) => (
            "Splunk.ConnectionClosed",
            format!("Unable to send data to Splunk due to a connection failure: {why}"),
        ),
        WebError::TooLarge => (
            "Splunk.ServerError",
            "The answer of the HEC node is too large.".to_owned(),
        ),
    };
    AttemptError::transient(code, text)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;
    use crate::{
        config::{Secret, WebAddress},
        sinks::context::tests::{chunk, context, id, lines},
        testing::FakeWeb,
    };

    fn sink(endpoint: HecEndpoint, retry_s: u32) -> (Arc<FakeWeb>, SplunkSink) {
        let web = Arc::<FakeWeb>::default();
        let url = WebAddress::parse("https://splunk.example.com:8088/").unwrap();
        let splunk = Splunk {
            url,
            endpoint,
            token: Secret::new("hush"),
            ack_s: 180,
            retry_s,
        };
        (
            web.clone(),
            SplunkSink {
                splunk,
                context: context(&web),
            },
        )
    }

    #[tokio::test]
    async fn data_counts_once_it_is_acknowledged() {
        let (web, sink) = sink(HecEndpoint::Raw, 0);
        web.answer(200, r#"{"text":"Success","code":0,"ackId":7}"#);
        web.answer(200, r#"{"acks":{"7":false}}"#);
        web.answer(503, "busy");
        web.reply(|_| Err(WebError::TimedOut));
        web.answer(200, r#"{"acks":{"7":true}}"#);
        assert_eq!(sink.deliver(chunk(&["one\n", "two"])).await, []);
        let requests = web.requests.lock();
        assert_eq!(
            requests[0].uri(),
            "https://splunk.example.com:8088/services/collector/raw"
        );
        assert_eq!(&requests[0].body()[..], b"one\ntwo");
        for request in &*requests {
            assert_eq!(request.headers()["authorization"], "Splunk hush");
            assert_eq!(
                request.headers()["x-splunk-request-channel"],
                guid("the-id")
            );
        }
        assert_eq!(requests.len(), 5);
        assert_eq!(requests[4].uri().path(), "/services/collector/ack");
        assert_eq!(&requests[4].body()[..], br#"{"acks":[7]}"#);
        assert!(!format!("{:?} {:?}", sink.splunk, requests[0]).contains("hush"));
    }

    #[tokio::test]
    async fn what_is_not_acknowledged_comes_again_on_its_channel() {
        let (web, sink) = sink(HecEndpoint::Event, 1);
        web.answer(200, r#"{"ackId":1}"#);
        (0..180).for_each(|_| web.answer(200, r#"{"acks":{"1":false}}"#));
        web.answer(200, r#"{"ackId":2}"#);
        web.answer(200, r#"{"acks":{"2":true}}"#);
        assert_eq!(sink.deliver(chunk(&["{\"event\":1}"])).await, []);
        let sent: Vec<_> = web
            .requests
            .lock()
            .iter()
            .map(|r| r.uri().path().to_owned())
            .collect();
        assert_eq!(
            sent.iter()
                .filter(|path| *path == "/services/collector/event")
                .count(),
            2
        );
    }

    #[tokio::test]
    async fn an_acknowledgement_that_never_comes_is_a_failure() {
        let (web, sink) = sink(HecEndpoint::Raw, 0);
        web.answer(200, r#"{"ackId":1}"#);
        let line = lines(&sink.deliver(chunk(&["one"])).await).remove(0);
        assert_eq!(
            (&line["errorCode"], &line["EventId"]),
            (&json!("Splunk.AckTimeout"), &json!(id(0)))
        );
        assert_eq!(web.requests.lock().len(), 181);
    }

    #[tokio::test]
    async fn refusals_have_their_codes() {
        for (status, answer, code) in [
            (
                403,
                r#"{"text":"Token disabled","code":1}"#,
                "Splunk.DisabledToken",
            ),
            (
                403,
                r#"{"text":"Invalid token","code":4}"#,
                "Splunk.InvalidToken",
            ),
            (
                400,
                r#"{"text":"Invalid data format","code":6}"#,
                "Splunk.InvalidDataFormat",
            ),
            (
                400,
                r#"{"text":"Incorrect index","code":7}"#,
                "Splunk.InvalidIndex",
            ),
            (
                503,
                r#"{"text":"Server is busy","code":9}"#,
                "Splunk.IndexerBusy",
            ),
            (500, "half an answ", "Splunk.ServerError"),
            (200, r#"{"text":"Success","code":0}"#, "Splunk.DisabledAck"),
        ] {
            let (web, sink) = sink(HecEndpoint::Raw, 0);
            web.answer(status, answer);
            let line = lines(&sink.deliver(chunk(&["one"])).await).remove(0);
            assert_eq!(
                (&line["errorCode"], &line["attemptsMade"]),
                (&json!(code), &json!(1)),
                "{answer}"
            );
        }
        let (web, sink) = sink(HecEndpoint::Raw, 0);
        web.answer(200, r#"{"ackId":1}"#);
        web.answer(400, r#"{"text":"Invalid data channel","code":11}"#);
        let line = lines(&sink.deliver(chunk(&["one"])).await).remove(0);
        assert_eq!(line["errorCode"], "Splunk.ProxyWithoutStickySessions");
    }

    proptest! {
        #[test]
        fn any_answer_is_judged(status in 200_u16..600, body: Vec<u8>, ack: u64) {
            let status = StatusCode::from_u16(status).unwrap();
            prop_assert!(accepted(status, &body).is_err() || status.is_success());
            drop(is_acknowledged(status, &body, ack));
        }
    }
}
