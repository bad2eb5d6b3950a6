//! The pool: how many invocations run at a time, and the processes that wait for the next one.
//!
//! Owns the places. Processes that are kept for a version (provisioned) stand apart: they are for that version's
//! invocations alone, are not ended when they idle, and each takes one of the server's places. An invocation beyond them
//! takes one of its function's reserved places, or one of those that all others share.

use std::{collections::HashMap, sync::Arc, time::Duration};

use headwater_env::Env;
use parking_lot::Mutex;
use tokio::sync::{Notify, Semaphore, futures::Notified};

use crate::{
    Error, Function, FunctionName, KeepFailure, Processes, Version, limits, process::Process,
};

/// The processes without work and the count of those with some.
pub(crate) struct Pool {
    env: Env,
    state: Mutex<State>,
    /// Told when an invocation ends.
    left: Notify,
    /// Told when there may be a process to keep.
    keep: Notify,
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

/// A version for which processes are to be kept, and how many.
pub(crate) struct Keep {
    pub function: Function,
    pub count: usize,
}

#[derive(Default)]
struct State {
    /// The longest idle first.
    idle: Vec<Idle>,
    busy: HashMap<FunctionName, Busy>,
    busy_total: usize,
    /// Those of them that take the places which all functions share.
    shared: usize,
    /// The build that each version is known to be at.
    current: HashMap<(FunctionName, Version), String>,
    claims: HashMap<FunctionName, Claim>,
    /// All claims of all functions.
    claimed: usize,
    /// Processes to be kept that are being started.
    starting: usize,
    /// Kept processes with work, by build: a claim may go and come again meanwhile.
    working: HashMap<String, usize>,
    closed: bool,
}

/// The invocations of a function that run.
#[derive(Default)]
struct Busy {
    /// By version, those that take the places of processes which are kept for it.
    kept: HashMap<Version, usize>,
    /// The others.
    others: usize,
}

/// The places that a function has to itself.
struct Claim {
    reserved: Option<usize>,
    kept: Vec<Kept>,
}

/// A version for which processes are kept.
struct Kept {
    function: Arc<Function>,
    count: usize,
    /// Those that are there, idle and busy.
    alive: usize,
    starting: usize,
    failed: Option<KeepFailure>,
    /// When one is started again after a failure.
    again_at: Duration,
}

struct Idle {
    function: FunctionName,
    version: Version,
    process: Process,
    since: Duration,
}

/// The kind of place that an invocation takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Kept,
    Reserved,
    Shared,
}

/// The right to run one invocation; given back when dropped.
pub(crate) struct Permit {
    pool: Arc<Pool>,
    function: FunctionName,
    version: Version,
    place: Place,
    /// The build of the kept process that it was given, until that is given back.
    holds: Option<String>,
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut state = self.pool.state.lock();
        state.busy_total -= 1;
        if self.place == Place::Shared {
            state.shared -= 1;
        }
        if let Some(busy) = state.busy.get_mut(&self.function) {
            busy.leave(self.version, self.place);
            if busy.others == 0 && busy.kept.is_empty() {
                state.busy.remove(&self.function);
            }
        }
        if let Some(build) = &self.holds {
            state.worked(build);
            state.lost(&self.function, build);
        }
        drop(state);
        self.pool.left.notify_waiters();
        self.pool.keep.notify_one();
    }
}

impl Busy {
    fn leave(&mut self, version: Version, place: Place) {
        if place != Place::Kept {
            self.others -= 1;
        } else if let Some(kept) = self.kept.get_mut(&version) {
            *kept -= 1;
            if *kept == 0 {
                self.kept.remove(&version);
            }
        }
    }
}

impl Pool {
    pub fn new(env: Env, bounds: Bounds) -> Arc<Self> {
        let (state, waiting) = (Mutex::default(), Semaphore::new(limits::WAITING_MAX));
        Arc::new(Self {
            env,
            state,
            left: Notify::new(),
            keep: Notify::new(),
            waiting,
            bounds,
        })
    }

