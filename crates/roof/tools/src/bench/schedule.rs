//! When calls are due that are to come at an even rate, however long their answers take.

use std::time::Duration;

/// The times of one connection's calls.
#[derive(Debug, Clone, Copy)]
pub struct Schedule {
    /// When the next is due, by the run's clock.
    next: Duration,
    interval: Duration,
}

impl Schedule {
    /// The schedule of the `worker`th of so many connections, which together make `calls` calls a second from `start` on.
    pub fn of(worker: usize, workers: usize, calls: f64, start: Duration) -> Self {
        let interval = workers as f64 / calls;
        let first = interval * worker as f64 / workers as f64;
        Self {
            next: start + Duration::from_secs_f64(first),
            interval: Duration::from_secs_f64(interval),
        }
    }

    /// When the next call is due. The one behind it follows at its own time, even if this one is late.
    pub fn next(&mut self) -> Duration {
        let due = self.next;
        self.next += self.interval;
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_take_turns_and_none_waits_for_another() {
        let start = Duration::from_secs(5);
        let mut schedules: Vec<_> = (0..4)
            .map(|worker| Schedule::of(worker, 4, 100.0, start))
            .collect();
        let due: Vec<_> = (0..12).map(|call| schedules[call % 4].next()).collect();
        let wanted: Vec<_> = (0..12)
            .map(|call| start + Duration::from_millis(10) * call)
            .collect();
        assert_eq!(due, wanted);
    }
}
