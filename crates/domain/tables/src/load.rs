//! Partitions brought up to their change logs: at the start, and after a write whose outcome is not known.

use std::{collections::BTreeSet, sync::Arc};

use futures_util::stream::{self, StreamExt, TryStreamExt};
use headwater_log::{Chunk, ReadLimit, ShardNumber};
use headwater_types::{Millis, kept::ShardSpace};

use crate::{
    Error,
    core::{Core, Table, kept_from},
    destinations::progress_shards,
    index::Batch,
    keys::{meta_row, shard, transactions},
    layout::Layout,
    limits::{OPEN_AT_ONCE, REPLAY_BYTES, REPLAY_RECORDS},
    partition::{Partition, Records},
    pass::Pass,
    record::TableRecord,
    transaction::{Participant, Transacted},
};

const AT_ONCE: ReadLimit = ReadLimit {
    records: REPLAY_RECORDS,
    bytes: REPLAY_BYTES,
};

/// The shards of a table: those of its changes, and where these are or were sent, those that say how far.
pub(crate) fn shards(record: &TableRecord) -> Vec<ShardNumber> {
    let partitions = 0..record.partitions;
    let mut shards: Vec<_> = partitions
        .map(|index| shard(record.number, index))
        .collect();
    if !record.destinations.is_empty() {
        shards.extend(progress_shards(record));
    }
    shards
}

impl Core {
    /// Opens the shards of all tables, removes what a crash between two steps of a deletion has left, and brings the
    /// index up to the changes. Calls `seen` with each transaction that is still known, and its time.
    pub async fn recover(
        self: &Arc<Self>,
        seen: impl FnMut(Transacted, Millis),
    ) -> Result<(), Error> {
        let mut kept = BTreeSet::from([transactions()]);
        for (_, found) in self.store.tables.all().await? {
            kept.extend(shards(&found.value));
            self.known.write().insert(found, self.env.clock.elapsed());
        }
        let opened: Vec<_> = kept.iter().copied().collect();
        self.log
            .open_shards(&opened, kept_from(Millis::ZERO))
            .await?;
        let mut strays = self.log.shards().await?;
        let is_ours = |shard: &ShardNumber| shard.within(ShardSpace::Tables).is_some();
        strays.retain(|shard| is_ours(shard) && !kept.contains(shard));
        self.log.remove_shards(&strays).await?;
        self.catch_up().await?;
        self.settle_all(seen).await
    }

    /// Brings all partitions up to their logs, some at a time.
    async fn catch_up(self: &Arc<Self>) -> Result<(), Error> {
        let partitions = self.tables().into_iter().flat_map(|table| {
            let partitions = 0..table.layout().record.partitions;
            partitions.map(move |index| (table.clone(), index))
        });
        let load =
            async |(table, index): (Arc<Table>, u16)| self.load(&table, index).await.map(drop);
        let loads = stream::iter(partitions).map(load);
        loads.buffer_unordered(OPEN_AT_ONCE).try_collect().await
    }

    /// A partition, brought up to its log.
    pub async fn load(self: &Arc<Self>, table: &Table, index: u16) -> Result<Partition, Error> {
        let layout = table.layout();
        let mut partition = Partition::of_index(&layout, index, &*self.view())?;
        loop {
            let chunk = self
                .read(&layout, partition.shard(), partition.meta.position)
                .await?;
            self.agree(&layout, &mut partition, &chunk).await?;
            if chunk.records.is_empty() {
                return Ok(partition);
            }
            let (core, replayed) = (self.clone(), layout.clone());
            let replay = move || {
                let batch = core.replay(&replayed, &mut partition, &chunk)?;
                core.write_now(batch)?;
                Ok::<_, Error>(partition)
            };
            partition = self.env.blocking(replay).await?;
        }
    }

    /// Refuses an index that lacks changes which the log forgot. One that has changes which the log lost, as it may in a
    /// crash where it is not synced, keeps them, and goes on where the log ends.
    async fn agree(
        self: &Arc<Self>,
        layout: &Layout,
        partition: &mut Partition,
        chunk: &Chunk,
    ) -> Result<(), Error> {
        let (position, table) = (partition.meta.position, &layout.record.name);
        let (first, end) = (chunk.state.first, chunk.state.end);
        if position < first {
            return Err(Error::IndexLost(table.clone()));
        }
        if position <= end {
            return Ok(());
        }
        tracing::error!(%table, partition = partition.index, position, end, "the log lost changes that the index of tables has");
        partition.meta.position = end;
        // The log gives the offsets in between to other changes now, which an index that forgot this would skip.
        let row = meta_row(partition.table, partition.index);
        let corrected = (row, Some(partition.meta.encode()));
        self.write(vec![corrected]).await?;
        self.sync().await
    }

