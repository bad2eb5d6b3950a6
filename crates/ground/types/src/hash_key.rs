//! Hash keys: where a partition key falls, and which shard owns it.

use std::{fmt, str::FromStr};

use md5::{Digest, Md5};
use serde::{Deserialize, Serialize};

use crate::Invalid;

/// A point on the ring of 2^128 hash keys; its text is decimal, as AWS writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HashKey(pub u128);

/// The hash keys that one shard owns, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct HashRange {
    /// The first key owned.
    pub start: HashKey,
    /// The last key owned.
    pub end: HashKey,
}

impl HashRange {
    /// Every hash key there is.
    pub const ALL: HashRange = HashRange {
        start: HashKey(0),
        end: HashKey(u128::MAX),
    };

    /// Whether `key` is owned.
    pub fn contains(&self, key: HashKey) -> bool {
        self.start <= key && key <= self.end
    }

    /// The whole ring in `count` contiguous ranges of equal size; the last also takes the remainder, as on AWS.
    ///
    /// # Panics
    /// When `count` is 0.
    pub fn split_evenly(count: u32) -> Vec<HashRange> {
        assert!(count > 0, "a ring is split into at least one range");
        if count == 1 {
            return vec![HashRange::ALL];
        }
        // 2^128 / count, without a 129-bit number.
        let count = u128::from(count);
        let width = (u128::MAX / count) + u128::from(u128::MAX % count == count - 1);
        (0..count)
            .map(|i| HashRange {
                start: HashKey(width * i),
                end: if i == count - 1 {
                    HashKey(u128::MAX)
                } else {
                    HashKey(width * (i + 1) - 1)
                },
            })
            .collect()
    }
}

impl HashKey {
    /// Where a partition key falls: its MD5 as a number, as AWS documents it.
    pub fn of(partition_key: impl AsRef<[u8]>) -> Self {
        Self(u128::from_be_bytes(Md5::digest(partition_key).into()))
    }
}

impl fmt::Display for HashKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for HashKey {
    type Err = Invalid;

    /// AWS's pattern: `0|([1-9]\d{0,38})`, and at most 2^128 - 1.
    fn from_str(text: &str) -> Result<Self, Invalid> {
        let invalid = || Invalid::new("hash key", text);
        let plain =
            text.bytes().all(|b| b.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
        if !plain {
            return Err(invalid());
        }
        text.parse().map(HashKey).map_err(|_| invalid())
    }
}

impl Serialize for HashKey {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for HashKey {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_shards_have_the_ranges_of_aws() {
        let starts: Vec<String> = HashRange::split_evenly(4)
            .iter()
            .map(|r| r.start.to_string())
            .collect();
        assert_eq!(
            starts,
            [
                "0",
                "85070591730234615865843651857942052864",
                "170141183460469231731687303715884105728",
                "255211775190703847597530955573826158592"
            ]
        );
        assert_eq!(HashRange::split_evenly(4)[3].end, HashKey(u128::MAX));
    }

    #[test]
    fn ranges_are_contiguous_and_cover_the_ring() {
        for count in [1, 2, 3, 7, 1000, 10_000] {
            let ranges = HashRange::split_evenly(count);
            assert_eq!(ranges.len(), count as usize);
            assert_eq!(
                (ranges[0].start, ranges[ranges.len() - 1].end),
                (HashKey(0), HashKey(u128::MAX))
            );
            assert!(ranges.windows(2).all(|w| w[0].end.0 + 1 == w[1].start.0));
        }
    }

    #[test]
    fn a_partition_key_falls_where_its_md5_says() {
        assert_eq!(
            HashKey::of("a"),
            HashKey(0x0cc1_75b9_c0f1_b6a8_31c3_99e2_6977_2661)
        );
    }

    #[test]
    fn texts_are_decimal_without_leading_zeros() {
        assert_eq!(
            "340282366920938463463374607431768211455".parse(),
            Ok(HashKey(u128::MAX))
        );
        for bad in [
            "",
            "00",
            "01",
            "-1",
            "+1",
            "1a",
            "340282366920938463463374607431768211456",
        ] {
            assert!(bad.parse::<HashKey>().is_err(), "{bad}");
        }
    }
}
