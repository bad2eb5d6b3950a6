//! A lane: one shard, or some keys of it, read in order and called with batch by batch.
//!
//! First it is measured how far a batch goes, without keeping what is read; then the batch is read, and called with until
//! it is done or given up (`attempt`). How far the lane is is durable before the next batch.

use std::{sync::Arc, time::Duration};

use headwater_catalog::CatalogError;
use headwater_log::{Source, SourceChunk, SourceError, SourceLimit, SourceRecord};
use tokio::sync::watch;

use crate::{
    batch::Span,
    counts::Blocked,
    filter::lane_of,
    limits::{
        MEASURED_BYTES_MAX, READ_RECORDS_MAX, RETRY_WAIT_MAX, RETRY_WAIT_MIN, SOURCE_PAUSE,
        WINDOW_GRACE, WINDOW_STATE_BYTES_MAX,
    },
    measure::{Measured, Reach},
    payload::{Frame, WindowCall, event},
    ports::{Answer, HandlerError},
    progress::ShardProgress,
    window::Window,
    worker::{Configured, LastResult, Shared, WorkError, World},
};

/// How a lane ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// Its shard has ended and it is at its end, or the shard is gone.
    Drained,
    /// It is where it was to end.
    Level,
    /// It was asked to.
    Stopped,
}

/// One lane of a shard.
pub(crate) struct Lane {
    pub world: World,
    pub shared: Arc<Shared>,
    pub source: Arc<dyn Source>,
    pub shard: String,
    pub progress: Arc<ShardProgress>,
    pub number: u32,
    pub of: u32,
    /// Where it is to end, if it is.
    pub until: Option<u64>,
    /// The length of its windows, where it has windows.
    pub tumbling: Option<Duration>,
    /// Whether it is to stop.
    pub stop: watch::Receiver<bool>,
}

/// What came of a call.
pub(crate) enum Called {
    /// The function answered.
    Answered(Answer),
    /// It cannot be called now; why, where it is not only full.
    Unavailable(Option<String>),
    /// It takes no event so large.
    TooLarge,
}

/// What ends a wait for records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Woken {
    BySource,
    Otherwise,
}

impl Lane {
    /// Works until it is asked to stop or the shard is drained; what goes wrong is tried again.
    pub async fn run(self) -> (String, End) {
        let (mut wait, mut blocked) = (Duration::ZERO, None);
        loop {
            match self.step().await {
                Ok(None) => (wait, blocked) = (Duration::ZERO, None),
                Ok(Some(end)) => {
                    drop(blocked);
                    return (self.shard, end);
                }
                Err(error) => {
                    wait = (wait * 2).clamp(RETRY_WAIT_MIN, RETRY_WAIT_MAX);
                    blocked.get_or_insert_with(|| self.blocked());
                    self.note(&error.to_string());
                    let config = self.shared.configured();
                    if self.stops_within(wait, &config).await {
                        drop(blocked);
                        return (self.shard, End::Stopped);
                    }
                }
            }
        }
    }

    /// One batch, from the search for its end to the checkpoint behind it.
    async fn step(&self) -> Result<Option<End>, WorkError> {
        let (from, window) = self.progress.of(self.number as usize).await;
        if let Some(window) = &window
            && (window.state.len() > WINDOW_STATE_BYTES_MAX || self.tumbling.is_none())
        {
            return self.end_window(from, window, true).await;
        }
        if self.until.is_some_and(|until| from >= until) {
            return Ok(Some(End::Level));
        }
        let measured = match self.measure(from, window.as_ref()).await {
            Ok(Some(measured)) => measured,
            Ok(None) => return Ok(Some(End::Stopped)),
            // A shard that expired since it was listed has nothing left, and its children go on.
            Err(SourceError::NotFound(what)) => {
                tracing::warn!(shard = self.shard, what, "a shard of the source is gone");
                return Ok(Some(End::Drained));
            }
            Err(error) => return Err(error.into()),
        };
        let Measured { to, records, .. } = measured;
        if records > 0 {
            let span = Span { from, to, tries: 0 };
            return self.work_through(span, measured.window).await;
        }
        match (window, measured.reach) {
            (Some(window), Reach::WindowOver | Reach::ShardEnd) => {
                self.end_window(to, &window, false).await
            }
            (window, reach) => {
                if to > from {
                    self.advance(to, window).await?;
                }
                Ok((reach == Reach::ShardEnd).then_some(End::Drained))
            }
        }
    }

