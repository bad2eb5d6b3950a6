//! A record of the catalog of which there is one: its key and the type behind it.

use std::{marker::PhantomData, sync::Arc};

use headwater_types::kept;
use serde::{Serialize, de::DeserializeOwned};

use crate::{Catalog, CatalogError, Change, Expect, Version, Versioned, Write, json};

/// One record of type `T`, as JSON.
pub struct Single<T> {
    catalog: Arc<dyn Catalog>,
    key: &'static str,
    of: PhantomData<fn() -> T>,
}

impl<T> Clone for Single<T> {
    fn clone(&self) -> Self {
        Self {
            catalog: self.catalog.clone(),
            key: self.key,
            of: PhantomData,
        }
    }
}

impl<T: Serialize + DeserializeOwned> Single<T> {
    /// The record that has this entry of the registry.
    pub fn new(catalog: Arc<dyn Catalog>, entry: kept::Single) -> Self {
        Self {
            catalog,
            key: entry.key(),
            of: PhantomData,
        }
    }

    /// The key of the changes of this record, by which a conflict is told.
    pub fn key(&self) -> &'static str {
        self.key
    }

    /// The record, where there is one.
    pub async fn get(&self) -> Result<Option<Versioned<T>>, CatalogError> {
        let found = self.catalog.get(self.key).await?;
        found.map(|found| json::decode(self.key, found)).transpose()
    }

    /// The change that writes `record`, to be committed with others.
    pub fn put(&self, record: &T, expect: Expect) -> Change {
        Change {
            key: self.key.to_owned(),
            expect,
            write: Write::Put(json::encode(record)),
        }
    }

    /// Writes the record by itself; its new version.
    pub async fn write(&self, record: &T, expect: Expect) -> Result<Version, CatalogError> {
        self.catalog.commit(vec![self.put(record, expect)]).await
    }
}
