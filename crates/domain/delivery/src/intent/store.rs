//! The rows of deliveries in the catalog (`docs/format/delivery.md`).

use std::sync::Arc;

use headwater_catalog::{
    Catalog, CatalogError, Change, Counts, Expect, Single, Table, Version, Versioned,
};
use headwater_types::kept;

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
    /// The number of the newest log shard.
    newest_shard: Single<u64>,
    /// How many there are of each stream, by its ARN, where that matters to the stream.
    pub of_stream: Option<Counts>,
}

impl Store {
    /// The tables of a family in `catalog`.
    pub fn new(catalog: Arc<dyn Catalog>, family: Family) -> Self {
        let (streams, progress, newest_shard, of_stream) = match family {
            Family::Streams => (
                kept::Prefix::Deliveries,
                kept::Prefix::DeliveryProgress,
                kept::Single::DeliveryShard,
                None,
            ),
            Family::Channels => (
                kept::Prefix::Channels,
                kept::Prefix::ChannelProgress,
                kept::Single::ChannelShard,
                Some(kept::Prefix::StreamChannels),
            ),
        };
        Self {
            streams: Table::new(catalog.clone(), streams),
            progress: Table::new(catalog.clone(), progress),
            newest_shard: Single::new(catalog.clone(), newest_shard),
            of_stream: of_stream.map(|entry| Counts::new(catalog.clone(), entry)),
            catalog,
        }
    }

    /// A number that no log shard of a delivery had before.
    pub async fn next_number(&self) -> Result<u64, CatalogError> {
        loop {
            let current = self.newest_shard.get().await?;
            let (next, expect) = match current {
                Some(found) => (found.value + 1, Expect::At(found.version)),
                None => (1, Expect::Absent),
            };
            match self.newest_shard.write(&next, expect).await {
                Err(CatalogError::Conflict { .. }) => {}
                done => return done.map(|_| next),
            }
        }
    }

    /// Adds a stream with its first progress, where `checks` hold; a conflict where they do not, or the name is taken.
    pub async fn insert(
        &self,
        stream: &StreamRecord,
        progress: &Progress,
        checks: Vec<Change>,
    ) -> Result<(), CatalogError> {
        let mut changes = checks;
        changes.push(self.streams.put(&stream.name, stream, Expect::Absent));
        changes.push(self.progress.put(&stream.id, progress, Expect::Absent));
        self.catalog.commit(changes).await.map(drop)
    }

    /// Removes a stream and its progress, and takes it from the count of what it reads.
    pub async fn remove(&self, stream: &Versioned<StreamRecord>) -> Result<(), CatalogError> {
        let mut changes = vec![
            self.streams
                .delete(&stream.value.name, Expect::At(stream.version)),
            self.progress.delete(&stream.value.id, Expect::Any),
        ];
        if let (Some(counts), Some(read)) = (&self.of_stream, stream.value.origin.stream()) {
            let count = counts.get(&read.to_string()).await?;
            changes.push(counts.set(&count, count.value.saturating_sub(1)));
        }
        self.catalog.commit(changes).await.map(drop)
    }

    /// Commits changes that are none of a stream's own.
    pub async fn commit(&self, changes: Vec<Change>) -> Result<(), CatalogError> {
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
