//! A catalog in memory that fails, or lets others come first, on command.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use async_trait::async_trait;
use headwater_env::Env;
use parking_lot::Mutex;

use crate::{Catalog, CatalogError, Change, MemoryCatalog, Version, Versioned};

/// A catalog in memory that fails, or lets others come first, on command.
pub struct MortalCatalog {
    entries: Arc<MemoryCatalog>,
    commits: AtomicU32,
    /// Where others come first, if they do.
    among: Mutex<Option<Env>>,
}

impl Default for MortalCatalog {
    fn default() -> Self {
        Self {
            entries: Arc::default(),
            commits: AtomicU32::new(u32::MAX),
            among: Mutex::default(),
        }
    }
}

impl MortalCatalog {
    /// Lets so many commits pass and none after them.
    pub fn fail_after(&self, commits: u32) {
        self.commits.store(commits, Ordering::SeqCst);
    }

    /// Lets commits pass again.
    pub fn mend(&self) {
        self.fail_after(u32::MAX);
    }

    /// Lets other tasks of `env` run before and after each call from now on, as an engine on a disk does. A commit is
    /// made then even when its caller goes away.
    pub fn yield_in(&self, env: Env) {
        *self.among.lock() = Some(env);
    }

    /// Does `work`, and lets others run before and after it where that is wanted.
    async fn among_others<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> T {
        let among = self.among.lock().clone();
        let Some(env) = among else {
            return work.await;
        };
        env.to_the_end(async {
            tokio::task::yield_now().await;
            let done = work.await;
            tokio::task::yield_now().await;
            done
        })
        .await
    }
}

#[async_trait]
impl Catalog for MortalCatalog {
    async fn get(&self, key: &str) -> Result<Option<Versioned>, CatalogError> {
        let (entries, key) = (self.entries.clone(), key.to_owned());
        self.among_others(async move { entries.get(&key).await })
            .await
    }

    async fn scan(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(String, Versioned)>, CatalogError> {
        let entries = self.entries.clone();
        let (prefix, after) = (prefix.to_owned(), after.map(str::to_owned));
        self.among_others(async move { entries.scan(&prefix, after.as_deref(), limit).await })
            .await
    }

    async fn commit(&self, changes: Vec<Change>) -> Result<Version, CatalogError> {
        let fewer = |left: u32| left.checked_sub(1);
        let counted = self
            .commits
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, fewer);
        if counted.is_err() {
            return Err(CatalogError::Failed("the catalog is dead".into()));
        }
        let entries = self.entries.clone();
        self.among_others(async move { entries.commit(changes).await })
            .await
    }
}
