//! Planning and taking the steps of a resharding. Pure: no clock, no log, no catalog.

use headwater_types::{HashKey, HashRange, Millis, ShardIndex};

use crate::{Error, ShardRecord, Step, StreamRecord, record::HANDOVER};

/// The step that splits `shard` at `at`. Both children own at least two keys, as on AWS.
pub(crate) fn split(record: &StreamRecord, shard: ShardIndex, at: HashKey) -> Result<Step, Error> {
    let parent = find(record, shard)?;
    let (stream, range) = (record.name.clone(), parent.range);
    if at.0 <= range.start.0.saturating_add(1) || at >= range.end {
        return Err(Error::NoSplit {
            stream,
            shard,
            range,
            at,
        });
    }
    if parent.closed.is_some() {
        return Err(Error::ShardClosed { stream, shard });
    }
    Ok(Step::Split { shard, at })
}

/// The step that merges `shard` with `adjacent`, whose keys follow.
pub(crate) fn merge(
    record: &StreamRecord,
    shard: ShardIndex,
    adjacent: ShardIndex,
) -> Result<Step, Error> {
    let (first, second) = (find(record, shard)?, find(record, adjacent)?);
    if first.range.end.0.checked_add(1) != Some(second.range.start.0) {
        return Err(Error::NotAdjacent {
            stream: record.name.clone(),
            shard,
            adjacent,
        });
    }
    if let Some(closed) = [first, second]
        .into_iter()
        .find(|shard| shard.closed.is_some())
    {
        return Err(Error::ShardClosed {
            stream: record.name.clone(),
            shard: closed.index,
        });
    }
    Ok(Step::Merge { shard, adjacent })
}

fn find(record: &StreamRecord, shard: ShardIndex) -> Result<&ShardRecord, Error> {
    let place = record
        .shards
        .binary_search_by_key(&shard, |shard| shard.index);
    let missing = |_| Error::NoShard {
        stream: record.name.clone(),
        shard,
    };
    place.map(|place| &record.shards[place]).map_err(missing)
}

/// The steps after which `target` open shards own equal parts of the ring: shards are split where a part begins, and
/// what lies within one part is merged. Halves first, so that no shard is many generations away from today's.
pub(crate) fn scale(record: &StreamRecord, target: u32) -> Vec<Step> {
    let mut planner = Planner {
        next: next_index(record),
        steps: Vec::new(),
    };
    let parts = HashRange::split_evenly(target);
    let mut open: Vec<Piece> = record
        .shards
        .iter()
        .filter(|s| s.closed.is_none())
        .map(|s| (s.index, s.range))
        .collect();
    open.sort_unstable_by_key(|(_, range)| range.start);
    let mut pieces = Vec::new();
    for piece in open {
        let from = parts.partition_point(|part| part.start <= piece.1.start);
        let to = parts.partition_point(|part| part.start <= piece.1.end);
        let cuts: Vec<HashKey> = parts[from..to].iter().map(|part| part.start).collect();
        planner.split_at(piece, &cuts, &mut pieces);
    }
    let mut rest = &pieces[..];
    for part in parts {
        let within = rest.partition_point(|(_, range)| range.end <= part.end);
        planner.merge_all(&rest[..within]);
        rest = &rest[within..];
    }
    planner.steps
}

type Piece = (ShardIndex, HashRange);

struct Planner {
    next: u32,
    steps: Vec<Step>,
}

impl Planner {
    fn split_at(&mut self, (shard, range): Piece, cuts: &[HashKey], pieces: &mut Vec<Piece>) {
        let middle = cuts.len() / 2;
        let Some(&at) = cuts.get(middle) else {
            pieces.push((shard, range));
            return;
        };
        self.steps.push(Step::Split { shard, at });
        let [left, right] = halves(range, at);
        let (first, second) = (self.take_index(), self.take_index());
        self.split_at((first, left), &cuts[..middle], pieces);
        self.split_at((second, right), &cuts[middle + 1..], pieces);
    }

    fn merge_all(&mut self, pieces: &[Piece]) -> ShardIndex {
        let [(shard, _)] = pieces else {
            let (left, right) = pieces.split_at(pieces.len() / 2);
            let (shard, adjacent) = (self.merge_all(left), self.merge_all(right));
            self.steps.push(Step::Merge { shard, adjacent });
            return self.take_index();
        };
        *shard
    }

    fn take_index(&mut self) -> ShardIndex {
        self.next += 1;
        ShardIndex(self.next - 1)
    }
}

fn next_index(record: &StreamRecord) -> u32 {
    // The newest shard is never forgotten: it is open.
    record.shards.last().map_or(0, |newest| newest.index.0 + 1)
}

fn halves(range: HashRange, at: HashKey) -> [HashRange; 2] {
    let left = HashRange {
        start: range.start,
        end: HashKey(at.0 - 1),
    };
    [
        left,
        HashRange {
            start: at,
            end: range.end,
        },
    ]
}

