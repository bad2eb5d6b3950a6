//! The listener: connections in HTTP/1.1 and HTTP/2 on a port, each request to the service.
//!
//! Owns accepting and the shutdown, which lets the requests that run come to their end within a bounded time. What
//! happens on a connection is its own part (`connection`).

use std::sync::Arc;

use futures_util::future::join_all;
use headwater_env::Env;

use crate::{
    connection, limits,
    log_rate::LogRate,
    serving::{Serving, Shared},
    slots::{Shutdown, Slots},
    tls::Listener,
};

/// Answers requests on all `listeners`, which share their bounds, until `shutdown` is ready and the requests that run
/// then have ended, or `limits.drain` is over.
pub async fn serve(
    listeners: impl IntoIterator<Item = Listener>,
    serving: Serving,
    env: Env,
    shutdown: impl Future<Output = ()> + Send,
) {
    let slots = Arc::new(Slots::new(serving.limits.connections, env.clone()));
    let drain = serving.limits.drain;
    let shared = Arc::new(Shared {
        serving,
        env: env.clone(),
    });
    {
        let accepting = listeners
            .into_iter()
            .map(|listener| accept_all(listener, &shared, &slots));
        tokio::select! {
            () = shutdown => {}
            _ = join_all(accepting) => {}
        }
    }
    slots.ask_all(Shutdown::Graceful);
    tokio::select! {
        () = slots.empty() => {}
        () = env.clock.sleep(drain) => tracing::warn!("connections are dropped that did not end in time"),
    }
    slots.ask_all(Shutdown::Abort);
}

async fn accept_all(listener: Listener, shared: &Arc<Shared>, slots: &Arc<Slots>) {
    let failures = LogRate::default();
    loop {
        match listener.socket.accept().await {
            Ok((socket, peer)) => {
                // Answers are small and waited for; when this fails they are merely later.
                let _ = socket.set_nodelay(true);
                let lease = slots.take().await;
                let (shared, tls) = (shared.clone(), listener.tls.clone());
                let env = shared.env.clone();
                env.spawn(async move {
                    connection::run(socket, tls, peer, lease.slot.clone(), shared).await
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
