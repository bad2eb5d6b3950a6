//! What a collector of OpenTelemetry is told: a span of each request, and each minute the metrics.
//!
//! Owns what is sent, and when. It is OTLP's JSON over HTTP, which needs no more than what is here anyway. The collector
//! is told behind the requests and never holds one up: what it does not take in time is dropped, and counted.

mod metrics;
mod spans;

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use headwater_env::Env;
use http::{Request, Uri, header};
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
    /// Whether the last request to the collector failed.
    is_failing: bool,
}

/// The addresses of a collector.
struct Collector {
    traces: Uri,
    metrics: Uri,
    /// The attributes of this server, as JSON.
    resource: String,
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
            is_failing: false,
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

    /// Sends what waits, once, and stops.
    pub async fn close(self) {
        drop(self.stop);
        drop(self.ended.await);
    }
}

impl Work {
    async fn run(mut self, mut stopped: oneshot::Receiver<()>) {
        let clock = self.env.clock.clone();
        let mut metrics_due = clock.elapsed();
        loop {
            let is_last = tokio::select! {
                _ = &mut stopped => true,
                () = clock.sleep(SPANS_EVERY) => false,
            };
            self.send_spans().await;
            if is_last || clock.elapsed() >= metrics_due {
                self.send_metrics().await;
                metrics_due = clock.elapsed() + METRICS_EVERY;
            }
            if is_last {
                return;
            }
        }
    }

    /// Sends what is gathered, until the collector refuses: then the same spans are tried again the next time.
    async fn send_spans(&mut self) {
        loop {
            if self.unsent.is_empty() {
                self.unsent = self.spans.take(SPANS_SENT);
            }
            if self.unsent.is_empty() {
                return;
            }
            let body = spans::request(&self.collector.resource, &self.unsent);
            if !self.send(self.collector.traces.clone(), body).await {
                return;
            }
            self.unsent.clear();
        }
    }

    async fn send_metrics(&mut self) {
        let form = OtlpForm::new(self.env.clock.as_ref());
        let families = self.metrics.written(Box::new(form)).await;
        let body = metrics::request(&self.collector.resource, &families);
        self.send(self.collector.metrics.clone(), body).await;
    }

    /// Whether the collector took it.
    async fn send(&mut self, to: Uri, body: String) -> bool {
        let request = Request::post(to).header(header::CONTENT_TYPE, "application/json");
        let request = request
            .body(Bytes::from(body))
            .expect("its parts are whole");
        let problem = match self.web.status(request, ANSWER_WAIT_MAX).await {
            Ok(status) if status.is_success() => None,
            Ok(status) => Some(format!("it answered {status}")),
            Err(error) => Some(error.to_string()),
        };
        match (&problem, self.is_failing) {
            (Some(problem), false) => {
                tracing::warn!(%problem, "the collector of --otlp-endpoint takes nothing");
            }
            (None, true) => {
                tracing::info!("the collector of --otlp-endpoint takes what it is sent")
            }
            _ => {}
        }
        self.is_failing = problem.is_some();
        problem.is_none()
    }
}

impl Collector {
    fn new(endpoint: &str, ground: &Ground) -> Result<Self, Failure> {
        let at = |path: &str| {
            let address = format!("{}{path}", endpoint.trim_end_matches('/'));
            let uri = address.parse::<Uri>().ok();
            let is_http = |uri: &Uri| matches!(uri.scheme_str(), Some("http" | "https"));
            uri.filter(|uri| is_http(uri) && uri.host().is_some() && uri.query().is_none())
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
