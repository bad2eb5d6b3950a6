//! Subscriptions: a shard's records pushed to one consumer as they become durable.
//!
//! A subscription is pulled by the connection that carries it, one event at a time, so a reader that stalls holds
//! one event and nobody else up. Between events it waits for the log, not for a timer. The events that
//! subscribers share are in `fan_out`, their leases in `subscriptions`.

use std::{
    pin::pin,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use headwater_types::{SequenceNumber, ShardIndex};

use crate::{
    Consumer, Error, ReadChunk, Shard, Start, Stream, Streams,
    fan_out::{FanOut, Sent, ShardEvent, ShardFanOut},
    following::Follower,
    limits::{
        MAX_EVENT, SUBSCRIPTION_BYTES, SUBSCRIPTION_LIFE, SUBSCRIPTION_LINGER, SUBSCRIPTION_QUIET,
    },
    subscriptions::Lease,
    throttle::Bucket,
};

/// A consumer's subscription to one shard, of which it is sent a `T` for each event. Dropping it ends it.
pub struct Subscription<T> {
    streams: Arc<Streams>,
    fan_out: Arc<FanOut<T>>,
    /// The subscribers of the same shard, this one among them.
    subscribers: Arc<ShardFanOut<T>>,
    /// Counts what it is sent.
    follower: Follower,
    consumer: Consumer,
    shard: ShardIndex,
    lease: Lease,
    /// The offset that its reader gets next.
    next: u64,
    /// The number of the record before that.
    continuation: SequenceNumber,
    /// The bound of the consumer's throughput; none when limits are off.
    bucket: Option<Bucket>,
    ends: Duration,
    /// When the last event was sent.
    quiet_since: Duration,
    /// The last event, kept while it is waited for the next: others may get it, too.
    kept: Option<Arc<Sent<T>>>,
    /// When it ends, once its last event was sent.
    over: Option<Duration>,
}

/// The outcome of a look at the shard.
enum Look<T> {
    Event(Arc<Sent<T>>),
    /// Nothing yet: to look again after that time, or when the shard or the stream changes.
    Wait {
        at_most: Duration,
        shard: Arc<Shard>,
        for_log: bool,
    },
    End,
}

impl Streams {
    /// Subscribes a consumer to a shard, as one of those that `fan_out` is for.
    pub async fn subscribe<T>(
        self: &Arc<Self>,
        stream: &Stream,
        shard: &Shard,
        consumer: Consumer,
        start: Start,
        fan_out: &Arc<FanOut<T>>,
    ) -> Result<Subscription<T>, Error> {
        let next = self.resolve(stream, shard, start).await?;
        let state = self.state(stream, shard).await?;
        // A reader that starts after a record has seen it; its time plays no part in where a reader goes on.
        let seen = next
            .checked_sub(1)
            .map(|before| shard.sequence(before, state.newest));
        let now = self.env.clock.elapsed();
        let Some(lease) = shard
            .live
            .subscriptions
            .take(&consumer, now, self.options.limits)
        else {
            stream.following(&consumer).refused();
            return Err(subscribed(&consumer, shard.record.index));
        };
        Ok(Subscription {
            streams: self.clone(),
            fan_out: fan_out.clone(),
            subscribers: fan_out.join(shard.number),
            follower: stream.following(&consumer).subscribe(),
            consumer,
            shard: shard.record.index,
            lease,
            next,
            continuation: seen.unwrap_or_else(|| shard.first_sequence()),
            bucket: self.options.limits.then(|| Bucket::of(SUBSCRIPTION_BYTES)),
            ends: now + SUBSCRIPTION_LIFE,
            quiet_since: now,
            kept: None,
            over: None,
        })
    }
}

impl<T: Clone> Subscription<T> {
    /// The next event as it is sent, as soon as there is one; none at the end. Nothing follows an error.
    pub async fn next(&mut self) -> Option<Result<T, Error>> {
        if let Some(end) = self.over {
            self.linger(end).await;
            return None;
        }
        let event = self.wait_for_event().await.transpose();
        let now = self.streams.env.clock.elapsed();
        self.over = match &event {
            Some(Ok(event)) if !event.is_end => None,
            Some(Ok(_)) => Some(self.ends.min(now + SUBSCRIPTION_LINGER)),
            Some(Err(_)) => {
                self.follower.failed();
                Some(now)
            }
            None => Some(now),
        };
        event.map(|event| event.map(|event| event.made.clone()))
    }

    /// Waits behind the last event until `end`, or until nobody gains by that.
    async fn linger(&mut self, end: Duration) {
        let streams = self.streams.clone();
        loop {
            // Registered before the look, so that no change falls between the two.
            let mut changed = pin!(streams.changed.notified());
            changed.as_mut().enable();
            let left = end.saturating_sub(streams.env.clock.elapsed());
            let is_closing = streams.closing.load(Ordering::Acquire);
            if left.is_zero() || is_closing || self.lease.is_taken_over() {
                return;
            }
            tokio::select! {
                () = changed => {}
                () = self.lease.taken_over() => {}
                () = streams.env.clock.sleep(left) => {}
            }
        }
    }

    async fn wait_for_event(&mut self) -> Result<Option<Arc<Sent<T>>>, Error> {
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
                () = self.lease.taken_over() => {}
                () = streams.env.clock.sleep(at_most) => {}
            }
        }
    }

    async fn look(&mut self) -> Result<Look<T>, Error> {
        let now = self.streams.env.clock.elapsed();
        if now >= self.ends || self.streams.closing.load(Ordering::Acquire) {
            return Ok(Look::End);
        }
        let stream = self.stream()?;
        if self.lease.is_taken_over() {
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
        if let Some(event) = self.subscribers.shared(self.next, now) {
            return Ok(Look::Event(self.got(event, now)));
        }
        let chunk = self
            .streams
            .read_unlimited(&stream, &shard, self.next, MAX_EVENT)
            .await?;
        let sealed = chunk.state.sealed;
        let next = chunk.next;
        if let Some(event) = self.event(&stream, &shard, chunk, now) {
            let has_records = !event.records.is_empty();
            let event = Arc::new(self.fan_out.make(event, self.next, next, now));
            let are_several = Arc::strong_count(&self.subscribers) > 1;
            self.kept = (are_several && has_records).then(|| event.clone());
            if let Some(kept) = &self.kept {
                self.subscribers.share(kept);
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

    /// The event to send of what was read, if any.
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
        })
    }

    /// Goes on behind an event.
    fn got(&mut self, event: Arc<Sent<T>>, now: Duration) -> Arc<Sent<T>> {
        self.quiet_since = now;
        self.next = event.next;
        self.continuation = event.continuation.unwrap_or(self.continuation);
        self.follower
            .got(event.records, event.bytes, event.millis_behind);
        if let Some(bucket) = &mut self.bucket {
            bucket.take(event.bytes as f64);
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
