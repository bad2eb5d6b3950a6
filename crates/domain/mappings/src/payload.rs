//! Events as functions get them, and what is told of batches that are given up: AWS's members, as recorded. What records
//! look like is `form`'s.

use std::fmt::Write;

use bytes::Bytes;
use headwater_log::{Source, SourceRecord};
use headwater_types::Millis;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::{ports::Answer, record::Mapping, window::Window};

/// What an event says beside its records.
pub(crate) struct Frame<'a> {
    pub mapping: &'a Mapping,
    pub source: &'a dyn Source,
    pub shard: &'a str,
    /// The function's role.
    pub role: &'a str,
    /// The window, where the mapping has them.
    pub window: Option<WindowCall<'a>>,
}

/// What an event says of a window.
pub(crate) struct WindowCall<'a> {
    pub window: &'a Window,
    /// Whether it is the window's last call.
    pub is_final: bool,
    /// Whether it ends because its state is too large.
    pub is_early: bool,
}

/// The event for `records`, as JSON.
pub(crate) fn event(frame: &Frame<'_>, records: &[SourceRecord]) -> Bytes {
    let mut out = String::with_capacity(event_length(frame, records));
    add_event(&mut out, frame, records);
    out.into()
}

/// The length of an event, about.
fn event_length(frame: &Frame<'_>, records: &[SourceRecord]) -> usize {
    /// The parts around its records.
    const FRAME: usize = 512;
    let form = frame.mapping.form();
    let bytes = records.iter().map(|record| form.event_bytes(record));
    bytes.sum::<usize>() + FRAME
}

fn add_event(out: &mut String, frame: &Frame<'_>, records: &[SourceRecord]) {
    out.push_str("{\"Records\":[");
    for (at, record) in records.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        frame.mapping.form().add(out, frame, record);
    }
    out.push(']');
    if let Some(call) = &frame.window {
        add_window(out, frame, call);
    }
    out.push('}');
}

fn add_window(out: &mut String, frame: &Frame<'_>, call: &WindowCall<'_>) {
    let Window { start, end, state } = call.window;
    let _ = write!(
        out,
        ",\"window\":{{\"start\":\"{}\",\"end\":\"{}\"}},\"state\":{state},\"shardId\":\"{}\",\"eventSourceARN\":\"{}\",\"isFinalInvokeForWindow\":{},\"isWindowTerminatedEarly\":{}",
        whole_seconds(*start),
        whole_seconds(*end),
        frame.shard,
        frame.mapping.source,
        call.is_final,
        call.is_early,
    );
}

/// `2020-07-30T17:00:00Z`.
pub(crate) fn whole_seconds(time: Millis) -> String {
    written(time, "%Y-%m-%dT%H:%M:%SZ")
}

/// Why a batch was given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Condition {
    RetryAttemptsExhausted,
    RecordAgeExceeded,
}

/// What is told of a call. The answer itself is not kept while its batch waits: it may have 6 MB.
#[derive(Debug, Clone)]
pub(crate) struct Outcome {
    request_id: String,
    version: String,
    failed: bool,
}

impl Outcome {
    pub fn of(answer: Answer) -> Self {
        let Answer {
            request_id,
            version,
            payload: _,
            failed,
        } = answer;
        Self {
            request_id,
            version,
            failed,
        }
    }
}

/// A batch that was given up.
pub(crate) struct GivenUp<'a> {
    pub condition: Condition,
    /// What came of the last call, where there was one.
    pub last: Option<&'a Outcome>,
    /// An id for it where there was none.
    pub request_id: &'a str,
    pub calls: u32,
    pub now: Millis,
    pub records: &'a [SourceRecord],
}

/// What is told of a batch that was given up, with its event where that is wanted.
pub(crate) fn given_up(frame: &Frame<'_>, batch: &GivenUp<'_>, with_event: bool) -> String {
    let condition = match batch.condition {
        Condition::RetryAttemptsExhausted => "RetryAttemptsExhausted",
        Condition::RecordAgeExceeded => "RecordAgeExceeded",
    };
    let request_id = batch.last.map_or(batch.request_id, |last| &last.request_id);
    let mut told = json!({
        "requestContext": {
            "requestId": request_id,
            "functionArn": frame.mapping.function.to_string(),
            "condition": condition,
            "approximateInvokeCount": batch.calls,
        },
        "version": "1.0",
        "timestamp": to_the_millisecond(batch.now),
    });
    let form = frame.mapping.form();
    told[form.batch_member()] = batch_info(frame, batch.records);
    if let (Condition::RetryAttemptsExhausted, Some(last)) = (batch.condition, batch.last) {
        told["responseContext"] = json!({
            "statusCode": 200,
            "executedVersion": last.version,
            "functionError": last.failed.then_some("Unhandled"),
        });
    }
    // The event is written in its place, so that it is there only once.
    let mut out = told.to_string();
    if !with_event {
        return out;
    }
    out.reserve_exact(event_length(frame, batch.records));
    out.pop();
    out.push_str(",\"payload\":");
    add_event(&mut out, frame, batch.records);
    out.push('}');
    out
}

fn batch_info(frame: &Frame<'_>, records: &[SourceRecord]) -> Value {
    let (Some(first), Some(last)) = (records.first(), records.last()) else {
        return Value::Null;
    };
    let form = frame.mapping.form();
    json!({
        "shardId": frame.shard,
        "startSequenceNumber": frame.source.number(first),
        "endSequenceNumber": frame.source.number(last),
        "approximateArrivalOfFirstRecord": form.arrival(first),
        "approximateArrivalOfLastRecord": form.arrival(last),
        "batchSize": records.len(),
        "streamArn": frame.mapping.stream.to_string(),
    })
}

/// The key of the object for a batch that was given up: `aws/lambda/<mapping>/<shard>/YYYY/MM/DD/<time>-<id>`.
pub(crate) fn object_key(mapping: &str, shard: &str, now: Millis, id: &str) -> String {
    let day = written(now, "%Y/%m/%d");
    let time = written(now, "%Y-%m-%dT%H.%M.%S");
    format!("aws/lambda/{mapping}/{shard}/{day}/{time}-{id}")
}

/// A time in UTC, as `form` says.
fn written(time: Millis, form: &str) -> String {
    let ms = i64::try_from(time.0).unwrap_or(i64::MAX);
    let time = Timestamp::from_millisecond(ms).unwrap_or(Timestamp::MAX);
    time.strftime(form).to_string()
}

/// `2020-07-30T17:00:00.123Z`.
pub(crate) fn to_the_millisecond(time: Millis) -> String {
    written(time, "%Y-%m-%dT%H:%M:%S%.3fZ")
}
