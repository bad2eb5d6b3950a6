//! A batch, called with until all of it is done or given up: tries, halves, partial failures, age.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use headwater_log::{SourceLimit, SourceRecord};
use headwater_types::Arn;
use tokio::sync::OwnedSemaphorePermit;

use crate::{
    batch::{Batch, Span},
    filter::lane_of,
    judge::{Verdict, judge, state},
    lane::{Called, End, Lane, wait_before},
    limits::{
        EVENT_BYTES_MAX, READ_BYTES_MAX, READ_RECORDS_MAX, WINDOW_STATE_BYTES_MAX, WORK_KIB_MAX,
    },
    payload::{Condition, Frame, GivenUp, WindowCall, given_up, object_key},
    ports::Answer,
    window::Window,
    worker::{Configured, LastResult, WorkError},
};

/// What is left of a batch, and what came of it so far.
struct Course {
    /// The spans that are left, the next one last.
    spans: Vec<Span>,
    /// The window that its records are in, where there are windows.
    window: Option<Window>,
    /// The last answer.
    last: Option<Answer>,
    /// How often in a row the function had no room.
    busy: u32,
}

/// A batch that is read, and the room in memory that it has.
struct Held {
    batch: Batch,
    /// One past the last offset that was read: other filters than it was measured by may find more in a span than there
    /// is room for.
    to: u64,
    _room: OwnedSemaphorePermit,
}

impl Course {
    fn has_large_state(&self) -> bool {
        let window = self.window.as_ref();
        window.is_some_and(|window| window.state.len() > WINDOW_STATE_BYTES_MAX)
    }
}

impl Lane {
    /// Calls with the records of a span, and of what is left of it, until all of it is done or given up.
    pub(crate) async fn work_through(
        &self,
        span: Span,
        window: Option<Window>,
    ) -> Result<Option<End>, WorkError> {
        let mut course = Course {
            spans: vec![span],
            window,
            last: None,
            busy: 0,
        };
        let mut blocked = None;
        while let Some(span) = course.spans.pop() {
            let config = self.shared.configured();
            if !self.begun.suits(&config) {
                return Ok(Some(End::Stopped));
            }
            let Some(wait) = self.turn(&config, span, &mut course).await? else {
                blocked = None;
                // The window ends first; what is left of the batch is read again then.
                if course.has_large_state() {
                    break;
                }
                continue;
            };
            blocked.get_or_insert_with(|| self.shared.counts.blocked());
            if self.stops_within(wait).await {
                return Ok(Some(End::Stopped));
            }
        }
        Ok(None)
    }

    /// Reads a span and calls with it once; how long to wait then, where it failed.
    async fn turn(
        &self,
        config: &Arc<Configured>,
        mut span: Span,
        course: &mut Course,
    ) -> Result<Option<Duration>, WorkError> {
        let mut held = self.read(&span, config).await?;
        if held.to < span.to {
            course.spans.push(Span {
                from: held.to,
                tries: 0,
                ..span
            });
            span.to = held.to;
        }
        self.give_up_expired(config, &mut span, &mut held.batch, course)
            .await?;
        let records = &held.batch.records;
        let retries = config.mapping.settings.retries;
        if records.is_empty() {
            self.advance(span.to, course.window.clone()).await?;
            return Ok(None);
        }
        if retries.is_some_and(|retries| span.tries > retries) {
            self.give_up(config, &span, records, course).await?;
            return Ok(None);
        }
        let window = course.window.as_ref().map(|window| WindowCall {
            window,
            is_final: false,
            is_early: false,
        });
        match self.call(config, records, window).await? {
            Called::Answered(answer) => {
                course.busy = 0;
                self.settle(config, span, records, answer, course).await
            }
            // Being full is a pause, not a verdict on records: it is no try.
            Called::Busy => {
                course.busy = course.busy.saturating_add(1);
                course.spans.push(span);
                Ok(Some(wait_before(course.busy)))
            }
            Called::TooLarge if records.len() > 1 => {
                course.spans.extend(halves(&span, records));
                Ok(None)
            }
            // No other try would take it.
            Called::TooLarge => {
                self.give_up(config, &span, records, course).await?;
                Ok(None)
            }
        }
    }

