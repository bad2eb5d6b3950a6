//! Peers that are gone without a word: a connection that is silent is asked with a ping, and left when it stays so.

use std::{sync::Arc, time::Duration};

use h2::{Ping, PingPong};
use headwater_env::Clock;
use parking_lot::Mutex;

/// When a peer was last heard of.
pub(super) struct Heard {
    clock: Arc<dyn Clock>,
    at: Mutex<Duration>,
}

impl Heard {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Arc<Self> {
        let at = Mutex::new(clock.elapsed());
        Arc::new(Self { clock, at })
    }

    /// Notes that something came.
    pub(super) fn now(&self) {
        *self.at.lock() = self.clock.elapsed();
    }

    /// Ready when nothing has come for this long.
    async fn silent_for(&self, span: Duration) {
        loop {
            let until = *self.at.lock() + span;
            let left = until.saturating_sub(self.clock.elapsed());
            if left.is_zero() {
                return;
            }
            self.clock.sleep(left).await;
        }
    }
}

/// Ready when nothing came for `idle`, and for as long again after the peer was asked to answer. Whatever it sends counts:
/// the answer to a ping stands behind all that was sent before it.
pub(super) async fn is_gone(heard: &Heard, mut pings: PingPong, idle: Duration) {
    loop {
        heard.silent_for(idle).await;
        tokio::select! {
            biased;
            pong = pings.ping(Ping::opaque()) => {
                if pong.is_err() {
                    // The connection is at its end, and tells so itself.
                    std::future::pending::<()>().await;
                }
            }
            () = heard.silent_for(2 * idle) => return,
        }
    }
}
