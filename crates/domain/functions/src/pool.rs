//! The pool: how many invocations run at a time, and the processes that wait for the next one.

use std::{collections::HashMap, sync::Arc, time::Duration};

use headwater_env::Env;
use parking_lot::Mutex;
use tokio::sync::{Notify, Semaphore};

use crate::{Error, Function, FunctionName, Processes, Version, limits, process::Process};

/// The processes without work and the count of those with some.
pub(crate) struct Pool {
    env: Env,
    state: Mutex<State>,
    /// Told when an invocation ends.
    left: Notify,
    /// Places for invocations that wait to be admitted.
    waiting: Semaphore,
    bounds: Bounds,
}

/// How many invocations run at one time, and how long another one waits.
pub(crate) struct Bounds {
    pub total: usize,
    pub per_function: usize,
    pub wait: Duration,
}

#[derive(Default)]
struct State {
    /// The longest idle first.
    idle: Vec<Idle>,
    busy: HashMap<FunctionName, usize>,
    busy_total: usize,
    /// The build that each version is known to be at.
    current: HashMap<(FunctionName, Version), String>,
    closed: bool,
}

struct Idle {
    function: FunctionName,
    version: Version,
    process: Process,
    since: Duration,
}

/// The right to run one invocation; given back when dropped.
pub(crate) struct Permit {
    pool: Arc<Pool>,
    function: FunctionName,
    version: Version,
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut state = self.pool.state.lock();
        state.busy_total -= 1;
        if let Some(busy) = state.busy.get_mut(&self.function) {
            *busy -= 1;
            if *busy == 0 {
                state.busy.remove(&self.function);
            }
        }
        drop(state);
        self.pool.left.notify_waiters();
    }
}

impl Pool {
    pub fn new(env: Env, bounds: Bounds) -> Arc<Self> {
        let (state, waiting) = (Mutex::default(), Semaphore::new(limits::WAITING_MAX));
        Arc::new(Self {
            env,
            state,
            left: Notify::new(),
            waiting,
            bounds,
        })
    }

    /// Admits one invocation of `function`, with a warm process where there is one; waits a while for room.
    pub async fn enter(
        self: &Arc<Self>,
        function: &Function,
    ) -> Result<(Permit, Option<Process>), Error> {
        let deadline = self.env.clock.elapsed() + self.bounds.wait;
        let mut place = None;
        loop {
            let left = self.left.notified();
            tokio::pin!(left);
            // Registered before the look, so that no end falls between the two.
            left.as_mut().enable();
            match self.try_enter(function) {
                Err(Error::Throttled) => {}
                entered => return entered,
            }
            if place.is_none() {
                place = Some(self.waiting.try_acquire().map_err(|_| Error::Throttled)?);
            }
            let time = deadline.saturating_sub(self.env.clock.elapsed());
            if time.is_zero() {
                return Err(Error::Throttled);
            }
            tokio::select! {
                () = left => {}
                () = self.env.clock.sleep(time) => {}
            }
        }
    }

    fn try_enter(
        self: &Arc<Self>,
        function: &Function,
    ) -> Result<(Permit, Option<Process>), Error> {
        let mut state = self.state.lock();
        if state.closed {
            return Err(Error::Closed);
        }
        let busy = state.busy.get(&function.name).copied().unwrap_or(0);
        if state.busy_total >= self.bounds.total || busy >= self.bounds.per_function {
            return Err(Error::Throttled);
        }
        state.busy_total += 1;
        *state.busy.entry(function.name.clone()).or_default() += 1;
        let known = (function.name.clone(), function.version);
        state.current.insert(known, function.build.clone());
        let (warm, ended) = state.take_warm(function, self.bounds.total);
        drop(state);
        // Killing takes a system call each: not under the lock.
        drop(ended);
        Ok((
            Permit {
                pool: self.clone(),
                function: function.name.clone(),
                version: function.version,
            },
            warm,
        ))
    }

    /// Takes a process back for the next invocation, if it still has the right code.
    pub fn leave(&self, permit: Permit, process: Process) {
        let (function, version) = (permit.function.clone(), permit.version);
        let mut state = self.state.lock();
        let known = (function.clone(), version);
        let current = state.current.get(&known) == Some(&process.build);
        let ended = if current && !state.closed {
            state.idle.push(Idle {
                function,
                version,
                process,
                since: self.env.clock.elapsed(),
            });
            None
        } else {
            Some(process)
        };
        drop(state);
        drop(ended);
        drop(permit);
    }

    /// Ends the idle processes of a version that was changed or deleted, or of all; the busy ones end after their work.
    pub fn retire(&self, function: &FunctionName, version: Option<Version>) {
        let retired = |of: &FunctionName, other: Version| {
            of == function && version.is_none_or(|version| version == other)
        };
        let mut state = self.state.lock();
        state.current.retain(|(of, other), _| !retired(of, *other));
        let ended = state.take_idle(|idle| retired(&idle.function, idle.version));
        drop(state);
        drop(ended);
    }

    /// Ends the processes that have been idle for too long.
    pub fn reap(&self) {
        let now = self.env.clock.elapsed();
        let ended = self
            .state
            .lock()
            .take_idle(|idle| now.saturating_sub(idle.since) >= limits::IDLE_TIME_MAX);
        drop(ended);
    }

    /// The processes that there are.
    pub fn processes(&self) -> Processes {
        let state = self.state.lock();
        Processes {
            busy: state.busy_total,
            idle: state.idle.len(),
            most: self.bounds.total,
        }
    }

    /// Admits nothing more, ends the idle processes and waits until no invocation runs.
    pub async fn close(&self) {
        let ended = {
            let mut state = self.state.lock();
            state.closed = true;
            state.take_idle(|_| true)
        };
        drop(ended);
        // Those that wait for room hear that there will be none.
        self.left.notify_waiters();
        loop {
            let left = self.left.notified();
            tokio::pin!(left);
            // Registered before the check, so that no end falls between the two.
            left.as_mut().enable();
            if self.state.lock().busy_total == 0 {
                return;
            }
            left.await;
        }
    }
}

impl State {
    /// The process of `function` that was idle last, and those to be ended: outdated, dead, or in the way of one more.
    fn take_warm(
        &mut self,
        function: &Function,
        total_max: usize,
    ) -> (Option<Process>, Vec<Process>) {
        let same = |idle: &Idle| idle.function == function.name && idle.version == function.version;
        let outdated = |idle: &Idle| same(idle) && idle.process.build != function.build;
        let mut ended = self.take_idle(outdated);
        while let Some(at) = self.idle.iter().rposition(same) {
            let mut process = self.idle.remove(at).process;
            if process.is_alive() {
                return (Some(process), ended);
            }
            ended.push(process);
        }
        while self.busy_total + self.idle.len() > total_max && !self.idle.is_empty() {
            ended.push(self.idle.remove(0).process);
        }
        (None, ended)
    }

    fn take_idle(&mut self, which: impl Fn(&Idle) -> bool) -> Vec<Process> {
        self.idle
            .extract_if(.., |idle| which(idle))
            .map(|idle| idle.process)
            .collect()
    }
}

/// Looks at the idle processes from time to time, for as long as there is a pool.
pub(crate) async fn reap_idle(env: Env, pool: std::sync::Weak<Pool>) {
    loop {
        env.clock.sleep(limits::IDLE_CHECK_EVERY).await;
        let Some(pool) = pool.upgrade() else { return };
        pool.reap();
    }
}
