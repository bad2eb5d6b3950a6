//! Callers that hang up in the middle, and a catalog that gives them the chance.

use std::{pin::pin, sync::Arc, task::Poll};

use async_trait::async_trait;
use headwater_catalog::{Catalog, CatalogError, Change, Version, Versioned};
use tokio::task::yield_now;

/// Polls `call` so many times, as often as it can go on, and drops it; whether it was done by then.
pub async fn hang_up_after(polls: usize, call: impl Future) -> bool {
    let mut call = pin!(call);
    for _ in 0..polls {
        let is_done =
            std::future::poll_fn(|context| Poll::Ready(call.as_mut().poll(context).is_ready()));
        if is_done.await {
            return true;
        }
        yield_now().await;
    }
    false
}

/// A catalog that lets others run before and after each operation, so that each is two await points.
pub struct YieldingCatalog(pub Arc<dyn Catalog>);

#[async_trait]
impl Catalog for YieldingCatalog {
    async fn get(&self, key: &str) -> Result<Option<Versioned>, CatalogError> {
        yield_now().await;
        let found = self.0.get(key).await;
        yield_now().await;
        found
    }

    async fn scan(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(String, Versioned)>, CatalogError> {
        yield_now().await;
        let found = self.0.scan(prefix, after, limit).await;
        yield_now().await;
        found
    }

    async fn commit(&self, changes: Vec<Change>) -> Result<Vec<Version>, CatalogError> {
        yield_now().await;
        let versions = self.0.commit(changes).await;
        yield_now().await;
        versions
    }
}
