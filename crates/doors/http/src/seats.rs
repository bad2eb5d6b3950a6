//! Who is connected: so many at a time, and when all seats are taken, who was silent longest goes.

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
    seldom::Seldom,
};

/// The seats of all connections of a listener.
pub(crate) struct Seats {
    env: Env,
    total: u32,
    free: Arc<Semaphore>,
    taken: Mutex<Vec<Arc<Seat>>>,
    crowded: Seldom,
}

/// The seat of one connection.
pub(crate) struct Seat {
    /// Its place among those that are taken.
    place: AtomicUsize,
    requests: AtomicUsize,
    /// When it last ended a request, or began, in milliseconds of the clock.
    used: AtomicU64,
    /// What its connection is asked to do, a [`Wish`].
    wish: AtomicU8,
    /// The connection, where it looks for wishes.
    asked: AtomicWaker,
}

/// What is asked of a connection; each is more than the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum Wish {
    Stay,
    /// To end after the requests that run.
    Leave,
    /// To end now.
    Drop,
}

/// A seat that is taken, until this is dropped.
pub(crate) struct Taken {
    pub(crate) seat: Arc<Seat>,
    seats: Arc<Seats>,
    _permit: OwnedSemaphorePermit,
}

/// A request that runs.
pub(crate) struct Busy<'a>(&'a Seat, &'a Env);

impl Seats {
    pub(crate) fn new(total: usize, env: Env) -> Self {
        Self {
            env,
            total: u32::try_from(total).unwrap_or(u32::MAX),
            free: Arc::new(Semaphore::new(total)),
            taken: Mutex::default(),
            crowded: Seldom::default(),
        }
    }

    /// Takes a seat. When all are taken, whoever was silent longest is asked to leave; when all are busy, it waits for
    /// the first that is not.
    pub(crate) async fn take(self: &Arc<Self>) -> Taken {
        loop {
            if let Ok(permit) = self.free.clone().try_acquire_owned() {
                return self.sit(permit);
            }
            self.make_room();
            tokio::select! {
                permit = self.free.clone().acquire_owned() => {
                    return self.sit(permit.expect("it is never closed"));
                }
                () = self.env.clock.sleep(CROWDED_PAUSE) => {}
            }
        }
    }

    /// Returns once nobody is there any more.
    pub(crate) async fn empty(&self) {
        drop(self.free.acquire_many(self.total).await);
    }

    fn sit(self: &Arc<Self>, permit: OwnedSemaphorePermit) -> Taken {
        let mut taken = self.taken.lock();
        let seat = Arc::new(Seat {
            place: AtomicUsize::new(taken.len()),
            requests: AtomicUsize::new(0),
            used: AtomicU64::new(millis(self.env.clock.elapsed())),
            wish: AtomicU8::new(Wish::Stay as u8),
            asked: AtomicWaker::new(),
        });
        taken.push(seat.clone());
        Taken {
            seat,
            seats: self.clone(),
            _permit: permit,
        }
    }

    fn make_room(&self) {
        let now = self.env.clock.elapsed();
        let taken = self.taken.lock();
        let silent = taken.iter().filter(|seat| seat.is_silent(now));
        let longest = silent.min_by_key(|seat| seat.used.load(Ordering::Relaxed));
        if let Some(times) = self.crowded.happened(self.env.clock.as_ref()) {
            let (connections, closing) = (self.total, longest.is_some());
            tracing::warn!(
                connections,
                times,
                closing,
                "all connections are taken: for each new one the one that was silent longest is closed"
            );
        }
        if let Some(seat) = longest {
            seat.ask(Wish::Leave);
        }
    }

    /// Asks the same of all connections.
    pub(crate) fn ask_all(&self, wish: Wish) {
        self.taken.lock().iter().for_each(|seat| seat.ask(wish));
    }

    fn stand_up(&self, seat: &Seat) {
        let mut taken = self.taken.lock();
        let place = seat.place.load(Ordering::Relaxed);
        taken.swap_remove(place);
        if let Some(moved) = taken.get(place) {
            moved.place.store(place, Ordering::Relaxed);
        }
    }
}

impl Seat {
    /// Notes that a request runs until what this returns is dropped.
    pub(crate) fn busy<'a>(&'a self, env: &'a Env) -> Busy<'a> {
        self.requests.fetch_add(1, Ordering::Relaxed);
        Busy(self, env)
    }

    fn ask(&self, wish: Wish) {
        self.wish.fetch_max(wish as u8, Ordering::Release);
        self.asked.wake();
    }

    /// What is asked of the connection.
    pub(crate) fn wish(&self) -> Wish {
        match self.wish.load(Ordering::Acquire) {
            0 => Wish::Stay,
            1 => Wish::Leave,
            _ => Wish::Drop,
        }
    }

    /// Ready when this or more is asked; the task that asked last is woken by every wish.
    pub(crate) fn poll_wish(&self, wish: Wish, context: &mut Context<'_>) -> Poll<()> {
        self.asked.register(context.waker());
        if self.wish() >= wish {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }

    fn is_silent(&self, now: Duration) -> bool {
        self.requests.load(Ordering::Relaxed) == 0
            && Duration::from_millis(self.used.load(Ordering::Relaxed)) + SILENT_MIN <= now
            && self.wish() == Wish::Stay
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.seats.stand_up(&self.seat);
    }
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0
            .used
            .store(millis(self.1.clock.elapsed()), Ordering::Relaxed);
        self.0.requests.fetch_sub(1, Ordering::Relaxed);
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
    async fn asked(taken: &Taken) -> bool {
        poll!(poll_fn(|context| taken
            .seat
            .poll_wish(Wish::Leave, context)))
        .is_ready()
    }

    fn seats(total: usize) -> (Arc<Seats>, Arc<ManualClock>) {
        let clock = Arc::new(ManualClock::at(Millis(0)));
        let env = Env {
            clock: clock.clone(),
            ..Env::real()
        };
        (Arc::new(Seats::new(total, env)), clock)
    }

    #[tokio::test]
    async fn who_is_silent_longest_makes_room() {
        let (seats, clock) = seats(3);
        let (busy, first, second) = (seats.take().await, seats.take().await, seats.take().await);
        let request = busy.seat.busy(&seats.env);
        clock.advance(SILENT_MIN);
        drop(first.seat.busy(&seats.env));
        clock.advance(SILENT_MIN);
        let mut newcomer = pin!(seats.take());
        assert!(poll!(newcomer.as_mut()).is_pending());
        assert!(asked(&second).await);
        assert!(!asked(&first).await);
        drop(second);
        let newcomer = newcomer.await;
        drop(request);
        drop((busy, first, newcomer));
        assert!(poll!(pin!(seats.empty())).is_ready());
    }

    #[tokio::test]
    async fn nobody_leaves_who_was_heard_of_just_now() {
        let (seats, clock) = seats(1);
        let only = seats.take().await;
        let mut newcomer = pin!(seats.take());
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
        let (seats, _) = seats(2);
        let (one, two) = (seats.take().await, seats.take().await);
        assert!(!asked(&one).await);
        for (wish, then) in [
            (Wish::Leave, Wish::Leave),
            (Wish::Drop, Wish::Drop),
            (Wish::Leave, Wish::Drop),
        ] {
            seats.ask_all(wish);
            assert_eq!((one.seat.wish(), two.seat.wish()), (then, then));
        }
        assert!(asked(&one).await && asked(&two).await);
    }
}
