//! One shard, from its lease's checkpoint to its end or the lease's.

use std::{pin::pin, sync::Arc, time::Duration};

use futures_util::future::{Either, select};
use headwater_env::Env;
use headwater_types::HashRange;
use headwater_wire::client::CallError;
use tokio::sync::{Semaphore, watch};

use crate::{
    api::{Page, Source},
    checkpoint::{Checkpoint, Place},
    held::{Checkpointer, Held},
    limits::{PAUSE_MAX, PAUSE_MIN},
    process::{Process, Record},
    unpack::unpack,
};

/// What a consumer tells its readers; that nobody can tell any more means to stop where they are.
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
    /// The shard is processed to its end.
    Finished,
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
    pub held: Arc<Held>,
    pub process: Box<dyn Process>,
    pub checkpointer: Checkpointer,
    /// One permit a page.
    pub pages: Arc<Semaphore>,
    pub poll: Duration,
    pub range: HashRange,
    /// Up to where records were given.
    pub reached: Checkpoint,
    pub iterator: Option<String>,
    pub signals: watch::Receiver<Signal>,
    pub env: Env,
}

impl Reader {
    /// Reads until there is a reason to end, and ends in order.
    pub async fn run(mut self) {
        let end = self.read_on().await;
        tracing::debug!(shard = self.held.key(), ?end, "a shard's reader ends");
        let told = match end {
            End::Finished => self.held.finish().await.map_err(|e| e.to_string()),
            End::Drained => {
                let stopped = self.process.stopped(&self.checkpointer).await.map_err(|e| e.to_string());
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
            tracing::warn!(shard = self.held.key(), problem, "the lease expires by itself");
        }
    }

    async fn read_on(&mut self) -> End {
        let mut pause = PAUSE_MIN;
        loop {
            let wait = match self.unless_told(Self::page).await {
                Err(end) => return end,
                Ok(Ok((page, _room))) => {
                    pause = PAUSE_MIN;
                    match self.take(page).await {
                        Ok(at_tip) => {
                            if at_tip {
                                self.poll
                            } else {
                                Duration::ZERO
                            }
                        }
                        Err(end) => return end,
                    }
                }
                Ok(Err(error)) => {
                    if self.has_expired(&error).await {
                        return self.end().await;
                    }
                    tracing::debug!(shard = self.held.key(), %error, "a shard could not be read");
                    pause = (pause * 2).min(PAUSE_MAX);
                    pause / 2
                }
            };
            if let Err(end) = self.unless_told(async |reader| reader.env.clock.sleep(wait).await).await {
                return end;
            }
        }
    }

    /// Does some waiting, unless there is a reason to end first.
    async fn unless_told<T>(&mut self, work: impl AsyncFnOnce(&mut Self) -> T) -> Result<T, End> {
        let mut signals = self.signals.clone();
        let told = async {
            match signals.wait_for(|signal| *signal != Signal::Run).await.map(|signal| *signal) {
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

    /// The next page, once there is room for it.
    async fn page(&mut self) -> Result<(Page, tokio::sync::OwnedSemaphorePermit), CallError> {
        let room = self.pages.clone().acquire_owned().await.expect("the semaphore is never closed");
        let iterator = match &self.iterator {
            Some(iterator) => iterator.clone(),
            None => {
                let from = self.reached.position().expect("a shard that is processed is not read");
                self.source.iterator(self.held.key(), &from).await?
            }
        };
        let page = self.source.read(&iterator).await;
        if page.as_ref().is_err_and(|error| error.code == "ExpiredIteratorException") {
            self.iterator = None;
        } else {
            self.iterator = Some(iterator);
        }
        Ok((page?, room))
    }

    /// Has a page processed; whether the shard's tip is reached.
    async fn take(&mut self, page: Page) -> Result<bool, End> {
        let Page { records, next, at_tip } = page;
        let mut users = Vec::new();
        let mut last = None;
        for stored in records {
            let (some, place) = unpack(stored, self.range, &self.reached);
            users.extend(some);
            last = Some(place);
        }
        if let Some(last) = last {
            self.give(users, last).await?;
        }
        match next {
            Some(_) => self.iterator = next,
            None => return Err(self.end().await),
        }
        Ok(at_tip)
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
    async fn end(&mut self) -> End {
        match self.process.ended(&self.checkpointer).await {
            _ if self.held.is_lost() => End::Lost,
            Ok(()) => End::Finished,
            Err(error) => {
                tracing::warn!(shard = self.held.key(), %error, "the end of a shard was not processed");
                End::Failed
            }
        }
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
