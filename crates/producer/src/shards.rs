//! The stream's shards, listed again when the list has grown old.

use std::{sync::Arc, time::Duration};

use headwater_env::Env;
use headwater_types::HashKey;
use headwater_wire::client::CallError;
use parking_lot::Mutex;

use crate::{Shard, Stream, limits::SHARDS_AGE_MAX};

/// A list of shards and its age.
pub(crate) struct Shards {
    stream: Arc<dyn Stream>,
    env: Env,
    known: Mutex<Known>,
}

struct Known {
    all: Arc<Vec<Shard>>,
    open: Arc<Vec<Shard>>,
    listed: Duration,
}

impl Shards {
    /// The shards as they are now.
    pub async fn list(stream: Arc<dyn Stream>, env: Env) -> Result<Self, CallError> {
        let known = Known::new(stream.shards().await?, env.clock.elapsed());
        Ok(Self { stream, env, known: Mutex::new(known) })
    }

    /// The starts of the open shards' ranges, ascending.
    pub fn starts(&self) -> Vec<HashKey> {
        self.known.lock().open.iter().map(|shard| shard.range.start).collect()
    }

    /// The open shards in the order of their ranges, listed at most [`SHARDS_AGE_MAX`] ago.
    pub async fn open(&self) -> Result<Arc<Vec<Shard>>, CallError> {
        if self.env.clock.elapsed().saturating_sub(self.known.lock().listed) >= SHARDS_AGE_MAX {
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
        let known = Known::new(self.stream.shards().await?, self.env.clock.elapsed());
        let all = known.all.clone();
        *self.known.lock() = known;
        Ok(all)
    }
}

impl Known {
    fn new(all: Vec<Shard>, listed: Duration) -> Self {
        let mut open: Vec<Shard> = all.iter().filter(|shard| shard.open).cloned().collect();
        open.sort_by_key(|shard| shard.range.start);
        Self { all: Arc::new(all), open: Arc::new(open), listed }
    }
}
