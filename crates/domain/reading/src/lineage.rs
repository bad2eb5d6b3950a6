//! The shards of a source, and which of them may be read now.

use std::{collections::HashSet, time::Duration};

use headwater_env::Clock;
use headwater_log::{Source, SourceError, SourceShard};

/// How old a list of shards may be: shards show up so late whose parents are not read here.
pub const SHARDS_REFRESH: Duration = Duration::from_secs(10);

/// The shards of one source as they were listed last, parents before their children.
#[derive(Debug, Default)]
pub struct Lineage {
    shards: Vec<SourceShard>,
    listed: Option<Duration>,
    /// Shards that have ended and were read to their end.
    drained: HashSet<String>,
}

impl Lineage {
    /// Lists the shards anew where that was long ago, or never, or a shard was drained since.
    pub async fn refresh(
        &mut self,
        source: &dyn Source,
        clock: &dyn Clock,
    ) -> Result<(), SourceError> {
        if self.stale_in(clock).is_zero() {
            self.shards = parents_first(source.shards().await?);
            let shards = &self.shards;
            self.drained
                .retain(|id| shards.iter().any(|shard| shard.id == *id));
            self.listed = Some(clock.elapsed());
        }
        Ok(())
    }

    /// How long the list is good yet.
    pub fn stale_in(&self, clock: &dyn Clock) -> Duration {
        self.listed.map_or(Duration::ZERO, |listed| {
            (listed + SHARDS_REFRESH).saturating_sub(clock.elapsed())
        })
    }

    /// The shards as they were listed, parents before their children.
    pub fn shards(&self) -> &[SourceShard] {
        &self.shards
    }

    /// Whether the source still has `shard`; so while nobody has asked it.
    pub fn is_listed(&self, shard: &str) -> bool {
        self.listed.is_none() || self.shards.iter().any(|listed| listed.id == shard)
    }

    /// The shards that may be read now: not those whose parents are not read to their end.
    pub fn readable(&self) -> Vec<String> {
        let unread =
            |id: &String| !self.drained.contains(id) && self.shards.iter().any(|s| s.id == *id);
        let may = |shard: &&SourceShard| unread(&shard.id) && !shard.parents.iter().any(unread);
        self.shards
            .iter()
            .filter(may)
            .map(|shard| shard.id.clone())
            .collect()
    }

    /// Takes down that a shard has ended and was read to its end. Its children may be new.
    pub fn drained(&mut self, shard: String) {
        self.drained.insert(shard);
        self.listed = None;
    }
}

/// The shards in an order in which every parent stands before its children.
fn parents_first(mut shards: Vec<SourceShard>) -> Vec<SourceShard> {
    let ids: HashSet<String> = shards.iter().map(|shard| shard.id.clone()).collect();
    let mut placed = HashSet::new();
    let mut ordered = Vec::with_capacity(shards.len());
    while !shards.is_empty() {
        let is_ready = |shard: &SourceShard, placed: &HashSet<String>| {
            shard
                .parents
                .iter()
                .all(|parent| placed.contains(parent) || !ids.contains(parent))
        };
        let (ready, waiting): (Vec<_>, Vec<_>) = shards
            .into_iter()
            .partition(|shard| is_ready(shard, &placed));
        if ready.is_empty() {
            // A circle cannot be: a shard is made after its parents. Read what is left in any order.
            ordered.extend(waiting);
            break;
        }
        placed.extend(ready.iter().map(|shard| shard.id.clone()));
        ordered.extend(ready);
        shards = waiting;
    }
    ordered
}