    /// Takes over what an answer says of a span's records.
    async fn settle(
        &self,
        config: &Configured,
        span: Span,
        records: &[SourceRecord],
        answer: Answer,
        course: &mut Course,
    ) -> Result<Option<Duration>, WorkError> {
        let settings = &config.mapping.settings;
        let number = |record: &SourceRecord| record.sequence_number.to_string();
        let numbers: Vec<String> = records.iter().map(number).collect();
        let done = match judge(&answer, &numbers, settings.item_failures) {
            Verdict::Done => records.len(),
            Verdict::FailedFrom(at) => at,
            Verdict::Failed => 0,
        };
        if done > 0 {
            if let Some(window) = &mut course.window {
                window.state = state(&answer.payload);
            }
            let next = records.get(done).map_or(span.to, |record| record.offset);
            self.advance(next, course.window.clone()).await?;
            self.done(&records[..done]);
        }
        course.last = Some(answer);
        let Some(first) = records.get(done) else {
            return Ok(None);
        };
        self.failed();
        let from = first.offset;
        let tries = match done {
            0 => span.tries.saturating_add(1),
            // A new batch, whose first record failed once.
            _ => 1,
        };
        // Halving is no try (AWS's guide).
        if done == 0 && settings.bisect && records.len() > 1 {
            course.spans.extend(halves(&span, records));
            return Ok(Some(wait_before(1)));
        }
        course.spans.push(Span {
            from,
            tries,
            ..span
        });
        let is_given_up = settings.retries.is_some_and(|retries| tries > retries);
        Ok((!is_given_up).then(|| wait_before(tries)))
    }

    /// Reads a span's records that are for this lane, with room for them and their event.
    async fn read(&self, span: &Span, config: &Arc<Configured>) -> Result<Held, WorkError> {
        let kib = u32::try_from((READ_BYTES_MAX + EVENT_BYTES_MAX) / 1024).unwrap_or(u32::MAX);
        let work = self.world.work.clone();
        let mut room = work
            .acquire_many_owned(kib.min(WORK_KIB_MAX))
            .await
            .expect("it is never closed");
        let mut batch = Batch::default();
        let mut at = span.from;
        while at < span.to && batch.bytes < EVENT_BYTES_MAX {
            let records = usize::try_from(span.to - at).unwrap_or(usize::MAX);
            let limit = SourceLimit {
                records: records.min(READ_RECORDS_MAX),
                bytes: READ_BYTES_MAX,
            };
            let chunk = self.source.read(&self.shard, at, limit).await?;
            // What expired since it was measured is passed over.
            let next = chunk.next.max(at + 1);
            let within = chunk
                .records
                .into_iter()
                .filter(|record| record.offset < span.to);
            batch.extend(self.mine(within.collect(), config).await);
            at = next;
        }
        let used = 2 * batch.bytes / 1024 + 1;
        drop(room.split(room.num_permits().saturating_sub(used)));
        Ok(Held {
            batch,
            to: at.min(span.to),
            _room: room,
        })
    }

    /// Those of the records that are for this lane.
    async fn mine(
        &self,
        mut records: Vec<SourceRecord>,
        config: &Arc<Configured>,
    ) -> Vec<SourceRecord> {
        let (number, of) = (self.number, self.of);
        records.retain(|record| lane_of(&record.partition_key, of) == number);
        if config.filters.is_empty() {
            return records;
        }
        let (config, shard) = (config.clone(), self.shard.clone());
        let work = move || {
            records.retain(|record| config.filters.match_record(&shard, record));
            records
        };
        self.world.env.blocking(work).await
    }

