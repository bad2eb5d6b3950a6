//! A service and the bounds within which it is served: the part of a listener that all its connections share.

use std::{sync::Arc, time::Duration};

use headwater_env::Env;

use crate::{Buffers, Service, limits};

/// A service, and the bounds within which it is served.
#[derive(Clone)]
pub struct Serving {
    /// The service that answers the requests.
    pub service: Arc<dyn Service>,
    /// Room for bodies in memory, which the service takes as well.
    pub buffers: Buffers,
    /// The bounds.
    pub limits: Limits,
}

impl Serving {
    /// A service within the usual bounds.
    pub fn new(service: Arc<dyn Service>) -> Self {
        Self {
            service,
            buffers: Buffers::default(),
            limits: Limits::default(),
        }
    }
}

/// The listener's bounds. A client that finds one used up waits, for a connection until one that is silent was closed
/// for it; a client that takes longer than its time is closed.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Connections at a time.
    pub connections: usize,
    /// Bytes of a request's head, in either version of HTTP.
    pub head_bytes: usize,
    /// Requests at a time on one connection of HTTP/2.
    pub streams_per_connection: u32,
    /// The longest wait for a request's head, and between requests.
    pub idle: Duration,
    /// The longest wait for the next piece of a body, in either direction: 16 KiB, or its end.
    pub body_idle: Duration,
    /// How long a shutdown waits for requests that run.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: limits::CONNECTIONS,
            head_bytes: limits::HEAD_BYTES,
            streams_per_connection: limits::STREAMS_PER_CONNECTION,
            idle: limits::IDLE,
            body_idle: limits::BODY_IDLE,
            drain: limits::DRAIN,
        }
    }
}

impl Limits {
    /// The usual bounds, with no more connections than a process has sockets for that may have `open_files` open.
    pub fn with_open_files(open_files: u64) -> Self {
        let files = usize::try_from(open_files).unwrap_or(usize::MAX);
        // Where few may be open, half of them.
        let sockets = files.saturating_sub(limits::OTHER_FILES).max(files / 2);
        let usual = Self::default();
        Self {
            connections: usual.connections.min(sockets),
            ..usual
        }
    }
}

/// The values that all connections share.
pub(crate) struct Shared {
    pub(crate) serving: Serving,
    pub(crate) env: Env,
}
