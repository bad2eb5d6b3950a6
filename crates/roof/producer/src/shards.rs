//! The stream's shards, listed again when the list has grown old, or when an answer names a shard that is not in it.

use std::{collections::HashMap, sync::Arc, time::Duration};

use headwater_client::CallError;
use headwater_env::Env;
use headwater_types::{HashKey, HashRange};
use parking_lot::Mutex;

use crate::{Shard, Stream, limits::SHARDS_AGE_MAX};

/// A list of shards and its age.
pub(crate) struct Shards {
    stream: Arc<dyn Stream>,
    env: Env,
    known: Mutex<ListedShards>,
    /// Held while the shards are listed because of a new one, so that lanes that meet it together list them once.
    learning: tokio::sync::Mutex<()>,
}

/// The shards as they were listed last, and when.
struct ListedShards {
    all: Arc<Vec<Shard>>,
    open: Arc<Vec<Shard>>,
    ranges: HashMap<String, HashRange>,
    listed: Duration,
}

impl Shards {
    /// The shards as they are now.
    pub async fn list(stream: Arc<dyn Stream>, env: Env) -> Result<Self, CallError> {
        let known = Mutex::new(ListedShards::new(
            stream.shards().await?,
            env.clock.elapsed(),
        ));
        Ok(Self {
            stream,
            env,
            known,
            learning: tokio::sync::Mutex::default(),
        })
    }

    /// The starts of the open shards' ranges, ascending.
    pub fn starts(&self) -> Vec<HashKey> {
        self.known
            .lock()
            .open
            .iter()
            .map(|shard| shard.range.start)
            .collect()
    }

    /// The open shards in the order of their ranges, listed at most [`SHARDS_AGE_MAX`] ago.
    pub async fn open(&self) -> Result<Arc<Vec<Shard>>, CallError> {
        if self
            .env
            .clock
            .elapsed()
            .saturating_sub(self.known.lock().listed)
            >= SHARDS_AGE_MAX
        {
            self.refresh().await?;
        }
        Ok(self.known.lock().open.clone())
    }

    /// The open shards by the last list, however old: good enough to guess where a record will go.
    pub fn last_open(&self) -> Arc<Vec<Shard>> {
        self.known.lock().open.clone()
    }

    /// All shards, listed now.
    pub async fn refresh(&self) -> Result<Arc<Vec<Shard>>, CallError> {
        let known = ListedShards::new(self.stream.shards().await?, self.env.clock.elapsed());
        let all = known.all.clone();
        *self.known.lock() = known;
        Ok(all)
    }

    /// The hash keys of a shard that an answer named.
    ///
    /// A record lands in another shard than its lane guessed only when the stream was resharded, and shards made by
    /// that have names that were never there: so what is not known yet shows that the list is old.
    pub async fn learn(&self, shard_id: &str) -> Result<Option<HashRange>, CallError> {
        if let Some(range) = self.range(shard_id) {
            return Ok(Some(range));
        }
        let _one = self.learning.lock().await;
        if self.range(shard_id).is_none() {
            tracing::debug!(shard = shard_id, "a new shard: the stream was resharded");
            self.refresh().await?;
        }
        Ok(self.range(shard_id))
    }

    /// Whether a shard is in the last list.
    pub fn knows(&self, shard_id: &str) -> bool {
        self.known.lock().ranges.contains_key(shard_id)
    }

    fn range(&self, shard_id: &str) -> Option<HashRange> {
        self.known.lock().ranges.get(shard_id).copied()
    }
}

impl ListedShards {
    fn new(all: Vec<Shard>, listed: Duration) -> Self {
        let mut open: Vec<Shard> = all.iter().filter(|shard| shard.open).cloned().collect();
        open.sort_by_key(|shard| shard.range.start);
        let ranges = all
            .iter()
            .map(|shard| (shard.id.clone(), shard.range))
            .collect();
        Self {
            all: Arc::new(all),
            open: Arc::new(open),
            ranges,
            listed,
        }
    }
}
