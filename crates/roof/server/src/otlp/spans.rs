//! Spans of requests: gathered within a bound, and written in OTLP's JSON.

use std::{
    net::IpAddr,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

use headwater_env::Env;
use headwater_types::Millis;
use headwater_wire::{Observe, Seen};
use http::HeaderMap;
use parking_lot::Mutex;
use serde_json::{Value, json};

/// Spans that wait for the collector; one more is dropped.
const SPANS_MAX: usize = 8192;
/// OTLP's word for the span of one who answers.
const SERVER: u8 = 2;
/// OTLP's word for what failed.
const FAILED: u8 = 2;

/// The spans of requests that were answered and that the collector was not told of; an observer of the pipeline.
pub struct Spans {
    env: Env,
    /// The share of requests that get a span where their caller does not say.
    ratio: f64,
    waiting: Mutex<Vec<Span>>,
    dropped: AtomicU64,
}

/// A request that was answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Span {
    parent: Parent,
    id: u64,
    service: &'static str,
    operation: &'static str,
    ended: Millis,
    took: Duration,
    status: u16,
    error: Option<String>,
    request_id: String,
    region: String,
    address: Option<IpAddr>,
}

/// The trace that a request belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Parent {
    trace: u128,
    /// The span in which it was made; none where it begins the trace.
    span: Option<u64>,
    /// Whether its caller wants a span of it; none where the caller leaves that open.
    is_wanted: Option<bool>,
}

impl Spans {
    /// No spans yet.
    pub fn new(env: Env, ratio: f64) -> Self {
        Self {
            env,
            ratio,
            waiting: Mutex::default(),
            dropped: AtomicU64::new(0),
        }
    }

    /// How many there was no room for.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Relaxed)
    }

    /// At most `count` of those that wait, the oldest first. They wait no longer.
    pub fn take(&self, count: usize) -> Vec<Span> {
        let mut waiting = self.waiting.lock();
        let count = count.min(waiting.len());
        waiting.drain(..count).collect()
    }

    /// A trace that begins here.
    fn root(&self) -> Parent {
        let random = &self.env.random;
        let trace = u128::from(random.next_u64()) << 64 | u128::from(random.next_u64());
        Parent {
            trace,
            span: None,
            is_wanted: None,
        }
    }

    fn is_drawn(&self) -> bool {
        // The highest 53 bits are a fraction that a float holds whole.
        let drawn = (self.env.random.next_u64() >> 11) as f64 / (1_u64 << 53) as f64;
        drawn < self.ratio
    }
}

impl Observe for Spans {
    fn observe(&self, seen: &Seen<'_>) {
        let parent = parent(seen.headers).unwrap_or_else(|| self.root());
        if !parent.is_wanted.unwrap_or_else(|| self.is_drawn()) {
            return;
        }
        let mut waiting = self.waiting.lock();
        if waiting.len() >= SPANS_MAX {
            drop(waiting);
            self.dropped.fetch_add(1, Relaxed);
            return;
        }
        waiting.push(Span {
            parent,
            id: self.env.random.next_u64(),
            service: seen.service,
            operation: seen.operation,
            ended: self.env.clock.now(),
            took: seen.took,
            status: seen.status,
            error: seen.error.map(str::to_owned),
            request_id: seen.request_id.to_owned(),
            region: seen.region.0.clone(),
            address: seen.address,
        });
    }
}

/// The trace that the headers of a request name: W3C's `traceparent`, or else AWS's `X-Amzn-Trace-Id`.
fn parent(headers: &HeaderMap) -> Option<Parent> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let of_w3c = text("traceparent").and_then(of_w3c);
    of_w3c.or_else(|| text("x-amzn-trace-id").and_then(of_aws))
}

