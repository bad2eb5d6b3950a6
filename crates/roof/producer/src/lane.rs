//! A lane: takes what waits, makes one call at a time, and does not go on before each of its records is done.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use headwater_client::CallError;
use headwater_env::Env;
use headwater_types::{HashRange, Millis};
use tokio::sync::mpsc;

use crate::{
    Options, Placed, PutError, Queued, Refused, Stream,
    batch::{self, Waiting},
    limits::{
        AGGREGATED_RECORDS_MAX, CALL_BYTES_MAX, CALL_RECORDS_MAX, PAUSE_AFTER_PROGRESS, PAUSE_MAX,
        PAUSE_MIN, SETTLE_FACTOR_AFTER_TIMEOUT,
    },
    read_back::Search,
    shards::Shards,
    stats::{Counters, add},
};

/// Bytes that the aggregated format may add to a record.
const AGGREGATION_OVERHEAD_BYTES: usize = 32;

/// Errors that may be one record's fault and not the call's.
const RECORD_ERRORS: [&str; 3] = [
    "ValidationException",
    "InvalidArgumentException",
    "SerializationException",
];

/// One lane's state.
pub(crate) struct Lane {
    stream: Arc<dyn Stream>,
    shards: Arc<Shards>,
    counters: Arc<Counters>,
    options: Options,
    env: Env,
    /// Taken from the queue, but it did not fit the last call.
    held: Option<Queued>,
    /// The last sequence number known in each shard that this lane wrote to.
    last: HashMap<String, String>,
    /// Stored where no reader takes them; to be put again before anything else is.
    misplaced: Vec<Queued>,
}

/// How a call went.
enum Step {
    /// Go on with these after a pause.
    Again(Vec<Waiting>, PutError),
    /// None of these can be put.
    Never(Vec<Waiting>, PutError),
    /// One of these cannot be put: find out which.
    Halve(Vec<Waiting>, PutError),
}

impl Lane {
    pub fn new(
        stream: Arc<dyn Stream>,
        shards: Arc<Shards>,
        counters: Arc<Counters>,
        options: Options,
        env: Env,
    ) -> Self {
        Self {
            stream,
            shards,
            counters,
            options,
            env,
            held: None,
            last: HashMap::new(),
            misplaced: vec![],
        }
    }

    /// Sends what comes until the producer is dropped and all is sent.
    pub async fn run(mut self, mut queue: mpsc::Receiver<Queued>) {
        while let Some(taken) = self.gather(&mut queue).await {
            self.send_all(taken).await;
        }
    }

    /// Sends records call by call; what an older list of shards has misplaced comes again behind its call.
    async fn send_all(&mut self, queued: Vec<Queued>) {
        let mut calls = VecDeque::from(self.calls(queued));
        while let Some(call) = calls.pop_front() {
            self.send(call).await;
            let misplaced = std::mem::take(&mut self.misplaced);
            if !misplaced.is_empty() {
                self.calls(misplaced)
                    .into_iter()
                    .rev()
                    .for_each(|call| calls.push_front(call));
            }
        }
    }

    fn calls(&self, queued: Vec<Queued>) -> Vec<Vec<Waiting>> {
        match self.options.aggregate {
            true => batch::aggregated(queued, &self.shards.last_open()),
            false => batch::plain(queued),
        }
    }

    /// Records for one call: at least one, and those that come within the time to linger; none at the end.
    async fn gather(&mut self, queue: &mut mpsc::Receiver<Queued>) -> Option<Vec<Queued>> {
        let first = match self.held.take() {
            Some(held) => held,
            None => queue.recv().await?,
        };
        let (records_max, overhead) = match self.options.aggregate {
            true => (AGGREGATED_RECORDS_MAX, AGGREGATION_OVERHEAD_BYTES),
            false => (CALL_RECORDS_MAX, 0),
        };
        let mut bytes = first.entry.bytes() + overhead;
        let mut taken = vec![first];
        let mut lingered = self.env.clock.sleep(self.options.linger);
        while taken.len() < records_max {
            let next = tokio::select! {
                biased;
                next = queue.recv() => next,
                () = &mut lingered => None,
            };
            let Some(next) = next else { break };
            bytes += next.entry.bytes() + overhead;
            if bytes > CALL_BYTES_MAX {
                self.held = Some(next);
                break;
            }
            taken.push(next);
        }
        Some(taken)
    }

