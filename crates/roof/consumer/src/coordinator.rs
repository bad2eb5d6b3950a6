//! A consumer's rounds: renew what is held, see what others do, take what is due.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    pin::pin,
    sync::Arc,
    time::Duration,
};

use futures_util::{
    StreamExt,
    future::{Either, select},
    stream,
};
use headwater_env::Env;
use parking_lot::Mutex;
use tokio::sync::{Notify, mpsc, watch};

use crate::{
    Options, Reading,
    api::Source,
    balance::View,
    feed::{BatchSlots, FanOutFeed, Feed, PollingFeed},
    held_lease::{Checkpointer, HeldLease},
    lease::{Lease, LeaseStore, StoreError},
    limits::RENEWALS_AT_A_TIME,
    lineage::{done_with, missing},
    process::Processors,
    reader::{Reader, Signal},
};

/// Runs the readers of one consumer.
pub(crate) struct Coordinator {
    pub source: Arc<dyn Source>,
    pub store: Arc<dyn LeaseStore>,
    pub processors: Arc<dyn Processors>,
    pub options: Options,
    pub env: Env,
    pub pages: BatchSlots,
    /// The keys of the leases that are held now, for others to see.
    pub shown: Arc<Mutex<Vec<String>>>,
    /// Told when a reader ended.
    pub wake: Arc<Notify>,
    pub holding: BTreeMap<String, ReaderHandle>,
    /// Each lease's counter, and since when it stands.
    pub seen: HashMap<String, (u64, Duration)>,
    /// When the shards were last listed.
    pub synced: Option<Duration>,
}

/// A lease that is held, and the line to its reader.
pub(crate) struct ReaderHandle {
    held: Arc<HeldLease>,
    signal: watch::Sender<Signal>,
    /// Closed when the reader is gone.
    reader: mpsc::Receiver<()>,
}

impl Coordinator {
    /// Runs until `stop` says so; when nobody can say so any more, everything stops where it is.
    pub async fn run(mut self, mut stop: watch::Receiver<bool>) {
        while stop.has_changed().is_ok() && !*stop.borrow() {
            if let Err(error) = self.round().await {
                tracing::warn!(%error, "leases could not be looked after; trying again");
            }
            let (wake, clock) = (self.wake.clone(), self.env.clock.clone());
            let woken = pin!(wake.notified());
            let due = select(woken, clock.sleep(self.options.heartbeat()));
            // The reason to go on shows in what `stop` holds then.
            drop(select(pin!(stop.changed()), due).await);
        }
        if stop.has_changed().is_ok() {
            self.drain().await;
        }
        self.shown.lock().clear();
    }

    async fn round(&mut self) -> Result<(), StoreError> {
        self.renew().await;
        self.forget_ended();
        let mut leases = self.store.list().await?;
        if self.sync(&leases).await? {
            leases = self.store.list().await?;
        }
        let expired = self.expired(&leases);
        let view = View {
            leases: &leases,
            me: &self.options.name,
            expired: &expired,
            leases_max: self.options.leases_max,
        };
        let wanted: Vec<Lease> = view
            .to_take(self.env.random.next_u64())
            .into_iter()
            .cloned()
            .collect();
        for lease in wanted {
            self.take(lease).await?;
        }
        *self.shown.lock() = self.holding.keys().cloned().collect();
        Ok(())
    }

    /// Renews all that is held; what turns out to be lost is told to its reader.
    async fn renew(&self) {
        let renewals = stream::iter(self.holding.values()).for_each_concurrent(
            RENEWALS_AT_A_TIME,
            async |holding| {
                if let Err(error) = holding.held.renew().await {
                    tracing::debug!(shard = holding.held.key(), %error, "a lease was not renewed");
                }
                if holding.held.is_lost() {
                    holding.signal.send_replace(Signal::Lost);
                }
            },
        );
        renewals.await;
    }

    /// Forgets the leases whose readers are gone. The end of one shard's reading changes which others may be read.
    fn forget_ended(&mut self) {
        let before = self.holding.len();
        self.holding
            .retain(|_, holding| !holding.reader.is_closed());
        if self.holding.len() < before {
            self.synced = None;
        }
    }

