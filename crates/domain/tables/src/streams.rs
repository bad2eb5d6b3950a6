//! Streams of changes: what readers are shown of a table's change logs.
//!
//! A stream is the change logs of a table's partitions from the offsets at which it was enabled to those at which it was
//! disabled, cut into shards. Nothing is copied: a shard is a part of a log, and its events are the log's changes. Owns
//! which shards there are, who their parents are, what of a change is shown, and how long; leaves ARNs, the spelling of
//! events and of sequence numbers to the door.

mod change;
mod event;
mod read;
mod shard;
mod source;
#[cfg(test)]
mod tests;

use std::{ops::Bound, sync::Arc};

use headwater_types::Millis;

use crate::{Error, Stream, Tables, core::Table, layout::Layout, tables::Inner};

pub(crate) use change::Shared;
pub use event::{Event, EventKind};
pub(crate) use read::KeyedEvent;
pub use read::{EventPage, StreamIterator};
pub use shard::{NotAShard, ShardId, StreamShard};

/// A stream of a table, to be read.
#[derive(Clone)]
pub struct TableStream {
    inner: Arc<Inner>,
    table: Arc<Table>,
    label: Millis,
}

/// The place of a shard's changes in the change log of its partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    /// The offset of the first change that can be read.
    pub first: u64,
    /// One past the last.
    pub end: u64,
    /// Whether no more follow.
    pub ended: bool,
}

impl Tables {
    /// The stream of a table with this label.
    ///
    /// # Errors
    /// [`Error::NoTable`], [`Error::NoStream`].
    pub fn stream(&self, table: &str, label: Millis) -> Result<TableStream, Error> {
        let stream = TableStream {
            inner: self.inner.clone(),
            table: self.inner.core.table(table)?,
            label,
        };
        stream.described()?;
        Ok(stream)
    }

    /// At most `limit` streams that can be read, as their tables' names and their labels, in this order, after `after`;
    /// and whether there are more.
    pub fn streams(
        &self,
        table: Option<&str>,
        after: Option<(&str, Millis)>,
        limit: usize,
    ) -> (Vec<(String, Millis)>, bool) {
        let core = &self.inner.core;
        let (known, now) = (core.known.read(), core.env.clock.now());
        let from = table.max(after.map(|(name, _)| name));
        let from = from.map_or(Bound::Unbounded, Bound::Included);
        let tables = known.by_name.range::<str, _>((from, Bound::Unbounded));
        let tables = tables.take_while(|(name, _)| table.is_none_or(|table| table == *name));
        let streams = tables.flat_map(|(name, table)| {
            let streams = &table.layout().record.streams;
            let readable = streams
                .iter()
                .rev()
                .filter(|stream| stream.is_readable(now));
            let labels: Vec<_> = readable
                .map(|stream| (name.clone(), stream.label))
                .collect();
            labels
        });
        let is_after = |(name, label): &(String, Millis)| {
            after.is_none_or(|after| (name.as_str(), *label) > after)
        };
        let mut streams = streams.filter(is_after);
        let page = streams.by_ref().take(limit).collect();
        (page, streams.next().is_some())
    }
}

impl TableStream {
    /// The number of its table.
    pub fn table(&self) -> u64 {
        self.table.number
    }

    /// What it is.
    ///
    /// # Errors
    /// [`Error::NoStream`]: it is gone, or its table.
    pub fn described(&self) -> Result<Stream, Error> {
        let layout = self.layout()?;
        self.find(&layout).cloned()
    }

    /// Its shards that have changes to read or may get some, in the order of their ids.
    ///
    /// # Errors
    /// [`Error::NoStream`].
    pub fn shards(&self) -> Result<Vec<StreamShard>, Error> {
        let layout = self.layout()?;
        Ok(self.find(&layout)?.shards(self.now()))
    }

    fn now(&self) -> Millis {
        self.inner.core.env.clock.now()
    }

    /// Its table as it is now.
    fn layout(&self) -> Result<Arc<Layout>, Error> {
        let table = self.inner.core.numbered(self.table.number);
        Ok(table.ok_or_else(|| self.gone())?.layout())
    }

    /// The stream as its table has it.
    fn find<'a>(&self, layout: &'a Layout) -> Result<&'a Stream, Error> {
        let mut streams = layout.record.streams.iter();
        let now = self.now();
        let is_it = |stream: &&Stream| stream.label == self.label && stream.is_readable(now);
        streams.find(is_it).ok_or_else(|| self.gone())
    }

    fn gone(&self) -> Error {
        Error::NoStream(self.table.layout().record.name.clone())
    }
}
