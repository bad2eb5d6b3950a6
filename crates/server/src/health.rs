//! `GET /_headwater/health`: whether the server does its work, for probes and for the operator.

use std::sync::Arc;

use async_trait::async_trait;
use headwater_delivery::Deliveries;
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
}

impl HealthDoor {
    /// The status to answer with, 200 or 503, and what to say.
    fn report(&self) -> (u16, Value) {
        let log = self.log.health();
        let troubles = self.deliveries.troubles().into_iter();
        let stuck: serde_json::Map<_, _> = troubles
            .map(|(name, t)| (name, json!({ "error": t.error, "since_tries": t.times, "last_ms": t.at })))
            .collect();
        let said = log.as_ref().map_or_else(ToString::to_string, |()| "ok".to_owned());
        (if log.is_ok() { 200 } else { 503 }, json!({ "log": said, "stuck_deliveries": stuck }))
    }
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
            _ => (404, json!({ "error": "there is only GET /_headwater/health" })),
        };
        let mut response = Response::new(body::full(said.to_string()));
        *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
        response
    }
}
