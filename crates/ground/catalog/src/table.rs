//! A kind of record in the catalog: a key prefix and the type behind it.

use std::{marker::PhantomData, sync::Arc};

use bytes::Bytes;
use serde::{Serialize, de::DeserializeOwned};

use crate::{Catalog, CatalogError, Change, Expect, Version, Versioned};

/// The records of type `T` under one prefix, as JSON.
pub struct Table<T> {
    catalog: Arc<dyn Catalog>,
    prefix: &'static str,
    of: PhantomData<fn() -> T>,
}

impl<T> Clone for Table<T> {
    fn clone(&self) -> Self {
        Self {
            catalog: self.catalog.clone(),
            prefix: self.prefix,
            of: PhantomData,
        }
    }
}

impl<T: Serialize + DeserializeOwned> Table<T> {
    /// The table whose keys all start with `prefix`, which ends in `/`.
    pub fn new(catalog: Arc<dyn Catalog>, prefix: &'static str) -> Self {
        debug_assert!(prefix.ends_with('/'));
        Self {
            catalog,
            prefix,
            of: PhantomData,
        }
    }

    /// The record named `name`.
    pub async fn get(&self, name: &str) -> Result<Option<Versioned<T>>, CatalogError> {
        let key = self.key(name);
        self.catalog
            .get(&key)
            .await?
            .map(|found| decode(&key, found))
            .transpose()
    }

    /// At most `limit` records whose names start with `start` and come after `after`, in order of their names.
    pub async fn scan(
        &self,
        start: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(String, Versioned<T>)>, CatalogError> {
        let after = after.map(|name| self.key(name));
        let found = self
            .catalog
            .scan(&self.key(start), after.as_deref(), limit)
            .await?;
        let name = |key: &str| key[self.prefix.len()..].to_owned();
        found
            .into_iter()
            .map(|(key, value)| Ok((name(&key), decode(&key, value)?)))
            .collect()
    }

    /// All records, in order of their names.
    pub async fn all(&self) -> Result<Vec<(String, Versioned<T>)>, CatalogError> {
        self.scan("", None, usize::MAX).await
    }

    /// The change that writes `record` under `name`, to be committed with others.
    pub fn put(&self, name: &str, record: &T, expect: Expect) -> Change {
        let value = serde_json::to_vec(record).expect("a record of ours is always JSON");
        Change {
            key: self.key(name),
            value: Some(Bytes::from(value)),
            expect,
        }
    }

    /// The change that removes `name`, to be committed with others.
    pub fn delete(&self, name: &str, expect: Expect) -> Change {
        Change {
            key: self.key(name),
            value: None,
            expect,
        }
    }

    /// Writes one record by itself; its new version.
    pub async fn write(
        &self,
        name: &str,
        record: &T,
        expect: Expect,
    ) -> Result<Version, CatalogError> {
        Ok(self
            .catalog
            .commit(vec![self.put(name, record, expect)])
            .await?[0])
    }

    /// Removes one record by itself.
    pub async fn remove(&self, name: &str, expect: Expect) -> Result<(), CatalogError> {
        self.catalog
            .commit(vec![self.delete(name, expect)])
            .await
            .map(drop)
    }

    fn key(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }
}

fn decode<T: DeserializeOwned>(key: &str, found: Versioned) -> Result<Versioned<T>, CatalogError> {
    let value = serde_json::from_slice(&found.value).map_err(|e| CatalogError::Damaged {
        key: key.to_owned(),
        what: e.to_string(),
    })?;
    Ok(Versioned {
        value,
        version: found.version,
    })
}
