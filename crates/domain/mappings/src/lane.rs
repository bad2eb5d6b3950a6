//! A lane: one shard, or some keys of it, read in order and called with batch by batch.
//!
//! First it is measured how far a batch goes, without keeping what is read; then the batch is read, and called with until
//! it is done or given up. How far it is is durable before the next batch.

use std::{sync::Arc, time::Duration};

use headwater_catalog::CatalogError;
use headwater_log::{Source, SourceChunk, SourceError, SourceLimit, SourceRecord};

use crate::{
    batch::Span,
    filter::lane_of,
    limits::{
        READ_BYTES_MAX, READ_RECORDS_MAX, RETRY_WAIT_MAX, RETRY_WAIT_MIN, WINDOW_GRACE,
        WINDOW_STATE_BYTES_MAX,
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
    /// The mapping as it was configured when the lane was made.
    pub begun: Arc<Configured>,
    pub source: Arc<dyn Source>,
    pub shard: String,
    pub progress: Arc<ShardProgress>,
    pub number: u32,
    pub of: u32,
    /// Where it is to end, if it is.
    pub until: Option<u64>,
}

/// What came of a call.
pub(crate) enum Called {
    /// The function answered.
    Answered(Answer),
    /// It has no room now.
    Busy,
    /// It takes no event so large.
    TooLarge,
}

impl Lane {
    /// Works until it is asked to stop or the shard is drained; what goes wrong is tried again.
    pub async fn run(self) -> (String, End) {
        let mut wait = Duration::ZERO;
        loop {
            match self.step().await {
                Ok(None) => wait = Duration::ZERO,
                Ok(Some(end)) => return (self.shard, end),
                Err(error) => {
                    wait = (wait * 2).clamp(RETRY_WAIT_MIN, RETRY_WAIT_MAX);
                    self.note(&error.to_string());
                    if self.stops_within(wait).await {
                        return (self.shard, End::Stopped);
                    }
                }
            }
        }
    }

    /// One batch, from the search for its end to the checkpoint behind it.
    async fn step(&self) -> Result<Option<End>, WorkError> {
        let (from, window) = self.progress.of(self.number as usize).await;
        if self.until.is_some_and(|until| from >= until) {
            return Ok(Some(End::Level));
        }
        let has_windows = self.begun.mapping.settings.tumbling_s.is_some();
        if let Some(window) = &window
            && (window.state.len() > WINDOW_STATE_BYTES_MAX || !has_windows)
        {
            return self.end_window(from, window, true).await;
        }
        let measured = match self.measure(from, window.as_ref()).await {
            Ok(Some(measured)) => measured,
            Ok(None) => return Ok(Some(End::Stopped)),
            // It expired since it was listed; what it had is gone, and its children go on.
            Err(SourceError::NotFound(what)) => {
                tracing::warn!(shard = self.shard, what, "a shard of the source is gone");
                return Ok(Some(End::Drained));
            }
            Err(error) => return Err(error.into()),
        };
        let Measured { to, records, .. } = measured;
        if records > 0 {
            return self
                .work_through(Span { from, to, tries: 0 }, measured.window)
                .await;
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
        let mut measured = Measured::from(from, self.until, open.cloned());
        loop {
            let config = self.shared.configured();
            if !self.begun.suits(&config) {
                return Ok(None);
            }
            let limit = self.limit(&config, &measured);
            let chunk = self.source.read(&self.shard, measured.to, limit).await?;
            let (end, ended) = (chunk.end, chunk.ended);
            measured = self.take(measured, chunk, &config).await;
            if measured.reach != Reach::Open {
                return Ok(Some(measured));
            }
            if measured.to < end {
                if measured.passes_over_too_many(from) {
                    return Ok(Some(measured));
                }
                continue;
            }
            if ended {
                measured.reach = Reach::ShardEnd;
                return Ok(Some(measured));
            }
            let due = measured.due_in(config.mapping.settings.window(), &*self.world.env.clock);
            if due == Some(Duration::ZERO) {
                return Ok(Some(measured));
            }
            // Records of a window do not wait for more once its time is over.
            if self.is_over(&measured) {
                measured.reach = Reach::WindowOver;
                return Ok(Some(measured));
            }
            self.wait_for_more(&measured, due).await;
        }
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
            bytes: READ_BYTES_MAX,
        }
    }

    /// Adds a chunk to what is measured, away from the asynchronous threads where each record is looked into.
    async fn take(
        &self,
        mut measured: Measured,
        chunk: SourceChunk,
        config: &Arc<Configured>,
    ) -> Measured {
        let tumbling = config.mapping.settings.tumbling();
        let batch_size = config.mapping.settings.batch_size as usize;
        let now = self.world.env.clock.elapsed();
        let is_cheap = config.filters.is_empty();
        let (shard, config) = (self.shard.clone(), config.clone());
        let (number, of) = (self.number, self.of);
        let work = move || {
            let is_mine = |record: &SourceRecord| {
                lane_of(&record.partition_key, of) == number
                    && config.filters.match_record(&shard, record)
            };
            measured.take(&chunk, batch_size, tumbling, now, is_mine);
            measured
        };
        match is_cheap {
            true => work(),
            false => self.world.env.blocking(work).await,
        }
    }

    /// Whether the open window has ended, and nothing can come any more that arrived in it.
    fn is_over(&self, measured: &Measured) -> bool {
        let now = self.world.env.clock.now();
        let window = measured.window.as_ref();
        window.is_some_and(|window| now >= window.end.plus(WINDOW_GRACE))
    }

    async fn wait_for_more(&self, measured: &Measured, due: Option<Duration>) {
        let clock = &*self.world.env.clock;
        let window = measured.window.as_ref();
        let over = window.map(|window| window.end.plus(WINDOW_GRACE).since(clock.now()));
        let timer = async {
            match due.into_iter().chain(over).min() {
                Some(wait) => clock.sleep(wait.max(Duration::from_millis(1))).await,
                None => std::future::pending().await,
            }
        };
        let mut config = self.shared.config.subscribe();
        tokio::select! {
            () = self.source.wait(&self.shard, measured.to) => {}
            () = timer => {}
            _ = config.changed() => {}
        }
    }

    /// Ends a window with its last call, which has no records.
    async fn end_window(
        &self,
        next: u64,
        window: &Window,
        is_early: bool,
    ) -> Result<Option<End>, WorkError> {
        let mut tries = 0;
        loop {
            let config = self.shared.configured();
            if !self.begun.suits(&config) {
                return Ok(Some(End::Stopped));
            }
            let call = WindowCall {
                window,
                is_final: true,
                is_early,
            };
            match self.call(&config, &[], Some(call)).await? {
                Called::Answered(answer) if !answer.failed => break,
                Called::Answered(_) => {
                    self.failed();
                    tries += 1;
                }
                Called::Busy => {}
                Called::TooLarge => tries = u32::MAX,
            }
            let retries = config.mapping.settings.retries;
            if retries.is_some_and(|retries| tries > retries) {
                let (id, start) = (&config.mapping.id, window.start.0);
                tracing::warn!(
                    mapping = id,
                    shard = self.shard,
                    start,
                    "the state of a window is given up"
                );
                break;
            }
            if self.stops_within(wait_before(tries)).await {
                return Ok(Some(End::Stopped));
            }
        }
        self.advance(next, None).await?;
        Ok(None)
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
            HandlerError::Throttled => Ok(Called::Busy),
            HandlerError::TooLarge => Ok(Called::TooLarge),
            error => Err(WorkError::Handler(error.to_string())),
        };
        let role = match self.world.handlers.role(&mapping.function).await {
            Ok(role) => role,
            Err(error) => return no_answer(error),
        };
        let frame = Frame {
            mapping,
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
            Err(error) => no_answer(error),
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

    /// Waits; whether the lane is to stop, which ends the wait.
    pub(crate) async fn stops_within(&self, wait: Duration) -> bool {
        let mut config = self.shared.config.subscribe();
        tokio::select! {
            () = self.world.env.clock.sleep(wait) => false,
            stopped = config.wait_for(|now| !self.begun.suits(now)) => stopped.is_ok(),
        }
    }

    /// Tells why the lane does not come on.
    pub(crate) fn note(&self, problem: &str) {
        let id = &self.begun.mapping.id;
        tracing::warn!(mapping = id, shard = self.shard, problem, "a mapping waits");
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
