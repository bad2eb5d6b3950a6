//! Leases: who processes which shard, and how far it is.
//!
//! A lease's counter grows with each write, and a write names the counter that it found: so of two writers one learns
//! that it is too late. A lease whose counter stands still for longer than its duration belongs to nobody.

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
    /// The consumer that holds it.
    pub owner: Option<String>,
    /// Grows with each write.
    pub counter: u64,
    /// How far the shard is processed.
    pub checkpoint: Checkpoint,
    /// How often it changed hands since the checkpoint moved.
    pub switches_since_checkpoint: u64,
    /// The shards that must be processed before it.
    pub parents: Vec<String>,
    /// The hash keys of the shard.
    pub range: HashRange,
}

impl Lease {
    /// A shard's lease, held by nobody.
    pub fn of(shard: &Shard, checkpoint: Checkpoint) -> Self {
        Self {
            key: shard.id.clone(),
            owner: None,
            counter: 0,
            checkpoint,
            switches_since_checkpoint: 0,
            parents: shard.parents.clone(),
            range: shard.range,
        }
    }

    /// Whether the shard is processed to its end.
    pub fn is_finished(&self) -> bool {
        self.checkpoint == Checkpoint::ShardEnd
    }
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
    /// Writes a lease over the one that has this counter; `false` when that has another, or is gone.
    async fn replace(&self, counter: u64, lease: Lease) -> Result<bool, StoreError>;
    /// Removes the lease that has this counter; `false` when it has another, or is gone.
    async fn remove(&self, key: &str, counter: u64) -> Result<bool, StoreError>;
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

    async fn replace(&self, counter: u64, lease: Lease) -> Result<bool, StoreError> {
        let mut leases = self.0.lock();
        let held = leases
            .get_mut(&lease.key)
            .filter(|held| held.counter == counter);
        Ok(held.map(|held| *held = lease).is_some())
    }

    async fn remove(&self, key: &str, counter: u64) -> Result<bool, StoreError> {
        let mut leases = self.0.lock();
        let held = leases.get(key).is_some_and(|held| held.counter == counter);
        Ok(held && leases.remove(key).is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn of_two_writers_one_learns_that_it_is_too_late() {
        let shard = Shard {
            id: "s".into(),
            parents: Vec::new(),
            range: HashRange::ALL,
            open: true,
        };
        let (store, lease) = (
            MemoryLeases::default(),
            Lease::of(&shard, Checkpoint::TrimHorizon),
        );
        assert!(store.create(lease.clone()).await.unwrap());
        assert!(!store.create(lease.clone()).await.unwrap());
        let taken = |owner: &str| Lease {
            owner: Some(owner.into()),
            counter: 1,
            ..lease.clone()
        };
        assert!(store.replace(0, taken("a")).await.unwrap());
        assert!(!store.replace(0, taken("b")).await.unwrap());
        assert_eq!(store.list().await.unwrap(), [taken("a")]);
        assert!(!store.remove("s", 0).await.unwrap());
        assert!(store.remove("s", 1).await.unwrap() && !store.remove("s", 1).await.unwrap());
        assert!(!store.replace(1, taken("a")).await.unwrap());
    }
}
