//! Which leases a stream's shards need: made for new shards, removed for those that are done with.

use std::collections::{HashMap, HashSet};

use crate::{api::Shard, checkpoint::Checkpoint, lease::Lease};

/// Where a consumer starts in a stream of which it knows nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Start {
    /// With the oldest record.
    TrimHorizon,
    /// With what is put from now on.
    Latest,
    /// With what arrived then.
    AtTimestamp(headwater_types::Millis),
}

impl Start {
    fn checkpoint(&self) -> Checkpoint {
        match self {
            Start::TrimHorizon => Checkpoint::TrimHorizon,
            Start::Latest => Checkpoint::Latest,
            Start::AtTimestamp(time) => Checkpoint::AtTimestamp(*time),
        }
    }
}

/// The leases that are missing, parents before children: made in this order, what is there is always whole, since a
/// child's lease says that its ancestors' need no more.
pub fn missing(shards: &[Shard], leases: &[Lease], start: &Start) -> Vec<Lease> {
    let family = Family::new(shards);
    let leased: HashSet<&str> = leases.iter().map(|lease| lease.key.as_str()).collect();
    // Ancestors of leased shards were processed, or were not wanted.
    let passed: HashSet<&str> = leased.iter().flat_map(|id| family.ancestors(id)).collect();
    let mut missing = Vec::new();
    for shard in family.oldest_first(shards) {
        if leased.contains(shard.id.as_str()) || passed.contains(shard.id.as_str()) {
            continue;
        }
        let follows = family.ancestors(&shard.id).any(|id| leased.contains(id));
        let checkpoint = match start {
            // It goes on where its parent ended.
            _ if follows => Checkpoint::TrimHorizon,
            Start::Latest if !shard.open => continue,
            start => start.checkpoint(),
        };
        missing.push(Lease::of(shard, checkpoint));
    }
    missing
}

/// The leases of the shards that follow one that is processed to its end, where they can be made now.
///
/// That a shard is leased says that its ancestors need no more. So the child of a merge waits for the leases of both
/// parents: one that has none yet would never get one (KCL looks after this in the same way).
pub fn following(children: &[Shard], leases: &[Lease]) -> Vec<Lease> {
    let leased = |id: &String| leases.iter().any(|lease| lease.key == *id);
    let ready = children
        .iter()
        .filter(|child| child.parents.iter().all(leased) && !leased(&child.id));
    ready
        .map(|child| Lease::of(child, Checkpoint::TrimHorizon))
        .collect()
}

/// The leases of shards that are processed and not needed any more: expired, or followed by shards that are on their way.
pub fn done_with<'a>(shards: &[Shard], leases: &'a [Lease]) -> Vec<&'a Lease> {
    let by_key: HashMap<&str, &Lease> = leases
        .iter()
        .map(|lease| (lease.key.as_str(), lease))
        .collect();
    let under_way = |id: &str| {
        by_key
            .get(id)
            .is_some_and(|lease| lease.checkpoint != Checkpoint::TrimHorizon)
    };
    let is_done = |lease: &&Lease| {
        let listed = shards.iter().any(|shard| shard.id == lease.key);
        let mut children = shards
            .iter()
            .filter(|shard| shard.parents.contains(&lease.key))
            .peekable();
        let followed = children.peek().is_some() && children.all(|child| under_way(&child.id));
        lease.is_finished() && (!listed || followed)
    };
    leases.iter().filter(is_done).collect()
}

/// Whether all that must be processed before a lease's shard is.
pub fn is_ready(lease: &Lease, leases: &[Lease]) -> bool {
    let blocks = |other: &Lease| lease.parents.contains(&other.key) && !other.is_finished();
    !leases.iter().any(blocks)
}

/// The parents of each shard.
struct Family<'a> {
    parents: HashMap<&'a str, &'a [String]>,
}

impl<'a> Family<'a> {
    fn new(shards: &'a [Shard]) -> Self {
        Self {
            parents: shards
                .iter()
                .map(|shard| (shard.id.as_str(), &shard.parents[..]))
                .collect(),
        }
    }

    /// All ancestors that are listed, each once.
    fn ancestors(&self, id: &str) -> impl Iterator<Item = &'a str> + use<'a> {
        let mut found = HashSet::new();
        let mut next: Vec<&'a str> = self.listed_parents(id).collect();
        while let Some(id) = next.pop() {
            if found.insert(id) {
                next.extend(self.listed_parents(id));
            }
        }
        found.into_iter()
    }

