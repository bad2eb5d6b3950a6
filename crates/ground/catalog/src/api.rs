//! The catalog's port: keys, values, versions, commits, and the errors of every engine.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;

use crate::limits;

/// A revision of the whole catalog. Every commit that writes makes the next one, and a key is at the revision of its
/// last write: a key that was removed and made anew is at a revision that it never had before.
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

/// The state of a key that a change is made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    /// Any value, or none.
    Any,
    /// No such key.
    Absent,
    /// A value, at whichever version.
    Present,
    /// A value at this version.
    At(Version),
}

/// The write that a change makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Write {
    /// Gives the key this value.
    Put(Bytes),
    /// Removes the key, if it is there.
    Remove,
    /// Writes nothing: the change only holds the commit to its expectation.
    Nothing,
}

/// One change of a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The key: UTF-8, 1 to 2,048 bytes, ordered by its bytes.
    pub key: String,
    /// The state of the key before the change.
    pub expect: Expect,
    /// The write.
    pub write: Write,
}

/// A value, and the changes that fail a commit where the value is another by then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked<T> {
    /// The value.
    pub value: T,
    /// Changes that write nothing, to be committed with what depends on the value.
    pub checks: Vec<Change>,
}

impl<T> Checked<T> {
    /// A value that `checks` hold a commit to.
    pub fn new(value: T, checks: Vec<Change>) -> Self {
        Self { value, checks }
    }
}

/// Why the catalog did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CatalogError {
    /// A key was not as a change expected it; nothing of the commit was kept.
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
        /// The damage, in words.
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
/// * A revision MUST be higher than all before it, also after a reopening and whatever was removed.
/// * A commit whose future is dropped MAY still be made.
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

    /// Makes all changes or none. Returns the revision that this made, which is the version of all that it wrote; the
    /// present one where it wrote nothing.
    async fn commit(&self, changes: Vec<Change>) -> Result<Version, CatalogError>;
}

impl Change {
    /// Whether a key that is at `current` is as this change expects it.
    pub(crate) fn accepts(&self, current: Option<Version>) -> bool {
        match self.expect {
            Expect::Any => true,
            Expect::Absent => current.is_none(),
            Expect::Present => current.is_some(),
            Expect::At(version) => current == Some(version),
        }
    }
}

/// Whether a commit of `changes` makes a revision.
pub(crate) fn writes(changes: &[Change]) -> bool {
    changes.iter().any(|change| change.write != Write::Nothing)
}

/// Refuses keys that no engine keeps.
pub(crate) fn check_keys(changes: &[Change]) -> Result<(), CatalogError> {
    let wrong = |change: &&Change| !(1..=limits::KEY_BYTES_MAX).contains(&change.key.len());
    match changes.iter().find(wrong) {
        None => Ok(()),
        Some(change) => Err(CatalogError::Failed(
            format!(
                "a key has {} bytes, where 1 to {} are possible",
                change.key.len(),
                limits::KEY_BYTES_MAX
            )
            .into(),
        )),
    }
}
