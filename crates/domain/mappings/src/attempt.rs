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
        BATCH_KIB_MAX, EVENT_BYTES_MAX, READ_BYTES_MAX, READ_RECORDS_MAX, WINDOW_STATE_BYTES_MAX,
    },
    payload::{Condition, Frame, GivenUp, Outcome, WindowCall, given_up, object_key},
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
    /// What came of the last call.
    last: Option<Outcome>,
    /// The number of the first record that it was not done with.
    first: Option<String>,
    /// How often in a row it was waited for something else than a verdict: the function, or the destination.
    pauses: u32,
}

/// A batch that is read, and the room in memory that it has.
struct Held {
    batch: Batch,
    /// One past the last offset that was read: other settings than it was measured by may find more in a span than a
    /// batch may have.
    to: u64,
    _room: OwnedSemaphorePermit,
}

impl Course {
    fn has_large_state(&self) -> bool {
        let window = self.window.as_ref();
        window.is_some_and(|window| window.state.len() > WINDOW_STATE_BYTES_MAX)
    }

    /// Puts a span back, to be called with after a wait that is no try of it.
    fn pause(&mut self, span: Span) -> Option<Duration> {
        self.pauses = self.pauses.saturating_add(1);
        self.spans.push(span);
        Some(wait_before(self.pauses))
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
            first: None,
            pauses: 0,
        };
        let mut blocked = None;
        // A window whose state is too large ends first; what is left of the batch is read again then.
        while !course.has_large_state()
            && let Some(span) = course.spans.pop()
        {
            if self.is_stopped() {
                return Ok(Some(End::Stopped));
            }
            let config = self.shared.configured();
            let Some(wait) = self.turn(&config, span, &mut course).await? else {
                blocked = None;
                continue;
            };
            let blocked = blocked.get_or_insert_with(|| self.blocked());
            blocked.before(course.first.as_deref());
            if self.stops_within(wait, &config).await {
                return Ok(Some(End::Stopped));
            }
        }
        Ok(None)
    }

    /// Reads a span and calls with it once; how long to wait then, where it is not through.
    async fn turn(
        &self,
        config: &Arc<Configured>,
        mut span: Span,
        course: &mut Course,
    ) -> Result<Option<Duration>, WorkError> {
        let mut held = self.read(&span, config).await?;
        if held.to < span.to {
            let (from, tries) = (held.to, 0);
            course.spans.push(Span {
                from,
                tries,
                ..span
            });
            span.to = held.to;
        }
        let expired = self.expired(config, &mut held.batch);
        if !expired.is_empty() {
            let (condition, next) = (Condition::RecordAgeExceeded, held.batch.records.first());
            let next = next.map_or(span.to, |record| record.offset);
            if !self.tell(config, condition, None, &span, &expired).await {
                return Ok(course.pause(span));
            }
            self.advance(next, course.window.clone()).await?;
            span.from = next;
        }
        let records = &held.batch.records;
        if records.is_empty() {
            self.advance(span.to, course.window.clone()).await?;
            return Ok(None);
        }
        let retries = config.mapping.settings.retries;
        if retries.is_some_and(|retries| span.tries > retries) {
            let last = course.last.clone();
            return self.give_up(config, span, last, records, course).await;
        }
        match self.call_in_window(config, &held.batch, course).await? {
            Called::Answered(answer) => {
                course.pauses = 0;
                self.settle(config, span, records, answer, course).await
            }
            Called::Unavailable(problem) => {
                problem.iter().for_each(|problem| self.note(problem));
                course.first = records.first().map(|record| self.source.number(record));
                Ok(course.pause(span))
            }
            Called::TooLarge if records.len() > 1 => {
                course.spans.extend(halves(&span, records));
                Ok(None)
            }
            // A record that no function can take is given up without a try.
            Called::TooLarge => self.give_up(config, span, None, records, course).await,
        }
    }

    async fn call_in_window(
        &self,
        config: &Arc<Configured>,
        batch: &Batch,
        course: &Course,
    ) -> Result<Called, WorkError> {
        // An event is not made that is known to be too large.
        if batch.bytes > EVENT_BYTES_MAX {
            return Ok(Called::TooLarge);
        }
        let window = course.window.as_ref().map(|window| WindowCall {
            window,
            is_final: false,
            is_early: false,
        });
        self.call(config, &batch.records, window).await
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
        let item_failures = settings.item_failures;
        let done = self.done_of(&answer, records, item_failures, &mut course.window);
        if done > 0 {
            let next = records.get(done).map_or(span.to, |record| record.offset);
            self.advance(next, course.window.clone()).await?;
            course.window = course.window.take().map(Window::at_rest);
            self.done(&records[..done]);
        }
        course.last = Some(Outcome::of(answer));
        let Some(first) = records.get(done) else {
            return Ok(None);
        };
        course.first = Some(self.source.number(first));
        self.failed();
        // Halving is no try (AWS's guide).
        if done == 0 && settings.bisect && records.len() > 1 {
            course.spans.extend(halves(&span, records));
            return Ok(Some(wait_before(1)));
        }
        let from = first.offset;
        let tries = match done {
            0 => span.tries.saturating_add(1),
            // What is left is a new batch (recorded on AWS: with 3 retries, it is called with 4 times more).
            _ => 0,
        };
        course.spans.push(Span {
            from,
            tries,
            ..span
        });
        let is_given_up = settings.retries.is_some_and(|retries| tries > retries);
        Ok((!is_given_up).then(|| wait_before(tries)))
    }

    /// How many of the records an answer says are done, from the first on; the state of their window is taken over with
    /// them.
    fn done_of(
        &self,
        answer: &Answer,
        records: &[SourceRecord],
        item_failures: bool,
        window: &mut Option<Window>,
    ) -> usize {
        let numbers: Vec<String> = match item_failures {
            true => records.iter().map(|it| self.source.number(it)).collect(),
            false => Vec::new(),
        };
        let done = match judge(answer, &numbers, item_failures) {
            Verdict::Done => records.len(),
            Verdict::Named(failed) => failed.first().copied().unwrap_or(0),
            Verdict::Failed => 0,
        };
        match (window, state(&answer.payload)) {
            (None, _) => done,
            (Some(window), Some(state)) if done > 0 => {
                window.state = state;
                done
            }
            (Some(_), _) => 0,
        }
    }

    /// Reads those of a span's records that are for this lane, up to a batch of them, with room for them and their event.
    async fn read(&self, span: &Span, config: &Arc<Configured>) -> Result<Held, WorkError> {
        let work = self.world.work.clone();
        let mut room = work
            .acquire_many_owned(BATCH_KIB_MAX)
            .await
            .expect("it is never closed");
        let batch_size = config.mapping.settings.batch_size as usize;
        let (mut batch, mut to) = (Batch::of(config.mapping.form()), span.from);
        while to < span.to && batch.has_room(batch_size) {
            let records = usize::try_from(span.to - to).unwrap_or(usize::MAX);
            let limit = SourceLimit {
                records: records.min(READ_RECORDS_MAX),
                bytes: READ_BYTES_MAX,
            };
            let chunk = self.source.read(&self.shard, to, limit).await?;
            // Records that expired since they were measured are passed over.
            to = chunk.next.max(to + 1).min(span.to);
            let within = chunk.records.into_iter();
            let within = within.filter(|record| record.offset < span.to).collect();
            if let Some(left) = batch.take(self.mine(within, config).await, batch_size) {
                to = left;
                break;
            }
        }
        let used = 2 * batch.bytes / 1024 + 1;
        drop(room.split(room.num_permits().saturating_sub(used)));
        Ok(Held {
            batch,
            to,
            _room: room,
        })
    }

    /// Those of the records that are for this lane. Where that is not all, they are copied, so that they do not keep the
    /// memory of the others.
    async fn mine(
        &self,
        mut records: Vec<SourceRecord>,
        config: &Arc<Configured>,
    ) -> Vec<SourceRecord> {
        let (number, of) = (self.number, self.of);
        if of == 1 && config.filters.is_empty() {
            return records;
        }
        let (config, shard) = (config.clone(), self.shard.clone());
        let work = move || {
            let is_mine = |record: &SourceRecord| {
                lane_of(&record.partition_key, of) == number && config.wants(&shard, record)
            };
            records.retain(is_mine);
            for record in &mut records {
                record.data = Bytes::copy_from_slice(&record.data);
                record.partition_key = Bytes::copy_from_slice(&record.partition_key);
            }
            records
        };
        self.world.env.blocking(work).await
    }

    /// Takes the records out of a batch that are too old.
    fn expired(&self, config: &Configured, batch: &mut Batch) -> Vec<SourceRecord> {
        let age = config.mapping.settings.age();
        let horizon = age.map(|age| self.world.env.clock.now().minus(age));
        horizon.map_or_else(Vec::new, |horizon| batch.split_expired(horizon))
    }

    /// Gives up a span, and goes on behind it.
    async fn give_up(
        &self,
        config: &Configured,
        span: Span,
        last: Option<Outcome>,
        records: &[SourceRecord],
        course: &mut Course,
    ) -> Result<Option<Duration>, WorkError> {
        let (condition, last) = (Condition::RetryAttemptsExhausted, last.as_ref());
        if !self.tell(config, condition, last, &span, records).await {
            return Ok(course.pause(span));
        }
        self.advance(span.to, course.window.clone()).await?;
        Ok(None)
    }

    /// Tells the destination of records of a span that are given up, if there is one; whether it has taken that. A batch
    /// is either handled or told of.
    async fn tell(
        &self,
        config: &Configured,
        condition: Condition,
        last: Option<&Outcome>,
        span: &Span,
        records: &[SourceRecord],
    ) -> bool {
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
            let batch = GivenUp {
                condition,
                last,
                request_id: &self.world.env.random.uuid(),
                calls: span.tries.max(1),
                now: self.world.env.clock.now(),
                records,
            };
            if let Err(problem) = self.hand_over(config, destination, &batch).await {
                self.note(&format!("storing what is given up failed: {problem}"));
                return false;
            }
        }
        self.shared.counts.gave_up(count);
        true
    }

    /// Hands what is known of a batch over: to a bucket with its event, to a queue or a topic without.
    async fn hand_over(
        &self,
        config: &Configured,
        destination: &Arn,
        batch: &GivenUp<'_>,
    ) -> Result<(), String> {
        let Configured { mapping, .. } = config;
        let role = self.world.handlers.role(&mapping.function).await;
        let frame = Frame {
            mapping,
            source: &*self.source,
            shard: &self.shard,
            role: &role.unwrap_or_default(),
            window: None,
        };
        let destinations = &self.world.destinations;
        if &*destination.service != "s3" {
            let told = given_up(&frame, batch, false);
            return destinations.send(destination, told).await;
        }
        let id = self.world.env.random.uuid();
        let key = object_key(&mapping.id, &self.shard, batch.now, &id);
        let told = given_up(&frame, batch, true);
        destinations.store(destination, &key, told.into()).await
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