    fn listed_parents(&self, id: &str) -> impl Iterator<Item = &'a str> {
        let parents = self.parents.get(id).copied().unwrap_or_default();
        parents
            .iter()
            .map(String::as_str)
            .filter(|parent| self.parents.contains_key(parent))
    }

    /// Shards so that each stands behind its parents: by the number of their generation.
    fn oldest_first<'s>(&self, shards: &'s [Shard]) -> Vec<&'s Shard> {
        let mut ordered: Vec<(usize, &Shard)> = shards
            .iter()
            .map(|shard| (self.ancestors(&shard.id).count(), shard))
            .collect();
        ordered.sort_by(|a, b| (a.0, &a.1.id).cmp(&(b.0, &b.1.id)));
        ordered.into_iter().map(|(_, shard)| shard).collect()
    }
}

#[cfg(test)]
mod tests {
    use headwater_types::HashRange;

    use super::*;

    /// `a` was split into `b` and `c`, which were merged into `d`.
    fn shards() -> Vec<Shard> {
        let shard = |id: &str, parents: &[&str], open| Shard {
            id: id.into(),
            parents: parents.iter().map(ToString::to_string).collect(),
            range: HashRange::ALL,
            open,
        };
        vec![
            shard("d", &["b", "c"], true),
            shard("c", &["a"], false),
            shard("b", &["a"], false),
            shard("a", &["x"], false),
        ]
    }

    fn lease(id: &str, checkpoint: Checkpoint) -> Lease {
        let all = shards();
        Lease::of(all.iter().find(|shard| shard.id == id).unwrap(), checkpoint)
    }

    fn keys(leases: &[Lease]) -> Vec<(&str, Checkpoint)> {
        leases
            .iter()
            .map(|lease| (lease.key.as_str(), lease.checkpoint.clone()))
            .collect()
    }

    #[test]
    fn from_the_oldest_all_are_leased_parents_first() {
        let all = missing(&shards(), &[], &Start::TrimHorizon);
        let horizon = Checkpoint::TrimHorizon;
        assert_eq!(
            keys(&all),
            ["a", "b", "c", "d"].map(|id| (id, horizon.clone()))
        );
        // Whatever part of them was made before a crash, the rest follows.
        for made in 0..4 {
            assert_eq!(
                missing(&shards(), &all[..made], &Start::TrimHorizon),
                all[made..]
            );
        }
    }

    #[test]
    fn from_the_newest_only_open_shards_are_leased() {
        assert_eq!(
            keys(&missing(&shards(), &[], &Start::Latest)),
            [("d", Checkpoint::Latest)]
        );
    }

    #[test]
    fn children_of_leased_shards_start_at_their_beginning_whatever_the_start() {
        let held = [lease("a", Checkpoint::Latest)];
        let horizon = Checkpoint::TrimHorizon;
        assert_eq!(
            keys(&missing(&shards(), &held, &Start::Latest)),
            ["b", "c", "d"].map(|id| (id, horizon.clone()))
        );
    }

    #[test]
    fn what_is_done_with_is_not_leased_again() {
        let (end, horizon) = (Checkpoint::ShardEnd, Checkpoint::TrimHorizon);
        let mut leases = vec![
            lease("a", end.clone()),
            lease("b", horizon.clone()),
            lease("c", end.clone()),
        ];
        assert!(
            done_with(&shards(), &leases).is_empty(),
            "b has not begun, and d has no lease"
        );
        leases[1].checkpoint = Checkpoint::Latest;
        let done: Vec<_> = done_with(&shards(), &leases)
            .into_iter()
            .map(|lease| lease.key.as_str())
            .collect();
        assert_eq!(done, ["a"]);
        leases.remove(0);
        assert_eq!(
            keys(&missing(&shards(), &leases, &Start::TrimHorizon)),
            [("d", horizon)]
        );
        let expired = [lease("a", end)];
        assert_eq!(done_with(&[], &expired).len(), 1);
    }

    #[test]
    fn the_shards_that_follow_are_leased_once_all_parents_are() {
        let (d, end, horizon) = (
            &shards()[..1],
            Checkpoint::ShardEnd,
            Checkpoint::TrimHorizon,
        );
        let (b, c) = (lease("b", end), lease("c", horizon.clone()));
        assert_eq!(
            following(d, std::slice::from_ref(&b)),
            [],
            "c would be taken for processed"
        );
        assert_eq!(
            keys(&following(d, &[b.clone(), c.clone()])),
            [("d", horizon.clone())]
        );
        assert_eq!(
            following(d, &[b, c, lease("d", horizon)]),
            [],
            "it is leased"
        );
    }

    #[test]
    fn a_child_waits_for_all_parents_that_are_known() {
        let (end, horizon) = (Checkpoint::ShardEnd, Checkpoint::TrimHorizon);
        let d = lease("d", horizon.clone());
        assert!(!is_ready(
            &d,
            &[lease("b", end.clone()), lease("c", horizon)]
        ));
        assert!(is_ready(&d, &[lease("b", end.clone()), lease("c", end)]));
        assert!(is_ready(&d, &[]));
    }
}
