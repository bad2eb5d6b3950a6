//! Headwater's own pages: `GET /_headwater/health`, whether the server does its work, for probes and the operator;
//! `GET /_headwater/ready`, whether to send it requests, for balancers; `GET /_headwater/metrics`, the counters and gauges of everything it runs; and `GET /_headwater/operations`, the
//! operations of AWS's models that it does, for users who want to know before they try. Services have pages of their own
//! behind these.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering::Relaxed},
};

use async_trait::async_trait;
use headwater_delivery::{Deliveries, Incident};
use headwater_http::{Body, body};
use headwater_log::ShardLog;
use headwater_wire::Page;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use serde_json::{Map, Value, json};

use crate::{
    metrics::{CONTENT_TYPE, Metrics},
    places::Places,
    services::Running,
};

const PREFIX: &str = "/_headwater/";
const JSON: &str = "application/json";

/// The pages that are Headwater's own. A bucket's name holds no underscore, so no object hides behind the prefix.
pub struct OwnPages {
    /// The log, whose failure stops all writing.
    pub log: Arc<dyn ShardLog>,
    /// The services, each of which may be ill; a delivery that is stuck is told of, and does not make the server ill.
    pub services: Vec<Arc<dyn Running>>,
    /// The services of other regions, which are told of in the same way.
    pub places: Arc<Places>,
    /// The counters and gauges.
    pub metrics: Arc<Metrics>,
    /// Set when the server is told to stop.
    pub is_stopping: Arc<AtomicBool>,
    /// Each service's operations, and whether they are built.
    pub operations: Vec<(&'static str, Vec<(&'static str, bool)>)>,
    /// Whether signatures are checked: then these pages, which ask for none, tell nothing that others wrote.
    pub is_signed: bool,
}

impl OwnPages {
    async fn report(&self) -> (u16, Value) {
        let of_places = self.places.services();
        let services = self.services.iter().chain(&of_places);
        let (status, mut report) = report(&*self.log, services.clone()).await;
        if self.is_signed {
            for (kind, _) in services.filter_map(|service| service.troubles()) {
                report[kind].as_object_mut().map(without_words);
            }
        }
        (status, report)
    }

    /// The status to answer with, 200 or 503, and the reasons for which requests are better sent elsewhere.
    async fn readiness(&self) -> (u16, Value) {
        let of_places = self.places.services();
        let services = self.services.iter().chain(&of_places);
        let mut reasons = reasons(&*self.log, services).await;
        if self.is_stopping.load(Relaxed) {
            reasons.insert("server".to_owned(), "it was told to stop".into());
        }
        let is_ready = reasons.is_empty();
        let said = json!({ "ready": is_ready, "reasons": reasons });
        (if is_ready { 200 } else { 503 }, said)
    }

    /// The answer of the service whose page is asked for.
    async fn of_services(&self, request: &Request<()>) -> Option<Response<Body>> {
        let of_places = self.places.services();
        for service in self.services.iter().chain(&of_places) {
            if let Some(answer) = service.page(request).await {
                return Some(answer);
            }
        }
        None
    }

    fn operations(&self) -> Value {
        let service = |(name, operations): &(&str, Vec<(&str, bool)>)| {
            let built = operations
                .iter()
                .map(|(name, built)| ((*name).to_owned(), json!(built)));
            ((*name).to_owned(), Value::Object(built.collect()))
        };
        Value::Object(self.operations.iter().map(service).collect())
    }
}

/// The reasons for which the server cannot do its work, each with a word for what is ill.
async fn reasons(
    log: &dyn ShardLog,
    services: impl Iterator<Item = &Arc<dyn Running>>,
) -> Map<String, Value> {
    let mut reasons = Map::new();
    if let Err(error) = log.health() {
        reasons.insert("log".to_owned(), error.to_string().into());
    }
    for service in services {
        if let Some((what, reason)) = service.illness().await {
            reasons.insert(what.to_owned(), reason.into());
        }
    }
    reasons
}

