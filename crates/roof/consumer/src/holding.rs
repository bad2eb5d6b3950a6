//! A lease that is held, with its reader or without: one waits for the shard's parents, or is done with.

use std::{collections::BTreeMap, sync::Arc};

use futures_util::{StreamExt, stream};
use headwater_env::Env;
use headwater_types::HashRange;
use tokio::sync::{mpsc, watch};

use crate::{
    api::Source,
    checkpoint::Checkpoint,
    feed::Feed,
    held_lease::{Checkpointer, HeldLease},
    lease::Lease,
    limits::RENEWALS_AT_A_TIME,
    process::Process,
    reader::{Reader, Signal},
};

/// A lease that is held.
pub(crate) struct Holding {
    held: Arc<HeldLease>,
    reader: Option<ReaderHandle>,
}

/// The line to a reader.
struct ReaderHandle {
    signal: watch::Sender<Signal>,
    /// Closed when the reader is gone.
    alive: mpsc::Receiver<()>,
}

impl Holding {
    /// One that is not read yet.
    pub(crate) fn new(held: Arc<HeldLease>) -> Self {
        Self { held, reader: None }
    }

    pub(crate) fn key(&self) -> &str {
        self.held.key()
    }

    /// The lease as it was last written.
    pub(crate) async fn lease(&self) -> Lease {
        self.held.lease().await
    }

    pub(crate) fn has_reader(&self) -> bool {
        self.reader.is_some()
    }

    /// Whether a reader may be started, as far as the lease itself goes.
    pub(crate) fn is_unread(&self) -> bool {
        self.reader.is_none() && self.held.is_mine() && !self.held.is_handed_over()
    }

    /// Whether there is nothing more to do with it.
    pub(crate) fn is_over(&self) -> bool {
        self.reader.is_none() && self.held.is_lost()
    }

    /// Forgets its reader when that is gone; whether it was.
    pub(crate) fn forget_reader(&mut self) -> bool {
        let gone = self.reader.take_if(|reader| reader.alive.is_closed());
        gone.is_some()
    }

    /// Tells the reader, where there is one.
    pub(crate) fn tell(&self, signal: Signal) {
        if let Some(reader) = &self.reader {
            reader.signal.send_replace(signal);
        }
    }

    /// A reader for it, which is told what it must know until the sender that comes with it is dropped.
    pub(crate) fn reader(
        &mut self,
        source: Arc<dyn Source>,
        feed: Box<dyn Feed>,
        process: Box<dyn Process>,
        reached: Checkpoint,
        range: HashRange,
        env: &Env,
    ) -> (Reader, mpsc::Sender<()>) {
        let (signal, signals) = watch::channel(Signal::Run);
        let (here, alive) = mpsc::channel(1);
        self.reader = Some(ReaderHandle { signal, alive });
        let reader = Reader {
            source,
            held: self.held.clone(),
            feed,
            process,
            checkpointer: Checkpointer::new(self.held.clone()),
            range,
            reached,
            signals,
            env: env.clone(),
        };
        (reader, here)
    }

    /// Keeps it for another duration. A lease that turns out to be lost is told to its reader, and one that is to be
    /// handed over is, once the reader has come to its end.
    async fn renew(&self) {
        if let Err(error) = self.held.renew().await {
            tracing::debug!(shard = self.key(), %error, "a lease was not renewed");
        }
        if self.held.is_lost() {
            self.tell(Signal::Lost);
        } else if self.held.is_handed_over() {
            self.tell(Signal::Drain);
            self.release_unread().await;
        }
    }

    /// Gives it back, where nobody reads it.
    pub(crate) async fn release_unread(&self) {
        if self.has_reader() || self.held.is_lost() {
            return;
        }
        if let Err(error) = self.held.release().await {
            tracing::warn!(shard = self.key(), %error, "the lease expires by itself");
        }
    }
}

/// Renews all that is held.
pub(crate) async fn renew_all(holding: &BTreeMap<String, Holding>) {
    stream::iter(holding.values())
        .for_each_concurrent(RENEWALS_AT_A_TIME, Holding::renew)
        .await;
}
