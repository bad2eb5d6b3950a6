//! The way out of a stream: from a position in a shard to its events, and the tokens in which readers hold positions.

use std::time::Duration;

use headwater_log::ReadLimit;
use headwater_sealing::TokenKind;
use headwater_types::Millis;
use serde::{Deserialize, Serialize};

use super::{Event, Extent, ShardId, TableStream};
use crate::{
    Change, Error, Tables,
    keys::{self, BaseKey},
    limits::{ITERATOR_LIFE, STREAM_KEPT},
};

/// The outcome of a read.
#[derive(Debug, Clone, PartialEq)]
pub struct EventPage {
    /// The events, in order.
    pub events: Vec<Event>,
    /// Where the next read goes on.
    pub next: u64,
    /// The shard as it was then.
    pub extent: Extent,
}

/// An event with a text that it has in common with others of its item.
pub(crate) type KeyedEvent = (String, Event);

/// A reader's position in a shard, held by the reader as a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreamIterator {
    /// The table's number.
    #[serde(rename = "n")]
    pub table: u64,
    /// The stream's label.
    #[serde(rename = "l")]
    pub label: Millis,
    /// The shard: when it began, its partition, the offset of its first change.
    #[serde(rename = "s")]
    shard: (Millis, u16, u64),
    /// The next offset to read.
    #[serde(rename = "o")]
    pub offset: u64,
}

impl TokenKind for StreamIterator {
    const TAG: u8 = 1;
    const LIFE: Duration = ITERATOR_LIFE;
}

impl StreamIterator {
    /// The shard.
    pub fn shard(&self) -> ShardId {
        let (begun, partition, begin) = self.shard;
        ShardId {
            begun,
            partition,
            begin,
        }
    }
}

impl Tables {
    /// The position in a reader's token.
    ///
    /// # Errors
    /// [`Error::Position`]: it is not one of this installation, or too old.
    pub fn open_iterator(&self, token: &str) -> Result<StreamIterator, Error> {
        let core = &self.inner.core;
        Ok(core.positions.open(token, core.env.clock.now())?)
    }
}

impl TableStream {
    /// The token of a reader that goes on at `offset`: good for [`ITERATOR_LIFE`].
    pub fn iterator(&self, shard: ShardId, offset: u64) -> String {
        let core = &self.inner.core;
        let iterator = StreamIterator {
            table: self.table.number,
            label: self.label,
            shard: (shard.begun, shard.partition, shard.begin),
            offset,
        };
        core.positions.seal(&core.env, &iterator)
    }

    /// Where the changes of a shard begin and end now.
    ///
    /// # Errors
    /// [`Error::NoStream`], [`Error::NoShard`], or what failed below.
    pub async fn extent(&self, id: ShardId) -> Result<Extent, Error> {
        let _reading = self.inner.streams.reading.read().await;
        self.extent_now(id).await
    }

    /// The same for one who holds the lock of readers.
    async fn extent_now(&self, id: ShardId) -> Result<Extent, Error> {
        let layout = self.layout()?;
        let shard = self.find(&layout)?.shard(id, self.now());
        let shard = shard.ok_or(Error::NoShard(id))?;
        let (log, number) = (
            &self.inner.core.log,
            keys::shard(self.table.number, id.partition),
        );
        let failed = |error| Error::of_log(error, &layout.record.name);
        let kept = log.offset_at(number, self.now().minus(STREAM_KEPT)).await;
        let end = match shard.end {
            Some(end) => end,
            None => log.state(number).await.map_err(failed)?.end,
        };
        let end = end.max(id.begin);
        Ok(Extent {
            first: kept.map_err(failed)?.clamp(id.begin, end),
            end,
            ended: shard.end.is_some(),
        })
    }

    /// The offset of the first change of a shard that can be read and was made at or after `time`; the end where there is
    /// none.
    ///
    /// # Errors
    /// As [`Self::extent`].
    pub async fn offset_at(&self, id: ShardId, time: Millis) -> Result<u64, Error> {
        let extent = self.extent(id).await?;
        let number = keys::shard(self.table.number, id.partition);
        let found = self.inner.core.log.offset_at(number, time).await;
        let found =
            found.map_err(|error| Error::of_log(error, &self.table.layout().record.name))?;
        Ok(found.clamp(extent.first, extent.end))
    }

    /// Events of a shard from `from` on, within `limit`; at least one where there is one. A position before the first
    /// change that is kept starts there.
    ///
    /// # Errors
    /// [`Error::NoStream`], [`Error::NoShard`], or what failed below.
    pub async fn read(&self, id: ShardId, from: u64, limit: ReadLimit) -> Result<EventPage, Error> {
        let (events, next, extent) = self.read_keyed(id, from, limit).await?;
        Ok(EventPage {
            events: events.into_iter().map(|(_, event)| event).collect(),
            next,
            extent,
        })
    }

    /// The same with texts that events of an item have in common.
    pub(crate) async fn read_keyed(
        &self,
        id: ShardId,
        from: u64,
        limit: ReadLimit,
    ) -> Result<(Vec<KeyedEvent>, u64, Extent), Error> {
        let _reading = self.inner.streams.reading.read().await;
        let extent = self.extent_now(id).await?;
        let from = from.max(extent.first);
        if from >= extent.end {
            return Ok((Vec::new(), from, extent));
        }
        let layout = self.layout()?;
        let (record, view) = (&layout.record, self.find(&layout)?.view);
        let shard = keys::shard(self.table.number, id.partition);
        let chunk = self.inner.core.log.read(shard, from, limit).await;
        let chunk = chunk.map_err(|error| Error::of_log(error, &record.name))?;
        let within = chunk
            .records
            .iter()
            .take_while(|change| change.offset < extent.end);
        let event = |read: &headwater_log::Record| {
            let change = Change::decode(&record.key, read)?;
            let text = super::event::item_text(&BaseKey::decode(&read.key)?);
            let event = Event::new(record.number, id.partition, change, view);
            Some((text, event))
        };
        let damaged = || Error::damaged(&record.name, "a change is not one");
        let events: Result<Vec<_>, _> =
            within.map(|read| event(read).ok_or_else(damaged)).collect();
        let events = events?;
        // What the log has forgotten meanwhile is passed over.
        let next = events
            .last()
            .map_or(chunk.next, |(_, event)| event.offset + 1);
        Ok((events, next.min(extent.end), extent))
    }

    /// Returns once a shard has a change at or after `from`, or has ended, or is gone. May return early.
    pub async fn wait(&self, id: ShardId, from: u64) {
        let changed = self.inner.streams.changed.notified();
        let mut changed = std::pin::pin!(changed);
        // From here on no change is missed.
        changed.as_mut().enable();
        let is_open = self.layout().is_ok_and(|layout| {
            let shard = self
                .find(&layout)
                .ok()
                .and_then(|stream| stream.shard(id, self.now()));
            shard.is_some_and(|shard| shard.end.is_none())
        });
        if !is_open {
            return;
        }
        let shard = keys::shard(self.table.number, id.partition);
        tokio::select! {
            () = self.inner.core.log.wait(shard, from) => {}
            () = changed => {}
        }
    }
}
