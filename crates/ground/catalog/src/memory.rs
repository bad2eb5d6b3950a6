//! A catalog in memory: for tests and simulation, and the model that the durable engines are held against.

use std::collections::BTreeMap;

use async_trait::async_trait;
use parking_lot::Mutex;

use crate::{
    Catalog, CatalogError, Change, Version, Versioned, Write,
    api::{check_keys, writes},
};

/// Keys and values that are gone with the process.
#[derive(Default)]
pub struct MemoryCatalog(Mutex<State>);

#[derive(Default)]
struct State {
    entries: BTreeMap<String, Versioned>,
    revision: u64,
}

impl State {
    fn version(&self, key: &str) -> Option<Version> {
        self.entries.get(key).map(|found| found.version)
    }

    /// Makes all `changes` or none.
    fn commit(&mut self, changes: Vec<Change>) -> Result<Version, CatalogError> {
        let revision = self.revision + u64::from(writes(&changes));
        let version = Version(revision);
        // A change sees those before it in its commit.
        let mut written: BTreeMap<String, Option<Versioned>> = BTreeMap::new();
        for change in changes {
            let current = match written.get(&change.key) {
                Some(written) => written.as_ref().map(|written| written.version),
                None => self.version(&change.key),
            };
            if !change.accepts(current) {
                return Err(CatalogError::Conflict { key: change.key });
            }
            match change.write {
                Write::Put(value) => {
                    written.insert(change.key, Some(Versioned { value, version }));
                }
                Write::Remove => {
                    written.insert(change.key, None);
                }
                Write::Nothing => {}
            }
        }
        for (key, value) in written {
            match value {
                Some(value) => self.entries.insert(key, value),
                None => self.entries.remove(&key),
            };
        }
        self.revision = revision;
        Ok(version)
    }
}

#[async_trait]
impl Catalog for MemoryCatalog {
    async fn get(&self, key: &str) -> Result<Option<Versioned>, CatalogError> {
        Ok(self.0.lock().entries.get(key).cloned())
    }

    async fn scan(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(String, Versioned)>, CatalogError> {
        let state = self.0.lock();
        let found = state
            .entries
            .range(prefix.to_owned()..)
            .take_while(|(key, _)| key.starts_with(prefix))
            .filter(|(key, _)| after.is_none_or(|after| key.as_str() > after));
        Ok(found
            .take(limit)
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect())
    }

    async fn commit(&self, changes: Vec<Change>) -> Result<Version, CatalogError> {
        check_keys(&changes)?;
        self.0.lock().commit(changes)
    }
}