    /// The rows that the changes of a chunk make. Waits for the disk.
    fn replay(
        &self,
        layout: &Layout,
        partition: &mut Partition,
        chunk: &Chunk,
    ) -> Result<Batch, Error> {
        let view = self.view();
        let mut pass = Pass::new(layout, &*view, self.env.clock.now());
        for record in &chunk.records {
            pass.replay(record)?;
        }
        let time = chunk.records.last().map_or(Millis::ZERO, |last| last.time);
        let (changes, mut batch) = (std::mem::take(&mut pass.changes), Batch::new());
        partition.apply(layout, &changes, time, &mut batch);
        Ok(batch)
    }

    async fn read(&self, layout: &Layout, shard: ShardNumber, from: u64) -> Result<Chunk, Error> {
        let chunk = self.log.read(shard, from, AT_ONCE).await;
        chunk.map_err(|error| Error::of_log(error, &layout.record.name))
    }

    /// Gives every partition the changes of transactions that it lacks.
    async fn settle_all(
        self: &Arc<Self>,
        mut seen: impl FnMut(Transacted, Millis),
    ) -> Result<(), Error> {
        let mut from = 0;
        loop {
            let chunk = self.log.read(transactions(), from, AT_ONCE).await?;
            for record in &chunk.records {
                let transacted = Transacted::of_record(record)?;
                for participant in &transacted.participants {
                    self.settle_one(participant).await?;
                }
                seen(transacted, record.time);
            }
            if chunk.records.is_empty() {
                return Ok(());
            }
            from = chunk.next;
        }
    }

    async fn settle_one(self: &Arc<Self>, participant: &Participant) -> Result<(), Error> {
        let Some(table) = self.numbered(participant.table) else {
            return Ok(());
        };
        let layout = table.layout();
        let partition = Partition::of_index(&layout, participant.partition, &*self.view())?;
        if !participant.is_missing(&partition) {
            return Ok(());
        }
        let mut partition = self.load(&table, participant.partition).await?;
        self.give(&layout, &mut partition, participant).await
    }

    /// Gives one partition the changes of transactions that it lacks.
    pub async fn settle(
        self: &Arc<Self>,
        table: &Table,
        partition: &mut Partition,
    ) -> Result<(), Error> {
        let (layout, mut from) = (table.layout(), 0);
        loop {
            let chunk = self.log.read(transactions(), from, AT_ONCE).await?;
            for record in &chunk.records {
                let transacted = Transacted::of_record(record)?;
                let is_here = |participant: &&Participant| {
                    (participant.table, participant.partition) == (partition.table, partition.index)
                };
                if let Some(participant) = transacted.participants.iter().find(is_here)
                    && participant.is_missing(partition)
                {
                    self.give(&layout, partition, participant).await?;
                }
            }
            if chunk.records.is_empty() {
                return Ok(());
            }
            from = chunk.next;
        }
    }

    /// Appends the changes of a transaction that a partition lacks.
    async fn give(
        self: &Arc<Self>,
        layout: &Layout,
        partition: &mut Partition,
        participant: &Participant,
    ) -> Result<(), Error> {
        let records = Records::of(participant.records.clone());
        let appended = partition.append(self, layout, &records).await?;
        let batch = self.redo(layout, partition, participant, appended.time)?;
        self.write(batch).await
    }

    fn redo(
        &self,
        layout: &Layout,
        partition: &mut Partition,
        participant: &Participant,
        time: Millis,
    ) -> Result<Batch, Error> {
        let view = self.view();
        let mut pass = Pass::new(layout, &*view, time);
        for (key, value) in &participant.records {
            pass.redo(key, &value.clone().into())?;
        }
        let (changes, mut batch) = (std::mem::take(&mut pass.changes), Batch::new());
        partition.apply(layout, &changes, time, &mut batch);
        Ok(batch)
    }
}
