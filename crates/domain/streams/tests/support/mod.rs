//! Streams over the embedded log in a temporary folder, with a clock that stands still until it is moved.

#![allow(
    clippy::unwrap_used,
    dead_code,
    reason = "a test's support, and no test uses all of it"
)]

use std::{path::PathBuf, sync::Arc, time::Duration};

use bytes::Bytes;
use headwater_catalog::{Catalog, testing::MortalCatalog};
use headwater_env::{Env, ManualClock, SeededRandom, SimDisk, Spawn, testing::CountedTasks};
use headwater_log::{EmbeddedLog, ShardLog, testing::MortalLog};
use headwater_streams::{
    NewStream, NoOtherReaders, Options, OtherReaders, Placed, PutEntry, ReadRecord, Start, Stream,
    Streams,
};
use headwater_types::{HashKey, Millis, ShardIndex, StreamName};

pub const START: Millis = Millis(1_700_000_000_000);

pub const NO_LIMITS: Options = Options {
    limits: false,
    shard_quota: 20_000,
};

/// Nothing else reads the streams.
pub fn alone() -> Arc<dyn OtherReaders> {
    Arc::new(NoOtherReaders)
}

pub struct World {
    pub clock: Arc<ManualClock>,
    pub env: Env,
    pub catalog: Arc<MortalCatalog>,
    pub log: Arc<MortalLog>,
    pub streams: Arc<Streams>,
    options: Options,
    place: Place,
}

/// Where the log is.
enum Place {
    Real(tempfile::TempDir),
    Simulated(SimDisk),
}

impl Place {
    fn dir(&self) -> PathBuf {
        match self {
            Place::Real(dir) => dir.path().to_owned(),
            Place::Simulated(_) => PathBuf::from("/log"),
        }
    }
}

impl World {
    pub async fn new(options: Options) -> Self {
        Self::at(Place::Real(tempfile::tempdir().unwrap()), options).await
    }

    /// A world whose disk loses at a crash what was not synced.
    pub async fn simulated(options: Options) -> Self {
        Self::at(Place::Simulated(SimDisk::new(1)), options).await
    }

    /// A simulated world whose changes can be waited for.
    pub async fn counted(tasks: &CountedTasks) -> Self {
        let place = Place::Simulated(SimDisk::new(1));
        Self::with_tasks(place, NO_LIMITS, Arc::new(tasks.clone())).await
    }

    async fn at(place: Place, options: Options) -> Self {
        Self::with_tasks(place, options, Env::real().tasks).await
    }

    async fn with_tasks(place: Place, options: Options, tasks: Arc<dyn Spawn>) -> Self {
        let clock = Arc::new(ManualClock::at(START));
        let mut env = Env {
            clock: clock.clone(),
            random: Arc::new(SeededRandom::new(1)),
            tasks,
            ..Env::real()
        };
        if let Place::Simulated(disk) = &place {
            env.disk = Arc::new(disk.clone());
        }
        Self::open(clock, env, Arc::default(), options, place).await
    }

    /// Stops everything in order and starts it again from what is stored.
    pub async fn reopen(self) -> Self {
        let Self {
            clock,
            env,
            catalog,
            log,
            streams,
            options,
            place,
        } = self;
        log.close().await;
        drop((log, streams));
        Self::open(clock, env, catalog, options, place).await
    }

    /// Loses power, and starts again from what is stored.
    pub async fn crash(self) -> Self {
        if let Place::Simulated(disk) = &self.place {
            disk.crash();
        }
        self.reopen().await
    }

    async fn open(
        clock: Arc<ManualClock>,
        env: Env,
        catalog: Arc<MortalCatalog>,
        options: Options,
        place: Place,
    ) -> Self {
        let log_options = headwater_log::Options {
            maintain_every: None,
            preallocate_bytes: 64 << 10,
            ..headwater_log::Options::new(place.dir())
        };
        let log = EmbeddedLog::open(env.clone(), log_options).await.unwrap();
        let log = Arc::new(MortalLog::new(Arc::new(log)));
        let stored: Arc<dyn Catalog> = catalog.clone();
        let streams = Streams::open(env.clone(), log.clone(), stored, options)
            .await
            .unwrap();
        Self {
            clock,
            env,
            catalog,
            log,
            streams,
            options,
            place,
        }
    }

    /// The log's folder.
    pub fn dir(&self) -> PathBuf {
        self.place.dir()
    }

    pub fn advance(&self, ms: u64) {
        self.clock.advance(Duration::from_millis(ms));
    }

    pub async fn create(&self, name: &str, shards: u32) -> Arc<Stream> {
        self.streams
            .create(NewStream::new(self::name(name), shards))
            .await
            .unwrap()
    }

    pub fn stream(&self, name: &str) -> Arc<Stream> {
        self.streams.get(&self::name(name)).unwrap()
    }

    pub async fn put(&self, stream: &Stream, entry: PutEntry) -> Placed {
        self.streams
            .put(stream, vec![entry])
            .await
            .unwrap()
            .remove(0)
            .unwrap()
    }

    /// The records that a reader gets who starts here, by way of its token, until there are no more.
    pub async fn read_all(
        &self,
        stream: &Stream,
        shard: ShardIndex,
        start: Start,
    ) -> Vec<ReadRecord> {
        let shard = stream.shard(shard).unwrap();
        let token = self.streams.iterator(stream, shard, start).await.unwrap();
        let mut next = self.streams.open_iterator(&token).unwrap().offset;
        let mut records = Vec::new();
        loop {
            let read = self.streams.read(stream, shard, next, 3).await.unwrap();
            let empty = read.records.is_empty();
            records.extend(read.records);
            next = read.next;
            if empty {
                assert_eq!(read.millis_behind, 0);
                return records;
            }
        }
    }
}

pub fn name(text: &str) -> StreamName {
    text.parse().unwrap()
}

pub fn entry(key: &str, data: impl Into<Bytes>) -> PutEntry {
    PutEntry {
        partition_key: Bytes::copy_from_slice(key.as_bytes()),
        hash_key: None,
        data: data.into(),
    }
}

pub fn entry_at(hash_key: HashKey, data: impl Into<Bytes>) -> PutEntry {
    PutEntry {
        hash_key: Some(hash_key),
        ..entry("k", data)
    }
}