/// Takes the steps that `record` intends; what its shards took came at `now` at the latest.
pub(crate) fn take(record: &mut StreamRecord, now: Millis) {
    for step in std::mem::take(&mut record.resharding) {
        let (first, second) = step.parents();
        // A shard that the same resharding opened begins later than now.
        let begun = |shard| find(record, shard).map_or(Millis::ZERO, |shard| shard.created);
        let closed = now
            .max(begun(first))
            .max(second.map_or(Millis::ZERO, begun));
        let first_range = close(record, first, closed);
        let second_range = second.map(|second| close(record, second, closed));
        let children = match (step, second_range) {
            (Step::Split { at, .. }, _) => Vec::from(halves(first_range, at)),
            (_, Some(HashRange { end, .. })) => vec![HashRange {
                start: first_range.start,
                end,
            }],
            (_, None) => vec![first_range],
        };
        for range in children {
            record.shards.push(ShardRecord {
                index: ShardIndex(next_index(record)),
                range,
                created: closed.plus(HANDOVER),
                parent: Some(first),
                adjacent_parent: second,
                closed: None,
            });
        }
    }
}

fn close(record: &mut StreamRecord, shard: ShardIndex, at: Millis) -> HashRange {
    let place = record
        .shards
        .binary_search_by_key(&shard, |shard| shard.index);
    let shard = &mut record.shards[place.expect("a plan names shards that are there")];
    shard.closed = Some(at);
    shard.range
}

/// Forgets the shards that were closed before `horizon`: nothing of theirs can be read any more.
pub(crate) fn forget_expired(record: &mut StreamRecord, horizon: Millis) {
    record.shards.retain(|shard| shard.is_open_from(horizon));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::stream::tests::record;

    const NOW: Millis = Millis(1_700_000_005_500);

    fn open(record: &StreamRecord) -> Vec<HashRange> {
        let mut open: Vec<_> = record
            .shards
            .iter()
            .filter(|s| s.closed.is_none())
            .map(|s| s.range)
            .collect();
        open.sort_unstable_by_key(|range| range.start);
        open
    }

    fn scaled(from: u32, to: u32) -> StreamRecord {
        let mut record = record(from);
        record.resharding = scale(&record, to);
        take(&mut record, NOW);
        record
    }

    /// A shard is split wherever a part begins, and what lies within one part is merged.
    #[test]
    fn scaling_makes_equal_shards() {
        for (from, to, all) in [
            (2, 4, 6),
            (4, 5, 15),
            (10, 13, 43),
            (4, 2, 6),
            (5, 3, 13),
            (3, 3, 3),
            (1, 7, 13),
        ] {
            let record = scaled(from, to);
            assert_eq!(open(&record), HashRange::split_evenly(to), "{from} to {to}");
            assert_eq!(record.shards.len(), all, "{from} to {to}");
        }
    }

    #[test]
    fn children_begin_a_second_after_their_parents_closed() {
        let record = scaled(2, 3);
        let shard = |n: usize| &record.shards[n];
        assert!((0..2).all(|n| shard(n).closed == Some(NOW)));
        assert_eq!(shard(2).created, NOW.plus(HANDOVER));
        let merged = shard(6);
        assert_eq!(
            (merged.parent, merged.adjacent_parent),
            (Some(ShardIndex(3)), Some(ShardIndex(4)))
        );
        assert_eq!(shard(3).closed, Some(shard(3).created));
        assert_eq!(merged.created, shard(3).created.plus(HANDOVER));
    }

    #[test]
    fn a_split_leaves_both_sides_two_keys() {
        let record = record(3);
        let range = record.shards[1].range;
        let at = |key| split(&record, ShardIndex(1), HashKey(key)).is_ok();
        assert!(at(range.start.0 + 2) && at(range.end.0 - 1));
        assert!(!at(range.start.0 + 1) && !at(range.start.0) && !at(range.end.0) && !at(0));
        assert!(matches!(
            split(&record, ShardIndex(3), HashKey(5)),
            Err(Error::NoShard { .. })
        ));
    }

    #[test]
    fn only_open_neighbours_merge() {
        let mut record = record(4);
        let try_merge = |record: &StreamRecord, a, b| merge(record, ShardIndex(a), ShardIndex(b));
        for (a, b) in [(1, 0), (0, 2), (0, 0), (3, 0)] {
            assert!(matches!(
                try_merge(&record, a, b),
                Err(Error::NotAdjacent { .. })
            ));
        }
        record.resharding = vec![try_merge(&record, 0, 1).unwrap()];
        take(&mut record, NOW);
        for (a, b) in [(0, 1), (1, 2)] {
            assert!(matches!(
                try_merge(&record, a, b),
                Err(Error::ShardClosed { .. })
            ));
        }
        assert!(try_merge(&record, 4, 2).is_ok());
        let at = HashKey(record.shards[0].range.start.0 + 9);
        assert!(matches!(
            split(&record, ShardIndex(0), at),
            Err(Error::ShardClosed { .. })
        ));
    }

    #[test]
    fn what_nobody_can_read_is_forgotten() {
        let mut record = scaled(2, 4);
        forget_expired(&mut record, NOW);
        assert_eq!(record.shards.len(), 6);
        forget_expired(&mut record, NOW.plus(HANDOVER));
        assert_eq!(record.shards.len(), 4);
        assert_eq!(scale(&record, 2).len(), 2);
    }

    proptest! {
        #[test]
        fn any_series_of_scalings_covers_the_ring(counts in proptest::collection::vec(1..40u32, 2..6)) {
            let mut record = record(counts[0]);
            for count in &counts[1..] {
                record.resharding = scale(&record, *count);
                take(&mut record, NOW);
                prop_assert_eq!(open(&record), HashRange::split_evenly(*count));
            }
            prop_assert!(record.shards.windows(2).all(|w| w[0].index.0 + 1 == w[1].index.0));
        }
    }
}