    /// How far the next batch goes; nothing where the lane is to stop.
    async fn measure(
        &self,
        from: u64,
        open: Option<&Window>,
    ) -> Result<Option<Measured>, SourceError> {
        let form = self.shared.configured().mapping.form();
        let mut measured = Measured::from(form, from, self.until, open.cloned());
        let (mut woken, mut read_to) = (Woken::Otherwise, from);
        loop {
            if self.is_stopped() {
                return Ok(None);
            }
            let config = self.shared.configured();
            let (end, ended);
            (measured, end, ended) = self.read_on(measured, &config).await?;
            let due = measured.due_in(config.mapping.settings.window(), &*self.world.env.clock);
            let is_due = due == Some(Duration::ZERO);
            let is_at_end = measured.to >= end;
            if is_at_end && ended && measured.reach == Reach::Open {
                measured.reach = Reach::ShardEnd;
            } else if is_at_end && self.is_over(&measured) && measured.reach == Reach::Open {
                measured.reach = Reach::WindowOver;
            }
            let is_long = measured.is_long(from) && (is_due || measured.records == 0);
            if measured.reach != Reach::Open || is_long || (is_at_end && is_due) {
                return Ok(Some(measured));
            }
            if !is_at_end {
                continue;
            }
            // A source that wakes without a record, as a shard does that is being closed, is asked less often.
            if woken == Woken::BySource && measured.to == read_to {
                self.world.env.clock.sleep(SOURCE_PAUSE).await;
            }
            read_to = measured.to;
            woken = self.wait_for_more(&measured, due, &config).await;
        }
    }

    /// Reads once, and adds what was read to what is measured: that, the shard's end, and whether it has ended.
    async fn read_on(
        &self,
        measured: Measured,
        config: &Arc<Configured>,
    ) -> Result<(Measured, u64, bool), SourceError> {
        let _room = self.world.reads.acquire().await;
        let limit = self.limit(config, &measured);
        let chunk = self.source.read(&self.shard, measured.to, limit).await?;
        self.warn_of_trimmed(measured.to, &chunk);
        let (end, ended) = (chunk.end, chunk.ended);
        Ok((self.take(measured, chunk, config).await, end, ended))
    }

    /// How much is read at once: what is missing of the batch, or more where not all of it is for this lane.
    fn limit(&self, config: &Configured, measured: &Measured) -> SourceLimit {
        let batch_size = config.mapping.settings.batch_size as usize;
        let missing = batch_size.saturating_sub(measured.records).max(1);
        let records = match config.filters.is_empty() {
            true => missing.saturating_mul(self.of as usize),
            false => READ_RECORDS_MAX,
        };
        SourceLimit {
            records: records.min(READ_RECORDS_MAX),
            bytes: MEASURED_BYTES_MAX,
        }
    }

    /// Adds a chunk to what is measured, away from the asynchronous threads where each record is looked into.
    async fn take(
        &self,
        mut measured: Measured,
        chunk: SourceChunk,
        config: &Arc<Configured>,
    ) -> Measured {
        let tumbling = self.tumbling;
        let batch_size = config.mapping.settings.batch_size as usize;
        let now = self.world.env.clock.elapsed();
        let is_cheap = config.filters.is_empty();
        let (shard, config) = (self.shard.clone(), config.clone());
        let (number, of) = (self.number, self.of);
        let work = move || {
            let is_mine = |record: &SourceRecord| {
                lane_of(&record.partition_key, of) == number && config.wants(&shard, record)
            };
            measured.take(&chunk, batch_size, tumbling, now, is_mine);
            measured
        };
        match is_cheap {
            true => work(),
            false => self.world.env.blocking(work).await,
        }
    }

    /// Tells of records that expired before they were called with.
    fn warn_of_trimmed(&self, from: u64, chunk: &SourceChunk) {
        let first = chunk.records.first();
        let first = first.map_or(chunk.next, |record| record.offset);
        if first > from {
            let lost = first - from;
            let mapping = &self.shared.configured().mapping.id;
            tracing::warn!(
                mapping,
                shard = self.shard,
                from,
                lost,
                "records expired in the source before the function was called with them"
            );
            self.shared.counts.expired(lost);
        }
    }

    /// Whether the open window has ended, and nothing can come any more that arrived in it.
    fn is_over(&self, measured: &Measured) -> bool {
        let now = self.world.env.clock.now();
        let window = measured.window.as_ref();
        window.is_some_and(|window| now >= window.end.plus(WINDOW_GRACE))
    }