    /// Sends a call's entries until each is stored or given up.
    async fn send(&mut self, waiting: Vec<Waiting>) {
        let mut batches = vec![waiting];
        while let Some(mut batch) = batches.pop() {
            let mut backoff = Backoff::new(self.env.clone(), self.options.retry_for);
            while !batch.is_empty() {
                let count = batch.len();
                match self.step(batch, &mut backoff).await {
                    Step::Again(rest, problem) => {
                        if rest.len() < count {
                            backoff.progress();
                        }
                        batch = rest;
                        if !batch.is_empty() && !backoff.pause().await {
                            self.give_up(std::mem::take(&mut batch), &problem);
                        }
                        add(&self.counters.retried, batch.len());
                    }
                    Step::Halve(mut rest, _) if rest.len() > 1 => {
                        batches.push(rest.split_off(rest.len() / 2));
                        batch = rest;
                    }
                    Step::Halve(rest, problem) | Step::Never(rest, problem) => {
                        self.give_up(rest, &problem);
                        batch = Vec::new();
                    }
                }
            }
        }
    }

    /// One call, and what is left to do after it.
    async fn step(&mut self, waiting: Vec<Waiting>, backoff: &mut Backoff) -> Step {
        let entries: Vec<_> = waiting.iter().map(|w| w.entry().clone()).collect();
        let began = self.env.clock.now();
        add(&self.counters.calls, 1);
        let error = match self.stream.put(&entries).await {
            Ok(outcomes) if outcomes.len() == entries.len() => {
                return self.settle(waiting, outcomes).await;
            }
            Ok(_) => CallError::unreadable("the answer has not one outcome for each record"),
            Err(error) => error,
        };
        tracing::debug!(%error, entries = entries.len(), "a put failed");
        let problem = failed(&error.code, &error.message);
        let lost = error.unclear || error.status.is_some_and(|status| status >= 500);
        if lost && self.options.read_back {
            let settle = match error.code == CallError::TIMEOUT {
                true => self.options.settle * SETTLE_FACTOR_AFTER_TIMEOUT,
                false => self.options.settle,
            };
            self.env.clock.sleep(settle).await;
            self.look(waiting, began, problem, backoff).await
        } else if lost || error.retryable {
            Step::Again(waiting, problem)
        } else if RECORD_ERRORS.contains(&error.code.as_str()) {
            Step::Halve(waiting, problem)
        } else {
            Step::Never(waiting, problem)
        }
    }

    /// Takes the outcomes of a call that was answered.
    async fn settle(
        &mut self,
        waiting: Vec<Waiting>,
        outcomes: Vec<Result<Placed, Refused>>,
    ) -> Step {
        self.notice(&outcomes).await;
        let mut rest = Vec::new();
        let mut problem = PutError::Closed;
        for (waiting, outcome) in waiting.into_iter().zip(outcomes) {
            match outcome {
                Ok(placed) => self.complete(waiting, &placed).await,
                Err(refused) => {
                    problem = failed(&refused.code, &refused.message);
                    rest.push(waiting);
                }
            }
        }
        Step::Again(rest, problem)
    }

    /// A shard that is not known shows that the list of shards is old.
    async fn notice(&self, outcomes: &[Result<Placed, Refused>]) {
        let new = outcomes
            .iter()
            .flatten()
            .find(|placed| !self.shards.knows(&placed.shard_id));
        if let Some(placed) = new
            && let Err(error) = self.shards.learn(&placed.shard_id).await
        {
            tracing::debug!(%error, "the shards could not be listed");
        }
    }

