//! The batches that wait for the disk: here callers meet the committer, and here it is decided how long it gathers them.

use std::time::Duration;

use bytes::Bytes;
use parking_lot::{Condvar, MutexGuard};
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use crate::{api::LogError, format::BlockHeader, limits};

/// Work for the committer.
#[derive(Default)]
pub struct Queue {
    pending: Vec<Pending>,
    /// Bytes of these.
    bytes: usize,
    /// How many of them the committer waits for, unless they have bytes enough; it is not woken for fewer.
    wanted: usize,
    /// Why nothing more is taken.
    pub refusing: Option<LogError>,
    /// The disk was full at the last commit.
    pub full: Option<LogError>,
    /// The committer shall end once all is done.
    pub closing: bool,
}

/// A batch that waits for its commit. Without blocks it waits only for what was queued before it.
pub struct Pending {
    /// Its blocks, one behind the other.
    pub bytes: Bytes,
    /// The same, parsed.
    pub blocks: Vec<PendingBlock>,
    /// The caller that waits.
    pub reply: oneshot::Sender<Result<(), LogError>>,
    /// Its room, given back when it is done.
    pub room: Option<OwnedSemaphorePermit>,
}

/// A block of a pending batch.
pub struct PendingBlock {
    pub header: BlockHeader,
    /// Where in the batch's bytes.
    pub at: usize,
}

/// The moment for which the committer gathers callers, once its last commit is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct GatherWindow {
    /// How many callers more than those that are there; for none, it does not wait.
    callers: usize,
    /// How long at the most.
    time: Duration,
}

impl GatherWindow {
    /// After a commit that answered `callers` and took so long. These are likely to come again at once: where they are
    /// many, waiting a moment for them makes one commit of two, each of which takes the processors' time of several
    /// requests. A few are not made to wait for each other.
    pub fn after(callers: usize, took: Duration) -> Self {
        match callers {
            limits::GATHER_CALLERS.. => Self {
                callers,
                time: took.min(limits::GATHER_TIME),
            },
            _ => Self::default(),
        }
    }
}

impl Queue {
    /// Takes nothing more from now on; the first reason stands.
    pub fn refuse(&mut self, why: LogError) {
        self.refusing.get_or_insert(why);
    }

    /// Adds a batch, and tells the committer by `work` once there is enough.
    pub fn push(&mut self, pending: Pending, work: &Condvar) {
        self.bytes += pending.bytes.len();
        self.pending.push(pending);
        if self.is_enough() {
            work.notify_one();
        }
    }

    /// All that waits.
    pub fn take(&mut self) -> Vec<Pending> {
        self.bytes = 0;
        std::mem::take(&mut self.pending)
    }

    fn is_enough(&self) -> bool {
        self.closing || self.pending.len() >= self.wanted || self.bytes >= limits::GATHER_BYTES
    }
}

/// Everything that waits, or nothing when the log is to end.
pub fn next_batch(
    mut queue: MutexGuard<'_, Queue>,
    work: &Condvar,
    window: GatherWindow,
) -> Option<Vec<Pending>> {
    if window.callers > 0 {
        queue.wanted = window.callers + queue.pending.len();
        work.wait_while_for(&mut queue, |queue| !queue.is_enough(), window.time);
        queue.wanted = 0;
    }
    work.wait_while(&mut queue, |queue| {
        queue.pending.is_empty() && !queue.closing
    });
    Some(queue.take()).filter(|batch| !batch.is_empty())
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, thread};

    use parking_lot::Mutex;

    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    /// A queue, and a committer that takes one batch of it and says of how many.
    struct Fixture {
        shared: Arc<(Mutex<Queue>, Condvar)>,
        committer: thread::JoinHandle<Option<usize>>,
    }

    impl Fixture {
        /// The committer gathers for that long, and is waiting, with `queued` batches there before.
        fn waiting(queued: usize, window: GatherWindow) -> Self {
            let shared = Arc::<(Mutex<Queue>, Condvar)>::default();
            (0..queued).for_each(|_| push(&shared, 1));
            let taking = shared.clone();
            let take =
                move || next_batch(taking.0.lock(), &taking.1, window).map(|batch| batch.len());
            let committer = thread::Builder::new().spawn(take).unwrap();
            while shared.0.lock().wanted == 0 && !committer.is_finished() {
                thread::yield_now();
            }
            Self { shared, committer }
        }

        /// The batch that the committer takes, which is waiting until now.
        fn taken(self) -> Option<usize> {
            self.committer.join().unwrap()
        }
    }

    fn push((queue, work): &(Mutex<Queue>, Condvar), bytes: usize) {
        let (bytes, reply) = (vec![0; bytes].into(), oneshot::channel().0);
        queue.lock().push(
            Pending {
                bytes,
                blocks: Vec::new(),
                reply,
                room: None,
            },
            work,
        );
    }

    #[test]
    fn after_many_callers_the_committer_waits_for_as_many_more() {
        let fixture = Fixture::waiting(
            3,
            GatherWindow {
                callers: 9,
                time: HOUR,
            },
        );
        (0..8).for_each(|_| push(&fixture.shared, 1));
        assert!(!fixture.committer.is_finished() && fixture.shared.0.lock().pending.len() == 11);
        push(&fixture.shared, 1);
        assert_eq!(fixture.taken(), Some(12));
    }

    #[test]
    fn many_bytes_and_the_end_are_not_waited_behind() {
        let fixture = Fixture::waiting(
            1,
            GatherWindow {
                callers: 9,
                time: HOUR,
            },
        );
        push(&fixture.shared, limits::GATHER_BYTES);
        assert_eq!(fixture.taken(), Some(2));
        for (queued, taken) in [(2, Some(2)), (0, None)] {
            let fixture = Fixture::waiting(
                queued,
                GatherWindow {
                    callers: 9,
                    time: HOUR,
                },
            );
            fixture.shared.0.lock().closing = true;
            fixture.shared.1.notify_one();
            assert_eq!(fixture.taken(), taken);
        }
    }

    #[test]
    fn a_few_callers_wait_for_nobody_and_many_not_for_long() {
        let few = GatherWindow::after(limits::GATHER_CALLERS - 1, HOUR);
        let shared = (Mutex::default(), Condvar::new());
        push(&shared, 1);
        assert_eq!(
            next_batch(shared.0.lock(), &shared.1, few).map(|batch| batch.len()),
            Some(1)
        );
        assert_eq!(
            GatherWindow::after(limits::GATHER_CALLERS, HOUR).time,
            limits::GATHER_TIME
        );
        let quick = limits::GATHER_TIME / 2;
        assert_eq!(
            GatherWindow::after(64, quick),
            GatherWindow {
                callers: 64,
                time: quick
            }
        );
        // Nobody comes: it takes what is there once the time is over.
        push(&shared, 1);
        let last = GatherWindow {
            callers: 64,
            time: Duration::from_micros(1),
        };
        assert_eq!(
            next_batch(shared.0.lock(), &shared.1, last).map(|batch| batch.len()),
            Some(1)
        );
    }
}
