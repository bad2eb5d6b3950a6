//! Counts of things that belong together, by a name: rows that every commit writes which makes or removes one of them, so
//! that no two commits, and none that only depends on the count, go by the same one.

use std::sync::Arc;

use headwater_types::kept;

use crate::{Catalog, CatalogError, Change, Checked, Expect, Table, Versioned};

/// The counts under one prefix; what has no row has none.
#[derive(Clone)]
pub struct Counts(Table<usize>);

/// A count, and what a commit expects that goes by it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Count {
    /// The count.
    pub value: usize,
    name: String,
    expect: Expect,
}

impl Counts {
    /// The counts that have this entry of the registry.
    pub fn new(catalog: Arc<dyn Catalog>, entry: kept::Prefix) -> Self {
        Self(Table::new(catalog, entry))
    }

    /// The count of `name`.
    pub async fn get(&self, name: &str) -> Result<Count, CatalogError> {
        let found = self.0.get(name).await?;
        let (value, expect) = found.map_or((0, Expect::Absent), |Versioned { value, version }| {
            (value, Expect::At(version))
        });
        Ok(Count {
            value,
            name: name.to_owned(),
            expect,
        })
    }

    /// The change of a count to `value`, for the commit that makes it so.
    pub fn set(&self, count: &Count, value: usize) -> Change {
        match value {
            0 => self.0.delete(&count.name, count.expect),
            _ => self.0.put(&count.name, &value, count.expect),
        }
    }

    /// The count, with the check that fails a commit where it is another by then.
    pub async fn checked(&self, name: &str) -> Result<Checked<usize>, CatalogError> {
        let count = self.get(name).await?;
        let check = self.0.check(&count.name, count.expect);
        Ok(Checked::new(count.value, vec![check]))
    }
}
