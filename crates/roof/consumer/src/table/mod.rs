//! Leases in a DynamoDB table of the layout that KCL 3.5 has, so that consumers of this library and Java's workers share
//! one application.
//!
//! `layout` is what items look like and what a change writes, `items` the table's calls, `fleet` the items beside the
//! leases: which workers there are, and who leads. Leaves to the coordinator when leases are taken and renewed.
//!
//! A consumer writes the entry that a Java worker outside of EC2 and ECS writes about itself, without which a leader of
//! KCL's would never give it a lease. It never leads: while a worker of KCL's does, consumers hold what that one gives
//! them, and else each takes its share, as KCL 2 does. So two ways of balancing never work against each other, and both
//! end in writes that are refused to whoever comes too late.

mod fleet;
mod items;
mod layout;
mod wire;

#[cfg(test)]
pub(crate) mod fake;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use async_trait::async_trait;
use headwater_client::{CallError, ClientConfig};
use headwater_env::Env;

use crate::{
    lease::{Assigning, Change, Changed, Lease, LeaseStore, StoreError},
    table::{
        fleet::{LEADER, LeaderWatch, retirement, worker_item, worker_update},
        items::{Expected, Items, Wanted},
        layout::KEY,
        wire::WireItems,
    },
};

/// The leases of an application in a table, for consumers in any number of processes, and for workers of KCL 3.5 beside
/// them.
pub struct TableLeases {
    items: Arc<dyn Items>,
    leader: LeaderWatch,
    env: Env,
}

impl TableLeases {
    /// The leases of the application of that name, which is its table's, as with KCL. The table is made where there is
    /// none, paid by request.
    ///
    /// # Errors
    /// The endpoint's error; of the kind [`CallError::TIMEOUT`] when the table is not active in time; when the
    /// application still has the three tables of KCL 3.0 to 3.4, which KCL 3.5 has to bring together first.
    pub async fn open(
        config: ClientConfig,
        application: &str,
        env: &Env,
    ) -> Result<Self, CallError> {
        let items = WireItems::open(config, application, env).await?;
        Ok(Self::over(Arc::new(items), env))
    }

    fn over(items: Arc<dyn Items>, env: &Env) -> Self {
        Self {
            items,
            leader: LeaderWatch::default(),
            env: env.clone(),
        }
    }

    /// The lease as it is now, for one whose change was refused.
    async fn found(&self, key: &str) -> Result<Option<Lease>, StoreError> {
        match self.items.get(key).await? {
            Some(item) => layout::lease(&item),
            None => Ok(None),
        }
    }
}

#[async_trait]
impl LeaseStore for TableLeases {
    async fn list(&self) -> Result<Vec<Lease>, StoreError> {
        let items = self.items.scan().await?;
        let leases = items.iter().map(layout::lease);
        leases.filter_map(Result::transpose).collect()
    }

    async fn create(&self, lease: Lease) -> Result<bool, StoreError> {
        let absent = Expected::from([(KEY, Wanted::Absent)]);
        self.items.put(layout::item(&lease), absent).await
    }

    async fn change(&self, seen: &Lease, change: Change) -> Result<Changed, StoreError> {
        let (expected, updates) = (
            layout::expected(seen, &change),
            layout::updates(seen, &change),
        );
        match self.items.update(&seen.key, updates, expected).await? {
            Some(item) => match layout::lease(&item)? {
                Some(lease) => Ok(Changed::Done(lease)),
                None => Err(StoreError(format!("{} is no lease any more", seen.key))),
            },
            None => Ok(Changed::Refused(self.found(&seen.key).await?)),
        }
    }

    async fn remove(&self, seen: &Lease) -> Result<bool, StoreError> {
        self.items
            .delete(&seen.key, layout::same_counter(seen))
            .await
    }

    async fn greet(&self, consumer: &str) -> Result<Assigning, StoreError> {
        let now = self.env.clock.now();
        let (updates, known) = worker_update(now);
        if self.items.update(consumer, updates, known).await?.is_none() {
            let absent = Expected::from([(KEY, Wanted::Absent)]);
            if !self.items.put(worker_item(consumer, now), absent).await? {
                let problem = "the consumer's name is the key of another item of the table";
                return Err(StoreError(format!("{problem}: {consumer}")));
            }
        }
        let leader = self.items.get(LEADER).await?;
        Ok(self
            .leader
            .assigning(leader.as_ref(), self.env.clock.elapsed()))
    }

    async fn leave(&self, consumer: &str) -> Result<(), StoreError> {
        self.items.delete(consumer, retirement()).await.map(drop)
    }
}
