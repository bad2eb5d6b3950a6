//! Subscriptions: a shard's records pushed to one consumer as they become durable.
//!
//! A subscription is pulled by the connection that carries it, one event at a time, so a reader that stalls holds
//! one event and nobody else up. Between events it waits for the log, not for a timer. Those who come to the same place
//! of a shard at the same time get the same event, so that it is read and written once for all of them.

use std::{
    any::Any,
    pin::pin,
    sync::{Arc, OnceLock, atomic::Ordering},
    time::Duration,
};

use headwater_types::{SequenceNumber, ShardIndex};

use crate::{
    Consumer, Error, ReadChunk, ReadRecord, Shard, Start, Stream, Streams,
    limits::{MAX_EVENT, SUBSCRIPTION_BYTES, SUBSCRIPTION_LIFE, SUBSCRIPTION_QUIET},
    subscriptions::Seat,
    throttle::Bucket,
};

/// What a subscriber is sent.
pub struct ShardEvent {
    /// Records, in order; none when there was nothing new for a while, or at the end of the shard.
    pub records: Vec<ReadRecord>,
    /// The last record that the subscriber has seen, to go on after it; none at the end of the shard.
    pub continuation: Option<SequenceNumber>,
    /// How long ago the last record arrived when there are more behind it; 0 when there are none.
    pub millis_behind: u64,
    /// At the end of the shard those that took over.
    pub children: Option<Vec<Arc<Shard>>>,
    /// What a door made of it for the first who got it; the others take that.
    pub translated: OnceLock<Box<dyn Any + Send + Sync>>,
    /// The place in the shard that it was read from, and the one to go on at.
    pub(crate) from: u64,
    next: u64,
    /// When that was.
    pub(crate) made: Duration,
}

/// A consumer's subscription to one shard. Dropping it ends it.
pub struct Subscription {
    streams: Arc<Streams>,
    consumer: Consumer,
    shard: ShardIndex,
    seat: Seat,
    /// What its reader gets next.
    next: u64,
    /// The number of the record before that.
    continuation: SequenceNumber,
    /// What the consumer's throughput lets through; none when limits are off.
    bucket: Option<Bucket>,
    ends: Duration,
    /// When the last event was sent.
    quiet_since: Duration,
    /// The last event, kept while it is waited for the next: others may get it, too.
    shared: Option<Arc<ShardEvent>>,
    is_over: bool,
}

/// What a look at the shard found.
enum Look {
    Event(Arc<ShardEvent>),
    /// Nothing yet: to look again after that time, or when the shard or the stream changes.
    Wait {
        at_most: Duration,
        shard: Arc<Shard>,
        for_log: bool,
    },
    End,
}

impl Streams {
    /// Subscribes a consumer to a shard.
    pub async fn subscribe(
        self: &Arc<Self>,
        stream: &Stream,
        shard: &Shard,
        consumer: Consumer,
        start: Start,
    ) -> Result<Subscription, Error> {
        let next = self.resolve(stream, shard, start).await?;
        let state = self.state(stream, shard)?;
        // Who starts after a record has seen it; its time plays no part in where a reader goes on.
        let seen = next
            .checked_sub(1)
            .map(|before| shard.sequence(before, state.newest));
        let now = self.env.clock.elapsed();
        let Some(seat) = shard
            .live
            .subscriptions
            .take(&consumer, now, self.options.limits)
        else {
            return Err(subscribed(&consumer, shard.record.index));
        };
        Ok(Subscription {
            streams: self.clone(),
            consumer,
            shard: shard.record.index,
            seat,
            next,
            continuation: seen.unwrap_or_else(|| shard.first_sequence()),
            bucket: self.options.limits.then(|| Bucket::of(SUBSCRIPTION_BYTES)),
            ends: now + SUBSCRIPTION_LIFE,
            quiet_since: now,
            shared: None,
            is_over: false,
        })
    }
}

impl Subscription {
    /// The next event, as soon as there is one; none at the end. Nothing follows an error.
    pub async fn next(&mut self) -> Option<Result<Arc<ShardEvent>, Error>> {
        if self.is_over {
            return None;
        }
        let event = self.wait_for_event().await.transpose();
        self.is_over = !matches!(&event, Some(Ok(event)) if event.children.is_none());
        event
    }

