//! Tasks and threads.

use std::{pin::Pin, thread};

/// A task without a result.
pub type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Starts what runs beside the caller.
pub trait Spawn: Send + Sync {
    /// Starts an asynchronous task.
    fn spawn(&self, task: Task);

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
        tokio::task::spawn_blocking(work);
    }

    fn thread(&self, name: &str, work: Box<dyn FnOnce() + Send>) {
        thread::Builder::new()
            .name(name.to_owned())
            .spawn(work)
            .expect("the machine has a thread to give");
    }
}