    /// Admits one invocation of `function`, with a warm process where there is one; waits a while for room, but not for
    /// what is reserved to become free.
    pub async fn enter(
        self: &Arc<Self>,
        function: &Function,
        wait: bool,
    ) -> Result<(Permit, Option<Process>), Error> {
        let deadline = self.env.clock.elapsed() + self.bounds.wait;
        let mut place = None;
        loop {
            let left = self.left.notified();
            tokio::pin!(left);
            // Registered before the look, so that no end falls between the two.
            left.as_mut().enable();
            match self.try_enter(function) {
                Err(Error::Throttled) if wait => {}
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

    /// The end of an invocation, or another occasion at which there may be room.
    pub fn freed(&self) -> Notified<'_> {
        self.left.notified()
    }

    /// How many more invocations of a function may run; any number where it may run nothing at all, which is told at
    /// once.
    pub fn room(&self, name: &FunctionName) -> usize {
        let state = self.state.lock();
        let busy = state.busy.get(name);
        let others = busy.map_or(0, |busy| busy.others);
        let on_kept: usize = busy.map_or(0, |busy| busy.kept.values().sum());
        let claim = state.claims.get(name);
        let kept: usize = claim.map_or(0, |claim| claim.kept.iter().map(|kept| kept.count).sum());
        let own = match claim.and_then(|claim| claim.reserved) {
            Some(0) => return usize::MAX,
            Some(reserved) => reserved.saturating_sub(kept + others),
            None => {
                let shared = state.free_shared(&self.bounds);
                self.bounds.per_function.saturating_sub(others).min(shared)
            }
        };
        let free = self.bounds.total.saturating_sub(state.taken());
        own.min(free) + kept.saturating_sub(on_kept)
    }

    fn try_enter(
        self: &Arc<Self>,
        function: &Function,
    ) -> Result<(Permit, Option<Process>), Error> {
        let mut state = self.state.lock();
        if state.closed {
            return Err(Error::Closed);
        }
        let place = state.place(function, &self.bounds)?;
        let holds = place == Place::Kept && state.kept_idle(function).is_some();
        // A kept process that waits has its place already.
        if !holds && state.taken() >= self.bounds.total {
            return Err(Error::Throttled);
        }
        state.enter(function, place);
        let known = (function.name.clone(), function.version);
        state.current.insert(known, function.build.clone());
        let (warm, ended) = state.take_warm(function, holds, self.bounds.total);
        let holds = warm.as_ref().filter(|process| process.is_kept);
        let holds = holds.map(|process| process.build.clone());
        if let Some(build) = &holds {
            *state.working.entry(build.clone()).or_default() += 1;
        }
        drop(state);
        // Killing takes a system call each: not under the lock.
        drop(ended);
        let permit = Permit {
            pool: self.clone(),
            function: function.name.clone(),
            version: function.version,
            place,
            holds,
        };
        Ok((permit, warm))
    }

    /// Takes a process back for the next invocation, if it still has the right code.
    pub fn leave(&self, mut permit: Permit, process: Process) {
        let (function, version) = (permit.function.clone(), permit.version);
        let mut state = self.state.lock();
        let ended = if !state.closed && state.is_wanted(&function, version, &process) {
            if let Some(build) = permit.holds.take() {
                state.worked(&build);
            }
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
        self.keep.notify_one();
    }

    /// Ends the processes that have been idle for too long, and finds those that ended by themselves.
    pub fn reap(&self) {
        let now = self.env.clock.elapsed();
        let ended = self.state.lock().take_idle(|idle| {
            let is_old = now.saturating_sub(idle.since) >= limits::IDLE_TIME_MAX;
            (is_old && !idle.process.is_kept) || !idle.process.is_alive()
        });
        if !ended.is_empty() {
            self.keep.notify_one();
        }
        drop(ended);
    }

    /// Has a function's claims hold: what is reserved for it, the versions that processes are kept for, and the sum of
    /// the claims of all functions.
    pub fn claim(&self, name: &FunctionName, reserved: Option<u32>, keep: Vec<Keep>, total: u32) {
        let mut state = self.state.lock();
        state.claimed = total as usize;
        let former = state.claims.remove(name);
        let mut former = former.map_or_else(Vec::new, |claim| claim.kept);
        let kept: Vec<Kept> = keep
            .into_iter()
            .map(|Keep { function, count }| {
                let same = former
                    .iter()
                    .position(|kept| kept.function.build == function.build);
                let same = same.map(|at| former.swap_remove(at));
                let working = state.working.get(&function.build).copied();
                Kept {
                    count,
                    alive: same
                        .as_ref()
                        .map_or(working.unwrap_or(0), |kept| kept.alive),
                    starting: same.as_ref().map_or(0, |kept| kept.starting),
                    failed: None,
                    again_at: Duration::ZERO,
                    function: Arc::new(function),
                }
            })
            .collect();
        if reserved.is_some() || !kept.is_empty() {
            let reserved = reserved.map(|count| count as usize);
            let claim = Claim { reserved, kept };
            state.claims.insert(name.clone(), claim);
        }
        let ended = state.take_surplus(name);
        drop(state);
        drop(ended);
        self.keep.notify_one();
        // Invocations that wait for room may find some.
        self.left.notify_waiters();
    }

    /// Whether a function may run nothing at all.
    pub fn is_stopped(&self, name: &FunctionName) -> bool {
        let state = self.state.lock();
        state.claims.get(name).and_then(|claim| claim.reserved) == Some(0)
    }

    /// How many processes are kept for a version, and why there will not be more.
    pub fn kept(&self, function: &Function) -> (usize, Option<KeepFailure>) {
        let mut state = self.state.lock();
        let most = most_kept(&self.bounds);
        let all: usize = state.all_kept().map(|kept| kept.count).sum();
        let room = (all > most).then_some(KeepFailure::Room { most });
        let kept = state.kept_of(function);
        kept.map_or((0, None), |kept| (kept.alive, kept.failed.or(room)))
    }

    /// The next process to start for a version that has too few, with its place taken; others that idle make room.
    pub fn next_to_keep(&self) -> Option<Arc<Function>> {
        let mut state = self.state.lock();
        let most = most_kept(&self.bounds);
        let there: usize = state
            .all_kept()
            .map(|kept| kept.alive + kept.starting)
            .sum();
        let is_full = state.taken() >= self.bounds.total || there >= most;
        if state.closed || is_full || state.starting >= limits::KEEPING_MAX {
            return None;
        }
        let now = self.env.clock.elapsed();
        let mut kept = state.claims.values_mut().flat_map(|claim| &mut claim.kept);
        let lacking = kept.find(|kept| {
            let may_start = kept.failed.is_none() || now >= kept.again_at;
            may_start && kept.alive + kept.starting < kept.count
        })?;
        lacking.starting += 1;
        // After a failure they are tried one by one.
        lacking.again_at = now + limits::KEEP_AGAIN_AFTER;
        let function = lacking.function.clone();
        state.starting += 1;
        let ended = state.make_room(self.bounds.total);
        drop(state);
        drop(ended);
        Some(function)
    }

    /// The end of a start: the process, or that there is none.
    pub fn started(&self, function: &Function, process: Option<Process>) {
        let mut state = self.state.lock();
        state.starting -= 1;
        let closed = state.closed;
        let mut ended = process;
        if let Some(kept) = state.kept_of(function) {
            kept.starting = kept.starting.saturating_sub(1);
            match ended.take() {
                Some(process) if !closed && kept.alive < kept.count => {
                    kept.alive += 1;
                    kept.failed = None;
                    state.idle.push(Idle {
                        function: function.name.clone(),
                        version: function.version,
                        process,
                        since: self.env.clock.elapsed(),
                    });
                }
                Some(process) => ended = Some(process),
                None => kept.failed = Some(KeepFailure::Start),
            }
        }
        drop(state);
        drop(ended);
        self.keep.notify_one();
        self.left.notify_waiters();
    }

    /// Waits until there may be a process to keep.
    pub async fn to_keep(&self) {
        self.keep.notified().await;
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

/// The places that stay for functions which claim none: of AWS's 1,000 these are 100, and here as many in the hundred.
fn least_shared(bounds: &Bounds) -> usize {
    let share = limits::UNRESERVED_MIN as usize * bounds.total;
    share.div_ceil(limits::ACCOUNT_CONCURRENCY as usize).max(1)
}

/// The most processes that are kept.
fn most_kept(bounds: &Bounds) -> usize {
    bounds.total.saturating_sub(least_shared(bounds))
}

impl State {
    /// The kind of place that an invocation would take, if it is free.
    fn place(&mut self, function: &Function, bounds: &Bounds) -> Result<Place, Error> {
        let busy = self.busy.get(&function.name);
        let on_kept = busy.and_then(|busy| busy.kept.get(&function.version).copied());
        let others = busy.map_or(0, |busy| busy.others);
        let kept = self.kept_of(function).map_or(0, |kept| kept.count);
        if on_kept.unwrap_or(0) < kept {
            return Ok(Place::Kept);
        }
        let claim = self.claims.get(&function.name);
        if let Some((claim, reserved)) = claim.and_then(|claim| Some((claim, claim.reserved?))) {
            let kept: usize = claim.kept.iter().map(|kept| kept.count).sum();
            return match others < reserved.saturating_sub(kept) {
                true => Ok(Place::Reserved),
                false => Err(Error::Reserved),
            };
        }
        match others < bounds.per_function && self.free_shared(bounds) > 0 {
            true => Ok(Place::Shared),
            false => Err(Error::Throttled),
        }
    }

    /// The places that all functions share and that are free.
    fn free_shared(&self, bounds: &Bounds) -> usize {
        let all = bounds.total.saturating_sub(self.claimed);
        all.max(least_shared(bounds)).saturating_sub(self.shared)
    }

    fn enter(&mut self, function: &Function, place: Place) {
        self.busy_total += 1;
        let busy = self.busy.entry(function.name.clone()).or_default();
        match place {
            Place::Kept => *busy.kept.entry(function.version).or_default() += 1,
            Place::Reserved | Place::Shared => busy.others += 1,
        }
        if place == Place::Shared {
            self.shared += 1;
        }
    }

    /// Places that nothing else can have: of invocations, and of kept processes that wait or start.
    fn taken(&self) -> usize {
        let waiting = self.idle.iter().filter(|idle| idle.process.is_kept);
        self.busy_total + self.starting + waiting.count()
    }

    fn all_kept(&self) -> impl Iterator<Item = &Kept> {
        self.claims.values().flat_map(|claim| &claim.kept)
    }

    /// What is kept for a version; by its build, for another function of that name may have had such a version.
    fn kept_of(&mut self, function: &Function) -> Option<&mut Kept> {
        let claim = self.claims.get_mut(&function.name)?;
        let mut kept = claim.kept.iter_mut();
        kept.find(|kept| kept.function.build == function.build)
    }

    /// The place of the kept process of a version that was idle last.
    fn kept_idle(&self, function: &Function) -> Option<usize> {
        self.idle
            .iter()
            .rposition(|idle| idle.process.is_kept && idle.process.build == function.build)
    }

    /// Whether a process may wait for the next invocation of its version.
    fn is_wanted(&mut self, name: &FunctionName, version: Version, process: &Process) -> bool {
        if process.is_kept {
            let kept = self.claims.get(name).map_or(&[][..], |claim| &claim.kept);
            let kept = kept
                .iter()
                .find(|kept| kept.function.build == process.build);
            return kept.is_some_and(|kept| kept.alive <= kept.count);
        }
        self.current.get(&(name.clone(), version)) == Some(&process.build)
    }

    /// A kept process of that build has no work any more.
    fn worked(&mut self, build: &str) {
        if let Some(count) = self.working.get_mut(build) {
            *count -= 1;
            if *count == 0 {
                self.working.remove(build);
            }
        }
    }

    /// A kept process of that build is no more.
    fn lost(&mut self, name: &FunctionName, build: &str) {
        let kept = self.claims.get_mut(name).map(|claim| &mut claim.kept);
        let mut kept = kept.into_iter().flatten();
        if let Some(kept) = kept.find(|kept| kept.function.build == build) {
            kept.alive = kept.alive.saturating_sub(1);
        }
    }

    /// The process of `function` that was idle last, and those to be ended: outdated, dead, or in the way of one more.
    fn take_warm(
        &mut self,
        function: &Function,
        kept: bool,
        total_max: usize,
    ) -> (Option<Process>, Vec<Process>) {
        let same = |idle: &Idle| {
            idle.function == function.name
                && idle.version == function.version
                && idle.process.is_kept == kept
        };
        let outdated = |idle: &Idle| same(idle) && idle.process.build != function.build;
        let mut ended = self.take_idle(|idle| outdated(idle));
        while let Some(at) = self.idle.iter().rposition(same) {
            let mut process = self.idle.remove(at).process;
            if process.is_alive() {
                return (Some(process), ended);
            }
            if process.is_kept {
                self.lost(&function.name, &process.build);
            }
            ended.push(process);
        }
        ended.extend(self.make_room(total_max));
        (None, ended)
    }

    /// The processes that idle for nobody in particular and are in the way, the longest idle first.
    fn make_room(&mut self, total_max: usize) -> Vec<Process> {
        let mut ended = Vec::new();
        while self.busy_total + self.starting + self.idle.len() > total_max
            && let Some(at) = self.idle.iter().position(|idle| !idle.process.is_kept)
        {
            ended.push(self.idle.remove(at).process);
        }
        ended
    }

    /// The idle processes that were kept for a function and are so no more.
    fn take_surplus(&mut self, name: &FunctionName) -> Vec<Process> {
        let kept = self.claims.get(name).map_or(&[][..], |claim| &claim.kept);
        let mut more: HashMap<String, usize> = kept
            .iter()
            .map(|kept| {
                let more = kept.alive.saturating_sub(kept.count);
                (kept.function.build.clone(), more)
            })
            .collect();
        self.take_idle(|idle| {
            if idle.function != *name || !idle.process.is_kept {
                return false;
            }
            match more.get_mut(&idle.process.build) {
                Some(0) => false,
                Some(more) => {
                    *more -= 1;
                    true
                }
                None => true,
            }
        })
    }

    fn take_idle(&mut self, mut which: impl FnMut(&mut Idle) -> bool) -> Vec<Process> {
        let taken: Vec<Idle> = self.idle.extract_if(.., |idle| which(idle)).collect();
        for idle in taken.iter().filter(|idle| idle.process.is_kept) {
            self.lost(&idle.function, &idle.process.build);
        }
        taken.into_iter().map(|idle| idle.process).collect()
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

#[cfg(test)]
mod tests;
