//! A catalog in memory: for tests and simulation, and the model that the durable engines are held against.

use std::collections::BTreeMap;

use async_trait::async_trait;
use parking_lot::Mutex;

use crate::{
    Catalog, CatalogError, Change, Version, Versioned,
    api::{after_commit, is_expected},
};

/// Keys and values that are gone with the process.
#[derive(Default)]
pub struct MemoryCatalog {
    entries: Mutex<BTreeMap<String, Versioned>>,
}

#[async_trait]
impl Catalog for MemoryCatalog {
    async fn get(&self, key: &str) -> Result<Option<Versioned>, CatalogError> {
        Ok(self.entries.lock().get(key).cloned())
    }

    async fn scan(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(String, Versioned)>, CatalogError> {
        let entries = self.entries.lock();
        let found = entries
            .range(prefix.to_owned()..)
            .take_while(|(key, _)| key.starts_with(prefix))
            .filter(|(key, _)| after.is_none_or(|after| key.as_str() > after));
        Ok(found
            .take(limit)
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect())
    }

    async fn commit(&self, changes: Vec<Change>) -> Result<Vec<Version>, CatalogError> {
        let mut entries = self.entries.lock();
        // Changes see those before them in the same commit, and none is kept when one is refused.
        let mut changed: BTreeMap<String, Option<Versioned>> = BTreeMap::new();
        let mut versions = Vec::with_capacity(changes.len());
        for change in changes {
            let current = changed
                .get(&change.key)
                .unwrap_or(&entries.get(&change.key).cloned())
                .clone();
            let current = current.map(|found| found.version);
            if !is_expected(&change, current) {
                return Err(CatalogError::Conflict { key: change.key });
            }
            let version = after_commit(&change, current);
            changed.insert(
                change.key,
                change.value.map(|value| Versioned { value, version }),
            );
            versions.push(version);
        }
        for (key, value) in changed {
            match value {
                Some(value) => entries.insert(key, value),
                None => entries.remove(&key),
            };
        }
        Ok(versions)
    }
}
