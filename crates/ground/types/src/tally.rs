//! Counting values: how many there were, their sum, the least and the greatest.
//!
//! Domains count by these what others publish minute by minute. A count costs a few additions and no lock; what was counted
//! stays, and a publisher takes what came since it took last.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Values that were counted: at least one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tallied {
    /// How many.
    pub count: u64,
    /// All together.
    pub sum: u64,
    /// The least.
    pub least: u64,
    /// The greatest.
    pub most: u64,
}

impl Tallied {
    /// One value.
    pub fn one(value: u64) -> Self {
        Self {
            count: 1,
            sum: value,
            least: value,
            most: value,
        }
    }

    /// The same and those of another.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            count: self.count + other.count,
            sum: self.sum + other.sum,
            least: self.least.min(other.least),
            most: self.most.max(other.most),
        }
    }

    /// All together, of those there are.
    pub fn all(tallied: impl IntoIterator<Item = Option<Self>>) -> Option<Self> {
        tallied.into_iter().flatten().reduce(Self::and)
    }
}

/// A counter of values. Threads count at one time; one publisher takes.
#[derive(Debug)]
pub struct Tally {
    count: AtomicU64,
    sum: AtomicU64,
    /// Of the values since the last were taken.
    least: AtomicU64,
    most: AtomicU64,
    /// The count and the sum when the last were taken.
    taken: [AtomicU64; 2],
}

impl Default for Tally {
    fn default() -> Self {
        Self {
            count: AtomicU64::new(0),
            sum: AtomicU64::new(0),
            least: AtomicU64::new(u64::MAX),
            most: AtomicU64::new(0),
            taken: Default::default(),
        }
    }
}

impl Tally {
    /// Counts a value.
    pub fn add(&self, value: u64) {
        self.sum.fetch_add(value, Relaxed);
        // Nearly always neither: then nothing is written.
        if value < self.least.load(Relaxed) {
            self.least.fetch_min(value, Relaxed);
        }
        if value > self.most.load(Relaxed) {
            self.most.fetch_max(value, Relaxed);
        }
        self.count.fetch_add(1, Relaxed);
    }

    /// How many values were counted, ever.
    pub fn count(&self) -> u64 {
        self.count.load(Relaxed)
    }

    /// The sum of all values that were counted, ever.
    pub fn sum(&self) -> u64 {
        self.sum.load(Relaxed)
    }

    /// The values since the last were taken; none where there was none. A value that is counted just now may be taken
    /// the next time, and nothing of it is lost.
    pub fn take(&self) -> Option<Tallied> {
        let [taken_count, taken_sum] = &self.taken;
        let count = self.count.load(Relaxed);
        let new = count - taken_count.load(Relaxed);
        if new == 0 {
            return None;
        }
        let sum = self.sum.load(Relaxed);
        taken_count.store(count, Relaxed);
        let least = self.least.swap(u64::MAX, Relaxed);
        let most = self.most.swap(0, Relaxed);
        Some(Tallied {
            count: new,
            sum: sum - taken_sum.swap(sum, Relaxed),
            least: least.min(most),
            most,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn what_is_taken_is_what_came_since_and_what_was_counted_stays() {
        let tally = Tally::default();
        assert_eq!(tally.take(), None);
        [3, 0, 7].into_iter().for_each(|value| tally.add(value));
        let all = Tallied {
            count: 3,
            sum: 10,
            least: 0,
            most: 7,
        };
        assert_eq!(tally.take(), Some(all));
        assert_eq!(tally.take(), None);
        tally.add(5);
        assert_eq!(tally.take(), Some(Tallied::one(5)));
        assert_eq!((tally.count(), tally.sum()), (4, 15));
        let both = all.and(Tallied::one(9));
        assert_eq!((both.count, both.sum, both.least, both.most), (4, 19, 0, 9));
        assert_eq!(Tallied::all([None, Some(all), None]), Some(all));
        assert_eq!(Tallied::all([None]), None);
    }

    /// Nothing is lost or counted twice, however those who count and the one who takes fall between each other.
    #[test]
    fn threads_lose_nothing() {
        let tally = Tally::default();
        let (mut count, mut sum) = (0, 0);
        thread::scope(|scope| {
            let threads: Vec<_> = (1..=4)
                .map(|value| {
                    let tally = &tally;
                    scope.spawn(move || (0..10_000).for_each(|_| tally.add(value)))
                })
                .collect();
            let mut take = || {
                if let Some(taken) = tally.take() {
                    count += taken.count;
                    sum += taken.sum;
                }
            };
            while threads.iter().any(|thread| !thread.is_finished()) {
                take();
            }
            take();
        });
        assert_eq!((count, sum), (40_000, 100_000));
    }
}
