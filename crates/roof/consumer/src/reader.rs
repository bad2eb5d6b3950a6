//! One shard, from its lease's checkpoint to its end or the lease's.

use std::{pin::pin, sync::Arc};

use futures_util::future::{Either, select};
use headwater_client::CallError;
use headwater_env::Env;
use headwater_types::HashRange;
use tokio::sync::watch;

use crate::{
    api::{Shard, Source},
    checkpoint::{Checkpoint, Place},
    feed::{Batch, Feed},
    held_lease::{Checkpointer, HeldLease},
    limits::{PAUSE_MAX, PAUSE_MIN},
    process::{Process, Record},
    unpack::unpack,
};

/// The order that a consumer gives its readers; once the sender is gone, they stop where they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signal {
    /// Go on.
    Run,
    /// Come to an end and give the lease back.
    Drain,
    /// The lease is another's.
    Lost,
}

/// Why a reader ends.
#[derive(Debug, PartialEq, Eq)]
enum End {
    /// The shard is processed to its end; these follow.
    Finished(Vec<Shard>),
    /// The consumer shuts down.
    Drained,
    /// The lease is another's.
    Lost,
    /// The processing failed.
    Failed,
    /// The consumer is gone.
    Abandoned,
}

/// Reads a shard and has it processed.
pub(crate) struct Reader {
    pub source: Arc<dyn Source>,
    pub held: Arc<HeldLease>,
    pub feed: Box<dyn Feed>,
    pub process: Box<dyn Process>,
    pub checkpointer: Checkpointer,
    pub range: HashRange,
    /// Up to where records were given.
    pub reached: Checkpoint,
    pub signals: watch::Receiver<Signal>,
    pub env: Env,
}

impl Reader {
    /// Reads until there is a reason to end, and ends in order.
    pub async fn run(mut self) {
        let end = self.read_on().await;
        tracing::debug!(shard = self.held.key(), ?end, "a shard's reader ends");
        let told = match end {
            End::Finished(children) => self.held.finish(&children).await.map_err(|e| e.to_string()),
            End::Drained => {
                let stopped = self
                    .process
                    .stopped(&self.checkpointer)
                    .await
                    .map_err(|e| e.to_string());
                stopped.and(self.held.release().await.map_err(|e| e.to_string()))
            }
            End::Failed => self.held.release().await.map_err(|e| e.to_string()),
            End::Lost => {
                self.process.lost().await;
                Ok(())
            }
            End::Abandoned => Ok(()),
        };
        if let Err(problem) = told {
            tracing::warn!(
                shard = self.held.key(),
                problem,
                "the lease expires by itself"
            );
        }
    }

    async fn read_on(&mut self) -> End {
        let mut pause = PAUSE_MIN;
        loop {
            let next = self
                .unless_told(async |reader| reader.feed.next(&reader.reached).await)
                .await;
            let went = match next {
                Ok(Ok(batch)) => {
                    pause = PAUSE_MIN;
                    self.take(batch).await
                }
                Ok(Err(error)) => self.failed(error, &mut pause).await,
                Err(end) => Err(end),
            };
            if let Err(end) = went {
                return end;
            }
        }
    }

    /// Does some waiting, unless there is a reason to end first.
    async fn unless_told<T>(&mut self, work: impl AsyncFnOnce(&mut Self) -> T) -> Result<T, End> {
        let mut signals = self.signals.clone();
        let told = async {
            match signals
                .wait_for(|signal| *signal != Signal::Run)
                .await
                .map(|signal| *signal)
            {
                Ok(Signal::Drain) => End::Drained,
                Ok(_) => End::Lost,
                Err(_) => End::Abandoned,
            }
        };
        match select(pin!(told), pin!(work(self))).await {
            Either::Left((end, _)) => Err(end),
            Either::Right((done, _)) => Ok(done),
        }
    }

    /// Has a batch processed, and the shard's end where it is reached.
    async fn take(&mut self, batch: Batch) -> Result<(), End> {
        let mut users = Vec::new();
        let mut last = None;
        self.held
            .count(batch.records.iter().map(|stored| stored.data.len()).sum());
        for stored in batch.records {
            let (some, place) = unpack(stored, self.range, &self.reached);
            users.extend(some);
            last = Some(place);
        }
        if let Some(last) = last {
            self.give(users, last).await?;
        }
        match batch.end {
            Some(children) => Err(self.end(children).await),
            None => Ok(()),
        }
    }

    async fn give(&mut self, users: Vec<Record>, last: Place) -> Result<(), End> {
        if !self.held.is_mine() {
            return Err(End::Lost);
        }
        // The record of a checkpoint is read again: then the last one may lie before it.
        let covered = self.reached.covers(&last);
        if !covered {
            self.checkpointer.give(last.clone());
        }
        if !users.is_empty() {
            self.processed(users).await?;
        }
        if !covered {
            self.reached = Checkpoint::At(last);
        }
        Ok(())
    }

    async fn processed(&mut self, users: Vec<Record>) -> Result<(), End> {
        let outcome = self.process.records(users, &self.checkpointer).await;
        match outcome {
            _ if self.held.is_lost() => Err(End::Lost),
            Ok(()) => Ok(()),
            Err(error) => {
                tracing::warn!(shard = self.held.key(), %error, "records were not processed and will come again");
                Err(End::Failed)
            }
        }
    }

    /// All records of the shard were given.
    async fn end(&mut self, children: Vec<Shard>) -> End {
        match self.process.ended(&self.checkpointer).await {
            _ if self.held.is_lost() => End::Lost,
            Ok(()) => End::Finished(children),
            Err(error) => {
                tracing::warn!(shard = self.held.key(), %error, "the end of a shard was not processed");
                End::Failed
            }
        }
    }

    /// Waits before the shard is read again, longer each time; ends when the shard is gone.
    async fn failed(
        &mut self,
        error: CallError,
        pause: &mut std::time::Duration,
    ) -> Result<(), End> {
        if self.has_expired(&error).await {
            return Err(self.end(Vec::new()).await);
        }
        let shard = self.held.key();
        if error.retryable || PASSING.contains(&error.code.as_str()) {
            tracing::debug!(shard, %error, "a shard could not be read; trying again");
        } else {
            tracing::warn!(shard, %error, "a shard cannot be read; trying again");
        }
        let wait = *pause;
        *pause = (wait * 2).min(PAUSE_MAX);
        self.unless_told(async |reader| reader.env.clock.sleep(wait).await)
            .await
    }

    /// Whether the shard is gone with all of its records, while its stream is there.
    async fn has_expired(&mut self, error: &CallError) -> bool {
        if error.code != "ResourceNotFoundException" {
            return false;
        }
        let listed = self.source.shards().await;
        listed.is_ok_and(|shards| shards.iter().all(|shard| shard.id != self.held.key()))
    }
}

/// Errors that belong to the work: an iterator grew old, or the lease's holder before is subscribed for a few seconds
/// more.
const PASSING: [&str; 2] = ["ExpiredIteratorException", "ResourceInUseException"];
