//! The services of a server, as a list: each is one value that says how it opens. A service that needs another takes a
//! small trait that the other gave when it opened, so it stands behind the other in the list.

mod cloudtrail;
mod cloudwatch;
mod dynamodb;
mod dynamodbstreams;
#[cfg(test)]
mod echo;
mod firehose;
mod glue;
mod kinesis;
mod lambda;
mod logs;
#[cfg(test)]
mod planes;
mod s3;
mod sns;
mod sqs;
mod sts;

use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use futures_util::future::BoxFuture;
use headwater_delivery::{Deliveries, Invoke, LogSink, Objects, Tables};
use headwater_functions::Functions;
use headwater_http::Body;
use headwater_log::Sources;
use headwater_loggroups::LogGroups;
use headwater_messages::Messages;
use headwater_metrics::Metrics;
use headwater_objects::ObjectStore;
use headwater_streams::Streams;
use headwater_tables::Receivers;
use headwater_topics::Topics;
use headwater_wire::Table;
use http::{Request, Response};

use crate::{Failure, console::picture::Picture, emitted::Emits, ground::Ground, metrics::Samples};

/// All services, users behind what they use. They are closed in the reverse order.
pub const SERVICES: &[Service] = &[
    Service {
        name: "cloudwatch",
        open: |ground, given| Box::pin(cloudwatch::open(ground, given)),
    },
    Service {
        name: "logs",
        open: |ground, given| Box::pin(logs::open(ground, given)),
    },
    Service {
        name: "s3",
        open: |ground, given| Box::pin(s3::open(ground, given)),
    },
    Service {
        name: "glue",
        open: |ground, given| Box::pin(glue::open(ground, given)),
    },
    Service {
        name: "sqs",
        open: |ground, given| Box::pin(sqs::open(ground, given)),
    },
    Service {
        name: "kinesis",
        open: |ground, given| Box::pin(kinesis::open(ground, given)),
    },
    Service {
        name: "dynamodb",
        open: |ground, given| Box::pin(dynamodb::open(ground, given)),
    },
    Service {
        name: "dynamodbstreams",
        open: |ground, given| Box::pin(dynamodbstreams::open(ground, given)),
    },
    Service {
        name: "lambda",
        open: |ground, given| Box::pin(lambda::open(ground, given)),
    },
    Service {
        name: "firehose",
        open: |ground, given| Box::pin(firehose::open(ground, given)),
    },
    Service {
        name: "sns",
        open: |ground, given| Box::pin(sns::open(ground, given)),
    },
    Service {
        name: "sts",
        open: |ground, given| Box::pin(sts::open(ground, given)),
    },
    Service {
        name: "cloudtrail",
        open: |ground, given| Box::pin(cloudtrail::open(ground, given)),
    },
];

/// A service that can be opened.
pub struct Service {
    /// Its name, as AWS's clients call it.
    pub name: &'static str,
    /// Opens what is kept of it in a place, begins its work in the background, and gives others what they need of it.
    pub open: for<'a> fn(&'a Ground, &'a mut Given) -> Opening<'a>,
}

/// A service that is being opened.
pub type Opening<'a> = BoxFuture<'a, Result<Arc<dyn Running>, Failure>>;

/// A service that runs.
#[async_trait]
pub trait Running: Send + Sync {
    /// Its operations.
    fn table(&self) -> Table;

    /// The answer to a request for a page of its own, among the server's; none to any other.
    async fn page(&self, _: &Request<()>) -> Option<Response<Body>> {
        None
    }

    /// The reason for which it cannot do its work, with a word for what is ill: then the server is.
    async fn illness(&self) -> Option<(&'static str, String)> {
        None
    }

    /// The incidents for an operator: deliveries that are stuck, each with its name and the reason. The first word says
    /// what kind of thing they are.
    fn troubles(&self) -> Option<(&'static str, serde_json::Map<String, serde_json::Value>)> {
        None
    }

    /// Adds what it counts and holds to the page of metrics.
    async fn measure(&self, _: &mut Samples) {}

    /// What it emits into the store of metrics, minute by minute.
    fn emits(&self) -> Option<Arc<dyn Emits>> {
        None
    }

    /// All services of the place are open.
    fn all_open(&self, _: &[Arc<dyn Running>]) {}

    /// Adds what records flow through to the picture of the console.
    async fn show(&self, _: &mut Picture) {}

    /// Ends what waits without an end of its own, so that a shutdown need not wait for it.
    async fn end_waits(&self) {}

    /// Finishes what is under way and stops.
    async fn close(&self) {}
}

/// Opens services, one after the other.
pub async fn open_listed(
    listed: impl IntoIterator<Item = &'static Service>,
    ground: &Ground,
) -> Result<Vec<Arc<dyn Running>>, Failure> {
    let mut given = Given::default();
    let mut services = Vec::new();
    for service in listed {
        let opened = (service.open)(ground, &mut given).await;
        services.push(opened.map_err(|error| format!("opening {} failed: {error}", service.name))?);
    }
    services
        .iter()
        .for_each(|service| service.all_open(&services));
    Ok(services)
}

/// The traits that services gave for others to use.
#[derive(Default)]
pub struct Given {
    /// What was measured.
    pub metrics: Option<Arc<Metrics>>,
    /// Where functions leave their lines.
    pub function_log: Option<Arc<dyn headwater_functions::LogSink>>,
    /// The log groups, whose events others get once these are open.
    pub log_groups: Option<LogGroups>,
    /// Where deliveries leave theirs.
    pub delivery_log: Option<Arc<dyn LogSink>>,
    /// The object store.
    pub store: Option<Arc<dyn ObjectStore>>,
    /// The buckets that deliveries write to.
    pub objects: Option<Arc<dyn Objects>>,
    /// The functions that deliveries call.
    pub invoke: Option<Arc<dyn Invoke>>,
    /// The functions that messages call.
    pub functions: Option<Functions>,
    /// The delivery streams that messages are put into.
    pub deliveries: Option<Arc<Deliveries>>,
    /// The tables of items whose changes others read.
    pub items: Option<Arc<headwater_tables::Tables>>,
    /// The tables whose columns deliveries write.
    pub tables: Option<Arc<dyn Tables>>,
    /// The topics that others publish to. Their service uses functions, so it comes after those that find it here.
    pub topics: Arc<OnceLock<Arc<Topics>>>,
    /// The queues that others send to and poll.
    pub messages: Option<Arc<Messages>>,
    /// The streams of records.
    pub streams: Option<Arc<Streams>>,
    /// The streams that tables send their changes to.
    pub receivers: Option<Arc<dyn Receivers>>,
    /// The streams that others read.
    pub sources: Option<Arc<dyn Sources>>,
}

/// A thing that another service gave.
///
/// # Panics
/// When the list has the services in a wrong order.
pub fn given<T: Clone>(thing: &Option<T>) -> T {
    thing
        .clone()
        .expect("a service stands before those that it uses")
}
