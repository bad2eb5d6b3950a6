//! The worker of one subscription: one task, which reads the topic's shard and has messages under way.
//!
//! Messages come on independently of each other: one that waits for its next try holds up none but itself, as long as
//! there are places for others.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures_util::{
    FutureExt, StreamExt,
    future::{BoxFuture, OptionFuture},
    stream::FuturesUnordered,
};
use headwater_log::{LogError, ReadLimit, Record, ShardNumber};
use tokio::sync::{OwnedSemaphorePermit, watch};

use crate::{
    Message,
    flight::{Flight, Loaded, room_of},
    limits::{IN_FLIGHT_MAX, READ_BYTES, WAIT_MAX, WAIT_MIN},
    topics::{Kept, World},
};

/// The worker of one subscription.
pub(crate) struct Worker {
    pub world: Arc<World>,
    pub kept: Arc<Kept>,
}

/// What was read at once.
struct Batch {
    records: Vec<Record>,
    next: u64,
    /// None where nothing was read.
    room: Option<OwnedSemaphorePermit>,
}

type Flights = FuturesUnordered<BoxFuture<'static, u64>>;
type Reading = OptionFuture<BoxFuture<'static, Result<Batch, LogError>>>;

impl Worker {
    /// Works until the subscription is deleted or `closed` is set.
    pub async fn run(self, mut closed: watch::Receiver<bool>) {
        let mut gone = self.kept.gone.subscribe();
        tokio::select! {
            biased;
            // An error means that the sender which could set it is gone.
            _ = closed.wait_for(|closed| *closed) => {}
            _ = gone.wait_for(|gone| *gone) => {}
            () = self.supervise() => {}
        }
    }

    /// Works, and begins again after a while where that fails.
    async fn supervise(&self) {
        let id = self.kept.record.read().value.id.clone();
        let (clock, mut wait) = (&self.world.env.clock, Duration::ZERO);
        loop {
            let began = clock.elapsed();
            let worked = AssertUnwindSafe(self.work(&id)).catch_unwind().await;
            let problem = match worked {
                // The topic was deleted, and with it the subscription.
                Ok(LogError::Unknown(_)) => return,
                Ok(error) => error.to_string(),
                Err(_) => "it panicked; the server's log says where".to_owned(),
            };
            if clock.elapsed().saturating_sub(began) > WAIT_MAX {
                wait = Duration::ZERO;
            }
            wait = (wait * 2).clamp(WAIT_MIN, WAIT_MAX);
            tracing::warn!(subscription = id, problem, ?wait, "a subscription waits");
            clock.sleep(wait).await;
        }
    }

    /// Reads and sends until reading fails.
    async fn work(&self, id: &str) -> LogError {
        let mut flights = Flights::new();
        let open: Vec<_> = self.kept.progress.lock().open.clone().into_iter().collect();
        for (offset, failed) in open {
            flights.push(self.flight(id, offset, failed, 0).run(None).boxed());
        }
        let mut reading = Reading::from(None);
        let mut is_reading = false;
        loop {
            let places = IN_FLIGHT_MAX.saturating_sub(flights.len());
            if !is_reading && places > 0 {
                reading = Some(self.read(places)).into();
                is_reading = true;
            }
            tokio::select! {
                Some(offset) = flights.next() => {
                    self.kept.progress.lock().open.remove(&offset);
                    self.world.checkpoints.note(id, &self.kept);
                }
                Some(batch) = &mut reading, if is_reading => {
                    is_reading = false;
                    match batch {
                        Ok(batch) => self.take_off(id, batch, &mut flights),
                        Err(error) => return error,
                    }
                }
            }
        }
    }

    /// The next messages, at most `limit`, once there are some and room for them.
    fn read(&self, limit: usize) -> BoxFuture<'static, Result<Batch, LogError>> {
        let (world, from) = (self.world.clone(), self.kept.progress.lock().read);
        let shard: ShardNumber = self.kept.topic.record.read().value.shard();
        let protocol = self.kept.record.read().value.protocol;
        async move {
            world.log.wait(shard, from).await;
            let room = world.room(protocol);
            let room = room.acquire_many_owned(room_of(READ_BYTES)).await;
            let room = room.expect("nobody closes it");
            let limit = ReadLimit {
                records: limit,
                bytes: READ_BYTES,
            };
            let chunk = world.log.read(shard, from, limit).await?;
            if chunk.records.is_empty() {
                // The log may wake without a record; it is asked less often then.
                drop(room);
                world.env.clock.sleep(WAIT_MIN).await;
                let (records, next) = (Vec::new(), chunk.next.max(from));
                return Ok(Batch {
                    records,
                    next,
                    room: None,
                });
            }
            Ok(Batch {
                records: chunk.records,
                next: chunk.next,
                room: Some(room),
            })
        }
        .boxed()
    }

    /// Puts messages under way; those that the subscription does not want are done.
    fn take_off(&self, id: &str, batch: Batch, flights: &mut Flights) {
        let Batch {
            records,
            next,
            mut room,
        } = batch;
        let (mut wanted, filter) = (Vec::new(), self.kept.filter.read().clone());
        let protocol = self.kept.record.read().value.protocol;
        for record in records {
            let Some(message) = Message::decode(&record.value) else {
                tracing::warn!(
                    subscription = id,
                    offset = record.offset,
                    "a message cannot be read"
                );
                continue;
            };
            let body = message.body_for(protocol);
            if filter
                .as_ref()
                .is_some_and(|filter| !filter.wants(&message, body))
            {
                self.kept.counts.filtered();
                continue;
            }
            // A first message that is larger than what is read at once has all the room there is.
            let Some(room) = &mut room else { continue };
            let taken = (room_of(record.value.len()) as usize).min(room.num_permits());
            let room = room.split(taken).expect("there is as much as that");
            wanted.push(Loaded {
                offset: record.offset,
                time: record.time,
                bytes: record.value.len(),
                message,
                _room: room,
            });
        }
        {
            let mut progress = self.kept.progress.lock();
            progress.read = next;
            let offsets = wanted.iter().map(|loaded| (loaded.offset, 0));
            progress.open.extend(offsets);
        }
        self.world.checkpoints.note(id, &self.kept);
        for loaded in wanted {
            let flight = self.flight(id, loaded.offset, 0, loaded.bytes);
            flights.push(flight.run(Some(loaded)).boxed());
        }
    }

    fn flight(&self, id: &str, offset: u64, failed: u32, bytes: usize) -> Flight {
        Flight {
            world: self.world.clone(),
            kept: self.kept.clone(),
            id: id.to_owned(),
            offset,
            failed,
            bytes,
        }
    }
}
