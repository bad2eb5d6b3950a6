//! Leases: who processes which shard, and how far it is.
//!
//! A lease's counter grows with each write, and a write names what it found: so of two writers one learns that it is too
//! late. A lease whose counter stands still for longer than its duration belongs to nobody. What a change does, and what
//! it is refused for, is the same in every store and is told here; `table` says it in a table's words.

use std::collections::BTreeMap;

use async_trait::async_trait;
use headwater_types::HashRange;
use parking_lot::Mutex;

use crate::{api::Shard, checkpoint::Checkpoint};

/// The lease of one shard, in the fields that KCL's table has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// The shard's id.
    pub key: String,
    /// The consumer that holds it, or is to hold it once `checkpoint_owner` has given it up.
    pub owner: Option<String>,
    /// The consumer that still holds it and is asked to hand it over to `owner`.
    pub checkpoint_owner: Option<String>,
    /// Grows with each write, but for that which asks for a handover.
    pub counter: u64,
    /// How far the shard is processed.
    pub checkpoint: Checkpoint,
    /// How often it changed hands since the checkpoint moved.
    pub switches_since_checkpoint: u64,
    /// The shards that must be processed before it.
    pub parents: Vec<String>,
    /// The shards that follow it, once it is processed to its end.
    pub children: Vec<String>,
    /// The hash keys of the shard.
    pub range: HashRange,
}

impl Lease {
    /// A shard's lease, held by nobody.
    pub fn of(shard: &Shard, checkpoint: Checkpoint) -> Self {
        Self {
            key: shard.id.clone(),
            owner: None,
            checkpoint_owner: None,
            counter: 0,
            checkpoint,
            switches_since_checkpoint: 0,
            parents: shard.parents.clone(),
            children: Vec::new(),
            range: shard.range,
        }
    }

    /// Whether the shard is processed to its end.
    pub fn is_finished(&self) -> bool {
        self.checkpoint == Checkpoint::ShardEnd
    }

    /// The consumer that may process the shard now.
    pub fn holder(&self) -> Option<&str> {
        self.checkpoint_owner.as_deref().or(self.owner.as_deref())
    }
}

/// What a consumer does to a lease. Conditions and effects are those of KCL's writes of the same purpose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Holds it for longer. Refused too when a handover was asked for of which the lease as it was seen knows nothing.
    Renew {
        /// What the shard gives, in bytes a second, where that is known.
        throughput: Option<u64>,
    },
    /// Becomes the consumer's of this name.
    Take(String),
    /// The shard is processed so far.
    Checkpoint(Checkpoint),
    /// The shard is processed to its end, and these follow.
    Finish(Vec<String>),
    /// Given back, or handed over where that was asked for. It is no matter how often it was written meanwhile, as long
    /// as it belongs to the same consumers.
    Release,
}

/// What became of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Changed {
    /// It is made: the lease as it is now.
    Done(Lease),
    /// It is not made: the lease as it was found, where there is one.
    Refused(Option<Lease>),
}

impl Change {
    /// Whether it may be made to the lease that was found, by one who saw it before.
    pub fn fits(&self, seen: &Lease, found: &Lease) -> bool {
        let same_owners =
            (&seen.owner, &seen.checkpoint_owner) == (&found.owner, &found.checkpoint_owner);
        match self {
            Change::Release => same_owners,
            Change::Renew { .. } => {
                let known = seen.checkpoint_owner.is_some() || found.checkpoint_owner.is_none();
                seen.counter == found.counter && known
            }
            _ => seen.counter == found.counter,
        }
    }

