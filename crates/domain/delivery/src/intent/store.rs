//! The rows of deliveries in the catalog (`docs/format/delivery.md`).

use std::sync::Arc;

use headwater_catalog::{Catalog, CatalogError, Expect, Table, Version, Versioned};

use super::progress::Progress;
use crate::config::StreamRecord;

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
