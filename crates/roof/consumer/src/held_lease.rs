//! A lease that is held: renewed, checkpointed, given back, or found lost.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use headwater_env::Env;
use parking_lot::Mutex;

use crate::{
    api::Shard,
    checkpoint::{Checkpoint, Place},
    lease::{Change, Changed, Lease, LeaseStore, StoreError},
    lineage::following,
    throughput::Throughput,
};

/// A lease of this consumer's. Its writes are made one after the other, so that they do not overtake each other.
pub(crate) struct HeldLease {
    key: String,
    store: Arc<dyn LeaseStore>,
    env: Env,
    duration: Duration,
    lease: tokio::sync::Mutex<Known>,
    throughput: Throughput,
    /// When the last write that succeeded was begun.
    renewed: Mutex<Duration>,
    lost: AtomicBool,
    handed_over: AtomicBool,
}

/// A lease as it was last written or found.
struct Known {
    lease: Lease,
    /// Whether a write behind it failed, which may have been made all the same.
    unclear: bool,
}

/// Why a checkpoint was not kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// Another consumer processes the shard now.
    #[error("the lease of the shard is lost")]
    Lost,
    /// The place is not between the last checkpoint and the last record that was given.
    #[error("the place to checkpoint is not between the last checkpoint and the last record given")]
    OutOfRange,
    /// The store; the checkpoint may be kept all the same.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl HeldLease {
    /// A lease that was taken by a write that was begun at `renewed`.
    pub(crate) fn new(
        lease: Lease,
        store: Arc<dyn LeaseStore>,
        env: Env,
        duration: Duration,
        renewed: Duration,
    ) -> Self {
        let known = Known {
            lease,
            unclear: false,
        };
        Self {
            key: known.lease.key.clone(),
            store,
            throughput: Throughput::new(env.clock.elapsed()),
            env,
            duration,
            lease: tokio::sync::Mutex::new(known),
            renewed: Mutex::new(renewed),
            lost: AtomicBool::new(false),
            handed_over: AtomicBool::new(false),
        }
    }

    pub(crate) fn key(&self) -> &str {
        &self.key
    }

    /// The lease as it was last written.
    pub(crate) async fn lease(&self) -> Lease {
        self.lease.lock().await.lease.clone()
    }

    /// Whether nobody else can have taken it: it is not known to be lost, and was renewed not too long ago.
    pub(crate) fn is_mine(&self) -> bool {
        let age = self
            .env
            .clock
            .elapsed()
            .saturating_sub(*self.renewed.lock());
        !self.lost.load(Ordering::Acquire) && age < self.duration
    }

    /// Whether another consumer was seen to have it, or it was given back.
    pub(crate) fn is_lost(&self) -> bool {
        self.lost.load(Ordering::Acquire)
    }

    /// Whether it is to be handed over to another consumer.
    pub(crate) fn is_handed_over(&self) -> bool {
        self.handed_over.load(Ordering::Acquire)
    }

    /// Counts the bytes that came of its shard.
    pub(crate) fn count(&self, bytes: usize) {
        self.throughput.add(bytes as u64);
    }

    /// Keeps it for another duration.
    pub(crate) async fn renew(&self) -> Result<(), CheckpointError> {
        let throughput = self.throughput.measure(self.env.clock.elapsed());
        self.write(|_| Ok(Some(Change::Renew { throughput }))).await
    }

    /// Gives it back, for anyone to take, or hands it over.
    pub(crate) async fn release(&self) -> Result<(), CheckpointError> {
        self.write(|_| Ok(Some(Change::Release))).await?;
        self.lost.store(true, Ordering::Release);
        Ok(())
    }

    /// Says that the shard is processed to its end, once the shards that follow have leases.
    pub(crate) async fn finish(&self, children: &[Shard]) -> Result<(), CheckpointError> {
        if !children.is_empty() {
            for lease in following(children, &self.store.list().await?) {
                self.store.create(lease).await?;
            }
        }
        let children: Vec<String> = children.iter().map(|child| child.id.clone()).collect();
        self.write(|_| Ok(Some(Change::Finish(children.clone()))))
            .await
    }

    /// Makes a change to the lease as it is known, unless `change` says that there is nothing to write.
    async fn write(
        &self,
        change: impl Fn(&Lease) -> Result<Option<Change>, CheckpointError>,
    ) -> Result<(), CheckpointError> {
        let mut known = self.lease.lock().await;
        if self.is_lost() {
            return Err(CheckpointError::Lost);
        }
        loop {
            let Some(change) = change(&known.lease)? else {
                return Ok(());
            };
            let begun = self.env.clock.elapsed();
            let changed = self.store.change(&known.lease, change).await;
            known.unclear |= changed.is_err();
            match changed? {
                Changed::Done(lease) => {
                    self.know(&mut known, lease);
                    *self.renewed.lock() = begun;
                    return Ok(());
                }
                Changed::Refused(Some(found)) if known.goes_on(&found) => {
                    self.know(&mut known, found);
                }
                Changed::Refused(_) => {
                    self.lost.store(true, Ordering::Release);
                    return Err(CheckpointError::Lost);
                }
            }
        }
    }

    /// Notes the lease as it was written or found. A checkpoint is written whether a handover is asked for or not.
    fn know(&self, known: &mut Known, lease: Lease) {
        let asked = lease.checkpoint_owner.is_some();
        self.handed_over.store(asked, Ordering::Release);
        *known = Known {
            lease,
            unclear: false,
        };
    }
}

