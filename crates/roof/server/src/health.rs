//! Headwater's own pages: `GET /_headwater/health`, whether the server does its work, for probes and the operator;
//! `GET /_headwater/metrics`, the counters and gauges of everything it runs; and `GET /_headwater/operations`, the
//! operations of AWS's models that it does, for users who want to know before they try. Services have pages of their own
//! behind these.

use std::sync::Arc;

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
    /// The services; a delivery that is stuck is told of, and does not make the server ill.
    pub services: Vec<Arc<dyn Running>>,
    /// The services of other regions, which are told of in the same way.
    pub places: Arc<Places>,
    /// The counters and gauges.
    pub metrics: Metrics,
    /// Each service's operations, and whether they are built.
    pub operations: Vec<(&'static str, Vec<(&'static str, bool)>)>,
}

impl OwnPages {
    /// The status to answer with, 200 or 503, and what to say.
    fn report(&self) -> (u16, Value) {
        let log = self.log.health();
        let said = log
            .as_ref()
            .map_or_else(ToString::to_string, |()| "ok".to_owned());
        let mut report = Map::from_iter([("log".to_owned(), said.into())]);
        let of_places = self.places.services();
        let all = self.services.iter().chain(&of_places);
        for (kind, troubles) in all.filter_map(|service| service.troubles()) {
            let told = report.entry(kind).or_insert_with(|| json!({}));
            if let Some(told) = told.as_object_mut() {
                told.extend(troubles);
            }
        }
        (if log.is_ok() { 200 } else { 503 }, report.into())
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

/// The delivery streams that an error stops at the moment, by name.
pub fn stuck(deliveries: &Deliveries) -> serde_json::Map<String, Value> {
    let told = |(name, incident): (String, Incident)| {
        let Incident {
            at, error, times, ..
        } = incident;
        (
            name,
            json!({ "error": error, "since_tries": times, "last_ms": at }),
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
                let (status, report) = self.report();
                page(status, JSON, report.to_string())
            }
            (&Method::GET | &Method::HEAD, Some("metrics")) => {
                page(200, CONTENT_TYPE, self.metrics.page().await)
            }
            (&Method::GET | &Method::HEAD, Some("operations")) => {
                page(200, JSON, self.operations().to_string())
            }
            _ => self.of_services(&request).await.unwrap_or_else(|| {
                let text = "there are only GET /_headwater/health, /_headwater/metrics and /_headwater/operations";
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
