//! Sends the events of a group to one subscriber: in order by stream, each at least once, with its place in the catalog.
//!
//! Events that wait for a destination are not held in memory but read again. What was sent of them is known until the
//! place is written, so that a destination that takes one stream's events and not another's gets none over and over.

use std::{collections::HashMap, sync::Arc};

use headwater_catalog::{CatalogError, Expect, Table};
use headwater_log::{LogError, ReadLimit, ShardNumber};
use headwater_types::HashKey;

use crate::{
    Destination, Distribution, Error, Event, Pattern, Subscription,
    event::decode,
    followers::{Delivering, Follower, Halt, World},
    limits::{BUNDLE_BYTES_MAX, READ_BYTES, READ_RECORDS, SUBSCRIBED_FOR},
    message::{Bundle, bundles, function_event},
    ports::SendError,
    records::{Group, stream_key},
};

pub(crate) struct Sender {
    world: Arc<World>,
    to: Arc<Delivering>,
    progress: Table<u64>,
    group: String,
    shard: ShardNumber,
    /// The subscription's key in the catalog.
    key: String,
    name: String,
    subscription: Subscription,
    pattern: Pattern,
    /// The first offset that was not sent; none before it was looked up.
    from: Option<u64>,
    /// What was sent behind that, by stream: the last offset.
    sent: HashMap<String, u64>,
    /// The place that the catalog has.
    written: u64,
}

impl Sender {
    pub fn new(
        world: Arc<World>,
        to: Arc<Delivering>,
        progress: Table<u64>,
        group_name: String,
        group: &Group,
        name: String,
        subscription: Subscription,
    ) -> Result<Self, Error> {
        Ok(Self {
            world,
            to,
            progress,
            group: group_name,
            shard: group.shard(),
            key: stream_key(group, &name),
            name,
            pattern: Pattern::parse(&subscription.pattern)?,
            subscription,
            from: None,
            sent: HashMap::new(),
            written: 0,
        })
    }

    /// The first offset that was not sent.
    async fn place(&mut self) -> Result<u64, Halt> {
        if let Some(from) = self.from {
            return Ok(from);
        }
        let found = self.progress.get(&self.key).await;
        let found = found.map_err(|error| Halt::Failed(error.to_string()))?;
        let from = found.ok_or(Halt::Gone)?.value;
        (self.from, self.written) = (Some(from), from);
        Ok(from)
    }

    /// The wanted events of a record, but those that were sent.
    fn wanted(&self, event: &Event) -> bool {
        let is_sent = self.sent.get(&event.stream);
        is_sent.is_none_or(|last| *last < event.offset) && self.pattern.matches(&event.message)
    }

    /// Sends a bundle; one that its destination never takes is passed over, and so is one that waited too long.
    async fn send(&self, bundle: &Bundle) -> Result<(), Halt> {
        let Err(error) = self.try_to_send(bundle).await else {
            return Ok(());
        };
        let now = self.world.env.clock.now();
        let newest = bundle.events.last().map_or(now, |event| event.ingested);
        let is_over = now.since(newest) > SUBSCRIBED_FOR;
        if !is_over && !matches!(error, SendError::Unfit(_)) {
            return Err(Halt::Failed(error.to_string()));
        }
        let (group, subscription, stream) = (&self.group, &self.name, &bundle.stream);
        let events = bundle.events.len();
        tracing::error!(%error, group, subscription, stream, events, "events are left out that a subscriber did not take");
        Ok(())
    }

    async fn try_to_send(&self, bundle: &Bundle) -> Result<(), SendError> {
        let Delivering {
            account,
            destinations,
        } = &*self.to;
        let message = bundle.message(account, &self.group, &self.name);
        let message = message.map_err(|error| SendError::Unfit(error.to_string()))?;
        match &self.subscription.destination {
            Destination::Function(arn) => {
                let event = function_event(&message).into();
                destinations.invoke(arn, &self.group, event).await
            }
            Destination::Stream(arn) => {
                let key = match self.subscription.distribution {
                    Distribution::ByStream => {
                        HashKey::of(format!("{}:{}", self.group, bundle.stream)).to_string()
                    }
                    Distribution::Random => self.world.env.random.uuid(),
                };
                destinations.put(arn, &key, message.into()).await
            }
            Destination::Delivery(arn) => destinations.deliver(arn, message.into()).await,
        }
    }

    /// Notes that all before `next` was sent. Where there was nothing to send, that is not written each time: it is looked
    /// at again after a crash.
    async fn come_to(&mut self, next: u64) -> Result<(), Halt> {
        if self.sent.is_empty() && next.saturating_sub(self.written) < READ_RECORDS as u64 {
            self.from = Some(next);
            return Ok(());
        }
        let change = self.progress.put(&self.key, &next, Expect::Present);
        match self.world.catalog.commit(vec![change]).await {
            Ok(_) => {
                (self.from, self.written) = (Some(next), next);
                self.sent.clear();
                Ok(())
            }
            // The subscription was deleted.
            Err(CatalogError::Conflict { .. }) => Err(Halt::Gone),
            Err(error) => Err(Halt::Failed(error.to_string())),
        }
    }
}

impl Follower for Sender {
    async fn step(&mut self) -> Result<(), Halt> {
        let from = self.place().await?;
        self.world.log.wait(self.shard, from).await;
        let world = self.world.clone();
        let place = world.places.acquire().await;
        let _place = place.map_err(|_| Halt::Gone)?;
        let limit = ReadLimit {
            records: READ_RECORDS,
            bytes: READ_BYTES,
        };
        let chunk = match world.log.read(self.shard, from, limit).await {
            Err(LogError::Unknown(_) | LogError::Closed) => return Err(Halt::Gone),
            read => read.map_err(|error| Halt::Failed(error.to_string()))?,
        };
        if chunk.records.is_empty() && chunk.next <= from {
            // The log may wake without a record; it is asked less often then.
            world.env.clock.sleep(crate::limits::WAIT_MIN).await;
            return Ok(());
        }
        let events = chunk.records.iter().filter_map(decode);
        let events = events.filter(|event| self.wanted(event)).collect();
        for bundle in bundles(events, BUNDLE_BYTES_MAX) {
            self.send(&bundle).await?;
            if let Some(last) = bundle.events.last() {
                self.sent.insert(bundle.stream.clone(), last.offset);
            }
        }
        self.come_to(chunk.next).await
    }
}
