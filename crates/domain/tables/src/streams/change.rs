//! Streams enabled, disabled, and kept: their shards end and begin at the ends of the partitions.

use std::sync::Arc;

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

impl Tables {
    /// Begins to show a table's changes as a stream. Those that are made after it returns are in it, with the items before
    /// where the view shows these.
    ///
    /// # Errors
    /// [`Error::NoTable`], [`Error::StreamEnabled`], [`Error::TooManyStreams`], or what failed below: then it may be
    /// enabled a little later.
    pub async fn enable_stream(&self, table: &str, view: ViewType) -> Result<TableRecord, Error> {
        let (inner, table) = (self.inner.clone(), table.to_owned());
        let env = inner.core.env.clone();
        env.to_the_end(async move { inner.enable_stream(&table, view).await })
            .await
    }

    /// Ends a table's stream, which can be read for [`crate::limits::STREAM_KEPT`] more. Changes that were made before the
    /// call are in it, those that are made after it returns are not.
    ///
    /// # Errors
    /// [`Error::NoTable`], [`Error::StreamDisabled`], or what failed below.
    pub async fn disable_stream(&self, table: &str) -> Result<TableRecord, Error> {
        let (inner, table) = (self.inner.clone(), table.to_owned());
        let env = inner.core.env.clone();
        env.to_the_end(async move { inner.disable_stream(&table).await })
            .await
    }
}

impl Inner {
    async fn enable_stream(
        self: &Arc<Self>,
        name: &str,
        view: ViewType,
    ) -> Result<TableRecord, Error> {
        let now = self.core.env.clock.now();
        self.change(name, |record| {
            if enabled(record).is_some() {
                return Err(Error::StreamEnabled(name.to_owned()));
            }
            if record.streams.len() >= STREAMS {
                return Err(Error::TooManyStreams(name.to_owned()));
            }
            let newest = record.streams.first();
            let label = newest.map_or(now, |newest| now.max(newest.label.plus(STREAM_LABEL_STEP)));
            record.streams.insert(0, Stream::enabling(label, view));
            Ok(())
        })
        .await?;
        self.begin_stream(name).await
    }

    /// Begins the shards of a stream that is being enabled.
    async fn begin_stream(self: &Arc<Self>, name: &str) -> Result<TableRecord, Error> {
        let table = self.core.table(name)?;
        // A worker that was asked once has seen the table with the stream: from now on it writes what items were before.
        for partition in 0..table.layout().record.partitions {
            self.lease(&table, partition).await?.give_back();
        }
        self.at_ends(&table, |record, ends| {
            let now = self.core.env.clock.now();
            let new = record
                .streams
                .iter_mut()
                .filter(|stream| stream.is_enabling());
            new.for_each(|stream| stream.begin(ends, now));
            Ok(())
        })
        .await
    }

    async fn disable_stream(self: &Arc<Self>, name: &str) -> Result<TableRecord, Error> {
        let table = self.core.table(name)?;
        self.at_ends(&table, |record, ends| {
            let now = self.core.env.clock.now();
            let stream = record
                .streams
                .first_mut()
                .filter(|stream| stream.disabled.is_none());
            let stream = stream.ok_or_else(|| Error::StreamDisabled(name.to_owned()))?;
            stream.disable(ends, now);
            Ok(())
        })
        .await
    }

    /// Brings all streams up to the time: those that were left while they were enabled begin, shards that are old enough
    /// end, and what is gone is forgotten.
    pub async fn keep_streams(self: &Arc<Self>) -> Result<(), Error> {
        for table in self.core.tables() {
            match self.keep_streams_of(&table).await {
                Ok(()) | Err(Error::NoTable(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    async fn keep_streams_of(self: &Arc<Self>, table: &Arc<Table>) -> Result<(), Error> {
        let layout = table.layout();
        if layout.record.streams.iter().any(Stream::is_enabling) {
            self.begin_stream(&layout.record.name).await?;
        }
        if layout.record.streams.is_empty() {
            return Ok(());
        }
        let keep = |record: &mut TableRecord, ends: &[u64]| {
            let now = self.core.env.clock.now();
            record.streams.retain(|stream| stream.is_readable(now));
            record
                .streams
                .iter_mut()
                .for_each(|stream| stream.roll(ends, now));
            Ok(())
        };
        let mut kept = layout.record.clone();
        keep(&mut kept, &self.ends(table).await?)?;
        if kept.streams != layout.record.streams {
            self.at_ends(table, keep).await?;
        }
        Ok(())
    }

    /// Changes the streams of a table, given the ends of its partitions.
    async fn at_ends(
        self: &Arc<Self>,
        table: &Arc<Table>,
        change: impl Fn(&mut TableRecord, &[u64]) -> Result<(), Error> + Send + Sync,
    ) -> Result<TableRecord, Error> {
        let _alone = self.streams.reading.write().await;
        let ends = self.ends(table).await?;
        let name = table.layout().record.name.clone();
        let changed = self.change(&name, |record| match record.number == table.number {
            true => change(record, &ends),
            false => Err(Error::NoTable(name.clone())),
        });
        let changed = changed.await?;
        self.streams.changed.notify_waiters();
        Ok(changed)
    }

    /// The ends of a table's partitions.
    async fn ends(&self, table: &Table) -> Result<Vec<u64>, Error> {
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

/// The stream of a table that is enabled.
fn enabled(record: &TableRecord) -> Option<&Stream> {
    record
        .streams
        .first()
        .filter(|stream| stream.disabled.is_none())
}
