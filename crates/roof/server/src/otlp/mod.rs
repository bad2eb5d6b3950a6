//! What a collector of OpenTelemetry is told: a span of each request, and each minute the metrics.
//!
//! Owns what is sent, and when. It is OTLP's JSON over HTTP, which needs no more than what is here anyway. The collector
//! is told behind the requests and never holds one up: what it does not take in time is dropped, and counted.

mod metrics;
mod spans;

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use headwater_env::Env;
use http::{Request, StatusCode, Uri, header};
use tokio::sync::oneshot;

use crate::{Failure, adapters::HttpWeb, ground::Ground, metrics::Metrics, settings::Settings};
use metrics::OtlpForm;
use spans::Span;
pub use spans::Spans;

/// The time from one sending of spans to the next.
const SPANS_EVERY: Duration = Duration::from_secs(2);
/// The time from one sending of metrics to the next.
const METRICS_EVERY: Duration = Duration::from_secs(60);
/// The time that the collector has to take what it is sent.
const ANSWER_WAIT_MAX: Duration = Duration::from_secs(10);
/// The time that the collector has to take what is left when the server stops.
const LAST_WAIT_MAX: Duration = Duration::from_secs(2);
/// Spans in one request to the collector.
const SPANS_SENT: usize = 512;

/// Tells the collector, until it is closed.
pub struct Exporter {
    stop: oneshot::Sender<()>,
    ended: oneshot::Receiver<()>,
}

/// The work of telling the collector.
struct Work {
    env: Env,
    web: HttpWeb,
    collector: Collector,
    spans: Arc<Spans>,
    metrics: Arc<Metrics>,
    /// Spans that the collector did not take yet.
    unsent: Vec<Span>,
    /// When the next metrics are sent, as time since the start.
    metrics_due: Duration,
}

/// The addresses of a collector.
struct Collector {
    traces: Address,
    metrics: Address,
    /// The attributes of this server, as JSON.
    resource: String,
}

/// An address of a collector.
struct Address {
    uri: Uri,
    /// Whether the last request to it failed.
    is_failing: bool,
}

/// What became of a request to a collector.
enum Outcome {
    Taken,
    /// It may take the same later.
    Away,
    /// It will not take this.
    Refused,
}

/// The spans that are gathered where the settings name a collector.
pub fn spans(env: &Env, settings: &Settings) -> Option<Arc<Spans>> {
    settings.otlp_endpoint.as_ref()?;
    Some(Arc::new(Spans::new(env.clone(), settings.otlp_ratio)))
}

impl Exporter {
    /// Begins to tell the collector of the settings.
    pub fn start(
        ground: &Ground,
        settings: &Settings,
        spans: Arc<Spans>,
        metrics: Arc<Metrics>,
    ) -> Result<Self, Failure> {
        let endpoint = settings.otlp_endpoint.as_deref().unwrap_or_default();
        let work = Work {
            env: ground.env.clone(),
            web: ground.web(),
            collector: Collector::new(endpoint, ground)?,
            spans,
            metrics,
            unsent: Vec::new(),
            metrics_due: Duration::ZERO,
        };
        let (stop, stopped) = oneshot::channel();
        let (end, ended) = oneshot::channel();
        ground.env.spawn(async move {
            work.run(stopped).await;
            // Nobody waits for it after a stop that was itself dropped.
            let _ = end.send(());
        });
        Ok(Self { stop, ended })
    }

    /// Sends what waits, once and within a bound, and stops.
    pub async fn close(self) {
        drop(self.stop);
        drop(self.ended.await);
    }
}

impl Work {
    async fn run(mut self, mut stopped: oneshot::Receiver<()>) {
        let clock = self.env.clock.clone();
        loop {
            tokio::select! {
                _ = &mut stopped => break,
                () = self.round() => {}
            }
        }
        self.metrics_due = Duration::ZERO;
        tokio::select! {
            () = clock.sleep(LAST_WAIT_MAX) => {}
            () = self.send() => {}
        }
    }

