//! Slots for connections: so many at a time; when all are taken, the connection that was silent longest is closed.
//!
//! Owns the count, and what each connection is asked at a shutdown; ending is the connection's own part.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU8, AtomicU64, AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use futures_util::task::AtomicWaker;
use headwater_env::Env;
use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{
    limits::{CROWDED_PAUSE, SILENT_MIN},
    log_rate::LogRate,
};

/// The slots of all connections of a listener.
pub(crate) struct Slots {
    env: Env,
    total: u32,
    free: Arc<Semaphore>,
    taken: Mutex<Vec<Arc<Slot>>>,
    crowded: LogRate,
}

/// The slot of one connection.
pub(crate) struct Slot {
    /// Its place among those that are taken.
    place: AtomicUsize,
    requests: AtomicUsize,
    /// When it last ended a request, or began, in milliseconds of the clock.
    used: AtomicU64,
    /// How far its connection is asked to end, a [`Shutdown`].
    shutdown: AtomicU8,
    /// The connection's task, where it looks for that.
    asked: AtomicWaker,
}

/// How far a connection is asked to end; each is more than the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum Shutdown {
    /// Not at all.
    No,
    /// After the requests that run.
    Graceful,
    /// Now.
    Abort,
}

/// A slot that is taken, until this is dropped.
pub(crate) struct SlotLease {
    pub(crate) slot: Arc<Slot>,
    slots: Arc<Slots>,
    _permit: OwnedSemaphorePermit,
}

/// A request that runs, until this is dropped.
pub(crate) struct Running<'a>(&'a Slot, &'a Env);

impl Slots {
    pub(crate) fn new(total: usize, env: Env) -> Self {
        Self {
            env,
            total: u32::try_from(total).unwrap_or(u32::MAX),
            free: Arc::new(Semaphore::new(total)),
            taken: Mutex::default(),
            crowded: LogRate::default(),
        }
    }

    /// Takes a slot. When all are taken, the connection that was silent longest is asked to end; when all are busy, the
    /// first that is not is waited for.
    pub(crate) async fn take(self: &Arc<Self>) -> SlotLease {
        loop {
            if let Ok(permit) = self.free.clone().try_acquire_owned() {
                return self.lease(permit);
            }
            self.make_room();
            tokio::select! {
                permit = self.free.clone().acquire_owned() => {
                    return self.lease(permit.expect("it is never closed"));
                }
                () = self.env.clock.sleep(CROWDED_PAUSE) => {}
            }
        }
    }

    /// Returns once no slot is taken.
    pub(crate) async fn empty(&self) {
        drop(self.free.acquire_many(self.total).await);
    }

    fn lease(self: &Arc<Self>, permit: OwnedSemaphorePermit) -> SlotLease {
        let mut taken = self.taken.lock();
        let slot = Arc::new(Slot {
            place: AtomicUsize::new(taken.len()),
            requests: AtomicUsize::new(0),
            used: AtomicU64::new(millis(self.env.clock.elapsed())),
            shutdown: AtomicU8::new(Shutdown::No as u8),
            asked: AtomicWaker::new(),
        });
        taken.push(slot.clone());
        SlotLease {
            slot,
            slots: self.clone(),
            _permit: permit,
        }
    }

    fn make_room(&self) {
        let now = self.env.clock.elapsed();
        let taken = self.taken.lock();
        let silent = taken.iter().filter(|slot| slot.is_silent(now));
        let longest = silent.min_by_key(|slot| slot.used.load(Ordering::Relaxed));
        if let Some(times) = self.crowded.happened(self.env.clock.as_ref()) {
            let (connections, closing) = (self.total, longest.is_some());
            tracing::warn!(
                connections,
                times,
                closing,
                "all connections are taken: for each new one the one that was silent longest is closed"
            );
        }
        if let Some(slot) = longest {
            slot.ask(Shutdown::Graceful);
        }
    }

    /// Asks the same of all connections.
    pub(crate) fn ask_all(&self, shutdown: Shutdown) {
        self.taken.lock().iter().for_each(|slot| slot.ask(shutdown));
    }

    fn give_back(&self, slot: &Slot) {
        let mut taken = self.taken.lock();
        let place = slot.place.load(Ordering::Relaxed);
        taken.swap_remove(place);
        if let Some(moved) = taken.get(place) {
            moved.place.store(place, Ordering::Relaxed);
        }
    }
}