    /// Gives up the records of a span that are too old, and goes on behind them.
    async fn give_up_expired(
        &self,
        config: &Configured,
        span: &mut Span,
        batch: &mut Batch,
        course: &Course,
    ) -> Result<(), WorkError> {
        let Some(age) = config.mapping.settings.age() else {
            return Ok(());
        };
        let expired = batch.split_expired(self.world.env.clock.now().minus(age));
        if expired.is_empty() {
            return Ok(());
        }
        let (condition, tries) = (Condition::RecordAgeExceeded, span.tries.max(1));
        self.tell(config, condition, None, tries, &expired).await?;
        let next = batch.records.first();
        span.from = next.map_or(span.to, |record| record.offset);
        self.advance(span.from, course.window.clone()).await?;
        Ok(())
    }

    /// Gives up a span, and goes on behind it.
    async fn give_up(
        &self,
        config: &Configured,
        span: &Span,
        records: &[SourceRecord],
        course: &Course,
    ) -> Result<(), WorkError> {
        let (condition, answer) = (Condition::RetryAttemptsExhausted, course.last.as_ref());
        let tries = span.tries.max(1);
        self.tell(config, condition, answer, tries, records).await?;
        self.advance(span.to, course.window.clone()).await?;
        Ok(())
    }

    /// Tells the destination of records that are given up, if there is one, and again until it has taken that: a batch
    /// is either handled or told of.
    async fn tell(
        &self,
        config: &Configured,
        condition: Condition,
        answer: Option<&Answer>,
        calls: u32,
        records: &[SourceRecord],
    ) -> Result<(), WorkError> {
        let Configured { mapping, .. } = config;
        let count = records.len();
        tracing::warn!(
            mapping = mapping.id,
            shard = self.shard,
            records = count,
            ?condition,
            "a mapping gives up records"
        );
        if let Some(destination) = &mapping.settings.on_failure {
            let env = &self.world.env;
            let (id, now) = (env.random.uuid(), env.clock.now());
            let role = self.world.handlers.role(&mapping.function).await;
            let frame = Frame {
                mapping,
                shard: &self.shard,
                role: &role.unwrap_or_default(),
                window: None,
            };
            let told = GivenUp {
                condition,
                answer,
                request_id: &env.random.uuid(),
                calls,
                now,
                records,
            };
            let key = object_key(&mapping.id, &self.shard, now, &id);
            let body = given_up(&frame, &told);
            self.store(destination, &key, body).await?;
        }
        self.shared.counts.gave_up(count);
        Ok(())
    }

    /// Stores what is told of records, and again until that is done; an error means that the lane is to stop.
    async fn store(&self, destination: &Arn, key: &str, body: Bytes) -> Result<(), WorkError> {
        let mut tries = 0;
        loop {
            let destinations = &self.world.destinations;
            let Err(error) = destinations.store(destination, key, body.clone()).await else {
                return Ok(());
            };
            let error = WorkError::Destination(error);
            self.note(&error.to_string());
            tries += 1;
            if self.stops_within(wait_before(tries)).await {
                return Err(error);
            }
        }
    }

    /// Counts records that are done.
    fn done(&self, records: &[SourceRecord]) {
        let newest = records.last().map(|record| record.arrival);
        let age = newest.map(|newest| self.world.env.clock.now().since(newest));
        let age_ms = age.map_or(0, |age| u64::try_from(age.as_millis()).unwrap_or(u64::MAX));
        self.shared.counts.done(records.len(), age_ms);
        self.shared.note(LastResult::Done);
    }
}

/// The two halves of a span, the first one last.
fn halves(span: &Span, records: &[SourceRecord]) -> [Span; 2] {
    let middle = records
        .get(records.len() / 2)
        .map_or(span.to, |record| record.offset);
    let second = Span {
        from: middle,
        ..*span
    };
    let first = Span {
        to: middle,
        ..*span
    };
    [second, first]
}
