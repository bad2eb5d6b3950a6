//! The delayed messages that nobody looked at yet, counted by the second in which they can be received.

use std::collections::BTreeMap;

use headwater_types::Millis;

use crate::limits::DELAY_MAX;

/// Counts beyond which those of times that are over are dropped.
const DELAYS_MAX: usize = 2 * DELAY_MAX.as_secs() as usize;

/// The counts: at most twice as many as a delay has seconds. They begin anew with the process; messages that were delayed before count
/// as delayed once they were looked at.
#[derive(Default)]
pub(crate) struct Delayed(BTreeMap<u64, u64>);

impl Delayed {
    /// Messages were sent now that can be received from `visible` on.
    pub fn add(&mut self, visible: Millis, count: u64, now: Millis) {
        if self.0.len() > DELAYS_MAX {
            self.0 = self.0.split_off(&now.seconds());
        }
        *self.0.entry(visible.seconds()).or_default() += count;
    }

    /// One of them was looked at.
    pub fn take(&mut self, visible: Millis) {
        if let Some(count) = self.0.get_mut(&visible.seconds()) {
            *count = count.saturating_sub(1);
        }
    }

    /// How many there are.
    pub fn count(&mut self, now: Millis) -> u64 {
        self.0 = self.0.split_off(&now.seconds());
        self.0.values().sum()
    }

    /// Forgets them: they were purged.
    pub fn clear(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_of_times_that_are_over_take_no_memory() {
        let mut delayed = Delayed::default();
        for second in 0..10_000 {
            let now = Millis(second * 1000);
            delayed.add(Millis((second + 1) * 1000), 1, now);
        }
        assert!(delayed.0.len() <= DELAYS_MAX + 1);
        assert_eq!(delayed.count(Millis(10_000_000)), 1);
    }
}
