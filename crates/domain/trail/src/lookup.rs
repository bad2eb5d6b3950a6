//! Searches: the newest events first, a page at a time.
//!
//! A search goes back through the shard in windows. It looks at a bounded number of events for a page; where that is not
//! enough, the page says where the search goes on, though it may be empty.

use headwater_types::Millis;

use crate::{
    Error, Event, Store, decode,
    limits::{LATE, SCAN_EVENTS_MAX, WINDOW_EVENTS},
    store::{Inner, SHARD},
};

/// What an event must have to be found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attribute {
    /// This id.
    Id(String),
    /// This operation.
    Name(String),
    /// Whether it left everything as it was.
    ReadOnly(bool),
    /// A caller of this name.
    Username(String),
    /// A resource of this type.
    ResourceKind(String),
    /// A resource of this name.
    ResourceName(String),
    /// This service.
    Source(String),
    /// A caller with the key of this id.
    AccessKey(String),
}

/// A search.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lookup {
    /// What events must have.
    pub attribute: Option<Attribute>,
    /// The first time that is wanted.
    pub start: Option<Millis>,
    /// The last time that is wanted.
    pub end: Option<Millis>,
    /// The most events to give.
    pub limit: usize,
    /// Where an earlier page ended.
    pub before: Option<u64>,
}

/// A page.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Found {
    /// The events, the newest first.
    pub events: Vec<Event>,
    /// Where the search goes on, if it does: [`Lookup::before`] of the next.
    pub next: Option<u64>,
}

impl Attribute {
    fn is_of(&self, event: &Event) -> bool {
        match self {
            Self::Id(id) => event.id == *id,
            Self::Name(name) => event.name == *name,
            Self::ReadOnly(read_only) => event.read_only == *read_only,
            Self::Username(name) => event.username.as_ref() == Some(name),
            Self::ResourceKind(kind) => event.resources.iter().any(|one| one.kind == *kind),
            Self::ResourceName(name) => event.resources.iter().any(|one| one.name == *name),
            Self::Source(source) => event.source == *source,
            Self::AccessKey(key) => event.access_key.as_ref() == Some(key),
        }
    }
}

impl Lookup {
    fn wants(&self, event: &Event) -> bool {
        self.start.is_none_or(|start| start <= event.time)
            && self.end.is_none_or(|end| event.time <= end)
            && self.attribute.as_ref().is_none_or(|it| it.is_of(event))
    }
}

impl Store {
    /// A page of a search. The first one sees every event that was noted before it.
    ///
    /// # Errors
    /// [`Error::Throttled`], or what failed below.
    pub async fn look_up(&self, lookup: &Lookup) -> Result<Found, Error> {
        if !self.admits_search() {
            return Err(Error::Throttled);
        }
        if lookup.before.is_none() {
            self.flush().await?;
        }
        let (first, end) = self.inner.range(lookup).await?;
        let (mut found, mut at) = (Found::default(), end);
        while at > first {
            if end - at >= SCAN_EVENTS_MAX {
                found.next = Some(at);
                break;
            }
            let from = at.saturating_sub(WINDOW_EVENTS).max(first);
            for record in self.inner.records(from, at).await?.iter().rev() {
                let event = decode(&record.value).filter(|event| lookup.wants(event));
                found.events.extend(event);
                if found.events.len() >= lookup.limit {
                    found.next = (record.offset > first).then_some(record.offset);
                    return Ok(found);
                }
            }
            at = from;
            // A window is quickly looked at, and many are not: others have their turn between them.
            tokio::task::yield_now().await;
        }
        Ok(found)
    }
}

impl Inner {
    /// The first offset to look at, and the one to stop before.
    async fn range(&self, lookup: &Lookup) -> Result<(u64, u64), Error> {
        let state = self.log.state(SHARD).await?;
        // An event is written when it happened or later, and not much later.
        let first = match lookup.start {
            Some(start) => self.log.offset_at(SHARD, start).await?.max(state.first),
            None => state.first,
        };
        let end = match (lookup.before, lookup.end) {
            (Some(before), _) => before.min(state.end),
            (None, Some(end)) => self.log.offset_at(SHARD, end.plus(LATE)).await?,
            (None, None) => state.end,
        };
        Ok((first, end))
    }
}
