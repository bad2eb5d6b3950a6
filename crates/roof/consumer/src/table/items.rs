//! The items of one table, behind a trait so that tests can play the table: the calls that leases need, in the older
//! dialect of conditions and updates, which is KCL's.

use std::collections::BTreeMap;

use async_trait::async_trait;
use headwater_items::{Item, Number, Value};

use crate::lease::StoreError;

/// What an attribute must be for a write to be made.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Wanted {
    /// It is not there.
    Absent,
    /// It has this value.
    Is(Value),
}

/// What a write does to an attribute.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Update {
    Put(Value),
    Delete,
    Add(Number),
}

/// The attributes that a write names beforehand.
pub(super) type Expected = BTreeMap<&'static str, Wanted>;

/// The attributes that a write changes.
pub(super) type Updates = BTreeMap<&'static str, Update>;

/// One table, whose keys are strings.
#[async_trait]
pub(super) trait Items: Send + Sync {
    /// Every item, as all writes left it that were answered.
    async fn scan(&self) -> Result<Vec<Item>, StoreError>;
    /// One item, as all writes left it that were answered.
    async fn get(&self, key: &str) -> Result<Option<Item>, StoreError>;
    /// Writes an item; `false` when it was not as expected.
    async fn put(&self, item: Item, expected: Expected) -> Result<bool, StoreError>;
    /// Changes an item, and gives it as it is then; none when it was not as expected.
    async fn update(
        &self,
        key: &str,
        updates: Updates,
        expected: Expected,
    ) -> Result<Option<Item>, StoreError>;
    /// Removes an item; `false` when it was not as expected.
    async fn delete(&self, key: &str, expected: Expected) -> Result<bool, StoreError>;
}
