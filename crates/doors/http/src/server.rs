//! The listener: connections in HTTP/1.1 and HTTP/2 on a port, each request to the door that takes it.
//!
//! Owns sockets, time-outs and bounds; what a request means is its door's. A request that panics is answered with a
//! 500, a connection that is slow is closed, and a shutdown lets what runs come to its end within a bounded time.

use std::{future::Future, sync::Arc, time::Duration};

use futures_util::future::join_all;
use headwater_env::Env;

use crate::{
    Buffers, Service, connection, limits,
    seats::{Seats, Wish},
    seldom::Seldom,
    tls::Listener,
};

/// What is served, and within which bounds.
#[derive(Clone)]
pub struct Serving {
    /// Whatever answers the requests.
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

/// The listener's bounds. Who comes when one is used up waits, a connection until one that is silent was closed for it;
/// what takes longer than its time is closed.
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

/// What all connections share.
pub(crate) struct Shared {
    pub(crate) serving: Serving,
    pub(crate) env: Env,
}

/// Answers requests on all `listeners`, which share their bounds, until `shutdown` is ready and what runs then has
/// ended, or `limits.drain` is over.
pub async fn serve(
    listeners: impl IntoIterator<Item = Listener>,
    serving: Serving,
    env: Env,
    shutdown: impl Future<Output = ()> + Send,
) {
    let seats = Arc::new(Seats::new(serving.limits.connections, env.clone()));
    let drain = serving.limits.drain;
    let shared = Arc::new(Shared {
        serving,
        env: env.clone(),
    });
    {
        let accepting = listeners
            .into_iter()
            .map(|listener| accept_all(listener, &shared, &seats));
        tokio::select! {
            () = shutdown => {}
            _ = join_all(accepting) => {}
        }
    }
    seats.ask_all(Wish::Leave);
    tokio::select! {
        () = seats.empty() => {}
        () = env.clock.sleep(drain) => tracing::warn!("connections are dropped that did not end in time"),
    }
    seats.ask_all(Wish::Drop);
}

async fn accept_all(listener: Listener, shared: &Arc<Shared>, seats: &Arc<Seats>) {
    let failures = Seldom::default();
    loop {
        match listener.socket.accept().await {
            Ok((socket, peer)) => {
                // Answers are small and waited for; when this fails they are merely later.
                let _ = socket.set_nodelay(true);
                let taken = seats.take().await;
                let (shared, tls) = (shared.clone(), listener.tls.clone());
                let env = shared.env.clone();
                env.spawn(async move {
                    connection::run(socket, tls, peer, taken.seat.clone(), shared).await
                });
            }
            Err(error) => {
                if let Some(times) = failures.happened(shared.env.clock.as_ref()) {
                    tracing::warn!(%error, times, "a connection could not be accepted");
                }
                // Out of file descriptors, most likely: others must close first.
                shared.env.clock.sleep(limits::ACCEPT_PAUSE).await;
            }
        }
    }
}
