//! How far subscriptions are, written with a little delay and many at once.
//!
//! What is finished shortly before a crash may be sent again after it; what is not finished is never noted.

use std::{collections::BTreeMap, sync::Arc};

use headwater_catalog::{CatalogError, Expect};
use headwater_env::Env;
use parking_lot::Mutex;
use tokio::sync::{Mutex as TurnMutex, Notify};

use crate::{
    limits::{CHECKPOINT_AFTER, ROWS_A_COMMIT, WAIT_MAX, WAIT_MIN},
    record::Store,
    topics::Kept,
};

/// The subscriptions whose progress is to be written.
#[derive(Default)]
pub(crate) struct Checkpoints {
    changed: Mutex<BTreeMap<String, Arc<Kept>>>,
    woken: Notify,
    /// Held by a write, so that an older one never comes after a newer one.
    turn: TurnMutex<()>,
}

impl Checkpoints {
    /// Notes that a subscription has come on.
    pub fn note(&self, id: &str, kept: &Arc<Kept>) {
        let mut changed = self.changed.lock();
        if !changed.contains_key(id) {
            changed.insert(id.to_owned(), kept.clone());
            self.woken.notify_one();
        }
    }

    /// Writes until it is dropped.
    pub async fn run(&self, env: &Env, store: &Store) {
        let mut wait = CHECKPOINT_AFTER;
        loop {
            self.woken.notified().await;
            env.clock.sleep(wait).await;
            wait = match self.write(store).await {
                Ok(()) => CHECKPOINT_AFTER,
                Err(error) => {
                    tracing::warn!(%error, "how far subscriptions are could not be written");
                    self.woken.notify_one();
                    (wait * 2).clamp(WAIT_MIN, WAIT_MAX)
                }
            };
        }
    }

    /// Writes all that changed.
    pub async fn write(&self, store: &Store) -> Result<(), CatalogError> {
        let _turn = self.turn.lock().await;
        loop {
            let batch = self.take();
            if batch.is_empty() {
                return Ok(());
            }
            if let Err(error) = write_rows(store, &batch).await {
                let mut changed = self.changed.lock();
                for (id, kept) in batch {
                    changed.entry(id).or_insert(kept);
                }
                return Err(error);
            }
        }
    }

    fn take(&self) -> Vec<(String, Arc<Kept>)> {
        let mut changed = self.changed.lock();
        let take = changed.len().min(ROWS_A_COMMIT);
        (0..take).filter_map(|_| changed.pop_first()).collect()
    }
}

/// Writes rows in one commit, or one by one where some of them are gone with their subscriptions.
async fn write_rows(store: &Store, batch: &[(String, Arc<Kept>)]) -> Result<(), CatalogError> {
    let change = |(id, kept): &(String, Arc<Kept>)| {
        store
            .progress
            .put(id, &kept.progress.lock(), Expect::Present)
    };
    match store
        .catalog
        .commit(batch.iter().map(change).collect())
        .await
    {
        Err(CatalogError::Conflict { .. }) => {}
        written => return written.map(drop),
    }
    for row in batch {
        match store.catalog.commit(vec![change(row)]).await {
            Ok(_) | Err(CatalogError::Conflict { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