/// The status to answer with, 200 or 503, and what to say.
async fn report(
    log: &dyn ShardLog,
    services: impl Iterator<Item = &Arc<dyn Running>> + Clone,
) -> (u16, Value) {
    let reasons = reasons(log, services.clone()).await;
    let status = if reasons.is_empty() { 200 } else { 503 };
    let mut report = Map::from_iter([("log".to_owned(), "ok".into())]);
    report.extend(reasons);
    for service in services {
        let Some((kind, troubles)) = service.troubles() else {
            continue;
        };
        let told = report.entry(kind).or_insert_with(|| json!({}));
        if let Some(told) = told.as_object_mut() {
            told.extend(troubles);
        }
    }
    (status, report.into())
}

/// Takes the words out of troubles, in which there may be what a destination answered; the codes are our own.
fn without_words(troubles: &mut Map<String, Value>) {
    for trouble in troubles.values_mut().filter_map(Value::as_object_mut) {
        trouble.remove("error");
    }
}

/// The delivery streams that an error stops at the moment, by name.
pub fn stuck(deliveries: &Deliveries) -> serde_json::Map<String, Value> {
    let told = |(name, incident): (String, Incident)| {
        let Incident {
            since,
            at,
            code,
            error,
            times,
        } = incident;
        (
            name,
            json!({ "code": code, "error": error, "since_ms": since, "since_tries": times, "last_ms": at }),
        )
    };
    deliveries.incidents().into_iter().map(told).collect()
}

#[async_trait]
impl Page for OwnPages {
    fn takes(&self, request: &Request<Body>) -> bool {
        request.uri().path().starts_with(PREFIX)
    }

    async fn call(&self, request: Request<Body>) -> Response<Body> {
        let request = request.map(drop);
        let asked = request.uri().path().strip_prefix(PREFIX);
        match (request.method(), asked) {
            (&Method::GET | &Method::HEAD, Some("health")) => {
                let (status, report) = self.report().await;
                page(status, JSON, report.to_string())
            }
            (&Method::GET | &Method::HEAD, Some("ready")) => {
                let (status, said) = self.readiness().await;
                page(status, JSON, said.to_string())
            }
            (&Method::GET | &Method::HEAD, Some("metrics")) => {
                page(200, CONTENT_TYPE, self.metrics.page().await)
            }
            (&Method::GET | &Method::HEAD, Some("operations")) => {
                page(200, JSON, self.operations().to_string())
            }
            _ => self.of_services(&request).await.unwrap_or_else(|| {
                let text = "there are only GET /_headwater/health, /_headwater/ready, /_headwater/metrics, /_headwater/operations and /_headwater/console";
                page(404, JSON, json!({ "error": text }).to_string())
            }),
        }
    }
}

fn page(status: u16, content_type: &'static str, text: String) -> Response<Body> {
    let mut response = Response::new(body::full(text));
    *response.status_mut() =
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let content_type = HeaderValue::from_static(content_type);
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, content_type);
    response
}

#[cfg(test)]
mod tests {
    use headwater_wire::Table;

    use super::*;
    use crate::{
        ground::Ground,
        services::{SERVICES, open_listed},
    };

    /// A service that cannot do its work.
    struct Ill(Arc<dyn Running>);

    #[async_trait]
    impl Running for Ill {
        fn table(&self) -> Table {
            self.0.table()
        }

        async fn illness(&self) -> Option<(&'static str, String)> {
            Some(("tables", "no room".to_owned()))
        }
    }

    #[tokio::test]
    async fn a_service_that_is_ill_makes_the_server_ill() {
        let dir = tempfile::tempdir().unwrap();
        let ground = Ground::for_tests(dir.path()).await;
        let mut services = open_listed(SERVICES, &ground).await.unwrap();
        let well = report(&*ground.log, services.iter()).await;
        assert_eq!((well.0, &well.1["log"]), (200, &json!("ok")));
        assert!(well.1.get("tables").is_none());
        let first = services[0].clone();
        services.push(Arc::new(Ill(first)));
        let reasons = reasons(&*ground.log, services.iter()).await;
        assert_eq!(Value::from(reasons), json!({ "tables": "no room" }));
        let (status, said) = report(&*ground.log, services.iter()).await;
        assert_eq!((status, &said["tables"]), (503, &json!("no room")));
    }
}
