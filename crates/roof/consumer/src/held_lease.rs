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
    lease::{Lease, LeaseStore, StoreError},
    lineage::following,
};

/// A lease of this consumer's. Its writes are made one after the other, so that they do not overtake each other.
pub(crate) struct HeldLease {
    key: String,
    store: Arc<dyn LeaseStore>,
    env: Env,
    duration: Duration,
    lease: tokio::sync::Mutex<Lease>,
    /// When the last write that succeeded was begun.
    renewed: Mutex<Duration>,
    lost: AtomicBool,
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
        Self {
            key: lease.key.clone(),
            store,
            env,
            duration,
            lease: tokio::sync::Mutex::new(lease),
            renewed: Mutex::new(renewed),
            lost: AtomicBool::new(false),
        }
    }

    pub(crate) fn key(&self) -> &str {
        &self.key
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

    /// Whether another consumer was seen to have it.
    pub(crate) fn is_lost(&self) -> bool {
        self.lost.load(Ordering::Acquire)
    }

    /// Keeps it for another duration.
    pub(crate) async fn renew(&self) -> Result<(), CheckpointError> {
        self.write(|_| Ok(true)).await
    }

    /// Gives it back, for anyone to take.
    pub(crate) async fn release(&self) -> Result<(), CheckpointError> {
        self.write(|lease| {
            lease.owner = None;
            Ok(true)
        })
        .await
    }

    /// Says that the shard is processed to its end, once the shards that follow have leases.
    pub(crate) async fn finish(&self, children: &[Shard]) -> Result<(), CheckpointError> {
        if !children.is_empty() {
            for lease in following(children, &self.store.list().await?) {
                self.store.create(lease).await?;
            }
        }
        self.write(|lease| {
            (
                lease.checkpoint,
                lease.owner,
                lease.switches_since_checkpoint,
            ) = (Checkpoint::ShardEnd, None, 0);
            Ok(true)
        })
        .await
    }

    /// Writes the lease with a change, unless that says that there is nothing to write.
    async fn write(
        &self,
        change: impl FnOnce(&mut Lease) -> Result<bool, CheckpointError>,
    ) -> Result<(), CheckpointError> {
        let mut lease = self.lease.lock().await;
        if self.is_lost() {
            return Err(CheckpointError::Lost);
        }
        let mut next = lease.clone();
        if !change(&mut next)? {
            return Ok(());
        }
        next.counter += 1;
        let begun = self.env.clock.elapsed();
        if !self.store.replace(lease.counter, next.clone()).await? {
            self.lost.store(true, Ordering::Release);
            return Err(CheckpointError::Lost);
        }
        *lease = next;
        *self.renewed.lock() = begun;
        Ok(())
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
                    return Ok(false);
                }
                if lease.checkpoint.covers(place) {
                    return Err(CheckpointError::OutOfRange);
                }
                (lease.checkpoint, lease.switches_since_checkpoint) = (next, 0);
                Ok(true)
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
