//! Destinations that are no bucket.
//!
//! They have no names that a repeated delivery could write to again, so they get every record at least once, with ids
//! that stay the same when an intent is carried out again. Records that they do not take go into the bucket, as lines.
//! A warehouse is the exception: it reads what was put into the bucket ([`Loader`]).

mod context;
mod http_endpoint;
mod opensearch;
mod redshift;
mod retries;
mod sink;
mod splunk;

use std::sync::Arc;

use headwater_env::Env;

use self::context::SinkContext;
use crate::{
    config::{StreamRecord, Target},
    ports::Ports,
};

#[cfg(feature = "fuzzing")]
pub(crate) use redshift::copy_rows;
pub use retries::Retries;
pub use sink::{Chunk, ChunkLimit, Load, Loader, Sink};

/// The sink of a delivery stream whose records go to one.
pub fn sink(stream: &StreamRecord, env: &Env, ports: &Ports) -> Option<Arc<dyn Sink>> {
    let context = SinkContext {
        env: env.clone(),
        web: ports.web.clone(),
        stream: stream.arn.clone(),
    };
    match stream.destination.target.clone() {
        Target::Bucket | Target::Redshift(_) => None,
        Target::Http(endpoint) => Some(Arc::new(http_endpoint::HttpSink { endpoint, context })),
        Target::Splunk(splunk) => Some(Arc::new(splunk::SplunkSink { splunk, context })),
        Target::OpenSearch(cluster) => {
            Some(Arc::new(opensearch::OpenSearchSink { cluster, context }))
        }
    }
}

/// The loader of a delivery stream whose objects are loaded elsewhere.
pub fn loader(stream: &StreamRecord, env: &Env, ports: &Ports) -> Option<Arc<dyn Loader>> {
    match stream.destination.target.clone() {
        Target::Redshift(redshift) => Some(Arc::new(redshift::RedshiftLoader {
            redshift,
            role: stream.destination.role.clone(),
            encryption_key: stream.destination.encryption_key.clone(),
            stream: stream.arn.clone(),
            env: env.clone(),
            objects: ports.objects.clone(),
            warehouse: ports.warehouse.clone(),
        })),
        Target::Bucket | Target::Http(_) | Target::Splunk(_) | Target::OpenSearch(_) => None,
    }
}
