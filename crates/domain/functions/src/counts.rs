//! Counting invocations, by function.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

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
    invocations: AtomicU64,
    errors: AtomicU64,
    throttles: AtomicU64,
    cold_starts: AtomicU64,
    untold: AtomicU64,
    nanos: AtomicU64,
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

impl Counters {
    /// An invocation ran to its end.
    pub fn ran(&self, took: Duration, failed: bool, cold: bool) {
        let nanos = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        self.invocations.fetch_add(1, Relaxed);
        self.errors.fetch_add(failed.into(), Relaxed);
        self.cold_starts.fetch_add(cold.into(), Relaxed);
        self.nanos.fetch_add(nanos, Relaxed);
    }

    /// An invocation could not be run.
    pub fn refused(&self, error: &Error) {
        match error {
            Error::Throttled | Error::Reserved => self.throttles.fetch_add(1, Relaxed),
            _ => self.errors.fetch_add(1, Relaxed),
        };
    }

    fn now(&self) -> FunctionMetrics {
        FunctionMetrics {
            invocations: self.invocations.load(Relaxed),
            errors: self.errors.load(Relaxed),
            throttles: self.throttles.load(Relaxed),
            cold_starts: self.cold_starts.load(Relaxed),
            untold: self.untold.load(Relaxed),
            duration: Duration::from_nanos(self.nanos.load(Relaxed)),
        }
    }
}
