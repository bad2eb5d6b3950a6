//! Counting invocations, by function.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use headwater_types::{Tallied, Tally};
use parking_lot::Mutex;

use crate::{Error, FunctionName};

/// The invocations of a function since the process started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FunctionMetrics {
    /// Invocations that ran to their end, in whatever way.
    pub invocations: u64,
    /// Those of them that failed, by the function's fault; and invocations that could not be run by the server's.
    pub errors: u64,
    /// Invocations that were refused since too many run.
    pub throttles: u64,
    /// Those that began with starting a process.
    pub cold_starts: u64,
    /// Outcomes of events that were given up before they were told.
    pub untold: u64,
    /// How long the functions ran, without the start of processes.
    pub duration: Duration,
}

/// What was counted of a function since it was taken last; each value is one invocation's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FunctionCalls {
    /// 1 for one that failed, 0 for one that did not: all that ran to their end or could not be run.
    pub errors: Option<Tallied>,
    /// 1 for one that was refused since too many run, 0 for one that ran.
    pub throttles: Option<Tallied>,
    /// How long it ran, in nanoseconds.
    pub nanos: Option<Tallied>,
    /// How many ran at one time when one began, with it.
    pub concurrent: Option<Tallied>,
}

/// Processes of functions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Processes {
    /// Those that run an invocation, or are being started for one.
    pub busy: usize,
    /// Those that wait for the next.
    pub idle: usize,
    /// Invocations that may run at one time.
    pub most: usize,
}

/// The counters of the functions that were called.
#[derive(Default)]
pub(crate) struct Counts(Mutex<BTreeMap<FunctionName, Arc<Counters>>>);

#[derive(Default)]
pub(crate) struct Counters {
    errors: Tally,
    throttles: Tally,
    nanos: Tally,
    concurrent: Tally,
    running: AtomicU64,
    cold_starts: AtomicU64,
    untold: AtomicU64,
}

/// An invocation that runs, until this is dropped.
pub(crate) struct Running<'a>(&'a Counters);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Relaxed);
    }
}

impl Counts {
    /// The counters of a function that there is.
    pub fn of(&self, name: &FunctionName) -> Arc<Counters> {
        let mut counts = self.0.lock();
        counts.entry(name.clone()).or_default().clone()
    }

    /// An outcome of a function's event was given up. A function that is deleted meanwhile counts nothing more.
    pub fn untold(&self, name: &FunctionName) {
        if let Some(counters) = self.0.lock().get(name) {
            counters.untold.fetch_add(1, Relaxed);
        }
    }

    /// Forgets a function that was deleted.
    pub fn forget(&self, name: &FunctionName) {
        self.0.lock().remove(name);
    }

    /// The counts so far.
    pub fn now(&self) -> Vec<(FunctionName, FunctionMetrics)> {
        let counts = self.0.lock();
        let now = counts.iter();
        now.map(|(name, counters)| (name.clone(), counters.now()))
            .collect()
    }
}

impl Counts {
    /// What was counted of each function since this was asked last.
    pub fn take(&self) -> Vec<(FunctionName, FunctionCalls)> {
        let counts = self.0.lock();
        let taken = counts.iter();
        taken
            .map(|(name, counters)| (name.clone(), counters.take()))
            .collect()
    }
}

impl Counters {
    /// An invocation begins to run.
    pub fn runs(&self) -> Running<'_> {
        let before = self.running.fetch_add(1, Relaxed);
        self.concurrent.add(before + 1);
        Running(self)
    }

    /// An invocation ran to its end.
    pub fn ran(&self, took: Duration, failed: bool, cold: bool) {
        let nanos = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        self.errors.add(failed.into());
        self.throttles.add(0);
        self.nanos.add(nanos);
        self.cold_starts.fetch_add(cold.into(), Relaxed);
    }

    /// An invocation could not be run.
    pub fn refused(&self, error: &Error) {
        match error {
            Error::Throttled | Error::Reserved => self.throttles.add(1),
            _ => self.errors.add(1),
        }
    }

    fn take(&self) -> FunctionCalls {
        FunctionCalls {
            errors: self.errors.take(),
            throttles: self.throttles.take(),
            nanos: self.nanos.take(),
            concurrent: self.concurrent.take(),
        }
    }

    fn now(&self) -> FunctionMetrics {
        FunctionMetrics {
            invocations: self.nanos.count(),
            errors: self.errors.sum(),
            throttles: self.throttles.sum(),
            cold_starts: self.cold_starts.load(Relaxed),
            untold: self.untold.load(Relaxed),
            duration: Duration::from_nanos(self.nanos.sum()),
        }
    }
}
