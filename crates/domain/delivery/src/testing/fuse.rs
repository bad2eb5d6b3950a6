//! A process that dies at a chosen operation: nothing it awaits after that ever answers.

use std::{future::pending, sync::Arc};

use async_trait::async_trait;
use headwater_catalog::{Catalog, CatalogError, Change, Version, Versioned};
use parking_lot::Mutex;

/// Whether the fatal operation still took effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// It did not.
    Before,
    /// It did, and nobody heard of it.
    After,
}

/// Counts the operations of one process down to the fatal one.
pub struct Fuse {
    state: Mutex<State>,
}

struct State {
    left: Option<(u64, Side)>,
    blown: bool,
}

impl Fuse {
    /// A process that dies at operation `at`, counted from 0; one that lives on without it.
    pub fn new(at: Option<(u64, Side)>) -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::new(State {
                left: at,
                blown: false,
            }),
        })
    }

    /// Whether the process is dead.
    pub fn is_blown(&self) -> bool {
        self.state.lock().blown
    }

    /// Does `work` as one operation of the process.
    pub async fn guard<T>(&self, work: impl Future<Output = T>) -> T {
        if self.is_blown() {
            return pending().await;
        }
        match self.count() {
            None => work.await,
            Some(side) => {
                if side == Side::After {
                    work.await;
                }
                self.state.lock().blown = true;
                pending().await
            }
        }
    }

    /// Nothing for an operation that is not the fatal one.
    fn count(&self) -> Option<Side> {
        let mut state = self.state.lock();
        match &mut state.left {
            Some((0, side)) => {
                let side = *side;
                state.left = None;
                Some(side)
            }
            Some((left, _)) => {
                *left -= 1;
                None
            }
            None => None,
        }
    }
}

/// A catalog whose commits burn the fuse.
pub struct FusedCatalog {
    pub inner: Arc<dyn Catalog>,
    pub fuse: Arc<Fuse>,
}

#[async_trait]
impl Catalog for FusedCatalog {
    async fn get(&self, key: &str) -> Result<Option<Versioned>, CatalogError> {
        self.inner.get(key).await
    }

    async fn scan(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(String, Versioned)>, CatalogError> {
        self.inner.scan(prefix, after, limit).await
    }

    async fn commit(&self, changes: Vec<Change>) -> Result<Version, CatalogError> {
        self.fuse.guard(self.inner.commit(changes)).await
    }
}