    /// Makes and removes leases by the list of shards, when it is time; whether there are others now.
    async fn sync(&mut self, leases: &[Lease]) -> Result<bool, StoreError> {
        let now = self.env.clock.elapsed();
        if self
            .synced
            .is_some_and(|at| now.saturating_sub(at) < self.options.sync_interval)
        {
            return Ok(false);
        }
        let shards = match self.source.shards().await {
            Ok(shards) => shards,
            Err(error) => {
                tracing::warn!(%error, "the shards could not be listed; trying again");
                return Ok(false);
            }
        };
        let new = missing(&shards, leases, &self.options.start);
        let old = done_with(&shards, leases);
        for lease in old.iter() {
            self.store.remove(&lease.key, lease.counter).await?;
        }
        let changed = !new.is_empty() || !old.is_empty();
        for lease in new {
            self.store.create(lease).await?;
        }
        self.synced = Some(now);
        Ok(changed)
    }

    /// The leases that nobody renews: whose counters stand for a lease's duration, and our own that we do not know of.
    fn expired(&mut self, leases: &[Lease]) -> HashSet<String> {
        let now = self.env.clock.elapsed();
        let known = std::mem::take(&mut self.seen);
        let mut expired = HashSet::new();
        for lease in leases {
            let before = known
                .get(&lease.key)
                .filter(|(counter, _)| *counter == lease.counter);
            let (_, since) = *before.unwrap_or(&(lease.counter, now));
            self.seen.insert(lease.key.clone(), (lease.counter, since));
            let own = lease.owner.as_ref() == Some(&self.options.name);
            let unknown = own && !self.holding.contains_key(&lease.key);
            if unknown || (!own && now.saturating_sub(since) >= self.options.lease_duration) {
                expired.insert(lease.key.clone());
            }
        }
        expired
    }

    async fn take(&mut self, mut lease: Lease) -> Result<(), StoreError> {
        if self.holding.contains_key(&lease.key) {
            // Its reader has not yet come to its end.
            return Ok(());
        }
        let counter = lease.counter;
        lease.counter += 1;
        lease.switches_since_checkpoint += 1;
        lease.owner = Some(self.options.name.clone());
        let begun = self.env.clock.elapsed();
        if self.store.replace(counter, lease.clone()).await? {
            tracing::debug!(shard = lease.key, "a lease was taken");
            self.open(lease, begun);
        }
        Ok(())
    }

    /// Starts the reader of a lease.
    fn open(&mut self, lease: Lease, begun: Duration) {
        let (signal, signals) = watch::channel(Signal::Run);
        let (alive, reader) = mpsc::channel(1);
        let process = self.processors.open(&lease.key, &lease.checkpoint);
        let (range, reached) = (lease.range, lease.checkpoint.clone());
        let feed = self.feed(&lease.key);
        let duration = self.options.lease_duration;
        let held = Arc::new(HeldLease::new(
            lease,
            self.store.clone(),
            self.env.clone(),
            duration,
            begun,
        ));
        let work = Reader {
            source: self.source.clone(),
            held: held.clone(),
            feed,
            process,
            checkpointer: Checkpointer::new(held.clone()),
            range,
            reached,
            signals,
            env: self.env.clone(),
        };
        let wake = self.wake.clone();
        self.env.spawn(async move {
            work.run().await;
            drop(alive);
            wake.notify_one();
        });
        self.holding.insert(
            held.key().to_owned(),
            ReaderHandle {
                held,
                signal,
                reader,
            },
        );
    }

    /// How the records of a shard come.
    fn feed(&self, shard_id: &str) -> Box<dyn Feed> {
        let (source, shard_id, room) =
            (self.source.clone(), shard_id.to_owned(), self.pages.clone());
        match self.options.reading.clone() {
            Reading::Poll { pause } => {
                let env = self.env.clone();
                Box::new(PollingFeed {
                    source,
                    shard_id,
                    room,
                    pause,
                    env,
                    iterator: None,
                    at_tip: false,
                })
            }
            Reading::FanOut { consumer_arn } => Box::new(FanOutFeed {
                source,
                consumer_arn,
                shard_id,
                room,
                subscription: None,
                behind: None,
            }),
        }
    }

    /// Has all readers come to an end, and keeps their leases meanwhile.
    async fn drain(&mut self) {
        for holding in self.holding.values() {
            holding.signal.send_replace(Signal::Drain);
        }
        loop {
            self.holding
                .retain(|_, holding| !holding.reader.is_closed());
            if self.holding.is_empty() {
                return;
            }
            let (wake, clock) = (self.wake.clone(), self.env.clock.clone());
            if let Either::Right(_) =
                select(pin!(wake.notified()), clock.sleep(self.options.heartbeat())).await
            {
                self.renew().await;
            }
        }
    }
}
