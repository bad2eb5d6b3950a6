//! How far a shard is processed.

use std::cmp::Ordering;

use headwater_types::Millis;

use crate::api::Position;

/// The place of a user record in its shard: the record's sequence number, and its own number in an aggregated one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Place {
    /// The sequence number, decimal.
    pub sequence_number: String,
    /// 0 for a record that is not aggregated.
    pub sub_sequence_number: u64,
}

impl Ord for Place {
    /// By number: a longer decimal is larger.
    fn cmp(&self, other: &Self) -> Ordering {
        let key = |place: &Self| (place.sequence_number.len(), place.sub_sequence_number);
        let ((len, sub), (other_len, other_sub)) = (key(self), key(other));
        let number = len
            .cmp(&other_len)
            .then_with(|| self.sequence_number.cmp(&other.sequence_number));
        number.then(sub.cmp(&other_sub))
    }
}

impl PartialOrd for Place {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The progress in a shard that its lease keeps; the names are those that KCL keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Checkpoint {
    /// Nothing is processed: start with the oldest record.
    TrimHorizon,
    /// Nothing is processed: start behind the newest record.
    Latest,
    /// Nothing is processed: start with what arrived then. A table does not keep the time: a lease read from one has 0
    /// here, and each consumer starts at the time of its own options.
    AtTimestamp(Millis),
    /// Everything up to this user record, and itself, is processed.
    At(Place),
    /// The shard is closed and processed to its end.
    ShardEnd,
}

impl Checkpoint {
    /// Where to read on; none where there is nothing more to read.
    ///
    /// The record of the checkpoint itself is read again, since user records of it may be left;
    /// those that are processed are passed over by [`Checkpoint::covers`].
    pub fn position(&self) -> Option<Position> {
        match self {
            Checkpoint::TrimHorizon => Some(Position::TrimHorizon),
            Checkpoint::Latest => Some(Position::Latest),
            Checkpoint::AtTimestamp(time) => Some(Position::AtTime(*time)),
            Checkpoint::At(place) => Some(Position::At(place.sequence_number.clone())),
            Checkpoint::ShardEnd => None,
        }
    }

    /// Whether the user record of that place is processed.
    pub fn covers(&self, place: &Place) -> bool {
        match self {
            Checkpoint::At(done) => place <= done,
            Checkpoint::ShardEnd => true,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(number: &str, sub: u64) -> Place {
        Place {
            sequence_number: number.into(),
            sub_sequence_number: sub,
        }
    }

    #[test]
    fn places_are_ordered_as_numbers() {
        let ordered = [
            place("9", 5),
            place("10", 0),
            place("10", 1),
            place("11", 0),
        ];
        assert!(ordered.windows(2).all(|pair| pair[0] < pair[1]));
        let done = Checkpoint::At(place("10", 1));
        let covered: Vec<bool> = ordered.iter().map(|place| done.covers(place)).collect();
        assert_eq!(covered, [true, true, true, false]);
        assert_eq!(done.position(), Some(Position::At("10".into())));
        assert!(
            !Checkpoint::TrimHorizon.covers(&ordered[0])
                && Checkpoint::ShardEnd.covers(&ordered[3])
        );
    }
}
