//! Clock, randomness, disk and tasks behind small traits: the real ones and the simulated ones; and the process's large
//! buffers.
//!
//! The only crate that touches the machine's time, chance, files and threads. Every other crate takes an [`Env`] and
//! so runs as well in a simulated world, on a seed. Network sockets are not here: a simulation drives the domain
//! below them.

mod ahead_clock;
pub mod buffers;
mod clock;
mod disk;
mod open_files;
mod process;
mod random;
mod sim_disk;
mod tasks;
#[cfg(feature = "testing")]
pub mod testing;

use std::sync::Arc;

pub use ahead_clock::AheadClock;
pub use clock::{Clock, ManualClock, SystemClock};
pub use disk::{DIRECT_ALIGN, Disk, Entry, File, RealDisk};
pub use open_files::raise_open_files;
pub use process::{ProcessUsage, process_usage};
pub use random::{Random, SeededRandom, SystemRandom};
pub use sim_disk::SimDisk;
pub use tasks::{Spawn, TokioTasks, may_block, wait_for};

/// The machine as a crate may use it; cheap to clone.
#[derive(Clone)]
pub struct Env {
    /// Wall time, elapsed time and sleeping.
    pub clock: Arc<dyn Clock>,
    /// Random bytes.
    pub random: Arc<dyn Random>,
    /// Files.
    pub disk: Arc<dyn Disk>,
    /// Tasks and threads.
    pub tasks: Arc<dyn Spawn>,
}

impl Env {
    /// The machine itself.
    pub fn real() -> Self {
        Self {
            clock: Arc::new(SystemClock::default()),
            random: Arc::new(SystemRandom),
            disk: Arc::new(RealDisk),
            tasks: Arc::new(TokioTasks),
        }
    }

    /// Starts an asynchronous task that runs until it ends by itself.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(Box::pin(task));
    }

    /// Runs `work` in a task of its own and waits for it, so that a caller that goes away cannot leave it half done.
    ///
    /// # Panics
    /// When `work` panics.
    pub async fn to_the_end<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> T {
        let (done, result) = tokio::sync::oneshot::channel();
        // The receiver is gone only when the caller is: nobody misses the answer.
        self.tasks
            .change(Box::pin(async move { drop(done.send(work.await)) }));
        result
            .await
            .expect("work that runs to its end does not panic")
    }

    /// Runs `work`, which may block on the disk, away from the asynchronous threads.
    ///
    /// # Panics
    /// When `work` panics.
    pub async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> T {
        let (done, result) = tokio::sync::oneshot::channel();
        // The receiver is gone only when the caller gave up waiting: nobody misses the answer.
        self.tasks
            .blocking(Box::new(move || drop(done.send(work()))));
        result.await.expect("blocking work does not panic")
    }
}
