//! From a hash key to the open shard that owns it. Pure.

use headwater_types::HashKey;

/// The open shards' keys in order. A key's top bits say at once about where among thousands to look.
pub(crate) struct Routes {
    /// The first key of each.
    starts: Vec<HashKey>,
    /// For each value of a key's top bits, the owner of the lowest key with these; and the last one.
    owners: Vec<u32>,
    /// How many bits those are.
    bits: u32,
}

impl Routes {
    /// Routes by the first keys of shards that own the whole ring together, in order.
    pub fn new(starts: Vec<HashKey>) -> Self {
        let bits = starts.len().next_power_of_two().ilog2();
        let lowest = |top: u128| {
            HashKey(if bits == 0 {
                0
            } else {
                top << (u128::BITS - bits)
            })
        };
        let owner = |top| {
            starts
                .partition_point(|start| *start <= lowest(top))
                .saturating_sub(1) as u32
        };
        let mut owners: Vec<u32> = (0..1 << bits).map(owner).collect();
        owners.push(starts.len().saturating_sub(1) as u32);
        Self {
            starts,
            owners,
            bits,
        }
    }

    /// Which of the shards owns `key`.
    pub fn owner(&self, HashKey(key): HashKey) -> u32 {
        // In two steps, for a shift by all bits is none.
        let top = (key >> (u128::BITS - 1 - self.bits) >> 1) as usize;
        let (first, last) = (self.owners[top] as usize, self.owners[top + 1] as usize);
        // Shards cover the whole ring, so the last that starts at or before the key owns it.
        let later = self.starts[first + 1..=last].partition_point(|start| start.0 <= key);
        (first + later) as u32
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_owner_is_the_last_that_starts_at_or_before_the_key(
            mut starts in proptest::collection::btree_set(any::<u128>(), 0..40),
            close in proptest::collection::btree_set(0u128..60, 0..40),
            keys in proptest::collection::vec(any::<u128>(), 20),
        ) {
            starts.extend(close);
            starts.insert(0);
            let starts: Vec<u128> = starts.into_iter().collect();
            let routes = Routes::new(starts.iter().copied().map(HashKey).collect());
            let around = starts.iter().flat_map(|start| [*start, start.wrapping_sub(1), start.wrapping_add(1)]);
            for key in keys.into_iter().chain(around).chain([u128::MAX]) {
                let expected = starts.iter().rposition(|start| *start <= key).unwrap();
                prop_assert_eq!(routes.owner(HashKey(key)) as usize, expected);
            }
        }
    }
}
