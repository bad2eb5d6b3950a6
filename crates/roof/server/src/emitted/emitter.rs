//! The way of each minute into the store: one task of a place.
//!
//! At the end of a minute the counters are taken, and a moment later, when no record of the minute can appear any more,
//! what arrived is added; all of it is one put, which the store takes once. What of a minute was taken and is not in the
//! store yet is all that a crash loses. After a start the minutes are made up for whose records are stored and were not
//! emitted. Where the time jumps, the minutes in which nothing arrived are passed over.

use std::{sync::Arc, time::Duration};

use headwater_env::Env;
use headwater_log::ShardLog;
use headwater_metrics::{Error, Metrics};
use headwater_types::Millis;
use tokio::sync::{oneshot, watch};

use super::{Emits, Emitted};

/// So long after the end of a minute its calls have been counted that were durable then.
const SETTLED: Duration = Duration::from_secs(1);
/// After so long a minute that the store did not take is put again.
const PUT_AGAIN: Duration = Duration::from_secs(10);
/// The most that is slept at one time: the machine's clock may be set meanwhile.
const SLEEP_MAX: Duration = Duration::from_secs(60);

/// The task that emits a place's metrics.
pub struct Emitter {
    stop: watch::Sender<bool>,
    ended: tokio::sync::Mutex<Option<oneshot::Receiver<()>>>,
}

struct Task {
    env: Env,
    log: Arc<dyn ShardLog>,
    metrics: Arc<Metrics>,
    sources: Vec<Arc<dyn Emits>>,
    /// The minute in which the sources began to count.
    began: u64,
    stop: watch::Receiver<bool>,
}

/// The task is to stop.
struct Stopped;

/// Has a store without any minute of the server's own begin with the one before this: so what arrives from here on is told
/// even if the server is killed before the minute ends.
///
/// # Errors
/// When the store cannot be written.
pub async fn begin(env: &Env, metrics: &Metrics) -> Result<(), Error> {
    if metrics.last_minute().is_some() {
        return Ok(());
    }
    let before = env.clock.now().minute().saturating_sub(1);
    let at = Millis::of_minute(before);
    metrics.put_minute(at, Vec::new()).await
}

impl Emitter {
    /// Begins to emit what `sources` count, whose records are in `log`.
    pub fn start(
        env: &Env,
        log: Arc<dyn ShardLog>,
        metrics: Arc<Metrics>,
        sources: Vec<Arc<dyn Emits>>,
    ) -> Self {
        let (stop, told) = watch::channel(false);
        let (end, ended) = oneshot::channel();
        let task = Task {
            env: env.clone(),
            log,
            metrics,
            sources,
            began: env.clock.now().minute(),
            stop: told,
        };
        env.spawn(async move {
            task.run().await;
            // Nobody may wait for it.
            let _ = end.send(());
        });
        Self {
            stop,
            ended: tokio::sync::Mutex::new(Some(ended)),
        }
    }

    /// Puts what was counted of the minute that is not over, and stops. What arrived in it is told after the next start.
    pub async fn close(&self) {
        self.stop.send_replace(true);
        if let Some(ended) = self.ended.lock().await.take() {
            // A task that is gone is done, too.
            let _ = ended.await;
        }
    }
}

impl Task {
    async fn run(mut self) {
        // Behind the last one; without any, see `begin`, with this one.
        let last = self.metrics.last_minute();
        let mut minute = last.map_or(self.began, |last| last.minute() + 1);
        // The minute that is not over: what is counted from here on is its.
        let mut current = self.began;
        loop {
            let Ok(after) = self.make_up(minute, current).await else {
                break;
            };
            minute = after;
            let mut counted = Emitted::of(minute);
            let is_over = self.wait_until(Millis::of_minute(minute + 1)).await;
            self.take(&mut counted).await;
            let settled = async {
                is_over?;
                self.sleep(SETTLED).await
            };
            let Ok(()) = settled.await else {
                self.put_last(counted).await;
                break;
            };
            let Ok(()) = self.emit(minute, counted).await else {
                break;
            };
            minute += 1;
            current = self.env.clock.now().minute();
        }
    }

    /// Emits the minutes from `from` on in which something arrived, up to `current`, which is not over. The one to go on
    /// with.
    async fn make_up(&mut self, mut from: u64, current: u64) -> Result<u64, Stopped> {
        while from < current {
            let Some(minute) = self.next_arrival(from).await else {
                break;
            };
            if minute >= current {
                break;
            }
            self.emit(minute, Emitted::of(minute)).await?;
            from = minute + 1;
        }
        Ok(from.max(current))
    }

    async fn next_arrival(&self, from: u64) -> Option<u64> {
        let mut next: Option<u64> = None;
        for source in &self.sources {
            let found = source.next_arrival(from).await;
            next = next.into_iter().chain(found).min();
        }
        next
    }

    async fn take(&self, to: &mut Emitted) {
        for source in &self.sources {
            source.take(to).await;
        }
    }

    /// Adds what arrived in a minute that is over to what was counted of it, and puts it.
    async fn emit(&mut self, minute: u64, mut emitted: Emitted) -> Result<(), Stopped> {
        // A log that takes no more has settled.
        if let Err(error) = self.log.settle().await {
            tracing::debug!(%error, "the log takes no records");
        }
        for source in &self.sources {
            source.arrived(minute, &mut emitted).await;
        }
        if emitted.data.is_empty() {
            return Ok(());
        }
        self.put(emitted).await
    }

    /// Puts a minute, as often as it takes; one for which there is no room in the store is lost.
    async fn put(&mut self, Emitted { at, data }: Emitted) -> Result<(), Stopped> {
        loop {
            let put = self.metrics.put_minute(at, data.clone()).await;
            match put {
                Ok(()) => return Ok(()),
                Err(error @ Error::TooManySeries { .. }) => {
                    tracing::warn!(%error, minute = at.0, "a minute of the server's own metrics is lost");
                    return Ok(());
                }
                Err(error) => {
                    tracing::warn!(%error, minute = at.0, "the server's own metrics are put again");
                    self.sleep(PUT_AGAIN).await?;
                }
            }
        }
    }

    /// Puts what was counted of a minute that is not emitted yet: the rest of it comes after the next start, and adds to it.
    async fn put_last(&self, Emitted { at, data }: Emitted) {
        if data.is_empty() {
            return;
        }
        if let Err(error) = self.metrics.put(data).await {
            tracing::warn!(%error, minute = at.0, "the last of the server's own metrics are lost");
        }
    }

    async fn wait_until(&mut self, end: Millis) -> Result<(), Stopped> {
        loop {
            let left = end.since(self.env.clock.now());
            if left.is_zero() {
                return Ok(());
            }
            self.sleep(left.min(SLEEP_MAX)).await?;
        }
    }

    async fn sleep(&mut self, by: Duration) -> Result<(), Stopped> {
        let clock = self.env.clock.clone();
        tokio::select! {
            biased;
            // An error means that nobody is left who could say so.
            _ = self.stop.wait_for(|stop| *stop) => Err(Stopped),
            () = clock.sleep(by) => Ok(()),
        }
    }
}