    async fn round(&mut self) {
        self.env.clock.sleep(SPANS_EVERY).await;
        self.send().await;
    }

    async fn send(&mut self) {
        self.send_spans().await;
        let now = self.env.clock.elapsed();
        if now >= self.metrics_due {
            self.metrics_due = now + METRICS_EVERY;
            self.send_metrics().await;
        }
    }

    /// Sends what is gathered. What the collector may take later is tried again then, and what it never will is dropped.
    async fn send_spans(&mut self) {
        loop {
            if self.unsent.is_empty() {
                self.unsent = self.spans.take(SPANS_SENT);
            }
            if self.unsent.is_empty() {
                return;
            }
            let body = spans::request(&self.collector.resource, &self.unsent);
            match self.collector.traces.send(&self.web, body).await {
                Outcome::Taken => {}
                Outcome::Refused => self.spans.count_dropped(self.unsent.len()),
                Outcome::Away => return,
            }
            self.unsent.clear();
        }
    }

    async fn send_metrics(&mut self) {
        let form = OtlpForm::new(self.env.clock.as_ref());
        let families = self.metrics.written(Box::new(form)).await;
        let body = metrics::request(&self.collector.resource, &families);
        // The next ones tell all that these would have.
        self.collector.metrics.send(&self.web, body).await;
    }
}

impl Address {
    async fn send(&mut self, web: &HttpWeb, body: String) -> Outcome {
        let request = Request::post(self.uri.clone());
        let request = request.header(header::CONTENT_TYPE, "application/json");
        let request = request.body(Bytes::from(body));
        let request = request.expect("its parts are whole");
        let (outcome, problem) = match web.status(request, ANSWER_WAIT_MAX).await {
            Ok(status) if status.is_success() => (Outcome::Taken, None),
            Ok(status) => (outcome(status), Some(format!("it answered {status}"))),
            Err(error) => (Outcome::Away, Some(error.to_string())),
        };
        let to = &self.uri;
        match (&problem, self.is_failing) {
            (Some(problem), false) => {
                tracing::warn!(%to, %problem, "the collector of --otlp-endpoint takes nothing");
            }
            (None, true) => {
                tracing::info!(%to, "the collector of --otlp-endpoint takes what it is sent");
            }
            _ => {}
        }
        self.is_failing = problem.is_some();
        outcome
    }
}

/// What becomes of a request that was answered so: OTLP names the statuses that ask for another try.
fn outcome(status: StatusCode) -> Outcome {
    match status.as_u16() {
        429 | 502..=504 => Outcome::Away,
        _ => Outcome::Refused,
    }
}

impl Collector {
    fn new(endpoint: &str, ground: &Ground) -> Result<Self, Failure> {
        let at = |path: &str| {
            let address = format!("{}{path}", endpoint.trim_end_matches('/'));
            let uri = address.parse::<Uri>().ok();
            let is_http = |uri: &Uri| matches!(uri.scheme_str(), Some("http" | "https"));
            let uri =
                uri.filter(|uri| is_http(uri) && uri.host().is_some() && uri.query().is_none())?;
            Some(Address {
                uri,
                is_failing: false,
            })
        };
        let wrong = "--otlp-endpoint is an address such as http://127.0.0.1:4318";
        Ok(Self {
            traces: at("/v1/traces").ok_or(wrong)?,
            metrics: at("/v1/metrics").ok_or(wrong)?,
            resource: attributes(&[
                ("service.name", "headwater"),
                ("service.version", env!("CARGO_PKG_VERSION")),
                ("cloud.account.id", &ground.place.account.0),
                ("cloud.region", &ground.place.region.0),
            ]),
        })
    }
}

/// Attributes whose values are texts, as a list of OTLP's JSON.
fn attributes(pairs: &[(&str, &str)]) -> String {
    let attribute = |(key, value): &(&str, &str)| serde_json::json!({"key": key, "value": {"stringValue": value}});
    let all: Vec<_> = pairs.iter().map(attribute).collect();
    serde_json::Value::Array(all).to_string()
}
