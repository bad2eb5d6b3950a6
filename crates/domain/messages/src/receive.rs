//! Messages found for a receive: among those that are known, and further on in the log; and dead letters moved away.

use std::time::Duration;

use headwater_log::{Append, AppendError, ReadLimit, Record};
use headwater_types::Millis;

use crate::{
    Error, Receipt,
    changes::{Change, Flight},
    limits::{
        AHEAD, DEAD_LETTERS_A_TURN, IN_FLIGHT, KNOWN, LOOK_BYTES, LOOK_RECORDS, LOOKS_A_TURN,
        WRITE_BYTES,
    },
    message::Message,
    record::QueueRecord,
    state::Entry,
    worker::{Open, Receive, Taken, Worker, record},
};

impl Open {
    /// Whether there is room to look at one more message, and to give one.
    pub fn can_look(&self) -> bool {
        self.state.len() < KNOWN && self.state.in_flight() < IN_FLIGHT
    }

    /// The messages that an attempt was given before, where none of them was changed since.
    fn given_before(&self, attempt: Option<&String>, now: Millis) -> Option<Vec<Taken>> {
        let (_, taken) = self.attempts.known.get(attempt?)?;
        let is_as_given = |taken: &Taken| {
            let entry = self.state.get(taken.receipt.offset);
            entry.is_some_and(|entry| entry.flight == taken.flight && entry.flight.visible > now)
        };
        taken.iter().all(is_as_given).then(|| taken.clone())
    }

    /// Remembers what an attempt was given.
    fn remember(&mut self, attempt: &str, taken: &[Taken], now: Millis) {
        let attempts = &mut self.attempts;
        attempts.by_time.push_back((now, attempt.to_owned()));
        attempts
            .known
            .insert(attempt.to_owned(), (now, taken.to_vec()));
    }
}

impl Worker {
    /// Takes messages into flight.
    pub async fn receive(&mut self, receive: &Receive) -> Result<Vec<Taken>, Error> {
        let now = self.inner.env.clock.now();
        let visibility = receive.visibility;
        let visibility = visibility.unwrap_or(self.record.settings.visibility());
        let attempt = receive.attempt.as_ref();
        let attempt = attempt.filter(|_| self.record.settings.fifo.is_some());
        let again = self.known().given_before(attempt, now);
        let mut taken = match again {
            Some(taken) => taken,
            None => self.find(receive, now).await?,
        };
        let visible = now.plus(visibility);
        for taken in &mut taken {
            taken.flight.visible = visible;
            let (offset, flight) = (taken.receipt.offset, taken.flight);
            self.known().state.set(offset, flight, now);
            self.changed.push(Change::Flight(offset, flight));
        }
        if let Some(attempt) = attempt
            && !taken.is_empty()
        {
            self.known().remember(attempt, &taken, now);
        }
        Ok(taken)
    }

    /// The messages that a receive can have, each with one receive more than it had.
    async fn find(&mut self, receive: &Receive, now: Millis) -> Result<Vec<Taken>, Error> {
        let room = IN_FLIGHT.saturating_sub(self.known().state.in_flight());
        if room == 0 {
            return self.no_room(receive);
        }
        let limit = receive.limit.min(room);
        let found = self.candidates(limit, now).await?;
        let tag = self.record.tag;
        let open = self.known();
        let take = |offset: u64| {
            let flight = open.state.get(offset)?.flight;
            let receives = flight.receives.saturating_add(1);
            let first = if receives == 1 { now } else { flight.first };
            let receipt = Receipt {
                queue: tag,
                offset,
                receive: receives,
                received: now,
            };
            let flight = Flight {
                receives,
                first,
                ..flight
            };
            Some(Taken { receipt, flight })
        };
        Ok(found.into_iter().filter_map(take).collect())
    }

    /// The outcome of a receive while as many messages are in flight as may be: one that waits is told of none, and so is
    /// one at a FIFO queue, as the developer guide has it.
    fn no_room(&self, receive: &Receive) -> Result<Vec<Taken>, Error> {
        let queues = Duration::from_secs(self.record.settings.wait_s.into());
        let waits = !receive.wait.unwrap_or(queues).is_zero();
        if waits || self.record.settings.fifo.is_some() {
            Ok(Vec::new())
        } else {
            Err(Error::TooManyInFlight)
        }
    }

    /// At most `limit` messages that can be received, and are no dead letters.
    async fn candidates(&mut self, limit: usize, now: Millis) -> Result<Vec<u64>, Error> {
        let (mut looked, mut looks, mut moved) = (0, 0, 0);
        self.look_ahead(now).await?;
        loop {
            let found = self.known().state.candidates(limit);
            if let Some((target, max)) = self.redrive() {
                let is_dead = |offset: &u64| self.receives(*offset) >= max;
                let mut dead: Vec<_> = found.iter().copied().filter(is_dead).collect();
                if !dead.is_empty() {
                    dead.truncate(DEAD_LETTERS_A_TURN - moved);
                    if dead.is_empty() {
                        self.is_unfinished = true;
                        return Ok(found
                            .into_iter()
                            .filter(|o| self.receives(*o) < max)
                            .collect());
                    }
                    match self.move_letters(&target, &dead).await? {
                        0 => return Ok(found),
                        count => moved += count,
                    }
                    continue;
                }
            }
            if found.len() >= limit || !self.known().can_look() {
                return Ok(found);
            }
            if looks == LOOKS_A_TURN {
                self.is_unfinished |= found.is_empty();
                return Ok(found);
            }
            let wanted = (limit - found.len()).max(looked).min(LOOK_RECORDS);
            looks += 1;
            match self.look(wanted, now).await? {
                0 => return Ok(found),
                count => looked += count,
            }
        }
    }

