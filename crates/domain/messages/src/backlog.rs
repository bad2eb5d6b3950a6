//! The delayed messages that nobody looked at yet, counted by the second in which they can be received.

use std::collections::BTreeMap;

use headwater_types::Millis;

/// The counts: as many as a delay has seconds. They begin anew with the process; messages that were delayed before count
/// as delayed once they were looked at.
#[derive(Default)]
pub(crate) struct Delayed(BTreeMap<u64, u64>);

impl Delayed {
    /// Messages were sent that can be received from `visible` on.
    pub fn add(&mut self, visible: Millis, count: u64) {
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
