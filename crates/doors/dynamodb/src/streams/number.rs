//! Sequence numbers: places in shards, as 21 digits.
//!
//! The number of a change is the first of 21 digits, and twice its offset, and one more: odd. That of a shard's start is
//! even, between the last change before the shard and its first: a reader behind it misses nothing, as on Kinesis.

use headwater_tables::StreamShard;

/// The first number.
const FIRST: u128 = 100_000_000_000_000_000_000;
/// Digits of a number.
const DIGITS: usize = 21;

/// The place that a number stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// The start of the shard that begins at this offset.
    Start(u64),
    /// The change at this offset.
    Change(u64),
}

/// The number of the change at this offset of a shard.
pub fn sequence_number(offset: u64) -> String {
    (FIRST + 2 * u128::from(offset) + 1).to_string()
}

/// The number at which a shard starts.
pub(crate) fn start(shard: &StreamShard) -> String {
    (FIRST + 2 * u128::from(shard.id.begin)).to_string()
}

/// The number of the last change of a shard that takes no more; of one without changes, that of its start.
pub(crate) fn end(shard: &StreamShard) -> Option<String> {
    let end = shard.end?;
    match end.checked_sub(1).filter(|last| *last >= shard.id.begin) {
        Some(last) => Some(sequence_number(last)),
        None => Some(start(shard)),
    }
}

/// The place that a number stands for; none where it is none of ours.
pub(crate) fn read(number: &str) -> Option<Place> {
    if number.len() != DIGITS || !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let place = number.parse::<u128>().ok()?.checked_sub(FIRST)?;
    let offset = u64::try_from(place / 2).ok()?;
    match place % 2 {
        0 => Some(Place::Start(offset)),
        _ => Some(Place::Change(offset)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_in_the_order_of_their_places() {
        assert_eq!(sequence_number(0), "100000000000000000001");
        assert_eq!(read("100000000000000000001"), Some(Place::Change(0)));
        assert_eq!(read("100000000000000000084"), Some(Place::Start(42)));
        assert_eq!(
            read(&sequence_number(u64::MAX)),
            Some(Place::Change(u64::MAX))
        );
        assert_eq!(sequence_number(u64::MAX).len(), DIGITS);
        for none in [
            "",
            "099999999999999999999",
            "+10000000000000000000",
            "999999999999999999999",
            "1000000000000000000001",
        ] {
            assert_eq!(read(none), None, "{none}");
        }
    }
}
