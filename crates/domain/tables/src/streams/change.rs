//! Streams enabled, disabled, and kept: their shards end and begin at the ends of the partitions.

use std::sync::Arc;

use headwater_types::Millis;
use tokio::sync::{Notify, RwLock};

use crate::{
    Error, Stream, TableRecord, Tables, ViewType,
    core::Table,
    keys::shard,
    limits::{STREAM_LABEL_STEP, STREAMS},
    tables::Inner,
};

/// What the readers of streams and those who change them share.
#[derive(Default)]
pub(crate) struct Shared {
    /// Held by readers while they read, and alone while shards end: what comes behind a shard's end was shown to nobody as
    /// a change of that shard.
    pub reading: RwLock<()>,
    /// Shards have begun and ended.
    pub changed: Notify,
}

impl TableRecord {
    /// Begins to show its changes as a stream; [`Tables::change`] sees to the rest.
    ///
    /// # Errors
    /// [`Error::StreamEnabled`], [`Error::TooManyStreams`].
    pub fn enable_stream(&mut self, view: ViewType, now: Millis) -> Result<(), Error> {
        self.streams.retain(|stream| stream.is_readable(now));
        let newest = self.streams.first();
        if newest.is_some_and(|stream| stream.disabled.is_none()) {
            return Err(Error::StreamEnabled(self.name.clone()));
        }
        if self.streams.len() >= STREAMS {
            return Err(Error::TooManyStreams(self.name.clone()));
        }
        // A label is the stream's name: no two streams of a table have the same.
        let after = newest.map(|newest| newest.label.plus(STREAM_LABEL_STEP));
        let label = after.map_or(now, |after| now.max(after));
        self.streams.insert(0, Stream::enabling(label, view));
        Ok(())
    }

    /// Ends its stream, which can be read for [`crate::limits::STREAM_KEPT`] more; [`Tables::change`] sees to the rest.
    ///
    /// # Errors
    /// [`Error::StreamDisabled`].
    pub fn disable_stream(&mut self, now: Millis) -> Result<(), Error> {
        let newest = self.streams.first_mut();
        let enabled = newest.filter(|stream| stream.disabled.is_none());
        let enabled = enabled.ok_or_else(|| Error::StreamDisabled(self.name.clone()))?;
        enabled.disabled = Some(now);
        Ok(())
    }

    /// The labels of its streams that wait for their shards to begin or to end.
    pub(crate) fn unsettled_streams(&self) -> Vec<Millis> {
        let unsettled = self.streams.iter().filter(|stream| stream.is_unsettled());
        unsettled.map(|stream| stream.label).collect()
    }
}

impl Tables {
    /// Begins to show a table's changes as a stream. Those that are made after it returns are in it, with the items before
    /// where the view shows these.
    ///
    /// # Errors
    /// [`Error::NoTable`], those of [`TableRecord::enable_stream`], or what failed below: then it may be enabled a little
    /// later.
    pub async fn enable_stream(&self, table: &str, view: ViewType) -> Result<TableRecord, Error> {
        let now = self.inner.core.env.clock.now();
        self.change(table, |record| record.enable_stream(view, now))
            .await
    }

    /// Ends a table's stream. Changes that were made before the call are in it, those that are made after it returns are
    /// not.
    ///
    /// # Errors
    /// [`Error::NoTable`], that of [`TableRecord::disable_stream`], or what failed below: then it may be disabled a little
    /// later.
    pub async fn disable_stream(&self, table: &str) -> Result<TableRecord, Error> {
        let now = self.inner.core.env.clock.now();
        self.change(table, |record| record.disable_stream(now))
            .await
    }
}

impl Inner {
    /// Has the shards of streams begin and end that wait for it.
    pub async fn settle_streams(self: &Arc<Self>, name: &str) -> Result<TableRecord, Error> {
        let table = self.core.table(name)?;
        let unsettled = table.layout().record.unsettled_streams();
        // A worker that was asked once has seen the table with the stream: from now on it writes what items were before.
        for partition in 0..table.layout().record.partitions {
            self.lease(&table, partition).await?.give_back();
        }
        self.keep_at_ends(&table, &unsettled).await
    }

    /// Brings all streams up to the time: those begin and end that a failure left, shards end that are old enough, and
    /// what is gone is forgotten.
    pub async fn keep_streams(self: &Arc<Self>) -> Result<(), Error> {
        let mut done = Ok(());
        for table in self.core.tables() {
            match self.keep_streams_of(&table).await {
                Ok(()) | Err(Error::NoTable(_)) => {}
                Err(error) => done = Err(error),
            }
        }
        done
    }

    async fn keep_streams_of(self: &Arc<Self>, table: &Arc<Table>) -> Result<(), Error> {
        let layout = table.layout();
        let mut record = layout.record.clone();
        if !record.unsettled_streams().is_empty() {
            record = self.settle_streams(&record.name).await?;
        }
        if record.streams.is_empty() {
            return Ok(());
        }
        let before = record.streams.clone();
        self.keep(&mut record, &self.ends(table).await?, &[]);
        if record.streams != before {
            self.keep_at_ends(table, &[]).await?;
        }
        Ok(())
    }

    /// Brings the streams of a table up to the ends of its partitions; of those that are not settled, these.
    async fn keep_at_ends(
        self: &Arc<Self>,
        table: &Arc<Table>,
        unsettled: &[Millis],
    ) -> Result<TableRecord, Error> {
        let _alone = self.streams.reading.write().await;
        let ends = self.ends(table).await?;
        let name = table.layout().record.name.clone();
        let kept = self.change(&name, |record| {
            if record.number != table.number {
                return Err(Error::NoTable(name.clone()));
            }
            self.keep(record, &ends, unsettled);
            Ok(())
        });
        let kept = kept.await?;
        self.streams.changed.notify_waiters();
        Ok(kept)
    }

    fn keep(&self, record: &mut TableRecord, ends: &[u64], unsettled: &[Millis]) {
        let now = self.core.env.clock.now();
        record.streams.retain(|stream| stream.is_readable(now));
        let streams = record.streams.iter_mut();
        streams
            .filter(|stream| !stream.is_unsettled() || unsettled.contains(&stream.label))
            .for_each(|stream| stream.keep(ends, now));
    }

    /// The ends of a table's partitions.
    pub async fn ends(&self, table: &Table) -> Result<Vec<u64>, Error> {
        let layout = table.layout();
        let mut ends = Vec::with_capacity(layout.record.partitions.into());
        for partition in 0..layout.record.partitions {
            let state = self.core.log.state(shard(table.number, partition)).await;
            let state = state.map_err(|error| Error::of_log(error, &layout.record.name))?;
            ends.push(state.end);
        }
        Ok(ends)
    }
}