/// `00-<trace>-<span>-<flags>`, as W3C has it; later versions may have more behind.
fn of_w3c(text: &str) -> Option<Parent> {
    let mut parts = text.split('-');
    let (version, trace, span, flags) =
        (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    if version.len() != 2 || version == "ff" || (version == "00" && parts.next().is_some()) {
        return None;
    }
    let flags = hex(flags, 2)?;
    Some(Parent {
        trace: hex(trace, 32).filter(|trace| *trace != 0)?,
        span: Some(hex(span, 16).filter(|span| *span != 0)? as u64),
        is_wanted: Some(flags & 1 == 1),
    })
}

/// `Root=1-<seconds>-<random>;Parent=<span>;Sampled=1`, as X-Ray has it. Only the first must be there.
fn of_aws(text: &str) -> Option<Parent> {
    let mut found = Parent {
        trace: 0,
        span: None,
        is_wanted: None,
    };
    for part in text.split(';') {
        match part.trim().split_once('=') {
            Some(("Root", root)) => {
                let (seconds, random) = root.strip_prefix("1-")?.split_once('-')?;
                found.trace = hex(seconds, 8)? << 96 | hex(random, 24)?;
            }
            Some(("Parent", span)) => found.span = Some(hex(span, 16)? as u64),
            Some(("Sampled", "1")) => found.is_wanted = Some(true),
            Some(("Sampled", "0")) => found.is_wanted = Some(false),
            _ => {}
        }
    }
    (found.trace != 0).then_some(found)
}

/// A number of just so many hexadecimal digits.
fn hex(text: &str, digits: usize) -> Option<u128> {
    let is_hex = text.len() == digits && text.bytes().all(|b| b.is_ascii_hexdigit());
    is_hex.then(|| u128::from_str_radix(text, 16).ok())?
}

/// The body of a request with spans.
pub fn request(resource: &str, spans: &[Span]) -> String {
    let spans = Value::Array(spans.iter().map(Span::json).collect());
    format!(
        "{{\"resourceSpans\":[{{\"resource\":{{\"attributes\":{resource}}},\
         \"scopeSpans\":[{{\"scope\":{{\"name\":\"headwater\"}},\"spans\":{spans}}}]}}]}}"
    )
}

impl Span {
    fn json(&self) -> Value {
        let ended = u128::from(self.ended.0) * 1_000_000;
        let name = match (self.service, self.operation) {
            ("", _) => "other".to_owned(),
            (service, "") => service.to_owned(),
            (service, operation) => format!("{service}/{operation}"),
        };
        let mut span = json!({
            "traceId": format!("{:032x}", self.parent.trace),
            "spanId": format!("{:016x}", self.id),
            "name": name,
            "kind": SERVER,
            "startTimeUnixNano": ended.saturating_sub(self.took.as_nanos()).to_string(),
            "endTimeUnixNano": ended.to_string(),
            "attributes": self.attributes(),
        });
        if let Some(parent) = self.parent.span {
            span["parentSpanId"] = format!("{parent:016x}").into();
        }
        // A caller's mistake is no failure of the one who answers, as OpenTelemetry's conventions have it.
        if self.status >= 500 {
            span["status"] = json!({ "code": FAILED });
        }
        span
    }

    fn attributes(&self) -> Value {
        let text = |key: &str, value: &str| json!({"key": key, "value": {"stringValue": value}});
        let mut all = vec![
            text("rpc.system", "aws-api"),
            text("rpc.service", self.service),
            text("rpc.method", self.operation),
            text("aws.request_id", &self.request_id),
            text("cloud.region", &self.region),
            json!({"key": "http.response.status_code", "value": {"intValue": self.status.to_string()}}),
        ];
        all.extend(self.error.as_deref().map(|error| text("error.type", error)));
        all.extend(
            self.address
                .map(|address| text("client.address", &address.to_string())),
        );
        Value::Array(all)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use headwater_env::ManualClock;
    use headwater_types::{Account, Region};
    use http::HeaderValue;

    use super::*;

    const W3C: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    const AWS: &str = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=0";

    fn spans(ratio: f64) -> Spans {
        let env = Env {
            clock: Arc::new(ManualClock::at(Millis(5_000))),
            ..Env::real()
        };
        Spans::new(env, ratio)
    }

    fn see(spans: &Spans, headers: &[(&'static str, &str)], status: u16) {
        let pair = |(name, value): &(&'static str, &str)| {
            (
                http::HeaderName::from_static(name),
                HeaderValue::from_str(value).unwrap(),
            )
        };
        spans.observe(&Seen {
            request_id: "r",
            service: "kinesis",
            operation: "PutRecord",
            table: None,
            route: None,
            line: None,
            caller: "",
            account: &Account("0".into()),
            region: &Region("eu-1".into()),
            headers: &headers.iter().map(pair).collect(),
            address: None,
            status,
            error: (status >= 400).then_some("Oops"),
            bytes_in: 0,
            bytes_out: 0,
            took: Duration::from_millis(2),
        });
    }

    #[test]
    fn a_trace_goes_on_in_either_header() {
        let spans = spans(1.0);
        see(&spans, &[("traceparent", W3C)], 200);
        see(
            &spans,
            &[(
                "x-amzn-trace-id",
                "Root=1-5759e988-bd862e3fe1be46a994272793",
            )],
            503,
        );
        see(&spans, &[("x-amzn-trace-id", AWS)], 200);
        let taken = spans.take(9);
        assert_eq!(taken.len(), 2, "the third was not wanted");
        let body: Value = serde_json::from_str(&request("[]", &taken)).unwrap();
        let told = &body["resourceSpans"][0]["scopeSpans"][0]["spans"];
        assert_eq!(told[0]["traceId"], "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_eq!(told[0]["parentSpanId"], "00f067aa0ba902b7");
        assert_eq!(told[0]["name"], "kinesis/PutRecord");
        assert_eq!(told[0]["startTimeUnixNano"], "4998000000");
        assert_eq!(told[0]["endTimeUnixNano"], "5000000000");
        assert!(told[0].get("status").is_none());
        assert_eq!(told[1]["traceId"], "5759e988bd862e3fe1be46a994272793");
        assert!(told[1].get("parentSpanId").is_none());
        assert_eq!(told[1]["status"], json!({"code": 2}));
        let error = json!({"key": "error.type", "value": {"stringValue": "Oops"}});
        assert!(told[1]["attributes"].as_array().unwrap().contains(&error));
    }

    #[test]
    fn headers_that_are_none_begin_a_trace() {
        for wrong in [
            "",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e47-00f067aa0ba902b7-01",
            "00-+bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        ] {
            assert_eq!(of_w3c(wrong), None, "{wrong}");
        }
        for wrong in [
            "",
            "Root=",
            "Root=2-5759e988-bd862e3fe1be46a994272793",
            "Parent=53995c3f42cd8ad8",
        ] {
            assert_eq!(of_aws(wrong), None, "{wrong}");
        }
        assert!(of_w3c(&W3C.replacen("00", "01", 1)).is_some());
        let spans = spans(1.0);
        see(&spans, &[("traceparent", "none")], 200);
        assert_eq!(spans.take(1)[0].parent.span, None);
    }

    #[test]
    fn the_ratio_decides_where_the_caller_does_not_and_the_bound_always() {
        let none = spans(0.0);
        see(&none, &[], 200);
        see(&none, &[("traceparent", W3C)], 200);
        assert_eq!(none.take(9).len(), 1);
        let all = spans(1.0);
        for _ in 0..SPANS_MAX + 3 {
            see(&all, &[], 200);
        }
        assert_eq!((all.take(usize::MAX).len(), all.dropped()), (SPANS_MAX, 3));
    }
}
