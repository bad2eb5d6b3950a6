//! Events found again: those of one stream, forward and backward, and those of a group that match a pattern.
//!
//! Events come in the order in which they arrived. A page holds at most what its caller asked for, and at most so much
//! is looked at for it; where a search goes on, the page says where.

use std::collections::HashMap;

use headwater_log::{Chunk, ReadLimit, Record, ShardNumber};
use headwater_types::Millis;

use crate::{
    Error, Event, LogGroups, Pattern,
    event::decode,
    groups::Inner,
    limits,
    records::{Group, Stream, stream_key},
};

/// The times that events are wanted of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Times {
    /// The first time wanted.
    pub start: Option<Millis>,
    /// The first time not wanted any more.
    pub end: Option<Millis>,
}

/// The streams that events are wanted of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Streams {
    /// All of the group.
    All,
    /// Those of these names.
    Named(Vec<String>),
    /// Those whose names start so.
    Prefix(String),
}

/// A search in a group.
#[derive(Debug, Clone)]
pub struct Search {
    /// The streams to search.
    pub streams: Streams,
    /// The times that events must be of.
    pub times: Times,
    /// The pattern that messages must match.
    pub pattern: Pattern,
    /// The most events to return.
    pub limit: usize,
    /// Where an earlier page ended.
    pub from: Option<u64>,
}

/// A page of a search.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The events.
    pub events: Vec<Event>,
    /// Where the search goes on, if it does.
    pub next: Option<u64>,
}

/// Where a page of one stream begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// With the oldest event.
    Head,
    /// The page that ends with the newest event.
    Tail,
    /// With the first event from this offset on.
    From(u64),
    /// The page that ends with the last event before this offset.
    Before(u64),
}

/// A page of one stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The events, in order.
    pub events: Vec<Event>,
    /// Where later events begin: for [`Place::From`].
    pub forward: u64,
    /// Where earlier events end: for [`Place::Before`].
    pub backward: u64,
}

impl Times {
    fn contain(&self, time: Millis) -> bool {
        self.start.is_none_or(|start| start <= time) && self.end.is_none_or(|end| time < end)
    }

    /// Whether nothing that arrives at `ingested` or later can be wanted.
    fn are_over(&self, ingested: Millis) -> bool {
        self.end
            .is_some_and(|end| ingested > end.plus(limits::EVENT_AGE_MAX))
    }
}

impl LogGroups {
    /// Searches a group.
    ///
    /// # Errors
    /// [`Error::NoGroup`], [`Error::NoStream`] for a name that does not exist, or what failed below.
    pub async fn search(&self, group: &str, search: &Search) -> Result<Found, Error> {
        let group = self.inner.find(group).await?.value;
        let mut known = SearchedStreams::new(&self.inner, &group, &search.streams).await?;
        let mut at = self
            .inner
            .start(&group, search.times, search.from.unwrap_or(0))
            .await?;
        let mut page = PageBuilder::default();
        let mut looked = 0;
        loop {
            let chunk = self.inner.read(group.shard(), at).await?;
            looked += chunk.records.len();
            for record in &chunk.records {
                if search.times.are_over(record.time) {
                    return Ok(Found {
                        events: page.events,
                        next: None,
                    });
                }
                let Some(event) = decode(record) else {
                    continue;
                };
                let wanted = search.times.contain(event.time)
                    && search.pattern.matches(&event.message)
                    && known.has(&event).await?;
                if wanted && !page.take(event, search.limit) {
                    return Ok(Found {
                        events: page.events,
                        next: Some(record.offset),
                    });
                }
            }
            at = chunk.next;
            if at >= chunk.state.end {
                return Ok(Found {
                    events: page.events,
                    next: None,
                });
            }
            if looked >= limits::SCAN_RECORDS_MAX {
                return Ok(Found {
                    events: page.events,
                    next: Some(at),
                });
            }
        }
    }

    /// A page of one stream, of at most `limit` events.
    ///
    /// # Errors
    /// [`Error::NoGroup`], [`Error::NoStream`], or what failed below.
    pub async fn events(
        &self,
        group: &str,
        stream: &str,
        times: Times,
        place: Place,
        limit: usize,
    ) -> Result<Page, Error> {
        let group = self.inner.find(group).await?.value;
        let found = self.inner.streams.get(&stream_key(&group, stream)).await?;
        let first = found
            .ok_or_else(|| Error::NoStream(stream.to_owned()))?
            .value
            .first_offset;
        let wanted = EventFilter {
            shard: group.shard(),
            stream,
            times,
            limit,
        };
        match place {
            Place::Head => self.inner.forward(&wanted, first).await,
            Place::From(offset) => self.inner.forward(&wanted, offset.max(first)).await,
            Place::Tail => {
                let end = self.inner.log.state(group.shard()).await?.end;
                self.inner.backward(&wanted, first, end).await
            }
            Place::Before(offset) => self.inner.backward(&wanted, first, offset).await,
        }
    }
}

/// Events of one stream that are wanted.
struct EventFilter<'a> {
    shard: ShardNumber,
    stream: &'a str,
    times: Times,
    limit: usize,
}

impl EventFilter<'_> {
    fn event(&self, record: &Record) -> Option<Event> {
        if record.key != self.stream.as_bytes() {
            return None;
        }
        decode(record).filter(|event| self.times.contain(event.time))
    }
}

/// The events of a page so far.
#[derive(Default)]
struct PageBuilder {
    events: Vec<Event>,
    bytes: usize,
}

