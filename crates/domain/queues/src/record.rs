//! Queues as the catalog keeps them (`docs/format/queues.md`).

use std::{collections::BTreeMap, sync::Arc};

use headwater_catalog::{Catalog, CatalogError, Counts, Expect, Table};
use headwater_reading::Start;
use headwater_types::{Arn, Millis, kept::Prefix};
use serde::{Deserialize, Serialize};

use crate::limits::{DEFAULT_MAX_RECEIVES, DEFAULT_VISIBILITY, ROWS_A_COMMIT};

/// A queue's tags.
pub type Tags = BTreeMap<String, String>;

/// A queue as the catalog keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueRecord {
    /// Made with the queue, never used again.
    pub id: String,
    /// Its name, unique among the queues there are.
    pub name: String,
    /// When it was made.
    pub created: Millis,
    /// The stream that it delivers from.
    pub stream: Arn,
    /// When that stream was made.
    pub stream_created: Millis,
    /// Tells the stream from one made later under the same name.
    pub identity: String,
    /// Where delivery began.
    pub start: Start,
    /// The time of the start: records that arrived before it are not delivered where the start is a time.
    pub start_time: Millis,
    /// The settings that may be changed.
    pub attributes: Attributes,
    /// Its tags.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: Tags,
    /// The policy that says who may use it, as its owner wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<Arc<str>>,
}

/// How a queue delivers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attributes {
    /// Seconds that a record is in flight after it was received.
    pub visibility_s: u32,
    /// How often a record is received before it becomes a dead letter; none: never.
    pub max_receives: Option<u32>,
}

impl Default for Attributes {
    fn default() -> Self {
        let visibility_s = DEFAULT_VISIBILITY.as_secs() as u32;
        Self {
            visibility_s,
            max_receives: Some(DEFAULT_MAX_RECEIVES),
        }
    }
}

/// How far a queue is in one shard: what is before it was received or passed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Position {
    /// The next offset that was never received.
    pub next: u64,
}

/// A record that was received and is not acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Pending {
    /// How often it was received since it was new or restored.
    #[serde(rename = "n")]
    pub receives: u32,
    /// The number of its newest receipt; grows with each receive and restore.
    #[serde(rename = "r")]
    pub receipt: u64,
    /// When it was received first.
    #[serde(rename = "f")]
    pub first: Millis,
    /// From when on it may be received again.
    #[serde(rename = "v")]
    pub visible: Millis,
    /// Whether it is a dead letter.
    #[serde(rename = "d", default, skip_serializing_if = "std::ops::Not::not")]
    pub dead: bool,
}

/// The tables of queues.
#[derive(Clone)]
pub(crate) struct Store {
    pub catalog: Arc<dyn Catalog>,
    /// Queues by id.
    pub queues: Table<QueueRecord>,
    /// Their ids by name.
    pub names: Table<String>,
    /// `<id>/<shard>`.
    pub positions: Table<Position>,
    /// `<id>/<shard>/<offset>`.
    pub pending: Table<Pending>,
    /// Ids of deleted queues that may have rows left.
    pub deleted: Table<()>,
    /// How many queues streams have, by the streams' ARNs; none where there is no row.
    pub counts: Counts,
}

impl Store {
    pub fn new(catalog: Arc<dyn Catalog>) -> Self {
        Self {
            queues: Table::new(catalog.clone(), Prefix::Queues),
            names: Table::new(catalog.clone(), Prefix::QueueNames),
            positions: Table::new(catalog.clone(), Prefix::QueuePositions),
            pending: Table::new(catalog.clone(), Prefix::QueuePending),
            deleted: Table::new(catalog.clone(), Prefix::QueuesDeleted),
            counts: Counts::new(catalog.clone(), Prefix::StreamQueues),
            catalog,
        }
    }

    /// Removes what a deleted queue has left, and then the note of it.
    pub async fn clean(&self, id: &str) -> Result<(), CatalogError> {
        let start = format!("{id}/");
        loop {
            let positions = self.positions.scan(&start, None, ROWS_A_COMMIT).await?;
            let pending = self.pending.scan(&start, None, ROWS_A_COMMIT).await?;
            if positions.is_empty() && pending.is_empty() {
                return self.deleted.remove(id, Expect::Any).await;
            }
            let positions = positions
                .iter()
                .map(|(name, _)| self.positions.delete(name, Expect::Any));
            let pending = pending
                .iter()
                .map(|(name, _)| self.pending.delete(name, Expect::Any));
            self.catalog
                .commit(positions.chain(pending).collect())
                .await?;
        }
    }
}
