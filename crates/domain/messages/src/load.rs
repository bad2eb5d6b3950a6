//! A queue's state as it is read at the start: the changes folded, and what they do not say looked up in the messages.

use headwater_log::{Chunk, ReadLimit, ShardNumber, ShardState};
use headwater_types::Millis;

use crate::{
    Error,
    changes::{Flight, decode},
    dedup::{Dedup, Known, Place, key, pack},
    fold::Folded,
    limits::{DEDUPLICATION, LOOK_BYTES, LOOK_RECORDS},
    state::State,
    store::row,
    worker::{Attempts, Open, Worker},
};

const AT_ONCE: ReadLimit = ReadLimit {
    records: LOOK_RECORDS,
    bytes: LOOK_BYTES,
};

impl Worker {
    /// Reads the state.
    pub async fn load(&mut self) -> Result<Open, Error> {
        self.changed.clear();
        self.outgoing.clear();
        let (mut folded, changes) = self.fold().await?;
        let shard = self.inner.log.state(self.record.messages()).await;
        let shard = shard.map_err(|error| Error::of_log(error, &self.record.name))?;
        folded.drop_before(shard.first);
        let dedup = self.read_ids(&folded).await?;
        let state = self.read_known(folded).await?;
        Ok(Open {
            state,
            dedup,
            attempts: Attempts::default(),
            shard: ShardState::default(),
            changes,
        })
    }

    /// Folds the changes; how many there were.
    async fn fold(&self) -> Result<(Folded, u64), Error> {
        let row = row(self.record.number);
        let checkpoint = self.inner.store.checkpoints.get(&row).await?;
        let mut from = checkpoint.map_or(0, |found| found.value.offset);
        let (mut folded, mut count) = (Folded::default(), 0);
        loop {
            let chunk = self.read(self.record.changes(), from).await?;
            for record in &chunk.records {
                let changes = decode(record.value.clone());
                let changes =
                    changes.ok_or_else(|| self.damaged("a change of messages is not one"))?;
                count += changes.len() as u64;
                changes.into_iter().for_each(|change| folded.apply(change));
            }
            if chunk.next >= chunk.state.end {
                return Ok((folded, count));
            }
            from = chunk.next;
        }
    }

    async fn read(&self, shard: ShardNumber, from: u64) -> Result<Chunk, Error> {
        let chunk = self.inner.log.read(shard, from, AT_ONCE).await;
        chunk.map_err(|error| Error::of_log(error, &self.record.name))
    }

    fn damaged(&self, what: &'static str) -> Error {
        Error::Damaged {
            queue: self.record.name.clone(),
            what,
        }
    }

    /// The state, with the groups of a FIFO queue's messages and the delays of those that were never received.
    async fn read_known(&mut self, folded: Folded) -> Result<State, Error> {
        let now = self.inner.env.clock.now();
        let is_fifo = self.record.settings.fifo.is_some();
        let mut state = State::default();
        state.next = folded.next;
        (state.purged, state.purged_at) = (folded.purged, folded.purged_at);
        let mut at = 0;
        for (offset, flight) in &folded.known {
            if let (Some(flight), false) = (flight, is_fifo) {
                let entry = crate::state::Entry {
                    flight: *flight,
                    group: None,
                };
                state.insert(*offset, entry, now);
            }
        }
        let wants = |flight: &Option<Flight>| is_fifo || flight.is_none();
        while let Some((&first, _)) = folded.known.range(at..).find(|(_, flight)| wants(flight)) {
            let chunk = self.read(self.record.messages(), first).await?;
            for record in &chunk.records {
                let Some(flight) = folded
                    .known
                    .get(&record.offset)
                    .filter(|flight| wants(flight))
                else {
                    continue;
                };
                let message = self.inner.message(&self.record, record)?;
                let visible = record.time.plus(message.delay);
                let fresh = Flight {
                    visible,
                    receives: 0,
                    first: Millis::ZERO,
                };
                let mut entry = self.entry(&message, flight.unwrap_or(fresh));
                entry.group = entry.group.map(|group| state.group(&group));
                state.insert(record.offset, entry, now);
            }
            at = chunk.next.max(first + 1);
        }
        Ok(state)
    }

    /// The ids of the messages of the last five minutes.
    async fn read_ids(&self, folded: &Folded) -> Result<Dedup, Error> {
        let mut dedup = Dedup::default();
        let Some(fifo) = self.record.settings.fifo else {
            return Ok(dedup);
        };
        let since = self.inner.env.clock.now().minus(DEDUPLICATION);
        let shard = self.record.messages();
        let from = self.inner.log.offset_at(shard, since).await;
        let from = from.map_err(|error| Error::of_log(error, &self.record.name))?;
        let mut from = from.max(folded.purged);
        loop {
            let chunk = self.read(shard, from).await?;
            for record in &chunk.records {
                let message = self.inner.message(&self.record, record)?;
                if let (Some(id), None) = (&message.dedup, &message.source) {
                    let known = Known {
                        time: message.sent,
                        id: pack(&message.id),
                        place: Place::At(record.offset),
                    };
                    dedup.insert(key(fifo, message.group.as_deref(), id), known);
                }
            }
            if chunk.next >= chunk.state.end || chunk.records.is_empty() {
                return Ok(dedup);
            }
            from = chunk.next;
        }
    }
}