impl Known {
    /// Whether the lease that was found is still this consumer's: it was asked to hand it over, or a write whose answer
    /// did not come was made. Each can be found once, so that a change is tried three times at most.
    fn goes_on(&self, found: &Lease) -> bool {
        let mine = found.holder() == self.lease.holder() && found.owner != found.checkpoint_owner;
        let asked = self.lease.checkpoint_owner.is_none() && found.checkpoint_owner.is_some();
        match found.counter.checked_sub(self.lease.counter) {
            Some(0) => mine && asked,
            Some(1) => mine && self.unclear,
            _ => false,
        }
    }
}

/// Keeps how far a shard is processed. [`Process`](crate::Process) is given it with the records.
pub struct Checkpointer {
    held: Arc<HeldLease>,
    /// The last user record that was given, or passed over behind one.
    given: Mutex<Option<Place>>,
}

impl Checkpointer {
    pub(crate) fn new(held: Arc<HeldLease>) -> Self {
        Self {
            held,
            given: Mutex::new(None),
        }
    }

    /// Notes that everything up to `place` is given, once it is.
    pub(crate) fn give(&self, place: Place) {
        *self.given.lock() = Some(place);
    }

    /// Everything up to this user record, and itself, is processed.
    ///
    /// # Errors
    /// When the lease is lost, the store failed, or the place is not one to checkpoint.
    pub async fn checkpoint(&self, place: &Place) -> Result<(), CheckpointError> {
        if self.given.lock().as_ref().is_none_or(|given| place > given) {
            return Err(CheckpointError::OutOfRange);
        }
        self.held
            .write(|lease| {
                let next = Checkpoint::At(place.clone());
                if lease.checkpoint == next {
                    return Ok(None);
                }
                if lease.checkpoint.covers(place) {
                    return Err(CheckpointError::OutOfRange);
                }
                Ok(Some(Change::Checkpoint(next)))
            })
            .await
    }

    /// Everything that was given is processed; nothing is written when nothing was.
    ///
    /// # Errors
    /// When the lease is lost or the store failed.
    pub async fn checkpoint_all(&self) -> Result<(), CheckpointError> {
        let given = self.given.lock().clone();
        match given {
            Some(place) => self.checkpoint(&place).await,
            None => Ok(()),
        }
    }
}