    /// Looks further in a FIFO queue than to the first messages that can be received: a group's messages come together,
    /// though those of others stand between.
    async fn look_ahead(&mut self, now: Millis) -> Result<(), Error> {
        let is_fifo = self.record.settings.fifo.is_some();
        let open = self.known();
        let has_few = open.state.ready() < AHEAD && open.state.next < open.shard.end;
        if is_fifo && has_few && open.can_look() {
            self.look(LOOK_RECORDS, now).await?;
        }
        Ok(())
    }

    fn receives(&self, offset: u64) -> u32 {
        let entry = self.open.as_ref().and_then(|open| open.state.get(offset));
        entry.map_or(0, |entry| entry.flight.receives)
    }

    /// The queue for dead letters, where there is one, and after how many receives they go there.
    fn redrive(&self) -> Option<(QueueRecord, u32)> {
        let redrive = self.record.settings.redrive.as_ref()?;
        let target = self.inner.record(&redrive.target)?;
        let is_same_kind = target.settings.fifo.is_some() == self.record.settings.fifo.is_some();
        is_same_kind.then_some((target, redrive.max_receives))
    }

    /// Looks at no more than `wanted` messages further on; how many there were.
    async fn look(&mut self, wanted: usize, now: Millis) -> Result<usize, Error> {
        let limit = ReadLimit {
            records: wanted,
            bytes: LOOK_BYTES,
        };
        let next = self.known().state.next;
        let chunk = self
            .inner
            .log
            .read(self.record.messages(), next, limit)
            .await;
        let chunk = chunk.map_err(|error| Error::of_log(error, &self.record.name))?;
        for record in &chunk.records {
            self.look_at(record, now)?;
        }
        Ok(chunk.records.len())
    }

    fn look_at(&mut self, record: &Record, now: Millis) -> Result<(), Error> {
        let message = self.inner.message(&self.record, record)?;
        if record.offset > self.known().state.next {
            self.known().state.drop_before(record.offset);
            self.changed.push(Change::Expired(record.offset));
        }
        let retention = self.record.settings.retention().period;
        self.known().state.next = record.offset + 1;
        let is_fifo = self.record.settings.fifo.is_some();
        if !is_fifo && message.sent.plus(retention) < now {
            // A dead letter is as old as the message that it was; one of a FIFO queue begins anew.
            self.changed.push(Change::Gone(record.offset));
            return Ok(());
        }
        let visible = record.time.plus(message.delay);
        if visible > now {
            self.queue.delayed.lock().take(visible);
        }
        let entry = self.entry(
            &message,
            Flight {
                visible,
                receives: 0,
                first: Millis::ZERO,
            },
        );
        self.known().state.insert(record.offset, entry, now);
        Ok(())
    }

    /// A message as it is known: of its group only where there is order.
    pub fn entry(&mut self, message: &Message, flight: Flight) -> Entry {
        let group = message
            .group
            .as_deref()
            .filter(|_| self.record.settings.fifo.is_some());
        let group = group.map(|group| match &self.open {
            Some(open) => open.state.group(group),
            None => group.into(),
        });
        Entry { flight, group }
    }

    /// Moves messages to the queue for dead letters, as many as one append takes; how many, which is none where that
    /// queue is gone.
    async fn move_letters(&mut self, target: &QueueRecord, dead: &[u64]) -> Result<usize, Error> {
        let (mut values, mut bytes) = (Vec::new(), 0);
        for offset in dead {
            if bytes >= WRITE_BYTES {
                break;
            }
            let value = self.letter(target, *offset).await?;
            bytes += value.as_ref().map_or(0, |(value, _)| value.len());
            values.push(value);
        }
        let records = values.iter().flatten();
        let records: Vec<_> = records
            .map(|(value, sealed)| record(value, *sealed))
            .collect();
        if !records.is_empty() {
            let append = Append {
                shard: target.messages(),
                records: &records,
            };
            match self.inner.log.append(&[append]).await.pop() {
                Some(Ok(_)) => {}
                Some(Err(AppendError::Log(error))) => return Err(error.into()),
                Some(Err(AppendError::Sealed | AppendError::Unknown(_))) | None => return Ok(0),
            }
        }
        for offset in &dead[..values.len()] {
            self.known().state.remove(*offset);
            self.changed.push(Change::Gone(*offset));
        }
        Ok(values.len())
    }

    /// A message as it is kept in the queue for dead letters; none where it is not kept here any more.
    async fn letter(
        &self,
        target: &QueueRecord,
        offset: u64,
    ) -> Result<Option<(Vec<u8>, bool)>, Error> {
        let Some(record) = self.inner.read_one(&self.record, offset).await? else {
            return Ok(None);
        };
        let entry = self.open.as_ref().and_then(|open| open.state.get(offset));
        let flight = entry.map(|entry| entry.flight);
        let message = self.inner.message(&self.record, &record)?;
        let first = flight.map_or(Millis::ZERO, |flight| flight.first);
        let letter = Message {
            delay: Duration::ZERO,
            receives: message.receives + flight.map_or(0, |flight| flight.receives),
            first_received: if message.receives == 0 {
                first
            } else {
                message.first_received
            },
            source: Some(self.record.name.clone()),
            ..message
        };
        Ok(Some(self.inner.seal(target, &letter)))
    }
}
