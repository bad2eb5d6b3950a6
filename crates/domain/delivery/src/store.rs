//! What deliveries keep in the catalog (`docs/format/delivery.md`).

use std::{collections::BTreeMap, sync::Arc};

use headwater_catalog::{Catalog, CatalogError, Expect, Table, Version, Versioned};
use headwater_types::Millis;
use serde::{Deserialize, Serialize};

use crate::{
    config::{Destination, StreamRecord},
    item::ErrorKind,
};

/// How far a delivery stream is. One value, so that a checkpoint moves and an intent goes in one step.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// The checkpoint: by shard, the first offset that is not delivered. A shard that is not in it starts at its
    /// oldest record.
    pub positions: BTreeMap<String, u64>,
    /// When the newest delivered record arrived.
    pub delivered_until: Millis,
    /// The batch that is being delivered.
    pub intent: Option<Intent>,
    /// What was delivered so far.
    pub totals: Totals,
}

/// One batch and where it goes: decided before the first byte is written, executed again until it succeeds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Intent {
    /// The configuration that it was made under.
    pub version: u64,
    /// When it was made.
    pub made: Millis,
    /// The records: parents before their children.
    pub ranges: Vec<Range>,
    /// Their number, as read when the batch was closed.
    pub records: u64,
    /// Their bytes.
    pub bytes: u64,
    /// When the newest of them arrived.
    pub newest: Millis,
    /// When the oldest of them arrived; only intents of an earlier release have none.
    #[serde(default)]
    pub oldest: Millis,
    /// Tells it from all others: what the names of partitions are made of, and the ids of chunks.
    #[serde(default)]
    pub id: String,
    /// The version of the table whose columns its files have.
    #[serde(default)]
    pub table_version: Option<u64>,
    /// The bucket.
    pub bucket: String,
    /// The key of the object for what is delivered, where that is one.
    pub data_key: Option<String>,
    /// The key of the object for what fails at its processing.
    pub error_key: String,
    /// The keys of the objects for what else may fail.
    #[serde(default)]
    pub more_error_keys: BTreeMap<ErrorKind, String>,
    /// The key of the object for the records as they came, where they are kept.
    #[serde(default)]
    pub backup_key: Option<String>,
    /// The keys of the objects of partitions that may have been written.
    #[serde(default)]
    pub partitions: Vec<String>,
    /// Where it goes and how, under that configuration; only intents of an earlier release have none.
    #[serde(default)]
    pub destination: Option<Destination>,
}

/// Records of one shard, from `from` up to but without `to`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Range {
    /// The shard's id.
    pub shard: String,
    /// The first offset.
    pub from: u64,
    /// One past the last.
    pub to: u64,
}

/// What a delivery stream has done in its life.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// Records of the source, before they were taken apart.
    pub records: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Batches.
    pub batches: u64,
}

impl Intent {
    /// The keys of the objects for what fails, by what it fails at.
    pub fn error_keys(&self) -> impl Iterator<Item = (ErrorKind, &str)> {
        let processing = (ErrorKind::Processing, &*self.error_key);
        let more = self
            .more_error_keys
            .iter()
            .map(|(kind, key)| (*kind, &**key));
        std::iter::once(processing).chain(more)
    }
}

impl Progress {
    /// The progress after `intent` was delivered; shards that `is_listed` denies are forgotten.
    pub fn completed(mut self, is_listed: impl Fn(&str) -> bool) -> Self {
        if let Some(intent) = self.intent.take() {
            self.totals.records += intent.records;
            self.totals.bytes += intent.bytes;
            self.totals.batches += 1;
            self.delivered_until = self.delivered_until.max(intent.newest);
            self.positions.extend(
                intent
                    .ranges
                    .into_iter()
                    .map(|range| (range.shard, range.to)),
            );
        }
        self.positions.retain(|shard, _| is_listed(shard));
        self
    }
}

/// Deliveries that share names: one of a family does not see those of another.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Family {
    /// Delivery streams.
    #[default]
    Streams,
    /// Channels of streams, into which nothing is put directly.
    Channels,
}

/// The tables of deliveries.
#[derive(Clone)]
pub struct Store {
    catalog: Arc<dyn Catalog>,
    /// Delivery streams by name.
    pub streams: Table<StreamRecord>,
    /// Their progress by id.
    pub progress: Table<Progress>,
    counters: Table<u64>,
}

const SHARDS_COUNTER: &str = "shards";

impl Store {
    /// The tables of a family in `catalog`.
    pub fn new(catalog: Arc<dyn Catalog>, family: Family) -> Self {
        let (streams, progress, counters) = match family {
            Family::Streams => (
                "delivery/stream/",
                "delivery/progress/",
                "delivery/counter/",
            ),
            Family::Channels => ("channel/stream/", "channel/progress/", "channel/counter/"),
        };
        Self {
            streams: Table::new(catalog.clone(), streams),
            progress: Table::new(catalog.clone(), progress),
            counters: Table::new(catalog.clone(), counters),
            catalog,
        }
    }

    /// A number that no log shard of a delivery had before.
    pub async fn next_number(&self) -> Result<u64, CatalogError> {
        loop {
            let current = self.counters.get(SHARDS_COUNTER).await?;
            let (next, expect) = match current {
                Some(found) => (found.value + 1, Expect::At(found.version)),
                None => (1, Expect::Absent),
            };
            match self.counters.write(SHARDS_COUNTER, &next, expect).await {
                Err(CatalogError::Conflict { .. }) => {}
                done => return done.map(|_| next),
            }
        }
    }

    /// Adds a stream with its first progress; a conflict where the name is taken.
    pub async fn insert(
        &self,
        stream: &StreamRecord,
        progress: &Progress,
    ) -> Result<(), CatalogError> {
        let changes = vec![
            self.streams.put(&stream.name, stream, Expect::Absent),
            self.progress.put(&stream.id, progress, Expect::Absent),
        ];
        self.catalog.commit(changes).await.map(drop)
    }

    /// Removes a stream and its progress.
    pub async fn remove(&self, stream: &Versioned<StreamRecord>) -> Result<(), CatalogError> {
        let changes = vec![
            self.streams
                .delete(&stream.value.name, Expect::At(stream.version)),
            self.progress.delete(&stream.value.id, Expect::Any),
        ];
        self.catalog.commit(changes).await.map(drop)
    }

    /// Writes `progress` in place of the version that it was made from.
    pub async fn advance(
        &self,
        id: &str,
        progress: Progress,
        from: Version,
    ) -> Result<Versioned<Progress>, CatalogError> {
        let version = self.progress.write(id, &progress, Expect::At(from)).await?;
        Ok(Versioned {
            value: progress,
            version,
        })
    }
}
