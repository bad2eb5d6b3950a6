//! What every engine of the catalog offers.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;

/// Counts the changes of one key, from 1; a key made anew after its removal may start again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(pub u64);

/// A value and the version that it is at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Versioned<T = Bytes> {
    /// The value.
    pub value: T,
    /// Its version.
    pub version: Version,
}

/// What a change wants the key to be before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    /// Anything, or nothing.
    Any,
    /// No such key.
    Absent,
    /// Just this version.
    At(Version),
}

/// One change of a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The key: UTF-8, at most 2,048 bytes, ordered by its bytes.
    pub key: String,
    /// The new value, or none to remove the key.
    pub value: Option<Bytes>,
    /// What must hold before.
    pub expect: Expect,
}

/// Why the catalog did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CatalogError {
    /// A key was not as expected; nothing of the commit was kept.
    #[error("{key} was changed by another")]
    Conflict {
        /// The first key that was not as expected.
        key: String,
    },
    /// The disk has no room; the same call succeeds once there is room again.
    #[error(
        "the disk that holds the catalog is full: free some space, and writing goes on by itself"
    )]
    DiskFull,
    /// A stored value is not what was written.
    #[error("the catalog's value of {key} is damaged: {what}")]
    Damaged {
        /// The key.
        key: String,
        /// What is wrong with it.
        what: String,
    },
    /// The engine failed.
    #[error("the catalog failed: {0}")]
    Failed(Arc<str>),
}

/// Durable keys and values.
///
/// * A commit MUST be atomic and durable when its future resolves; commits MUST be serializable.
/// * The changes of one commit MUST take effect in their order.
/// * A read MUST see every commit that was acknowledged before it began.
#[async_trait]
pub trait Catalog: Send + Sync {
    /// The value of `key`.
    async fn get(&self, key: &str) -> Result<Option<Versioned>, CatalogError>;

    /// At most `limit` keys that start with `prefix` and come after `after` (itself excluded), in order.
    async fn scan(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(String, Versioned)>, CatalogError>;

    /// Makes all changes or none; the new versions, in order (0 for a removed key).
    async fn commit(&self, changes: Vec<Change>) -> Result<Vec<Version>, CatalogError>;
}

/// Whether a key that is at `current` may undergo `change`.
pub(crate) fn is_expected(change: &Change, current: Option<Version>) -> bool {
    match change.expect {
        Expect::Any => true,
        Expect::Absent => current.is_none(),
        Expect::At(version) => current == Some(version),
    }
}

/// The version that `change` takes a key to which is at `current`.
pub(crate) fn after_commit(change: &Change, current: Option<Version>) -> Version {
    match change.value {
        Some(_) => Version(current.map_or(1, |v| v.0 + 1)),
        None => Version(0),
    }
}