    async fn wait_for_more(
        &self,
        measured: &Measured,
        due: Option<Duration>,
        config: &Arc<Configured>,
    ) -> Woken {
        let clock = &*self.world.env.clock;
        let window = measured.window.as_ref();
        let over = window.map(|window| window.end.plus(WINDOW_GRACE).since(clock.now()));
        let timer = async {
            match due.into_iter().chain(over).min() {
                Some(wait) => clock.sleep(wait.max(Duration::from_millis(1))).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = self.source.wait(&self.shard, measured.to) => Woken::BySource,
            () = timer => Woken::Otherwise,
            () = self.shared.changed_from(config) => Woken::Otherwise,
            () = self.stopped() => Woken::Otherwise,
        }
    }

    /// Ends a window with its last call, which has no records.
    async fn end_window(
        &self,
        next: u64,
        window: &Window,
        is_early: bool,
    ) -> Result<Option<End>, WorkError> {
        let (mut tries, mut waits) = (0_u32, 0_u32);
        let mut blocked = None;
        loop {
            let config = self.shared.configured();
            let call = WindowCall {
                window,
                is_final: true,
                is_early,
            };
            match self.call(&config, &[], Some(call)).await? {
                Called::Answered(answer) if !answer.failed => break,
                Called::Answered(_) => {
                    self.failed();
                    tries = tries.saturating_add(1);
                }
                Called::Unavailable(problem) => problem.iter().for_each(|it| self.note(it)),
                Called::TooLarge => tries = u32::MAX,
            }
            let settings = &config.mapping.settings;
            let age = self.world.env.clock.now().since(window.end);
            let is_too_old = settings.age().is_some_and(|most| age > most);
            let is_tried = settings.retries.is_some_and(|retries| tries > retries);
            if is_too_old || is_tried || tries == u32::MAX {
                self.warn_of_lost_state(window);
                break;
            }
            waits = waits.saturating_add(1);
            blocked.get_or_insert_with(|| self.blocked());
            if self.stops_within(wait_before(waits), &config).await {
                return Ok(Some(End::Stopped));
            }
        }
        self.advance(next, None).await?;
        Ok(None)
    }

    fn warn_of_lost_state(&self, window: &Window) {
        let mapping = &self.shared.configured().mapping.id;
        let (shard, start) = (&self.shard, window.start.0);
        tracing::warn!(mapping, shard, start, "the state of a window is given up");
    }

    /// Calls the function with an event of `records`.
    pub(crate) async fn call(
        &self,
        config: &Arc<Configured>,
        records: &[SourceRecord],
        window: Option<WindowCall<'_>>,
    ) -> Result<Called, WorkError> {
        let mapping = &config.mapping;
        let no_answer = |error: HandlerError| match error {
            HandlerError::Throttled => Called::Unavailable(None),
            HandlerError::TooLarge => Called::TooLarge,
            error => Called::Unavailable(Some(error.to_string())),
        };
        let role = match self.world.handlers.role(&mapping.function).await {
            Ok(role) => role,
            Err(error) => return Ok(no_answer(error)),
        };
        let whole;
        let window = match window {
            Some(call) => {
                let window = call.window.clone();
                whole = self.progress.whole(&self.world.store, window).await?;
                let window = &whole;
                Some(WindowCall { window, ..call })
            }
            None => None,
        };
        let frame = Frame {
            mapping,
            source: &*self.source,
            shard: &self.shard,
            role: &role,
            window,
        };
        let event = event(&frame, records);
        match self.world.handlers.call(&mapping.function, event).await {
            Ok(answer) => {
                self.shared.counts.called(answer.failed);
                Ok(Called::Answered(answer))
            }
            Err(error) => Ok(no_answer(error)),
        }
    }

    /// Moves the lane's checkpoint.
    pub(crate) async fn advance(
        &self,
        next: u64,
        window: Option<Window>,
    ) -> Result<(), CatalogError> {
        let lane = self.number as usize;
        let store = &self.world.store;
        self.progress.advance(store, lane, next, window).await
    }

    /// Whether the lane is to stop: it was told to, or will be, since the mapping rests or is gone.
    pub(crate) fn is_stopped(&self) -> bool {
        *self.stop.borrow() || !self.shared.configured().works()
    }

    /// Returns once the lane is to stop.
    async fn stopped(&self) {
        // An error means that the worker is gone, and with it whoever would ask this lane.
        let _ = self.stop.clone().wait_for(|stop| *stop).await;
    }

    /// Waits, but no longer than until the mapping is configured otherwise than by `config`; whether the lane is to stop.
    pub(crate) async fn stops_within(&self, wait: Duration, config: &Arc<Configured>) -> bool {
        tokio::select! {
            () = self.stopped() => {}
            () = self.shared.changed_from(config) => {}
            () = self.world.env.clock.sleep(wait) => {}
        }
        self.is_stopped()
    }

    /// Notes that the lane does not come on, until the guard is dropped.
    pub(crate) fn blocked(&self) -> Blocked<'_> {
        let now = self.world.env.clock.now();
        self.shared.counts.blocked(now, Some(&self.shard))
    }

    /// Tells why the lane does not come on.
    pub(crate) fn note(&self, problem: &str) {
        let mapping = &self.shared.configured().mapping.id;
        tracing::warn!(mapping, shard = self.shard, problem, "a mapping waits");
        self.shared.note(LastResult::Problem(problem.to_owned()));
    }

    /// Tells that the function failed.
    pub(crate) fn failed(&self) {
        // AWS's text.
        self.note("Function call failed");
    }
}

/// How long is waited before a batch is called with again that was called with so often.
pub(crate) fn wait_before(tries: u32) -> Duration {
    RETRY_WAIT_MIN
        .saturating_mul(1 << tries.saturating_sub(1).min(16))
        .min(RETRY_WAIT_MAX)
}
