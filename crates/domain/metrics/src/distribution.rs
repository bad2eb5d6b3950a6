//! How values are distributed: counts of buckets whose bounds stand in a fixed ratio.

/// Counts of values that are not negative, by bucket.
///
/// A bucket is a double's exponent and the first seven bits of its fraction, so all values of one are less than 1/128 above
/// its lower bound, and whole numbers up to 256 have a bucket each.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Distribution {
    /// Buckets and their counts, in ascending order, none twice.
    buckets: Vec<(u32, f64)>,
}

/// The bits of a double below those that tell buckets apart.
const BITS_WITHIN: u32 = 52 - 7;

/// One more than the greatest bucket of a finite value.
pub(crate) const BUCKETS_END: u32 = (f64::INFINITY.to_bits() >> BITS_WITHIN) as u32;

impl Distribution {
    /// The same value, `count` times.
    pub(crate) fn of(value: f64, count: f64) -> Self {
        Self {
            buckets: vec![(bucket_of(value), count)],
        }
    }

    /// A distribution with these buckets, which are in ascending order.
    pub(crate) fn of_buckets(buckets: Vec<(u32, f64)>) -> Self {
        Self { buckets }
    }

    /// The buckets and their counts, in ascending order.
    pub(crate) fn buckets(&self) -> &[(u32, f64)] {
        &self.buckets
    }

    pub(crate) fn add(&mut self, value: f64, count: f64) {
        self.add_bucket(bucket_of(value), count);
    }

    pub(crate) fn add_all(&mut self, later: &Self) {
        for (bucket, count) in &later.buckets {
            self.add_bucket(*bucket, *count);
        }
    }

    fn add_bucket(&mut self, bucket: u32, count: f64) {
        match self.buckets.binary_search_by_key(&bucket, |known| known.0) {
            Ok(at) => self.buckets[at].1 += count,
            Err(at) => self.buckets.insert(at, (bucket, count)),
        }
    }

    /// How many values there are.
    pub fn count(&self) -> f64 {
        self.buckets.iter().map(|bucket| bucket.1).sum()
    }

    /// The value that a share of all values, between 0 and 1, is not above.
    pub fn at_share(&self, share: f64) -> f64 {
        let wanted = share * self.count();
        let mut seen = 0.0;
        for (bucket, count) in &self.buckets {
            seen += count;
            if seen >= wanted {
                return value_of(*bucket);
            }
        }
        self.buckets.last().map_or(0.0, |bucket| value_of(bucket.0))
    }

    /// The values, each at its bucket's lower bound, with their counts, in ascending order.
    pub fn values(&self) -> impl Iterator<Item = (f64, f64)> {
        let value = |(bucket, count): &(u32, f64)| (value_of(*bucket), *count);
        self.buckets.iter().map(value)
    }
}

/// The bucket of a value, which is finite and not negative.
fn bucket_of(value: f64) -> u32 {
    // A zero may have a sign.
    (value.abs().to_bits() >> BITS_WITHIN) as u32
}

/// The lower bound of a bucket.
fn value_of(bucket: u32) -> f64 {
    f64::from_bits(u64::from(bucket) << BITS_WITHIN)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_share_is_less_than_a_128th_off(
            mut values in prop::collection::vec(0f64..1e9, 1..100),
            percent in 1u32..=100,
        ) {
            let mut distribution = Distribution::default();
            values.iter().for_each(|value| distribution.add(*value, 1.0));
            values.sort_by(f64::total_cmp);
            let share = f64::from(percent) / 100.0;
            let rank = (share * values.len() as f64).ceil() as usize;
            let (exact, found) = (values[rank - 1], distribution.at_share(share));
            prop_assert!(found <= exact && exact <= found * (1.0 + 1.0 / 128.0), "{exact} {found}");
        }
    }

    #[test]
    fn small_whole_numbers_are_exact() {
        for whole in (0..=256).chain([1024, 1032]) {
            let value = f64::from(whole);
            assert_eq!(Distribution::of(value, 3.0).at_share(0.5), value);
        }
        assert_eq!(bucket_of(f64::MAX) + 1, BUCKETS_END);
        assert_eq!(bucket_of(-0.0), 0);
    }
}