impl PageBuilder {
    /// Takes an event if the page has room for it.
    fn take(&mut self, event: Event, limit: usize) -> bool {
        let bytes = self.bytes + event.message.len() + limits::EVENT_OVERHEAD_BYTES;
        let limit = limit.min(limits::PAGE_EVENTS_MAX);
        let full = self.events.len() >= limit
            || (bytes > limits::PAGE_BYTES_MAX && !self.events.is_empty());
        if !full {
            self.bytes = bytes;
            self.events.push(event);
        }
        !full
    }
}

impl Inner {
    async fn read(&self, shard: ShardNumber, from: u64) -> Result<Chunk, Error> {
        let limit = ReadLimit {
            records: limits::READ_RECORDS,
            bytes: limits::READ_BYTES,
        };
        Ok(self.log.read(shard, from, limit).await?)
    }

    /// The first offset at which an event of `times` may be: it arrives at most so long before its time.
    async fn start(&self, group: &Group, times: Times, from: u64) -> Result<u64, Error> {
        let Some(start) = times.start else {
            return Ok(from);
        };
        let earliest = start.minus(limits::EVENT_AHEAD_MAX);
        Ok(self.log.offset_at(group.shard(), earliest).await?.max(from))
    }

    async fn forward(&self, wanted: &EventFilter<'_>, from: u64) -> Result<Page, Error> {
        let mut page = PageBuilder::default();
        let (mut at, mut looked) = (from, 0);
        let next = 'pages: loop {
            let chunk = self.read(wanted.shard, at).await?;
            looked += chunk.records.len();
            for record in &chunk.records {
                let Some(event) = wanted.event(record) else {
                    continue;
                };
                if !page.take(event, wanted.limit) {
                    break 'pages record.offset;
                }
            }
            at = chunk.next;
            if at >= chunk.state.end {
                // At the end the place stays, so that a client sees that there is no more.
                break page.events.last().map_or(from, |event| event.offset + 1);
            }
            if looked >= limits::SCAN_RECORDS_MAX {
                break at;
            }
        };
        let backward = page.events.first().map_or(from, |event| event.offset);
        Ok(Page {
            events: page.events,
            forward: next,
            backward,
        })
    }

    async fn backward(
        &self,
        wanted: &EventFilter<'_>,
        first: u64,
        before: u64,
    ) -> Result<Page, Error> {
        let mut page = PageBuilder::default();
        let (mut high, mut looked) = (before, 0);
        let earlier = 'pages: loop {
            let low = high.saturating_sub(limits::READ_RECORDS as u64).max(first);
            if low >= high {
                // At the beginning the place stays.
                break page.events.last().map_or(before, |event| event.offset);
            }
            let window = self.window(wanted, low, high).await?;
            for event in window.into_iter().rev() {
                let offset = event.offset;
                if !page.take(event, wanted.limit) {
                    break 'pages offset + 1;
                }
            }
            looked += (high - low) as usize;
            high = low;
            if looked >= limits::SCAN_RECORDS_MAX {
                break high;
            }
        };
        page.events.reverse();
        let forward = page.events.last().map_or(before, |event| event.offset + 1);
        Ok(Page {
            events: page.events,
            forward,
            backward: earlier,
        })
    }

    /// The wanted events between two offsets.
    async fn window(
        &self,
        wanted: &EventFilter<'_>,
        low: u64,
        high: u64,
    ) -> Result<Vec<Event>, Error> {
        let mut events = Vec::new();
        let mut at = low;
        while at < high {
            let chunk = self.read(wanted.shard, at).await?;
            let inside = chunk
                .records
                .iter()
                .take_while(|record| record.offset < high);
            events.extend(inside.filter_map(|record| wanted.event(record)));
            if chunk.records.is_empty() || chunk.next <= at {
                break;
            }
            at = chunk.next;
        }
        Ok(events)
    }
}

/// Which streams are searched, each looked up once.
struct SearchedStreams<'a> {
    inner: &'a Inner,
    group: &'a Group,
    streams: &'a Streams,
    /// The first offset of each stream met so far; none for those that are not searched.
    first: HashMap<String, Option<u64>>,
}

impl<'a> SearchedStreams<'a> {
    async fn new(inner: &'a Inner, group: &'a Group, streams: &'a Streams) -> Result<Self, Error> {
        let mut known = Self {
            inner,
            group,
            streams,
            first: HashMap::new(),
        };
        if let Streams::Named(names) = streams {
            for name in names {
                let first = known
                    .find(name)
                    .await?
                    .ok_or_else(|| Error::NoStream(name.clone()))?
                    .first_offset;
                known.first.insert(name.clone(), Some(first));
            }
        }
        Ok(known)
    }

    async fn find(&self, stream: &str) -> Result<Option<Stream>, Error> {
        Ok(self
            .inner
            .streams
            .get(&stream_key(self.group, stream))
            .await?
            .map(|found| found.value))
    }

    /// Whether the event belongs to a stream that is searched.
    async fn has(&mut self, event: &Event) -> Result<bool, Error> {
        let first = match self.first.get(&event.stream) {
            Some(first) => *first,
            None => {
                let first = self.look_up(&event.stream).await?;
                self.first.insert(event.stream.clone(), first);
                first
            }
        };
        Ok(first.is_some_and(|first| first <= event.offset))
    }

    async fn look_up(&self, stream: &str) -> Result<Option<u64>, Error> {
        let searched = match self.streams {
            Streams::All => true,
            // All of these are known from the start.
            Streams::Named(_) => false,
            Streams::Prefix(prefix) => stream.starts_with(prefix.as_str()),
        };
        if !searched {
            return Ok(None);
        }
        Ok(self.find(stream).await?.map(|found| found.first_offset))
    }
}
