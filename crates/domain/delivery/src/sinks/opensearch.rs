//! OpenSearch, its serverless collections, and Elasticsearch before it: records as documents, in bulk requests.
//!
//! A document's id comes from its record's place in the source, so a repeated delivery writes over what it wrote
//! before. Documents that fail in a bulk request are sent again by themselves.

use std::collections::HashMap;

use async_trait::async_trait;
use bytes::Bytes;
use headwater_types::Millis;
use http::{HeaderValue, Request, header};
use jiff::{Timestamp, tz::TimeZone};
use serde::Deserialize;
use serde_json::{Map, Value, json, value::RawValue};

use super::{
    context::{SinkContext, record_id},
    http_endpoint::shortened,
    retries::{AttemptError, Retries},
    sink::{Chunk, ChunkLimit, Sink},
};
use crate::{
    config::{OpenSearch, Rotation},
    limits::{BULK_ANSWER_BYTES_MAX, BULK_RECORDS_MAX, SINK_ANSWER_WAIT_MAX, SINK_BYTES_MAX},
    naming::week,
    ports::WebError,
    records::{ErrorKind, Failure, Item, Rejected},
};

impl Rotation {
    /// The index of what arrived at `at`.
    pub fn index(self, name: &str, at: Millis) -> String {
        let millis = i64::try_from(at.0).unwrap_or(i64::MAX);
        let time = Timestamp::from_millisecond(millis)
            .unwrap_or(Timestamp::MAX)
            .to_zoned(TimeZone::UTC);
        let suffix = match self {
            Self::None => return name.to_owned(),
            Self::Hour => time.strftime("%Y-%m-%d-%H").to_string(),
            Self::Day => time.strftime("%Y-%m-%d").to_string(),
            Self::Month => time.strftime("%Y-%m").to_string(),
            Self::Week => {
                let (year, week) = week(time.date());
                format!("{year:04}-w{week:02}")
            }
        };
        format!("{name}-{suffix}")
    }
}

/// Delivers to OpenSearch.
pub struct OpenSearchSink {
    pub cluster: OpenSearch,
    pub(super) context: SinkContext,
}

/// A document that is still to be taken.
struct Document<'a> {
    item: &'a Item,
    id: String,
    index: String,
    line: String,
}

#[async_trait]
impl Sink for OpenSearchSink {
    fn limit(&self) -> ChunkLimit {
        ChunkLimit {
            bytes: SINK_BYTES_MAX,
            records: BULK_RECORDS_MAX,
        }
    }

    async fn deliver(&self, chunk: Chunk) -> Vec<Rejected> {
        let (mut waiting, mut rejected) = self.documents(&chunk.items);
        let mut retries = Retries::new(&self.context.env, self.cluster.retry_s);
        while !waiting.is_empty() {
            let outcomes = self.attempt(&waiting).await;
            let mut failed = Vec::new();
            for (document, outcome) in waiting.into_iter().zip(outcomes) {
                match outcome {
                    Ok(()) => {}
                    Err(error) if error.is_permanent => {
                        rejected.push(self.rejected(&document, &error.failure, retries.attempts));
                    }
                    Err(error) => failed.push((document, error.failure)),
                }
            }
            if failed.is_empty() || !retries.again().await {
                let rest = failed
                    .iter()
                    .map(|(doc, failure)| self.rejected(doc, failure, retries.attempts));
                rejected.extend(rest);
                break;
            }
            waiting = failed.into_iter().map(|(document, _)| document).collect();
        }
        rejected
    }
}

