//! User records out of the records of a page.

use headwater_aggregation::{UserRecord, split};
use headwater_types::{HashKey, HashRange};

use crate::{
    api::Stored,
    checkpoint::{Checkpoint, Place},
    process::Record,
};

/// The user records of `stored` that lie behind `reached`, and the place of the last one, wanted or not.
///
/// A producer that does not know of a resharding yet puts user records of two shards into one aggregated record, which
/// lands in one of them whole. User records whose hash key is not in the shard's range are passed over there, as KCL
/// does.
pub(crate) fn unpack(
    stored: Stored,
    range: HashRange,
    reached: &Checkpoint,
) -> (Vec<Record>, Place) {
    let place = |sub: usize| Place {
        sequence_number: stored.sequence_number.clone(),
        sub_sequence_number: sub as u64,
    };
    let Some(users) = split(&stored.data) else {
        let place = place(0);
        let wanted = !reached.covers(&place);
        let record = Record {
            place: place.clone(),
            arrival: stored.arrival,
            partition_key: stored.partition_key.into(),
            explicit_hash_key: None,
            data: stored.data,
            aggregated: false,
        };
        return (wanted.then_some(record).into_iter().collect(), place);
    };
    let last = place(users.len().saturating_sub(1));
    let wanted = users
        .into_iter()
        .enumerate()
        .filter(|(_, user)| hash_key(user).is_none_or(|k| range.contains(k)));
    let records = wanted.map(|(sub, user)| Record {
        place: place(sub),
        arrival: stored.arrival,
        partition_key: user.partition_key,
        explicit_hash_key: user.explicit_hash_key,
        data: user.data,
        aggregated: true,
    });
    (
        records
            .filter(|record| !reached.covers(&record.place))
            .collect(),
        last,
    )
}

/// Where a user record belongs; none when its explicit hash key is not one, which is nobody else's then.
fn hash_key(user: &UserRecord) -> Option<HashKey> {
    match &user.explicit_hash_key {
        Some(text) => text.parse().ok(),
        None => Some(HashKey::of(user.partition_key.as_bytes())),
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use headwater_aggregation::Aggregator;

    use super::*;

    fn stored(data: impl Into<Bytes>) -> Stored {
        Stored {
            sequence_number: "50".into(),
            arrival: None,
            partition_key: "k".into(),
            data: data.into(),
        }
    }

    fn aggregated() -> Stored {
        let mut aggregator = Aggregator::new(1000);
        for (hash_key, data) in [("5", "a"), ("200", "b"), ("7", "c")] {
            assert!(aggregator.add("k", Some(hash_key), data.as_bytes()));
        }
        stored(aggregator.finish().unwrap().data)
    }

    fn at(sub: u64) -> Checkpoint {
        Checkpoint::At(Place {
            sequence_number: "50".into(),
            sub_sequence_number: sub,
        })
    }

    fn texts(stored: Stored, end: u128, reached: &Checkpoint) -> (String, u64) {
        let range = HashRange {
            start: HashKey(0),
            end: HashKey(end),
        };
        let (records, last) = unpack(stored, range, reached);
        let text = records
            .iter()
            .map(|r| String::from_utf8_lossy(&r.data).into_owned())
            .collect();
        (text, last.sub_sequence_number)
    }

    #[test]
    fn user_records_of_other_shards_and_those_processed_are_passed_over() {
        let start = Checkpoint::TrimHorizon;
        assert_eq!(texts(aggregated(), u128::MAX, &start), ("abc".into(), 2));
        assert_eq!(texts(aggregated(), 100, &start), ("ac".into(), 2));
        assert_eq!(texts(aggregated(), 100, &at(0)), ("c".into(), 2));
        assert_eq!(texts(aggregated(), 100, &at(2)), ("".into(), 2));
    }

    #[test]
    fn a_plain_record_is_the_shards_whatever_its_key() {
        assert_eq!(texts(stored("x"), 0, &Checkpoint::Latest), ("x".into(), 0));
        assert_eq!(texts(stored("x"), 0, &at(0)), ("".into(), 0));
    }
}
