//! Sequence numbers: AWS's 186-bit decimal numbers, made from a shard's offsets and read back without a lookup.
//!
//! Layout, in hexadecimal digits from the left (version 2, as recorded on AWS by other projects' tests):
//! `2` | shard created, seconds (9) | the shard's last digit (1) | index (16) | `00` | record time, seconds (9) | shard (8) | `2`.
//! Because the index stands before the record's time, numbers of one shard are ordered as its offsets are.

use std::{cmp::Ordering, fmt, str::FromStr};

use crate::{Invalid, Millis, ShardIndex, digits::write_digits};

const SECONDS_MAX: u64 = (1 << 36) - 1;

/// The place of one record in its shard, as AWS numbers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SequenceNumber {
    /// When the shard was created, in seconds since the epoch (36 bits).
    pub shard_created: u64,
    /// 0 for the shard's own starting number, then offset + 1 for a record, [`Self::END`] for a closed shard's end.
    pub index: u64,
    /// When the record arrived, in seconds since the epoch (36 bits).
    pub time: u64,
    /// The shard within its stream.
    pub shard: ShardIndex,
}

impl SequenceNumber {
    /// The index of a closed shard's EndingSequenceNumber: after every record.
    pub const END: u64 = i64::MAX as u64;

    /// The number of the record at `offset` of a shard.
    pub fn of_record(shard_created: Millis, shard: ShardIndex, offset: u64, time: Millis) -> Self {
        Self {
            shard_created: shard_created.seconds(),
            index: offset + 1,
            time: time.seconds(),
            shard,
        }
    }

    /// A shard's StartingSequenceNumber: before its first record.
    pub fn start_of(shard_created: Millis, shard: ShardIndex) -> Self {
        Self {
            shard_created: shard_created.seconds(),
            index: 0,
            time: shard_created.seconds(),
            shard,
        }
    }

    /// A closed shard's EndingSequenceNumber.
    pub fn end_of(shard_created: Millis, shard: ShardIndex, closed: Millis) -> Self {
        Self {
            shard_created: shard_created.seconds(),
            index: Self::END,
            time: closed.seconds(),
            shard,
        }
    }

    /// The offset of the record that has this number; none for a shard's start.
    pub fn offset(&self) -> Option<u64> {
        self.index.checked_sub(1)
    }

    /// The number's bits: the upper 58 and the lower 128.
    fn bits(&self) -> (u64, u128) {
        let shard_created = self.shard_created & SECONDS_MAX;
        let time = self.time & SECONDS_MAX;
        // From the right: version (4 bits), shard (32), time (36), zeros (8), then 48 of the index's 64 bits.
        let low = 2u128
            | u128::from(self.shard.0) << 4
            | u128::from(time) << 36
            | u128::from(self.index) << 80;
        // The rest of the index (16 bits), the shard's last digit, the creation and the leading 2.
        let high =
            self.index >> 48 | u64::from(self.shard.0 & 0xf) << 16 | shard_created << 20 | 2 << 56;
        (high, low)
    }
}

impl Ord for SequenceNumber {
    fn cmp(&self, other: &Self) -> Ordering {
        self.bits().cmp(&other.bits())
    }
}

impl PartialOrd for SequenceNumber {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The decimal digits of every number.
const DIGITS: usize = 56;

/// `(high, low) / 10^18`, and the remainder.
fn divide_by_10_18(limbs: &mut [u64; 3]) -> u64 {
    const BASE: u128 = 1_000_000_000_000_000_000;
    let mut rest = 0u128;
    for limb in limbs.iter_mut() {
        let part = rest << 64 | u128::from(*limb);
        *limb = (part / BASE) as u64;
        rest = part % BASE;
    }
    rest as u64
}

impl fmt::Display for SequenceNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (high, low) = self.bits();
        let mut limbs = [high, (low >> 64) as u64, low as u64];
        // Between 2^185 and 2^186: it always has as many digits.
        let mut digits = [0; DIGITS];
        for group in digits.rchunks_mut(18) {
            write_digits(divide_by_10_18(&mut limbs), group);
        }
        f.write_str(str::from_utf8(&digits).expect("digits are ASCII"))
    }
}

impl FromStr for SequenceNumber {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let invalid = || Invalid::new("sequence number", text);
        if text.len() != DIGITS || !text.bytes().all(|b| b.is_ascii_digit()) {
            return Err(invalid());
        }
        let mut limbs = [0u64; 3];
        for digit in text.bytes() {
            let mut carry = u128::from(digit - b'0');
            for limb in limbs.iter_mut().rev() {
                let part = u128::from(*limb) * 10 + carry;
                *limb = part as u64;
                carry = part >> 64;
            }
        }
        let (high, low) = (limbs[0], u128::from(limbs[1]) << 64 | u128::from(limbs[2]));
        let number = Self {
            shard_created: high >> 20 & SECONDS_MAX,
            index: (high & 0xffff) << 48 | (low >> 80) as u64,
            time: (low >> 36) as u64 & SECONDS_MAX,
            shard: ShardIndex((low >> 4) as u32),
        };
        // Digits that are always the same must be so: this refuses forged numbers.
        if number.bits() == (high, low) && high >> 56 == 2 {
            Ok(number)
        } else {
            Err(invalid())
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Numbers that AWS gave for real streams (published in its documentation), and what they say.
    #[test]
    fn numbers_of_aws_are_understood() {
        for text in [
            "49543463076548007577105092703039560359975228518395019266",
            "49590338271490256608559692538361571095921575989136588898",
        ] {
            let number: SequenceNumber = text.parse().unwrap();
            assert_eq!(number.to_string(), text);
            assert!(
                (1_380_000_000..2_000_000_000).contains(&number.shard_created),
                "{number:?}"
            );
            assert!(
                number.time >= number.shard_created && number.time < 2_000_000_000,
                "{number:?}"
            );
        }
    }

    #[test]
    fn a_shard_starts_before_its_first_record_and_ends_after_its_last() {
        let (created, shard) = (Millis(1_700_000_000_000), ShardIndex(7));
        let start = SequenceNumber::start_of(created, shard);
        let first = SequenceNumber::of_record(created, shard, 0, created);
        let last = SequenceNumber::of_record(created, shard, u64::MAX >> 2, created);
        let end = SequenceNumber::end_of(created, shard, created);
        assert!(start < first && first < last && last < end);
        assert_eq!((start.offset(), first.offset()), (None, Some(0)));
    }

    #[test]
    fn forged_texts_are_refused() {
        for bad in [
            "",
            "0",
            "1",
            &"9".repeat(56),
            &"0".repeat(56),
            "4959033827149025660855969253836157109592157598913658889x",
        ] {
            assert!(bad.parse::<SequenceNumber>().is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn a_number_reads_back_and_keeps_its_order(
            created in 0..SECONDS_MAX, a in 0..i64::MAX as u64, b in 0..i64::MAX as u64,
            t in 0..SECONDS_MAX, shard in any::<u32>(),
        ) {
            let number = |index| SequenceNumber { shard_created: created, index, time: t, shard: ShardIndex(shard) };
            prop_assert_eq!(number(a).to_string().parse::<SequenceNumber>().unwrap(), number(a));
            prop_assert_eq!(number(a).cmp(&number(b)), a.cmp(&b));
        }
    }
}
