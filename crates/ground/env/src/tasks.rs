//! Tasks and threads, and which of them may wait for the disk.

use std::{cell::Cell, pin::Pin, thread};

use tokio::runtime::Handle;

/// A task without a result.
pub type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Starts what runs beside the caller.
pub trait Spawn: Send + Sync {
    /// Starts an asynchronous task.
    fn spawn(&self, task: Task);

    /// Starts an asynchronous task that ends soon, with a change that its caller may stop waiting for.
    fn change(&self, task: Task) {
        self.spawn(task);
    }

    /// Runs work that blocks on a pool made for it.
    fn blocking(&self, work: Box<dyn FnOnce() + Send>);

    /// Starts a thread of its own for work that blocks for as long as the process lives.
    fn thread(&self, name: &str, work: Box<dyn FnOnce() + Send>);
}

/// Tokio's tasks and blocking pool, and the machine's threads.
pub struct TokioTasks;

impl Spawn for TokioTasks {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that spawns"
    )]
    fn spawn(&self, task: Task) {
        tokio::spawn(task);
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that spawns"
    )]
    fn blocking(&self, work: Box<dyn FnOnce() + Send>) {
        tokio::task::spawn_blocking(|| {
            MAY_BLOCK.set(true);
            work();
            MAY_BLOCK.set(false);
        });
    }

    fn thread(&self, name: &str, work: Box<dyn FnOnce() + Send>) {
        thread::Builder::new()
            .name(name.to_owned())
            .spawn(work)
            .expect("the machine has a thread to give");
    }
}

thread_local! {
    /// Whether the thread is one of the blocking pool's, at work.
    static MAY_BLOCK: Cell<bool> = const { Cell::new(false) };
}

/// Whether the calling thread may wait for the disk: not where it runs asynchronous tasks, all of which would wait
/// with it.
pub fn may_block() -> bool {
    MAY_BLOCK.get() || Handle::try_current().is_err()
}

/// Waits for `work` on a thread that may block. The work itself must not need one: should all that there are wait so, none
/// would be left for it.
///
/// # Panics
/// On a thread that runs asynchronous tasks.
pub fn wait_for<T>(work: impl Future<Output = T>) -> T {
    Handle::current().block_on(work)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Env;

    #[tokio::test]
    async fn asynchronous_tasks_may_not_block_and_all_others_may() {
        let env = Env::real();
        assert!(!may_block());
        assert!(env.blocking(may_block).await);
        assert!(!env.to_the_end(async { may_block() }).await);
        let (tell, told) = tokio::sync::oneshot::channel();
        let work = move || tell.send(may_block()).unwrap_or_default();
        env.tasks.thread("one", Box::new(work));
        assert!(told.await.unwrap());
    }

    #[tokio::test]
    async fn work_that_may_block_waits_for_what_tasks_do() {
        let env = Env::real();
        let (tell, told) = tokio::sync::oneshot::channel();
        let waiting = env.blocking(|| wait_for(told));
        let (heard, told) = tokio::join!(waiting, async { tell.send(7) });
        assert_eq!((heard, told), (Ok(7), Ok(())));
    }
}
