//! Events between their calls and the log: noted at once, written together, and in the order in which they were noted.

use std::{collections::VecDeque, sync::Arc};

use headwater_env::Env;
use headwater_log::{Append, LogError, NewRecord, ShardLog, ShardNumber};
use parking_lot::Mutex;
use tokio::sync::{Notify, Semaphore, watch};

use crate::{
    Event,
    error::log_error,
    event::encode,
    limits::{APPEND_EVENTS, RETRY_AFTER, ROOM_WAIT_MAX, WAITING_MAX},
};

/// The events that wait, and the task that writes them.
pub(crate) struct Backlog {
    env: Env,
    log: Arc<dyn ShardLog>,
    shard: ShardNumber,
    waiting: Mutex<Waiting>,
    /// A permit for each event that may still be noted.
    room: Semaphore,
    noted: Notify,
    progress: watch::Sender<Progress>,
}

#[derive(Default)]
struct Waiting {
    events: VecDeque<Event>,
    /// How many were ever noted.
    noted: u64,
    is_closed: bool,
}

/// How far the writer is.
#[derive(Clone, Default)]
struct Progress {
    /// How many of the events that were noted are written, or given up.
    done: u64,
    /// Why the last append failed, where it did.
    stuck: Option<LogError>,
}

impl Backlog {
    /// A backlog before this shard, and its writer.
    pub fn start(env: Env, log: Arc<dyn ShardLog>, shard: ShardNumber) -> Arc<Self> {
        let backlog = Arc::new(Self {
            env: env.clone(),
            log,
            shard,
            waiting: Mutex::default(),
            room: Semaphore::new(WAITING_MAX),
            noted: Notify::new(),
            progress: watch::Sender::new(Progress::default()),
        });
        let writer = backlog.clone();
        env.spawn(async move { writer.write_all().await });
        backlog
    }

    /// Notes the event that `make` makes. Waits where too many are not written yet, for a while.
    pub async fn note(&self, make: impl FnOnce() -> Event + Send) {
        let room = tokio::select! {
            room = self.room.acquire() => room.ok(),
            () = self.env.clock.sleep(ROOM_WAIT_MAX) => None,
        };
        let Some(room) = room else {
            let Event { id, name, .. } = make();
            tracing::error!(
                id,
                name,
                "an event of the trail was lost: nothing could be written for too long"
            );
            return;
        };
        room.forget();
        let mut waiting = self.waiting.lock();
        // It is made with the lock held: later events have later times.
        waiting.events.push_back(make());
        waiting.noted += 1;
        drop(waiting);
        self.noted.notify_one();
    }

    /// Returns once all that was noted so far is durable.
    ///
    /// # Errors
    /// When the log takes nothing at present.
    pub async fn flush(&self) -> Result<(), LogError> {
        let noted = self.waiting.lock().noted;
        let mut progress = self.progress.subscribe();
        let reached = |now: &Progress| now.done >= noted || now.stuck.is_some();
        // The sender is a field of this.
        let now = progress.wait_for(reached).await;
        match now {
            Ok(now) if now.done < noted => Err(now.stuck.clone().unwrap_or(LogError::Closed)),
            _ => Ok(()),
        }
    }

    /// Writes what waits, and ends the writer.
    ///
    /// # Errors
    /// When the log takes nothing at present.
    pub async fn close(&self) -> Result<(), LogError> {
        let flushed = self.flush().await;
        self.waiting.lock().is_closed = true;
        self.noted.notify_one();
        flushed
    }

    async fn write_all(&self) {
        loop {
            self.noted.notified().await;
            while let Some(events) = self.take() {
                self.write(&events).await;
            }
            if self.waiting.lock().is_closed {
                return;
            }
        }
    }

    /// The events of the next append.
    fn take(&self) -> Option<Vec<Event>> {
        let mut waiting = self.waiting.lock();
        let count = waiting.events.len().min(APPEND_EVENTS);
        let events: Vec<Event> = waiting.events.drain(..count).collect();
        (!events.is_empty()).then_some(events)
    }

    /// Writes events, however often it takes; gives them up where the log will never take them.
    async fn write(&self, events: &[Event]) {
        let values: Vec<Vec<u8>> = events.iter().map(encode).collect();
        while let Err(error) = self.append(&values).await {
            let is_over = matches!(error, LogError::Poisoned { .. } | LogError::Closed)
                || self.waiting.lock().is_closed;
            tracing::error!(%error, events = events.len(), "events of the trail could not be written");
            self.progress.send_modify(|now| now.stuck = Some(error));
            if is_over {
                break;
            }
            self.env.clock.sleep(RETRY_AFTER).await;
        }
        self.room.add_permits(events.len());
        self.progress.send_modify(|now| {
            now.done += events.len() as u64;
        });
    }

    async fn append(&self, values: &[Vec<u8>]) -> Result<(), LogError> {
        let records: Vec<_> = values
            .iter()
            .map(|value| NewRecord { key: b"", value })
            .collect();
        let append = Append {
            shard: self.shard,
            records: &records,
        };
        let mut appended = self.log.append(&[append]).await;
        let result = appended.pop().ok_or(LogError::Closed)?;
        result.map_err(log_error)?;
        self.progress.send_modify(|now| now.stuck = None);
        Ok(())
    }
}