    /// Makes it to the lease that was found, by one who saw it before.
    pub fn apply(self, seen: &Lease, lease: &mut Lease) {
        lease.counter += 1;
        match self {
            Change::Renew { .. } => {}
            Change::Take(consumer) => {
                lease.switches_since_checkpoint += u64::from(switches(seen, &consumer));
                (lease.owner, lease.checkpoint_owner) = (Some(consumer), None);
            }
            Change::Checkpoint(checkpoint) => {
                (lease.checkpoint, lease.switches_since_checkpoint) = (checkpoint, 0);
            }
            Change::Finish(children) => {
                (lease.checkpoint, lease.switches_since_checkpoint) = (Checkpoint::ShardEnd, 0);
                lease.children = children;
            }
            Change::Release => match lease.checkpoint_owner.take() {
                Some(_) => lease.switches_since_checkpoint += 1,
                None => lease.owner = None,
            },
        }
    }
}

/// Whether a lease changes hands when this consumer takes it.
pub(crate) fn switches(lease: &Lease, consumer: &str) -> bool {
    let other = lease
        .owner
        .as_deref()
        .is_some_and(|owner| owner != consumer);
    other || lease.checkpoint_owner.as_deref() == Some(consumer)
}

/// Who gives out leases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Assigning {
    /// Each consumer takes its share.
    Consumers,
    /// A leader that is not of this library: consumers hold what it gives them.
    Leader,
}

/// A store that did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the lease store failed: {0}")]
pub struct StoreError(pub String);

/// Where leases are kept. All consumers of one application share one.
///
/// Implementations MUST make each write durable before they answer, and MUST compare and write in one step. A write
/// that failed with an error may have happened all the same: its caller finds out by the counter.
#[async_trait]
pub trait LeaseStore: Send + Sync {
    /// All leases.
    async fn list(&self) -> Result<Vec<Lease>, StoreError>;
    /// Keeps a new lease; `false` when there is one of that key.
    async fn create(&self, lease: Lease) -> Result<bool, StoreError>;
    /// Changes the lease of which `seen` is what the caller knows, where [`Change::fits`].
    async fn change(&self, seen: &Lease, change: Change) -> Result<Changed, StoreError>;
    /// Removes the lease that has the counter of `seen`; `false` when it has another, or is gone.
    async fn remove(&self, seen: &Lease) -> Result<bool, StoreError>;

    /// Says that this consumer is there, again and again, and learns who gives out leases.
    async fn greet(&self, _consumer: &str) -> Result<Assigning, StoreError> {
        Ok(Assigning::Consumers)
    }

    /// Says that this consumer wants no more leases.
    async fn leave(&self, _consumer: &str) -> Result<(), StoreError> {
        Ok(())
    }
}

/// Leases in memory: for consumers of one process, and for tests. They end with it.
#[derive(Debug, Default)]
pub struct MemoryLeases(Mutex<BTreeMap<String, Lease>>);

#[async_trait]
impl LeaseStore for MemoryLeases {
    async fn list(&self) -> Result<Vec<Lease>, StoreError> {
        Ok(self.0.lock().values().cloned().collect())
    }

    async fn create(&self, lease: Lease) -> Result<bool, StoreError> {
        let mut leases = self.0.lock();
        let absent = !leases.contains_key(&lease.key);
        if absent {
            leases.insert(lease.key.clone(), lease);
        }
        Ok(absent)
    }

    async fn change(&self, seen: &Lease, change: Change) -> Result<Changed, StoreError> {
        let mut leases = self.0.lock();
        let Some(found) = leases.get_mut(&seen.key) else {
            return Ok(Changed::Refused(None));
        };
        if !change.fits(seen, found) {
            return Ok(Changed::Refused(Some(found.clone())));
        }
        change.apply(seen, found);
        Ok(Changed::Done(found.clone()))
    }

    async fn remove(&self, seen: &Lease) -> Result<bool, StoreError> {
        let mut leases = self.0.lock();
        let found = leases.get(&seen.key);
        let same = found.is_some_and(|found| found.counter == seen.counter);
        Ok(same && leases.remove(&seen.key).is_some())
    }
}

#[cfg(test)]
impl MemoryLeases {
    /// The leases themselves, to be written as no consumer would.
    pub(crate) fn write(&self) -> parking_lot::MutexGuard<'_, BTreeMap<String, Lease>> {
        self.0.lock()
    }
}
