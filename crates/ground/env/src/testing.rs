//! For the tests of other crates: changes whose callers go away half way.
//!
//! A change that has begun runs to its end, even when its caller hangs up. [`drop_at_every_await`] holds an operation
//! to that: it makes the call anew and anew, drops it a step later each time, lets what runs come to its end, and has
//! the test compare what the process knows with what is stored.

use std::{
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
    task::{Context, Poll, Wake, Waker},
};

use crate::{Spawn, TokioTasks, tasks::Task};

/// Steps of one operation before it is given up.
const STEPS_MAX: usize = 1000;

/// The machine's tasks, with a count of the changes that run.
#[derive(Clone, Default)]
pub struct CountedTasks {
    changes: Arc<AtomicUsize>,
}

impl CountedTasks {
    /// Returns once no change runs.
    pub async fn ended(&self) {
        while self.changes.load(SeqCst) > 0 {
            tokio::task::yield_now().await;
        }
    }
}

impl Spawn for CountedTasks {
    fn spawn(&self, task: Task) {
        TokioTasks.spawn(task);
    }

    fn change(&self, task: Task) {
        self.changes.fetch_add(1, SeqCst);
        let running = Running(self.changes.clone());
        TokioTasks.spawn(Box::pin(async move {
            let _running = running;
            task.await;
        }));
    }

    fn blocking(&self, work: Box<dyn FnOnce() + Send>) {
        TokioTasks.blocking(work);
    }

    fn thread(&self, name: &str, work: Box<dyn FnOnce() + Send>) {
        TokioTasks.thread(name, work);
    }
}

/// Counts a change for as long as it runs.
struct Running(Arc<AtomicUsize>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.fetch_sub(1, SeqCst);
    }
}

/// Makes `call` in a new world each time, drops it a step later each time until it ends by itself, and has `check` look
/// at each world once no change runs in it any more. The result of the call that ended.
pub async fn drop_at_every_await<W, T>(
    tasks: &CountedTasks,
    world: impl AsyncFn() -> W,
    call: impl AsyncFn(&W) -> T,
    check: impl AsyncFn(W),
) -> T {
    for steps in 0..STEPS_MAX {
        let world = world().await;
        let ended = drop_after(steps, call(&world)).await;
        tasks.ended().await;
        check(world).await;
        if let Some(result) = ended {
            return result;
        }
    }
    panic!("the operation has more than {STEPS_MAX} steps");
}

/// Drops `call` after `steps` steps; its result where it ended by then. A step goes to the next place at which the call
/// waits.
pub async fn drop_after<T>(steps: usize, call: impl Future<Output = T>) -> Option<T> {
    let mut call = pin!(call);
    for _ in 0..steps {
        let woken = Arc::new(Woken(AtomicBool::new(false)));
        let waker = Waker::from(woken.clone());
        if let Poll::Ready(result) = call.as_mut().poll(&mut Context::from_waker(&waker)) {
            return Some(result);
        }
        while !woken.0.load(SeqCst) {
            tokio::task::yield_now().await;
        }
    }
    None
}

struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use tokio::{sync::Mutex, task::yield_now};

    use super::*;
    use crate::Env;

    struct World {
        env: Env,
        stored: Arc<Mutex<u32>>,
        known: Arc<Mutex<u32>>,
    }

    /// Changes what is stored, and after a while what is known.
    async fn change(stored: Arc<Mutex<u32>>, known: Arc<Mutex<u32>>) {
        yield_now().await;
        *stored.lock().await += 1;
        yield_now().await;
        *known.lock().await += 1;
        yield_now().await;
    }

    /// How often the two differed, over all drops.
    async fn differences(to_the_end: bool) -> usize {
        let tasks = CountedTasks::default();
        let differences = AtomicUsize::new(0);
        let world = async || World {
            env: Env {
                tasks: Arc::new(tasks.clone()),
                ..Env::real()
            },
            stored: Arc::default(),
            known: Arc::default(),
        };
        let call = async |world: &World| {
            let work = change(world.stored.clone(), world.known.clone());
            match to_the_end {
                true => world.env.to_the_end(work).await,
                false => work.await,
            }
        };
        let check = async |world: World| {
            let differ = *world.stored.lock().await != *world.known.lock().await;
            differences.fetch_add(usize::from(differ), SeqCst);
        };
        drop_at_every_await(&tasks, world, call, check).await;
        differences.into_inner()
    }

    #[tokio::test]
    async fn a_change_that_ends_with_its_caller_is_found() {
        assert_eq!(differences(false).await, 1);
        assert_eq!(differences(true).await, 0);
    }
}
