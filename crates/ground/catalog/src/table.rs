//! A kind of record in the catalog of which there are many: a key prefix and the type behind it.

use std::{marker::PhantomData, sync::Arc};

use headwater_types::kept;
use serde::{Serialize, de::DeserializeOwned};

use crate::{Catalog, CatalogError, Change, Expect, Version, Versioned, Write, json};

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
    /// The table that has this entry of the registry.
    pub fn new(catalog: Arc<dyn Catalog>, entry: kept::Prefix) -> Self {
        Self {
            catalog,
            prefix: entry.key(),
            of: PhantomData,
        }
    }

    /// The record named `name`.
    pub async fn get(&self, name: &str) -> Result<Option<Versioned<T>>, CatalogError> {
        let key = self.key(name);
        self.catalog
            .get(&key)
            .await?
            .map(|found| json::decode(&key, found))
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
            .map(|(key, value)| Ok((name(&key), json::decode(&key, value)?)))
            .collect()
    }

    /// All records, in order of their names.
    pub async fn all(&self) -> Result<Vec<(String, Versioned<T>)>, CatalogError> {
        self.scan("", None, usize::MAX).await
    }

    /// The change that writes `record` under `name`, to be committed with others.
    pub fn put(&self, name: &str, record: &T, expect: Expect) -> Change {
        Change {
            key: self.key(name),
            expect,
            write: Write::Put(json::encode(record)),
        }
    }

    /// The change that removes `name`, to be committed with others.
    pub fn delete(&self, name: &str, expect: Expect) -> Change {
        Change {
            key: self.key(name),
            expect,
            write: Write::Remove,
        }
    }

    /// The change that writes nothing, and makes the commit that it is a part of fail where `name` is not as expected.
    pub fn check(&self, name: &str, expect: Expect) -> Change {
        Change {
            key: self.key(name),
            expect,
            write: Write::Nothing,
        }
    }

    /// Writes one record by itself; its new version.
    pub async fn write(
        &self,
        name: &str,
        record: &T,
        expect: Expect,
    ) -> Result<Version, CatalogError> {
        self.catalog
            .commit(vec![self.put(name, record, expect)])
            .await
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
