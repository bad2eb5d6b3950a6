//! Events between their calls and the log: noted at once, written together, a bounded
//! number of bytes at a time.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use headwater_env::Env;
use headwater_log::{Append, LogError, NewRecord, ShardLog, ShardNumber};
use parking_lot::Mutex;
use tokio::sync::{Notify, Semaphore, watch};

use crate::{
    Event,
    error::log_error,
    event::encode,
    limits::{
        APPEND_EVENTS, APPEND_KB, RETRY_AFTER, ROOM_WAIT_MAX, STUCK_WAIT_MAX, WAITING_KB_MAX,
    },
};

/// The events that wait, and the task that writes them.
pub(crate) struct Backlog {
    env: Env,
    log: Arc<dyn ShardLog>,
    shard: ShardNumber,
    waiting: Mutex<Waiting>,
    /// A permit for each KB of events that may still be noted.
    room: Semaphore,
    /// How many were lost since something was last written.
    lost: AtomicU64,
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

/// The events of an append.
#[derive(Default)]
struct Batch {
    events: Vec<Event>,
    /// The permits that they hold.
    permits: usize,
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
            room: Semaphore::new(WAITING_KB_MAX),
            lost: AtomicU64::new(0),
            noted: Notify::new(),
            progress: watch::Sender::new(Progress::default()),
        });
        let writer = backlog.clone();
        env.spawn(async move { writer.write_all().await });
        backlog
    }

    /// Notes an event. Waits where too much is not written yet, for a while.
    pub async fn note(&self, event: Event) {
        let permits = permits(&event);
        let is_stuck = self.progress.borrow().stuck.is_some();
        let patience = if is_stuck {
            STUCK_WAIT_MAX
        } else {
            ROOM_WAIT_MAX
        };
        let room = tokio::select! {
            room = self.room.acquire_many(u32::try_from(permits).unwrap_or(u32::MAX)) => room.ok(),
            () = self.env.clock.sleep(patience) => None,
        };
        let Some(room) = room else {
            return self.lose(1);
        };
        room.forget();
        let mut waiting = self.waiting.lock();
        waiting.events.push_back(event);
        waiting.noted += 1;
        drop(waiting);
        self.noted.notify_one();
    }

    /// Counts events that were lost. The server's log has the first; how many they were follows when writing goes on.
    fn lose(&self, events: usize) {
        if self.lost.fetch_add(events as u64, Relaxed) == 0 {
            tracing::error!("events of the trail are being lost: nothing can be written");
        }
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
            while let Some(batch) = self.take() {
                self.write(batch).await;
            }
            if self.waiting.lock().is_closed {
                return;
            }
        }
    }

    /// The events of the next append, by their times: those of calls that ended at once are noted in any order.
    fn take(&self) -> Option<Batch> {
        let mut batch = Batch::default();
        let mut waiting = self.waiting.lock();
        while batch.events.len() < APPEND_EVENTS
            && batch.permits < APPEND_KB
            && let Some(event) = waiting.events.pop_front()
        {
            batch.permits += permits(&event);
            batch.events.push(event);
        }
        drop(waiting);
        batch.events.sort_by_key(|event| event.time);
        (!batch.events.is_empty()).then_some(batch)
    }

    /// Writes events, however often it takes; gives them up where the log will never take them.
    async fn write(&self, Batch { events, permits }: Batch) {
        let count = events.len();
        let encode_all = move || events.iter().map(encode).collect::<Vec<_>>();
        let values = self.env.blocking(encode_all).await;
        while let Err(error) = self.append(&values).await {
            let is_over = matches!(error, LogError::Poisoned { .. } | LogError::Closed)
                || self.waiting.lock().is_closed;
            if self.progress.borrow().stuck.is_none() {
                tracing::error!(%error, events = count, "events of the trail could not be written");
            }
            self.progress.send_modify(|now| now.stuck = Some(error));
            if is_over {
                self.lose(count);
                break;
            }
            self.env.clock.sleep(RETRY_AFTER).await;
        }
        self.room.add_permits(permits);
        self.progress.send_modify(|now| now.done += count as u64);
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
        let lost = self.lost.swap(0, Relaxed);
        if lost > 0 {
            tracing::error!(
                lost,
                "events of the trail were lost while nothing could be written"
            );
        }
        Ok(())
    }
}

/// The permits of an event: its KB, begun ones too.
fn permits(event: &Event) -> usize {
    let names = event
        .resources
        .iter()
        .map(|it| it.kind.len() + it.name.len());
    let bytes = event.text.len() + names.sum::<usize>();
    (1 + bytes / 1024).min(WAITING_KB_MAX)
}
