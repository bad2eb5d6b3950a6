//! Metrics: what everything counts and holds, gathered when somebody asks, for Prometheus' page and for collectors.
//!
//! Owns the names and the page's text. The domains count as plain values and know nothing of this; what a service shows of its
//! domain stands in a file here, and the service calls it ([`Running::measure`]).

pub mod deliveries;
pub mod families;
pub mod functions;
pub mod machine;
pub mod mappings;
pub mod messages;
pub mod queues;
pub mod requests;
pub mod samples;
pub mod streams;
pub mod tables;
#[cfg(test)]
mod tests;
mod text;
pub mod topics;

use std::sync::Arc;

use headwater_env::Env;
use headwater_http::Buffers;
use headwater_log::ShardLog;
use headwater_types::Region;
use headwater_wire::requests::Requests;

use crate::{otlp::Spans, places::Places, services::Running};
pub use samples::Samples;
pub use text::CONTENT_TYPE;

/// The sources of all that is measured of a server.
pub struct Metrics {
    /// Clock and machine.
    pub env: Env,
    /// The log of all regions.
    pub log: Arc<dyn ShardLog>,
    /// The requests that were answered.
    pub requests: Arc<Requests>,
    /// The requests that are told to a collector, where there is one.
    pub spans: Option<Arc<Spans>>,
    /// Room for bodies and for answers.
    pub rooms: [(&'static str, Buffers); 2],
    /// The server's own region, and its services.
    pub home: (Region, Vec<Arc<dyn Running>>),
    /// The others.
    pub places: Arc<Places>,
    /// Held while a page is made: those who ask too often wait for each other, and for nobody else.
    pub one: tokio::sync::Mutex<()>,
}

impl Metrics {
    /// The page.
    pub async fn page(&self) -> String {
        self.written(Box::new(text::Text)).await
    }

    /// All metrics in a form.
    pub async fn written(&self, form: Box<dyn samples::Form>) -> String {
        let _one = self.one.lock().await;
        let (home, services) = &self.home;
        let mut samples = Samples::of_region(&home.0, form);
        requests::measure(&self.requests, &mut samples);
        machine::measure(self, &mut samples).await;
        for service in services {
            service.measure(&mut samples).await;
        }
        for (region, services) in self.places.regions() {
            samples.set_region(&region.0);
            for service in services.iter() {
                service.measure(&mut samples).await;
            }
        }
        if let Some(spans) = &self.spans {
            samples.add(&families::SPANS_DROPPED, &[], spans.dropped());
        }
        samples.into_text()
    }
}

/// A flag as a value.
fn flag(is_so: bool) -> u64 {
    is_so.into()
}
