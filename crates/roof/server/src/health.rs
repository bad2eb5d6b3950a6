//! What is Headwater's own: `GET /_headwater/health`, whether the server does its work, for probes and the operator;
//! and `GET /_headwater/operations`, what of AWS's models it does, for whoever wants to know before trying.

use std::sync::Arc;

use async_trait::async_trait;
use headwater_delivery::{Deliveries, Incident};
use headwater_log::ShardLog;
use headwater_wire::{Body, Context, Door, body};
use http::{Method, Request, Response, StatusCode, header, request::Parts};
use serde_json::{Value, json};

const PREFIX: &str = "/_headwater/";

/// The door of what is Headwater's own. A bucket's name holds no underscore, so no object hides behind the prefix.
pub struct HealthDoor {
    /// The log, whose failure stops all writing.
    pub log: Arc<dyn ShardLog>,
    /// The deliveries; one that is stuck is told of, and does not make the server ill.
    pub deliveries: Arc<Deliveries>,
    /// The same for channels.
    pub channels: Arc<Deliveries>,
    /// Each service's operations, and whether they are built.
    pub operations: Vec<(&'static str, Vec<(&'static str, bool)>)>,
}

impl HealthDoor {
    /// The status to answer with, 200 or 503, and what to say.
    fn report(&self) -> (u16, Value) {
        let log = self.log.health();
        let said = log
            .as_ref()
            .map_or_else(ToString::to_string, |()| "ok".to_owned());
        let (deliveries, channels) = (stuck(&self.deliveries), stuck(&self.channels));
        let report =
            json!({ "log": said, "stuck_deliveries": deliveries, "stuck_channels": channels });
        (if log.is_ok() { 200 } else { 503 }, report)
    }

    fn operations(&self) -> Value {
        let service = |(name, operations): &(&str, Vec<(&str, bool)>)| {
            let built: serde_json::Map<_, _> = operations
                .iter()
                .map(|(name, built)| ((*name).to_owned(), json!(built)))
                .collect();
            ((*name).to_owned(), Value::Object(built))
        };
        Value::Object(self.operations.iter().map(service).collect())
    }
}

/// The delivery streams that an error stops at the moment, by name.
fn stuck(deliveries: &Deliveries) -> serde_json::Map<String, Value> {
    let told = |(name, incident): (String, Incident)| {
        let Incident { at, error, times } = incident;
        (
            name,
            json!({ "error": error, "since_tries": times, "last_ms": at }),
        )
    };
    deliveries.incidents().into_iter().map(told).collect()
}

#[async_trait]
impl Door for HealthDoor {
    fn name(&self) -> &'static str {
        "headwater"
    }

    fn takes(&self, head: &Parts) -> bool {
        head.uri.path().starts_with(PREFIX)
    }

    async fn call(&self, request: Request<Body>, _context: Context) -> Response<Body> {
        let asked = request.uri().path().strip_prefix(PREFIX);
        let (status, said) = match (request.method(), asked) {
            (&Method::GET | &Method::HEAD, Some("health")) => self.report(),
            (&Method::GET | &Method::HEAD, Some("operations")) => (200, self.operations()),
            _ => (
                404,
                json!({ "error": "there are only GET /_headwater/health and /_headwater/operations" }),
            ),
        };
        let mut response = Response::new(body::full(said.to_string()));
        *response.status_mut() =
            StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        response.headers_mut().insert(
            header::CONTENT_TYPE,
            header::HeaderValue::from_static("application/json"),
        );
        response
    }
}