impl Slot {
    /// Notes that a request runs until what this returns is dropped.
    pub(crate) fn busy<'a>(&'a self, env: &'a Env) -> Running<'a> {
        self.requests.fetch_add(1, Ordering::Relaxed);
        Running(self, env)
    }

    fn ask(&self, shutdown: Shutdown) {
        self.shutdown.fetch_max(shutdown as u8, Ordering::Release);
        self.asked.wake();
    }

    /// How far the connection is asked to end.
    pub(crate) fn shutdown(&self) -> Shutdown {
        match self.shutdown.load(Ordering::Acquire) {
            0 => Shutdown::No,
            1 => Shutdown::Graceful,
            _ => Shutdown::Abort,
        }
    }

    /// Ready when this or more is asked; the task that polled last is woken whenever something is.
    pub(crate) fn poll_shutdown(&self, shutdown: Shutdown, context: &mut Context<'_>) -> Poll<()> {
        self.asked.register(context.waker());
        if self.shutdown() >= shutdown {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }

    fn is_silent(&self, now: Duration) -> bool {
        self.requests.load(Ordering::Relaxed) == 0
            && Duration::from_millis(self.used.load(Ordering::Relaxed)) + SILENT_MIN <= now
            && self.shutdown() == Shutdown::No
    }
}

impl Drop for SlotLease {
    fn drop(&mut self) {
        self.slots.give_back(&self.slot);
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        let Self(slot, env) = self;
        slot.used
            .store(millis(env.clock.elapsed()), Ordering::Relaxed);
        slot.requests.fetch_sub(1, Ordering::Relaxed);
    }
}

fn millis(elapsed: Duration) -> u64 {
    u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::{future::poll_fn, pin::pin};

    use futures_util::poll;
    use headwater_env::ManualClock;
    use headwater_types::Millis;

    use super::*;

    /// Whether a connection is asked to make room.
    async fn asked(taken: &SlotLease) -> bool {
        poll!(poll_fn(|context| taken
            .slot
            .poll_shutdown(Shutdown::Graceful, context)))
        .is_ready()
    }

    fn slots(total: usize) -> (Arc<Slots>, Arc<ManualClock>) {
        let clock = Arc::new(ManualClock::at(Millis(0)));
        let env = Env {
            clock: clock.clone(),
            ..Env::real()
        };
        (Arc::new(Slots::new(total, env)), clock)
    }

    #[tokio::test]
    async fn the_connection_that_was_silent_longest_makes_room() {
        let (slots, clock) = slots(3);
        let (busy, first, second) = (slots.take().await, slots.take().await, slots.take().await);
        let request = busy.slot.busy(&slots.env);
        clock.advance(SILENT_MIN);
        drop(first.slot.busy(&slots.env));
        clock.advance(SILENT_MIN);
        let mut newcomer = pin!(slots.take());
        assert!(poll!(newcomer.as_mut()).is_pending());
        assert!(asked(&second).await);
        assert!(!asked(&first).await);
        drop(second);
        let newcomer = newcomer.await;
        drop(request);
        drop((busy, first, newcomer));
        assert!(poll!(pin!(slots.empty())).is_ready());
    }

    #[tokio::test]
    async fn a_connection_that_was_heard_of_just_now_stays() {
        let (slots, clock) = slots(1);
        let only = slots.take().await;
        let mut newcomer = pin!(slots.take());
        assert!(poll!(newcomer.as_mut()).is_pending());
        assert!(!asked(&only).await);
        clock.advance(SILENT_MIN.max(CROWDED_PAUSE));
        assert!(poll!(newcomer.as_mut()).is_pending());
        assert!(asked(&only).await);
        drop(only);
        newcomer.await;
    }

    #[tokio::test]
    async fn all_are_asked_and_what_was_asked_is_not_taken_back() {
        let (slots, _) = slots(2);
        let (one, two) = (slots.take().await, slots.take().await);
        assert!(!asked(&one).await);
        for (shutdown, then) in [
            (Shutdown::Graceful, Shutdown::Graceful),
            (Shutdown::Abort, Shutdown::Abort),
            (Shutdown::Graceful, Shutdown::Abort),
        ] {
            slots.ask_all(shutdown);
            assert_eq!((one.slot.shutdown(), two.slot.shutdown()), (then, then));
        }
        assert!(asked(&one).await && asked(&two).await);
    }
}
