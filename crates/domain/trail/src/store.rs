//! The events of a place: opened, noted, flushed; and the parts that searches and trails share.

use std::sync::Arc;

use headwater_catalog::{Catalog, Table};
use headwater_env::Env;
use headwater_log::{ReadLimit, Record, Retention, ShardLog, ShardNumber};
use headwater_types::{
    Account, Millis, Region,
    kept::{Prefix, ShardSpace},
};

use crate::{
    Bucket, Error, Event, Trail,
    backlog::Backlog,
    deliver,
    limits::{KEPT, LOOKUPS_A_SECOND, READ_BYTES},
    pace::Pace,
};

/// The one shard of a place's events.
pub(crate) const SHARD: ShardNumber = ShardNumber::new(ShardSpace::Trail, 0);

/// The account and region whose events they are: names of objects hold them.
#[derive(Debug, Clone)]
pub struct Place {
    /// The account.
    pub account: Account,
    /// The region.
    pub region: Region,
}

/// The events of one place, and its trails. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub env: Env,
    pub log: Arc<dyn ShardLog>,
    pub place: Place,
    pub trails: Table<Trail>,
    pub bucket: Arc<dyn Bucket>,
    pub backlog: Arc<Backlog>,
    /// Counts searches where they are limited.
    pace: Option<Pace>,
    /// Held while a trail is changed.
    pub changing: tokio::sync::Mutex<()>,
    /// Held while trails deliver, so that an object is written once at a time.
    pub delivering: tokio::sync::Mutex<()>,
}

impl Store {
    /// Opens the events that are in `log` and the trails that are in `catalog`, and begins to deliver. Searches are
    /// limited as on AWS where `is_limited`.
    ///
    /// # Errors
    /// When the log fails.
    pub async fn open(
        env: Env,
        catalog: Arc<dyn Catalog>,
        log: Arc<dyn ShardLog>,
        place: Place,
        bucket: Arc<dyn Bucket>,
        is_limited: bool,
    ) -> Result<Self, Error> {
        let retention = Retention {
            period: KEPT,
            floor: Millis::ZERO,
        };
        log.open_shards(&[SHARD], retention).await?;
        let inner = Arc::new(Inner {
            backlog: Backlog::start(env.clone(), log.clone(), SHARD),
            trails: Table::new(catalog, Prefix::Trails),
            env: env.clone(),
            log,
            place,
            bucket,
            pace: is_limited.then(Pace::default),
            changing: tokio::sync::Mutex::default(),
            delivering: tokio::sync::Mutex::default(),
        });
        env.spawn(deliver::run(env.clone(), Arc::downgrade(&inner)));
        Ok(Self { inner })
    }

    /// Notes the event that `make` makes of an id and a time. It is durable a moment later, and at the latest when
    /// [`Self::flush`] or [`Self::close`] returns.
    pub async fn note(&self, make: impl FnOnce(String, Millis) -> Event + Send) {
        let env = &self.inner.env;
        let make = || make(env.random.uuid(), env.clock.now());
        self.inner.backlog.note(make).await;
    }

    /// Returns once all events that were noted so far are durable.
    ///
    /// # Errors
    /// When the log fails.
    pub async fn flush(&self) -> Result<(), Error> {
        Ok(self.inner.backlog.flush().await?)
    }

    /// Writes what waits, and notes nothing more.
    ///
    /// # Errors
    /// When the log fails: events that waited are lost.
    pub async fn close(&self) -> Result<(), Error> {
        Ok(self.inner.backlog.close().await?)
    }

    /// Whether one more search may be made now.
    pub(crate) fn admits_search(&self) -> bool {
        let now = self.inner.env.clock.elapsed();
        let pace = self.inner.pace.as_ref();
        pace.is_none_or(|pace| pace.admits(now, LOOKUPS_A_SECOND))
    }
}

impl Inner {
    /// The records with the offsets from `from` up to `to`, excluded, that there still are.
    pub async fn records(&self, from: u64, to: u64) -> Result<Vec<Record>, Error> {
        let (mut records, mut at) = (Vec::new(), from);
        while at < to {
            let limit = ReadLimit {
                records: usize::try_from(to - at).unwrap_or(usize::MAX),
                bytes: READ_BYTES,
            };
            let chunk = self.log.read(SHARD, at, limit).await?;
            let is_end = chunk.next <= at;
            at = chunk.next;
            let wanted = chunk.records.into_iter();
            records.extend(wanted.filter(|record| record.offset < to));
            if is_end {
                break;
            }
        }
        Ok(records)
    }
}
