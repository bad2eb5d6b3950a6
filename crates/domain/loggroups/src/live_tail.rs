//! Events as they come: what a caller looks at while it is written, from now on.

use headwater_log::{LogError, ReadLimit};
use headwater_types::Millis;
use tokio::sync::{OwnedSemaphorePermit, watch};

use crate::{
    Error, Event, LogGroups, Pattern,
    event::decode,
    limits::{
        EVENT_OVERHEAD_BYTES, READ_BYTES, READ_RECORDS, SCAN_RECORDS_MAX, TAIL_BYTES_MAX,
        TAIL_EVENTS_MAX, TAIL_EVERY, TAIL_FOR, TAILS_MAX,
    },
    records::Group,
};

/// What a live tail shows.
#[derive(Debug, Clone, Default)]
pub struct TailOptions {
    /// The groups' names, at most [`crate::limits::TAIL_GROUPS_MAX`].
    pub groups: Vec<String>,
    /// The names of streams, or their beginnings; all streams where there are neither.
    pub streams: Vec<String>,
    /// The beginnings of the names of streams.
    pub prefixes: Vec<String>,
    /// The pattern of the events.
    pub pattern: Pattern,
}

/// Events as they come. Cheap while nobody asks for the next update.
pub struct LiveTail {
    groups: LogGroups,
    options: TailOptions,
    /// Of each group, the first offset that was not looked at.
    next: Vec<(Group, u64)>,
    until: Millis,
    closed: watch::Receiver<bool>,
    _place: OwnedSemaphorePermit,
}

/// What came since the update before.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TailUpdate {
    /// The events, each with the place of its group in the options.
    pub events: Vec<(usize, Event)>,
    /// Whether some were left out, since there were too many.
    pub sampled: bool,
}

impl LogGroups {
    /// Begins to show events that come from now on.
    ///
    /// # Errors
    /// [`Error::NoGroup`], [`Error::TooMany`] while there are [`TAILS_MAX`], or what failed below.
    pub async fn tail(&self, options: TailOptions) -> Result<LiveTail, Error> {
        let place = self.inner.tails.clone().try_acquire_owned();
        let place = place.map_err(|_| Error::TooMany(TAILS_MAX))?;
        let mut next = Vec::with_capacity(options.groups.len());
        for name in &options.groups {
            let group = self.inner.find(name).await?.value;
            let end = self.inner.log.state(group.shard()).await?.end;
            next.push((group, end));
        }
        Ok(LiveTail {
            groups: self.clone(),
            options,
            next,
            until: self.inner.env.clock.now().plus(TAIL_FOR),
            closed: self.inner.closed.subscribe(),
            _place: place,
        })
    }
}

impl LiveTail {
    /// The next update, a second after the one before; none once the tail has gone on for as long as it may, or the server
    /// ends.
    ///
    /// # Errors
    /// When the log fails.
    pub async fn next(&mut self) -> Result<Option<TailUpdate>, Error> {
        let clock = self.groups.inner.env.clock.clone();
        tokio::select! {
            biased;
            // An error means that whoever could close is gone.
            _ = self.closed.wait_for(|closed| *closed) => return Ok(None),
            () = clock.sleep(TAIL_EVERY) => {}
        }
        if clock.now() >= self.until {
            return Ok(None);
        }
        let mut update = TailUpdate::default();
        let mut bytes = 0;
        for at in 0..self.next.len() {
            self.look(at, &mut update, &mut bytes).await?;
        }
        Ok(Some(update))
    }

    /// Whether it ended because it went on for as long as it may.
    pub fn is_over(&self) -> bool {
        self.groups.inner.env.clock.now() >= self.until
    }

    /// Looks at what a group has got. What is too much is passed over.
    async fn look(
        &mut self,
        at: usize,
        update: &mut TailUpdate,
        bytes: &mut usize,
    ) -> Result<(), Error> {
        let (group, mut from) = self.next[at].clone();
        let limit = ReadLimit {
            records: READ_RECORDS,
            bytes: READ_BYTES,
        };
        let mut looked = 0;
        loop {
            let chunk = match self.groups.inner.log.read(group.shard(), from, limit).await {
                // The group was deleted: nothing comes of it any more.
                Err(LogError::Unknown(_)) => return Ok(()),
                read => read?,
            };
            looked += chunk.records.len();
            let events = chunk.records.iter().filter_map(decode);
            for event in events.filter(|event| self.options.want(event)) {
                let size = event.message.len() + EVENT_OVERHEAD_BYTES;
                let is_first = update.events.is_empty();
                if update.events.len() >= TAIL_EVENTS_MAX
                    || (*bytes + size > TAIL_BYTES_MAX && !is_first)
                {
                    update.sampled = true;
                    break;
                }
                *bytes += size;
                update.events.push((at, event));
            }
            from = chunk.next.max(from);
            let is_much = looked >= SCAN_RECORDS_MAX || update.sampled;
            if is_much || from >= chunk.state.end || chunk.records.is_empty() {
                update.sampled |= from < chunk.state.end;
                self.next[at].1 = from.max(chunk.state.end);
                return Ok(());
            }
        }
    }
}

impl TailOptions {
    fn want(&self, event: &Event) -> bool {
        let all = self.streams.is_empty() && self.prefixes.is_empty();
        let begins = |prefix: &String| event.stream.starts_with(prefix.as_str());
        (all || self.streams.contains(&event.stream) || self.prefixes.iter().any(begins))
            && self.pattern.matches(&event.message)
    }
}
