//! A record as it was read, shared by all that is made of it.

use std::{fmt, ops::Deref, sync::Arc};

use bytes::Bytes;
use headwater_types::{Millis, SequenceNumber};

/// A record as a user made it: one of those in an aggregate, or the source's record itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserRecord {
    /// The shard that it came from.
    pub shard: Arc<str>,
    /// The number of the source's record.
    pub sequence_number: SequenceNumber,
    /// Its place in the aggregate, 0 for a record by itself.
    pub sub: usize,
    /// Its own partition key, UTF-8.
    pub partition_key: Bytes,
    /// Its data.
    pub data: Bytes,
    /// When the source's record arrived.
    pub arrival: Millis,
}

/// A record of a group, which shares it with the others: one allocation for all of them.
#[derive(Clone)]
pub struct SharedRecord {
    group: Arc<Vec<UserRecord>>,
    at: usize,
}

impl SharedRecord {
    /// All records of a group.
    pub fn all(group: Vec<UserRecord>) -> impl Iterator<Item = Self> {
        let places = 0..group.len();
        let group = Arc::new(group);
        places.map(move |at| Self {
            group: group.clone(),
            at,
        })
    }
}

impl Deref for SharedRecord {
    type Target = UserRecord;

    fn deref(&self) -> &UserRecord {
        &self.group[self.at]
    }
}

impl From<UserRecord> for SharedRecord {
    fn from(record: UserRecord) -> Self {
        Self {
            group: Arc::new(vec![record]),
            at: 0,
        }
    }
}

impl PartialEq for SharedRecord {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl fmt::Debug for SharedRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