    /// Finds out which entries of a lost call are stored.
    async fn look(
        &mut self,
        waiting: Vec<Waiting>,
        since: Millis,
        problem: PutError,
        backoff: &mut Backoff,
    ) -> Step {
        let mut search = Search::new(waiting.iter().map(Waiting::entry), since);
        while let Err(error) = search
            .run(&*self.stream, &self.shards, &mut self.last)
            .await
        {
            tracing::debug!(%error, "looking for lost records failed");
            if !backoff.pause().await {
                return Step::Never(waiting, PutError::Unknown(error.to_string()));
            }
        }
        // The endpoint answers again: what it cost to wait for it does not count against the next tries.
        backoff.progress();
        let mut rest = Vec::new();
        for (waiting, found) in waiting.into_iter().zip(search.found()) {
            match found {
                Some(placed) => {
                    add(&self.counters.found, 1);
                    self.complete(waiting, &placed).await;
                }
                None => rest.push(waiting),
            }
        }
        Step::Again(rest, problem)
    }

    /// Ends the puts of an entry that is stored, but for those that are misplaced.
    async fn complete(&mut self, waiting: Waiting, placed: &Placed) {
        remember(&mut self.last, placed);
        let range = match waiting.is_packed() {
            true => self.range_of(&placed.shard_id).await,
            false => Ok(HashRange::ALL),
        };
        match range {
            Ok(range) => self
                .misplaced
                .extend(waiting.complete(placed, range, &self.counters)),
            Err(problem) => self.give_up(vec![waiting], &PutError::Unknown(problem)),
        }
    }

    /// The hash keys of a shard that an answer named; a list may not have it at once.
    async fn range_of(&self, shard_id: &str) -> Result<HashRange, String> {
        let mut backoff = Backoff::new(self.env.clone(), self.options.retry_for);
        loop {
            let problem = match self.shards.learn(shard_id).await {
                Ok(Some(range)) => return Ok(range),
                Ok(None) => format!("it is in {shard_id}, which is not listed"),
                Err(error) => {
                    format!("it is in {shard_id}, and the shards cannot be listed: {error}")
                }
            };
            tracing::debug!(problem, "what was put cannot be told yet");
            if !backoff.pause().await {
                return Err(problem);
            }
        }
    }

    fn give_up(&self, waiting: Vec<Waiting>, problem: &PutError) {
        tracing::error!(error = %problem, entries = waiting.len(), "records are given up");
        for waiting in waiting {
            waiting.fail(problem, &self.counters.failed);
        }
    }
}

/// Keeps the greatest sequence number of a shard. They are decimal numbers without leading zeros.
pub(crate) fn remember(last: &mut HashMap<String, String>, placed: &Placed) {
    let number = &placed.sequence_number;
    match last.get_mut(&placed.shard_id) {
        Some(known) if (known.len(), &*known) < (number.len(), number) => known.clone_from(number),
        Some(_) => {}
        None => drop(last.insert(placed.shard_id.clone(), number.clone())),
    }
}

fn failed(code: &str, message: &str) -> PutError {
    PutError::Failed {
        code: code.to_owned(),
        message: message.to_owned(),
    }
}

/// Pauses that double, with chance in them, until too long has passed without progress.
struct Backoff {
    env: Env,
    limit: Duration,
    since: Duration,
    pause: Duration,
}

impl Backoff {
    fn new(env: Env, limit: Duration) -> Self {
        let since = env.clock.elapsed();
        Self {
            env,
            limit,
            since,
            pause: PAUSE_MIN,
        }
    }

    /// Some were stored. The rest comes again soon, but not so soon that a shard's limit has not moved.
    fn progress(&mut self) {
        self.since = self.env.clock.elapsed();
        self.pause = self.pause.min(PAUSE_AFTER_PROGRESS);
    }

    /// Waits a while; `false` when it is time to give up.
    async fn pause(&mut self) -> bool {
        if self.env.clock.elapsed().saturating_sub(self.since) >= self.limit {
            return false;
        }
        let chance = (self.env.random.next_u64() >> 32) as f64 / f64::from(u32::MAX);
        self.env
            .clock
            .sleep(self.pause.mul_f64(0.5 + chance / 2.0))
            .await;
        self.pause = (self.pause * 2).min(PAUSE_MAX);
        true
    }
}
