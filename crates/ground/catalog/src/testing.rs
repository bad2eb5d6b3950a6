//! A catalog for the tests of other crates.

use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;

use crate::{Catalog, CatalogError, Change, MemoryCatalog, Version, Versioned};

/// A catalog in memory that fails when it is told to.
pub struct MortalCatalog {
    entries: MemoryCatalog,
    commits: AtomicU32,
}

impl Default for MortalCatalog {
    fn default() -> Self {
        Self {
            entries: MemoryCatalog::default(),
            commits: AtomicU32::new(u32::MAX),
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
}

#[async_trait]
impl Catalog for MortalCatalog {
    async fn get(&self, key: &str) -> Result<Option<Versioned>, CatalogError> {
        self.entries.get(key).await
    }

    async fn scan(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(String, Versioned)>, CatalogError> {
        self.entries.scan(prefix, after, limit).await
    }

    async fn commit(&self, changes: Vec<Change>) -> Result<Vec<Version>, CatalogError> {
        let fewer = |left: u32| left.checked_sub(1);
        match self
            .commits
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, fewer)
        {
            Ok(_) => self.entries.commit(changes).await,
            Err(_) => Err(CatalogError::Failed("the catalog is dead".into())),
        }
    }
}
