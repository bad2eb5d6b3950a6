//! A part of a catalog that is a catalog of its own: all its keys stand behind one prefix.

use std::sync::Arc;

use async_trait::async_trait;

use crate::{Catalog, CatalogError, Change, Version, Versioned};

/// The keys of another catalog that begin with a prefix, without that prefix.
pub struct ScopedCatalog {
    whole: Arc<dyn Catalog>,
    prefix: String,
}

impl ScopedCatalog {
    /// The part of `whole` behind `prefix`. No other owner may have keys there.
    pub fn new(whole: Arc<dyn Catalog>, prefix: impl Into<String>) -> Self {
        Self {
            whole,
            prefix: prefix.into(),
        }
    }

    fn inside(&self, key: &str) -> String {
        format!("{}{key}", self.prefix)
    }

    fn outside(&self, key: String) -> String {
        match key.strip_prefix(&self.prefix) {
            Some(key) => key.to_owned(),
            None => key,
        }
    }
}

#[async_trait]
impl Catalog for ScopedCatalog {
    async fn get(&self, key: &str) -> Result<Option<Versioned>, CatalogError> {
        self.whole.get(&self.inside(key)).await
    }

    async fn scan(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(String, Versioned)>, CatalogError> {
        let (prefix, after) = (self.inside(prefix), after.map(|after| self.inside(after)));
        let found = self.whole.scan(&prefix, after.as_deref(), limit).await?;
        let found = found.into_iter();
        Ok(found
            .map(|(key, value)| (self.outside(key), value))
            .collect())
    }

    async fn commit(&self, changes: Vec<Change>) -> Result<Version, CatalogError> {
        let changes = changes.into_iter().map(|change| Change {
            key: if change.key.is_empty() {
                change.key
            } else {
                self.inside(&change.key)
            },
            ..change
        });
        let committed = self.whole.commit(changes.collect()).await;
        committed.map_err(|error| match error {
            CatalogError::Conflict { key } => CatalogError::Conflict {
                key: self.outside(key),
            },
            other => other,
        })
    }
}
