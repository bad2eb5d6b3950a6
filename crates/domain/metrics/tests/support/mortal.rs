//! A catalog that outlives those who use it.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering::SeqCst},
};

use async_trait::async_trait;
use headwater_catalog::{Catalog, CatalogError, Change, Version, Versioned};

/// A catalog that a process uses until it is killed; the next has the same rows.
pub struct Mortal {
    rows: Arc<dyn Catalog>,
    is_dead: AtomicBool,
}

impl Mortal {
    pub fn of(rows: &Arc<dyn Catalog>) -> Arc<Self> {
        Arc::new(Self {
            rows: rows.clone(),
            is_dead: AtomicBool::new(false),
        })
    }

    /// From now on it is of no use to the process.
    pub fn kill(&self) {
        self.is_dead.store(true, SeqCst);
    }

    fn check(&self) -> Result<(), CatalogError> {
        match self.is_dead.load(SeqCst) {
            true => Err(CatalogError::Failed("killed".into())),
            false => Ok(()),
        }
    }
}

#[async_trait]
impl Catalog for Mortal {
    async fn get(&self, key: &str) -> Result<Option<Versioned>, CatalogError> {
        self.check()?;
        self.rows.get(key).await
    }

    async fn scan(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(String, Versioned)>, CatalogError> {
        self.check()?;
        self.rows.scan(prefix, after, limit).await
    }

    async fn commit(&self, changes: Vec<Change>) -> Result<Version, CatalogError> {
        self.check()?;
        self.rows.commit(changes).await
    }
}
