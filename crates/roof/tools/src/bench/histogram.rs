//! A histogram of durations with a bounded relative error: log-linear, as HDR histograms are.
//!
//! Ours because it is a page: each power of two of nanoseconds is cut into [`PARTS`] equal parts, so a quantile is
//! off by less than one in 128.

use std::time::Duration;

/// Parts of each power of two, as a power of two.
const PARTS_LOG2: u32 = 7;
const PARTS: u64 = 1 << PARTS_LOG2;

/// Counts of durations.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Histogram {
    counts: Vec<u64>,
    total: u64,
    sum: Duration,
    max: Duration,
}

impl Histogram {
    /// Counts one.
    pub fn add(&mut self, took: Duration) {
        let place = place(nanoseconds(took));
        if self.counts.len() <= place {
            self.counts.resize(place + 1, 0);
        }
        self.counts[place] += 1;
        self.total += 1;
        self.sum += took;
        self.max = self.max.max(took);
    }

    /// Counts all that `other` counted.
    pub fn merge(&mut self, other: &Histogram) {
        if self.counts.len() < other.counts.len() {
            self.counts.resize(other.counts.len(), 0);
        }
        self.counts
            .iter_mut()
            .zip(&other.counts)
            .for_each(|(mine, theirs)| *mine += theirs);
        self.total += other.total;
        self.sum += other.sum;
        self.max = self.max.max(other.max);
    }

    /// How many were counted.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// The longest.
    pub fn max(&self) -> Duration {
        self.max
    }

    /// The mean; zero of nothing.
    pub fn mean(&self) -> Duration {
        self.sum
            .checked_div(u32::try_from(self.total).unwrap_or(u32::MAX))
            .unwrap_or_default()
    }

    /// The duration that a `share` (0 to 1) of all did not exceed; zero of nothing.
    pub fn quantile(&self, share: f64) -> Duration {
        let rank = (share * self.total as f64).ceil().max(1.0) as u64;
        let mut seen = 0;
        for (place, count) in self.counts.iter().enumerate() {
            seen += count;
            if seen >= rank {
                return Duration::from_nanos(last_of(place)).min(self.max);
            }
        }
        self.max
    }

    /// How many lie in each power of two: the first duration beyond it, and the count, from the first to the last
    /// that has any.
    pub fn by_powers(&self) -> Vec<(Duration, u64)> {
        let powers = self
            .counts
            .chunks(PARTS as usize)
            .map(|parts| parts.iter().sum::<u64>());
        let powers: Vec<u64> = powers.collect();
        let first = powers
            .iter()
            .position(|count| *count > 0)
            .unwrap_or(powers.len());
        let end =
            |power: usize| Duration::from_nanos(last_of((power + 1) * PARTS as usize - 1) + 1);
        powers
            .iter()
            .enumerate()
            .skip(first)
            .map(|(power, count)| (end(power), *count))
            .collect()
    }
}

fn nanoseconds(took: Duration) -> u64 {
    u64::try_from(took.as_nanos())
        .unwrap_or(u64::MAX >> 1)
        .min(u64::MAX >> 1)
}

/// Below [`PARTS`] each number has its own place, from there each power of two has [`PARTS`] places.
fn place(number: u64) -> usize {
    if number < PARTS {
        return number as usize;
    }
    let shift = number.ilog2() - PARTS_LOG2;
    ((u64::from(shift) + 1) * PARTS + (number >> shift) - PARTS) as usize
}

/// The largest number of a place.
fn last_of(place: usize) -> u64 {
    let (power, part) = (place as u64 / PARTS, place as u64 % PARTS);
    match power {
        0 => part,
        _ => ((PARTS + part + 1) << (power - 1)) - 1,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_place_holds_its_numbers_and_is_narrow(number in 0..u64::MAX >> 1) {
            let last = last_of(place(number));
            prop_assert!(last >= number && (last - number) as f64 <= number as f64 / PARTS as f64);
            prop_assert_eq!(place(last), place(number));
            prop_assert_eq!(place(last + 1), place(number) + 1);
        }

        #[test]
        fn quantiles_are_those_of_the_sorted_list(
            mut list in prop::collection::vec(0..10_000_000_000u64, 1..300), share in 0.0..1.0f64,
        ) {
            let (mut one, mut other) = (Histogram::default(), Histogram::default());
            for (i, number) in list.iter().enumerate() {
                if i % 3 == 0 { &mut one } else { &mut other }.add(Duration::from_nanos(*number));
            }
            one.merge(&other);
            list.sort_unstable();
            let rank = ((share * list.len() as f64).ceil() as usize).max(1);
            let exact = list[rank - 1] as f64;
            let found = one.quantile(share).as_nanos() as f64;
            prop_assert!(found >= exact && found <= exact * (1.0 + 1.0 / PARTS as f64), "{found} {exact}");
            prop_assert_eq!(one.max().as_nanos() as u64, list[list.len() - 1]);
            prop_assert_eq!(one.by_powers().iter().map(|(_, n)| n).sum::<u64>(), list.len() as u64);
        }
    }

    #[test]
    fn of_nothing_all_is_zero() {
        let nothing = Histogram::default();
        assert_eq!(
            (nothing.quantile(0.5), nothing.mean(), nothing.max()),
            Default::default()
        );
        assert!(nothing.by_powers().is_empty());
    }
}
