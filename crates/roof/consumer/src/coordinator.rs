//! A consumer's rounds: renew what is held, see what others do, take what is due or hold what a leader gave, and read
//! what may be read.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    pin::pin,
    sync::Arc,
    time::Duration,
};

use futures_util::future::{Either, select};
use headwater_env::Env;
use parking_lot::Mutex;
use tokio::sync::{Notify, watch};

use crate::{
    Options, Start,
    api::Source,
    balance::View,
    checkpoint::Checkpoint,
    feed::BatchSlots,
    held_lease::HeldLease,
    holding::{Holding, renew_all},
    lease::{Assigning, Change, Changed, Lease, LeaseStore, StoreError},
    lineage::{done_with, is_ready, missing},
    process::Processors,
    reader::Signal,
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
    pub holding: BTreeMap<String, Holding>,
    /// Each lease's counter, and since when it stands.
    pub seen: HashMap<String, (u64, Duration)>,
    /// When the shards were last listed.
    pub synced: Option<Duration>,
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
        renew_all(&self.holding).await;
        self.forget_ended();
        let assigning = self.store.greet(&self.options.name).await?;
        let mut leases = self.store.list().await?;
        if self.sync(&leases, assigning).await? {
            leases = self.store.list().await?;
        }
        self.adopt(&leases).await;
        let expired = self.expired(&leases);
        if assigning == Assigning::Consumers {
            self.take_due(&leases, &expired).await?;
        }
        self.read_ready(&leases).await;
        *self.shown.lock() = self.holding.keys().cloned().collect();
        Ok(())
    }

    /// Forgets the leases that are lost or were given back once their readers are gone. The end of one shard's reading
    /// changes which others may be read.
    fn forget_ended(&mut self) {
        for holding in self.holding.values_mut() {
            if holding.forget_reader() {
                self.synced = None;
            }
        }
        self.holding.retain(|_, holding| !holding.is_over());
    }

    /// Makes and removes leases by the list of shards, when it is time; whether there are others now.
    ///
    /// A leader makes those that are missing itself; of those that are done with each holder removes its own.
    async fn sync(&mut self, leases: &[Lease], assigning: Assigning) -> Result<bool, StoreError> {
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
        let led = assigning == Assigning::Leader;
        let mut new = missing(&shards, leases, &self.options.start);
        new.retain(|_| !led);
        let mut old = done_with(&shards, leases);
        old.retain(|lease| !led || self.holding.contains_key(&lease.key));
        for lease in old.iter() {
            self.store.remove(lease).await?;
        }
        let changed = !new.is_empty() || !old.is_empty();
        for lease in new {
            self.store.create(lease).await?;
        }
        self.synced = Some(now);
        Ok(changed)
    }

    /// Holds the leases that have this consumer's name: a leader gave them, or this is all that is left of the one that
    /// had the name before.
    async fn adopt(&mut self, leases: &[Lease]) {
        for lease in leases {
            let mine = lease.owner.as_ref() == Some(&self.options.name);
            // One that is being handed over is still the other's.
            let given = mine && lease.checkpoint_owner.is_none();
            if !given || self.holding.contains_key(&lease.key) {
                continue;
            }
            let held = self.held(lease.clone(), self.env.clock.elapsed());
            match held.renew().await {
                Ok(()) => self.hold(held),
                Err(error) => {
                    tracing::debug!(shard = lease.key, %error, "a lease that was given is not held yet");
                }
            }
        }
    }

    /// The leases that nobody renews: those not held here whose counters stand for a lease's duration. That the name is
    /// this consumer's is no reason to wait, for a lease may have been given and taken back before it was held.
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
            let held = self.holding.contains_key(&lease.key);
            if !held && now.saturating_sub(since) >= self.options.lease_duration {
                expired.insert(lease.key.clone());
            }
        }
        expired
    }

    /// Takes this consumer's share.
    async fn take_due(
        &mut self,
        leases: &[Lease],
        expired: &HashSet<String>,
    ) -> Result<(), StoreError> {
        let view = View {
            leases,
            me: &self.options.name,
            expired,
            leases_max: self.options.leases_max,
        };
        let due = view.to_take(self.env.random.next_u64());
        for lease in due.into_iter().cloned().collect::<Vec<_>>() {
            // The reader of one that was lost may not yet have come to its end.
            if !self.holding.contains_key(&lease.key) {
                self.take(&lease).await?;
            }
        }
        Ok(())
    }

    async fn take(&mut self, lease: &Lease) -> Result<(), StoreError> {
        let begun = self.env.clock.elapsed();
        let take = Change::Take(self.options.name.clone());
        if let Changed::Done(lease) = self.store.change(lease, take).await? {
            tracing::debug!(shard = lease.key, "a lease was taken");
            self.hold(self.held(lease, begun));
        }
        Ok(())
    }

    fn held(&self, lease: Lease, renewed: Duration) -> HeldLease {
        let (store, env) = (self.store.clone(), self.env.clone());
        HeldLease::new(lease, store, env, self.options.lease_duration, renewed)
    }

    fn hold(&mut self, held: HeldLease) {
        let holding = Holding::new(Arc::new(held));
        self.holding.insert(holding.key().to_owned(), holding);
    }

    /// Starts the readers of the leases that are held and whose parents are processed. A leader gives out leases before
    /// they are.
    async fn read_ready(&mut self, leases: &[Lease]) {
        let mut unread = Vec::new();
        for holding in self.holding.values().filter(|holding| holding.is_unread()) {
            let lease = holding.lease().await;
            if !lease.is_finished() && is_ready(&lease, leases) {
                unread.push(lease);
            }
        }
        for lease in unread {
            self.read(lease);
        }
    }

    /// Starts the reader of a lease.
    fn read(&mut self, lease: Lease) {
        let Some(holding) = self.holding.get_mut(&lease.key) else {
            return;
        };
        let reached = self.options.begin(lease.checkpoint);
        let process = self.processors.open(&lease.key, &reached);
        let feed = self
            .options
            .reading
            .feed(&self.source, &lease.key, &self.pages, &self.env);
        let (reader, alive) = holding.reader(
            self.source.clone(),
            feed,
            process,
            reached,
            lease.range,
            &self.env,
        );
        let wake = self.wake.clone();
        self.env.spawn(async move {
            reader.run().await;
            drop(alive);
            wake.notify_one();
        });
    }

    /// Has all readers come to an end, and keeps their leases meanwhile.
    async fn drain(&mut self) {
        if let Err(error) = self.store.leave(&self.options.name).await {
            tracing::warn!(%error, "leases may still be given to this consumer, and expire by themselves");
        }
        for holding in self.holding.values() {
            holding.tell(Signal::Drain);
        }
        loop {
            self.forget_ended();
            self.release_unread().await;
            if self.holding.is_empty() {
                return;
            }
            let (wake, clock) = (self.wake.clone(), self.env.clock.clone());
            if let Either::Right(_) =
                select(pin!(wake.notified()), clock.sleep(self.options.heartbeat())).await
            {
                renew_all(&self.holding).await;
            }
        }
    }

    /// Gives back the leases that have no reader.
    async fn release_unread(&mut self) {
        for holding in self.holding.values() {
            holding.release_unread().await;
        }
        self.holding.retain(|_, holding| holding.has_reader());
    }
}

impl Options {
    /// Where a shard with this checkpoint begins. A table of leases does not keep the time to begin at.
    fn begin(&self, checkpoint: Checkpoint) -> Checkpoint {
        match (checkpoint, &self.start) {
            (Checkpoint::AtTimestamp(_), Start::AtTimestamp(time)) => {
                Checkpoint::AtTimestamp(*time)
            }
            (checkpoint, _) => checkpoint,
        }
    }
}