impl OpenSearchSink {
    /// The documents of records, and the records that are none.
    fn documents<'a>(&self, items: &'a [Item]) -> (Vec<Document<'a>>, Vec<Rejected>) {
        let (mut documents, mut rejected) = (Vec::with_capacity(items.len()), Vec::new());
        for item in items {
            let index = self
                .cluster
                .rotation
                .index(&self.cluster.index, item.origin.arrival);
            let (id, line) = (record_id(item), line(&item.data));
            let document = Document {
                item,
                id,
                index,
                line: line.unwrap_or_default(),
            };
            if document.line.is_empty() {
                let failure =
                    Failure::new("OS.MalformedData", "The record is not one JSON object.");
                rejected.push(self.rejected(&document, &failure, 0));
            } else {
                documents.push(document);
            }
        }
        (documents, rejected)
    }

    /// Sends the documents once; what became of each.
    async fn attempt(&self, documents: &[Document<'_>]) -> Vec<Result<(), AttemptError>> {
        let all = |error: AttemptError| documents.iter().map(|_| Err(error.clone())).collect();
        let mut request = Request::post(self.cluster.url.join("/_bulk"))
            .body(self.bulk(documents))
            .expect("an address that was parsed makes a request");
        let media = HeaderValue::from_static("application/x-ndjson");
        request.headers_mut().insert(header::CONTENT_TYPE, media);
        let answer = self
            .context
            .web
            .send(request, SINK_ANSWER_WAIT_MAX, BULK_ANSWER_BYTES_MAX)
            .await;
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) => return all(unanswered(&error)),
        };
        let (status, body) = (answer.status(), answer.body());
        if !status.is_success() {
            let failure = Failure::new(code(status.as_u16()), shortened(body));
            return all(AttemptError {
                failure,
                is_permanent: status == http::StatusCode::PAYLOAD_TOO_LARGE,
            });
        }
        outcomes(body, documents.len()).unwrap_or_else(|| {
            all(AttemptError::transient(
                "OS.InvalidResponse",
                shortened(body),
            ))
        })
    }

    fn bulk(&self, documents: &[Document<'_>]) -> Bytes {
        let mut body = String::with_capacity(documents.iter().map(|d| d.line.len() + 160).sum());
        for document in documents {
            let mut about = Map::from_iter([("_index".to_owned(), document.index.as_str().into())]);
            if self.cluster.ids {
                about.insert("_id".to_owned(), document.id.as_str().into());
            }
            if let Some(name) = &self.cluster.type_name {
                about.insert("_type".to_owned(), name.as_str().into());
            }
            body += &json!({"index": about}).to_string();
            body.push('\n');
            body += &document.line;
            body.push('\n');
        }
        body.into()
    }

    fn rejected(&self, document: &Document<'_>, failure: &Failure, attempts: u32) -> Rejected {
        let mut rejected =
            self.context
                .rejected(document.item, ErrorKind::OpenSearch, failure, attempts);
        let (id, index) = (document.id.as_str().into(), document.index.as_str().into());
        rejected.more = match (self.cluster.serverless, &self.cluster.type_name) {
            (true, _) => vec![("osDocumentId", id), ("osIndexName", index)],
            (false, name) => {
                let name = name.as_deref().unwrap_or_default().into();
                vec![
                    ("esDocumentId", id),
                    ("esIndexName", index),
                    ("esTypeName", name),
                ]
            }
        };
        rejected
    }
}

/// A record's document on one line; none where it is not one JSON object. A newline outside of a string is blank space
/// in JSON, and none stands in a string.
fn line(data: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(data).ok()?.trim();
    let one: &RawValue = serde_json::from_str(text).ok()?;
    one.get()
        .starts_with('{')
        .then(|| text.replace(['\n', '\r'], " "))
}

/// The outcome of each of `count` documents in a bulk answer; none where it is no such answer.
fn outcomes(body: &[u8], count: usize) -> Option<Vec<Result<(), AttemptError>>> {
    #[derive(Deserialize)]
    struct Answer {
        items: Vec<HashMap<String, Outcome>>,
    }
    #[derive(Deserialize)]
    struct Outcome {
        status: u16,
        #[serde(default)]
        error: Value,
    }
    let answer: Answer = serde_json::from_slice(body).ok()?;
    let outcomes = answer.items.into_iter().map(|item| {
        let outcome = item.into_values().next()?;
        Some(match outcome.status {
            200..=299 => Ok(()),
            status => {
                let failure = Failure::new(
                    code(status),
                    shortened(outcome.error.to_string().as_bytes()),
                );
                // A document that does not fit the index will not fit it later.
                Err(AttemptError {
                    failure,
                    is_permanent: status == 400,
                })
            }
        })
    });
    let outcomes: Vec<_> = outcomes.collect::<Option<_>>()?;
    (outcomes.len() == count).then_some(outcomes)
}