    async fn wait_for_event(&mut self) -> Result<Option<Arc<ShardEvent>>, Error> {
        let streams = self.streams.clone();
        loop {
            // Registered before the look, so that no change falls between the two.
            let mut changed = pin!(streams.changed.notified());
            changed.as_mut().enable();
            let (at_most, shard, for_log) = match self.look().await? {
                Look::Event(event) => return Ok(Some(event)),
                Look::End => return Ok(None),
                Look::Wait {
                    at_most,
                    shard,
                    for_log,
                } => (at_most, shard, for_log),
            };
            let grown = async {
                match for_log {
                    true => streams.log.wait(shard.number, self.next).await,
                    false => std::future::pending().await,
                }
            };
            tokio::select! {
                () = grown => {}
                () = changed => {}
                () = self.seat.taken_over() => {}
                () = streams.env.clock.sleep(at_most) => {}
            }
        }
    }

    async fn look(&mut self) -> Result<Look, Error> {
        let now = self.streams.env.clock.elapsed();
        if now >= self.ends || self.streams.closing.load(Ordering::Acquire) {
            return Ok(Look::End);
        }
        let stream = self.stream()?;
        if self.seat.is_taken_over() {
            return Err(subscribed(&self.consumer, self.shard));
        }
        let shard = stream.shard(self.shard)?.clone();
        let paused = self
            .bucket
            .as_mut()
            .map_or(Duration::ZERO, |bucket| bucket.wait(now));
        if !paused.is_zero() {
            let at_most = paused.min(self.ends - now);
            return Ok(Look::Wait {
                at_most,
                shard,
                for_log: false,
            });
        }
        if let Some(event) = shard.live.subscriptions.shared(self.next, now) {
            return Ok(Look::Event(self.got(event, now)));
        }
        let chunk = self
            .streams
            .read_unlimited(&stream, &shard, self.next, MAX_EVENT)
            .await?;
        let sealed = chunk.state.sealed;
        if let Some(event) = self.event(&stream, &shard, chunk, now) {
            let event = Arc::new(event);
            let several = shard.live.subscriptions.are_several() && !event.records.is_empty();
            self.shared = several.then(|| event.clone());
            if several {
                shard.live.subscriptions.share(&event);
            }
            return Ok(Look::Event(self.got(event, now)));
        }
        let at_most = (self.quiet_since + SUBSCRIPTION_QUIET)
            .min(self.ends)
            .saturating_sub(now);
        // The log has no more to say of a sealed shard; its children will show as a change of the stream.
        Ok(Look::Wait {
            at_most,
            shard,
            for_log: !sealed,
        })
    }

    /// What is to be sent of what was read, if anything.
    fn event(
        &self,
        stream: &Stream,
        shard: &Shard,
        chunk: ReadChunk,
        now: Duration,
    ) -> Option<ShardEvent> {
        let read = self.streams.result(shard, chunk);
        let has_records = !read.records.is_empty();
        if !has_records && !read.ended && now < self.quiet_since + SUBSCRIPTION_QUIET {
            return None;
        }
        // The end is an event of its own.
        let children = (read.ended && !has_records).then(|| {
            stream
                .children(shard.record.index)
                .cloned()
                .collect::<Vec<_>>()
        });
        let seen = read
            .records
            .last()
            .map_or(self.continuation, |last| last.sequence);
        Some(ShardEvent {
            continuation: children.is_none().then_some(seen),
            millis_behind: read.millis_behind,
            records: read.records,
            children,
            translated: OnceLock::new(),
            from: self.next,
            next: read.next,
            made: now,
        })
    }

    /// Goes on behind an event.
    fn got(&mut self, event: Arc<ShardEvent>, now: Duration) -> Arc<ShardEvent> {
        self.quiet_since = now;
        self.next = event.next;
        self.continuation = event.continuation.unwrap_or(self.continuation);
        if let Some(bucket) = &mut self.bucket {
            bucket.take(event.records.iter().map(ReadRecord::bytes).sum::<usize>() as f64);
        }
        event
    }

    /// The stream as it is now, if it and the consumer are still those that were meant.
    fn stream(&self) -> Result<Arc<Stream>, Error> {
        let stream = self.streams.get(&self.consumer.stream)?;
        if stream.record.number != self.consumer.number {
            return Err(Error::NoStream(self.consumer.stream.clone()));
        }
        if !stream.knows(&self.consumer) {
            let (stream, consumer) = (self.consumer.stream.clone(), self.consumer.name.clone());
            return Err(Error::NoConsumer { stream, consumer });
        }
        Ok(stream)
    }
}

fn subscribed(consumer: &Consumer, shard: ShardIndex) -> Error {
    Error::Subscribed {
        stream: consumer.stream.clone(),
        consumer: consumer.name.clone(),
        shard,
    }
}
