//! How a shard's records come: asked for again and again, or pushed. Either way one batch at a time, and none before
//! there is room for it.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use futures_util::StreamExt;
use headwater_client::CallError;
use headwater_env::Env;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{
    Reading,
    api::{Pushed, Shard, Source, Stored, Subscription},
    checkpoint::Checkpoint,
};

/// Some records of a shard, in order.
pub(crate) struct Batch {
    pub records: Vec<Stored>,
    /// The shards that follow, when these are the last records of a closed shard.
    pub end: Option<Vec<Shard>>,
    /// Given back when the batch is processed.
    pub _room: OwnedSemaphorePermit,
}

/// The records of one shard.
#[async_trait]
pub(crate) trait Feed: Send {
    /// The next batch; the first one begins at `reached`. After an error it may be asked again.
    async fn next(&mut self, reached: &Checkpoint) -> Result<Batch, CallError>;
}

impl Reading {
    /// How the records of a shard come.
    pub(crate) fn feed(
        &self,
        source: &Arc<dyn Source>,
        shard_id: &str,
        room: &BatchSlots,
        env: &Env,
    ) -> Box<dyn Feed> {
        let (source, shard_id, room) = (source.clone(), shard_id.to_owned(), room.clone());
        match self.clone() {
            Reading::Poll { pause } => Box::new(PollingFeed {
                source,
                shard_id,
                room,
                pause,
                env: env.clone(),
                iterator: None,
                at_tip: false,
            }),
            Reading::FanOut { consumer_arn } => Box::new(FanOutFeed {
                source,
                consumer_arn,
                shard_id,
                room,
                subscription: None,
                behind: None,
            }),
        }
    }
}

/// Slots for batches in memory, which all shards of a consumer share.
pub(crate) type BatchSlots = Arc<Semaphore>;

async fn take(room: &BatchSlots) -> OwnedSemaphorePermit {
    room.clone()
        .acquire_owned()
        .await
        .expect("the semaphore is never closed")
}

/// GetRecords, with a pause whenever the shard's tip is reached.
struct PollingFeed {
    source: Arc<dyn Source>,
    shard_id: String,
    room: BatchSlots,
    pause: Duration,
    env: Env,
    iterator: Option<String>,
    at_tip: bool,
}

#[async_trait]
impl Feed for PollingFeed {
    async fn next(&mut self, reached: &Checkpoint) -> Result<Batch, CallError> {
        if std::mem::take(&mut self.at_tip) {
            self.env.clock.sleep(self.pause).await;
        }
        // Before the read: a page is in memory once it is answered.
        let room = take(&self.room).await;
        let iterator = match self.iterator.take() {
            Some(iterator) => iterator,
            None => {
                let from = reached
                    .position()
                    .expect("a shard that is processed is not read");
                self.source.iterator(&self.shard_id, &from).await?
            }
        };
        let page = self.source.read(&iterator).await;
        if page
            .as_ref()
            .is_err_and(|error| error.code != "ExpiredIteratorException")
        {
            self.iterator = Some(iterator);
        }
        let page = page?;
        self.at_tip = page.at_tip;
        let end = page.next.is_none().then_some(page.children);
        self.iterator = page.next;
        Ok(Batch {
            records: page.records,
            end,
            _room: room,
        })
    }
}

/// SubscribeToShard, again and again: a subscription ends after five minutes, or when its connection does.
struct FanOutFeed {
    source: Arc<dyn Source>,
    consumer_arn: String,
    shard_id: String,
    room: BatchSlots,
    subscription: Option<Subscription>,
    /// Behind which sequence number the next subscription begins, once something was pushed.
    behind: Option<String>,
}

#[async_trait]
impl Feed for FanOutFeed {
    async fn next(&mut self, reached: &Checkpoint) -> Result<Batch, CallError> {
        loop {
            let is_new = self.subscription.is_none();
            let mut subscription = match self.subscription.take() {
                Some(subscription) => subscription,
                None => self.subscribe(reached).await?,
            };
            // Without room before the wait: a quiet shard waits long, and others have use for it.
            match subscription.next().await {
                Some(pushed) => {
                    let Pushed {
                        records,
                        continuation,
                        children,
                    } = pushed?;
                    let room = take(&self.room).await;
                    self.subscription = Some(subscription);
                    let end = continuation.is_none().then_some(children);
                    self.behind = continuation.or(self.behind.take());
                    return Ok(Batch {
                        records,
                        end,
                        _room: room,
                    });
                }
                // Else an endpoint that ends each at once would be asked without a pause.
                None if is_new => {
                    return Err(CallError::unreadable(
                        "a subscription ended without an event",
                    ));
                }
                None => {}
            }
        }
    }
}

impl FanOutFeed {
    async fn subscribe(&mut self, reached: &Checkpoint) -> Result<Subscription, CallError> {
        let from = match &self.behind {
            Some(number) => crate::Position::After(number.clone()),
            None => reached
                .position()
                .expect("a shard that is processed is not read"),
        };
        tracing::debug!(shard = self.shard_id, ?from, "subscribing");
        self.source
            .subscribe(&self.consumer_arn, &self.shard_id, &from)
            .await
    }
}