/// The error code of a status: AWS gives the number itself.
fn code(status: u16) -> &'static str {
    match status {
        400 => "400",
        401 => "401",
        403 => "403",
        404 => "404",
        409 => "409",
        413 => "413",
        429 => "429",
        500 => "500",
        502 => "502",
        503 => "503",
        504 => "504",
        _ => "OS.ServiceException",
    }
}

fn unanswered(error: &WebError) -> AttemptError {
    let code = match error {
        WebError::TimedOut => "OS.RequestTimeout",
        WebError::Insecure(_) => "OS.SSLHandshakeFailure",
        WebError::NotConnected(_) => "OS.ConnectionFailed",
        WebError::Broken(_) => "OS.ConnectionReset",
        WebError::TooLarge => "OS.ResponseTooLarge",
    };
    AttemptError::transient(code, error.to_string())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;
    use crate::{
        config::WebAddress,
        sinks::context::tests::{chunk, context, id, lines},
        testing::FakeWeb,
    };

    fn sink(retry_s: u32) -> (Arc<FakeWeb>, OpenSearchSink) {
        let web = Arc::<FakeWeb>::default();
        let cluster = OpenSearch {
            url: WebAddress::parse("https://search.example.com").unwrap(),
            index: "rides".into(),
            rotation: Rotation::Day,
            type_name: None,
            ids: true,
            serverless: false,
            retry_s,
        };
        (
            web.clone(),
            OpenSearchSink {
                cluster,
                context: context(&web),
            },
        )
    }

    fn requests(web: &FakeWeb) -> Vec<String> {
        web.requests
            .lock()
            .iter()
            .map(|r| String::from_utf8(r.body().to_vec()).unwrap())
            .collect()
    }

    #[tokio::test]
    async fn documents_have_stable_ids_and_the_index_of_their_day() {
        let (web, sink) = sink(0);
        web.answer(
            200,
            r#"{"took":1,"errors":false,"items":[{"index":{"status":201}},{"index":{"status":200}}]}"#,
        );
        assert_eq!(sink.deliver(chunk(&["{\"a\":\n1}\n", "{}"])).await, []);
        assert_eq!(
            requests(&web),
            [format!(
                "{{\"index\":{{\"_id\":\"{}\",\"_index\":\"rides-2026-11-21\"}}}}\n{{\"a\": 1}}\n\
                 {{\"index\":{{\"_id\":\"{}\",\"_index\":\"rides-2026-11-21\"}}}}\n{{}}\n",
                id(0),
                id(1)
            )]
        );
        let request = &web.requests.lock()[0];
        assert_eq!(request.uri(), "https://search.example.com/_bulk");
        assert_eq!(request.headers()["content-type"], "application/x-ndjson");
    }

    #[tokio::test]
    async fn only_what_failed_is_sent_again_and_what_cannot_fit_is_given_back() {
        let (web, sink) = sink(300);
        web.answer(
            200,
            r#"{"errors":true,"items":[{"index":{"status":201}},{"index":{"status":429,"error":{"type":"busy"}}},
                {"index":{"status":400,"error":{"type":"mapper_parsing_exception"}}}]}"#,
        );
        web.reply(|_| Err(WebError::TimedOut));
        web.answer(
            200,
            r#"{"errors":false,"items":[{"index":{"status":200}}]}"#,
        );
        let rejected = sink
            .deliver(chunk(&["{\"n\":0}", "{\"n\":1}", "{\"n\":2}"]))
            .await;
        let sent = requests(&web);
        assert_eq!(
            sent.iter()
                .map(|body| body.lines().count())
                .collect::<Vec<_>>(),
            [6, 2, 2]
        );
        assert!(sent[1] == sent[2] && sent[1].contains(&id(1)));
        let line = lines(&rejected).remove(0);
        assert_eq!(
            (rejected.len(), &line["errorCode"], &line["attemptsMade"]),
            (1, &json!("400"), &json!(1))
        );
        assert_eq!(
            line["errorMessage"],
            r#"{"type":"mapper_parsing_exception"}"#
        );
        assert_eq!(
            (&line["esDocumentId"], &line["esIndexName"]),
            (&json!(id(2)), &json!("rides-2026-11-21"))
        );
        assert_eq!(line["esTypeName"], "");
    }

    #[tokio::test]
    async fn what_is_no_document_does_not_break_the_others() {
        let (web, mut sink) = sink(0);
        let changed = OpenSearch {
            serverless: true,
            ids: false,
            type_name: Some("t".into()),
            ..sink.cluster
        };
        sink.cluster = changed;
        web.answer(200, r#"{"items":[{"index":{"status":201}}]}"#);
        let rejected = sink
            .deliver(chunk(&["[1]", "{}", "{} {}", "{\"a", "\u{0}"]))
            .await;
        let sent = "{\"index\":{\"_index\":\"rides-2026-11-21\",\"_type\":\"t\"}}\n{}\n";
        assert_eq!(requests(&web), [sent]);
        let lines = lines(&rejected);
        assert_eq!(lines.len(), 4);
        assert_eq!(
            (&lines[0]["errorCode"], &lines[0]["osDocumentId"]),
            (&json!("OS.MalformedData"), &json!(id(0)))
        );
    }

    #[tokio::test]
    async fn a_cluster_that_does_not_answer_right_fails_all() {
        for (status, answer, code) in [
            (503, "closed", "503"),
            (413, "too large", "413"),
            (200, r#"{"items":[]}"#, "OS.InvalidResponse"),
            (200, r#"{"items":[{"index":{"stat"#, "OS.InvalidResponse"),
        ] {
            let (web, sink) = sink(0);
            web.answer(status, answer);
            let line = lines(&sink.deliver(chunk(&["{}"])).await).remove(0);
            assert_eq!(
                (&line["errorCode"], &line["errorMessage"]),
                (&json!(code), &json!(answer))
            );
        }
    }

    #[test]
    fn indices_rotate_as_aws_says() {
        // 2020-08-15 is the Saturday of AWS's example, week 33; in 2016 the first Saturday was January 2.
        for (at, rotation, index) in [
            ("2016-02-25T13:00:00Z", Rotation::None, "i"),
            ("2016-02-25T13:00:00Z", Rotation::Hour, "i-2016-02-25-13"),
            ("2016-02-25T13:00:00Z", Rotation::Day, "i-2016-02-25"),
            ("2016-02-25T13:00:00Z", Rotation::Month, "i-2016-02"),
            ("2020-08-15T23:59:59Z", Rotation::Week, "i-2020-w33"),
            ("2020-08-16T00:00:00Z", Rotation::Week, "i-2020-w34"),
            ("2016-01-02T00:00:00Z", Rotation::Week, "i-2016-w01"),
            ("2015-12-27T00:00:00Z", Rotation::Week, "i-2016-w01"),
            ("2022-12-31T00:00:00Z", Rotation::Week, "i-2022-w53"),
        ] {
            let at: Timestamp = at.parse().unwrap();
            assert_eq!(
                rotation.index("i", Millis(at.as_millisecond() as u64)),
                index
            );
        }
    }

    proptest! {
        #[test]
        fn any_time_has_an_index(at: u64) {
            for rotation in [Rotation::Hour, Rotation::Day, Rotation::Week, Rotation::Month] {
                prop_assert!(rotation.index("i", Millis(at)).starts_with("i-"));
            }
        }

        #[test]
        fn any_answer_is_judged(body: Vec<u8>, count in 0..3_usize) {
            prop_assert!(outcomes(&body, count).is_none_or(|outcomes| outcomes.len() == count));
        }

        #[test]
        fn a_document_is_one_line(data: Vec<u8>) {
            if let Some(line) = line(&data) {
                prop_assert!(!line.contains('\n') && serde_json::from_str::<Map<String, Value>>(&line).is_ok());
            }
        }
    }
}
