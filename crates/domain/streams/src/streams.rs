//! All streams of one installation: which there are, and every change of them.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use headwater_catalog::{Catalog, CatalogError, Expect, Single, Table, Versioned};
use headwater_env::Env;
use headwater_log::{LogError, ShardLog, ShardNumber};
use headwater_sealing::{Sealer, Tokens};
use headwater_types::{HashRange, Millis, ShardIndex, StreamName, kept};
use parking_lot::{Mutex, RwLock};

use crate::{
    Commitment, Distribution, Error, Mode, OtherReaders, ShardRecord, Stream, StreamRecord, Tags,
    limits::{
        CONFLICTS_MAX, DEFAULT_MAX_RECORD_BYTES, DEFAULT_SHARD_QUOTA, MAX_ON_DEMAND_STREAMS,
        MAX_RETENTION_HOURS, MAX_STREAM_SHARDS, MAX_TAGS, MIN_RETENTION_HOURS, STREAM_NUMBERS,
    },
    load::{LastLook, shards_for},
    record::{Installation, stream_of},
};

/// How streams are kept; an operator's choice.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Whether shards keep to their limits, in both directions.
    pub limits: bool,
    /// Open shards that all streams may have together.
    pub shard_quota: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            limits: true,
            shard_quota: DEFAULT_SHARD_QUOTA,
        }
    }
}

/// A stream to make.
#[derive(Debug, Clone)]
pub struct NewStream {
    /// Its name.
    pub name: StreamName,
    /// The number of its shards, at least 1.
    pub shards: u32,
    /// Its tags.
    pub tags: Tags,
    /// Bytes of data and partition key in one record.
    pub max_record_bytes: u32,
    /// How its capacity is decided.
    pub mode: Mode,
    /// How its records find their shards.
    pub distribution: Distribution,
}

impl NewStream {
    /// A stream whose shards follow its load, or at least take that many MiB a second, else as AWS makes them.
    pub fn on_demand(name: StreamName, warm_mib: Option<u32>) -> Self {
        let shards = shards_for(&[], warm_mib, u32::MAX);
        Self {
            mode: Mode::OnDemand {
                peaks: Vec::new(),
                warm_mib,
            },
            ..Self::new(name, shards)
        }
    }

    /// A stream of `shards` shards, else as AWS makes them.
    pub fn new(name: StreamName, shards: u32) -> Self {
        Self {
            name,
            shards,
            tags: Tags::new(),
            max_record_bytes: DEFAULT_MAX_RECORD_BYTES,
            mode: Mode::Provisioned,
            distribution: Distribution::default(),
        }
    }
}

/// All streams of one installation.
pub struct Streams {
    pub(crate) env: Env,
    pub(crate) log: Arc<dyn ShardLog>,
    pub(crate) options: Options,
    pub(crate) tokens: Tokens,
    pub(crate) sealer: Sealer,
    pub(crate) catalog: Arc<dyn Catalog>,
    pub(crate) records: Table<StreamRecord>,
    installation: Single<Installation>,
    pub(crate) account: Single<Commitment>,
    pub(crate) by_name: RwLock<BTreeMap<StreamName, Arc<Stream>>>,
    /// Held during a change, so that changes of this process follow each other; those of others are noticed by the
    /// catalog's versions.
    pub(crate) changing: tokio::sync::Mutex<()>,
    /// Wakes subscriptions after every change of a stream, and at the end.
    pub(crate) changed: tokio::sync::Notify,
    /// Whether subscriptions are to end.
    pub(crate) closing: AtomicBool,
    /// The load of on-demand streams so far.
    pub(crate) last_look: Mutex<LastLook>,
}

impl Streams {
    /// Opens the streams that the catalog knows: tells the log their shards and has it forget those of streams that
    /// are gone.
    pub async fn open(
        env: Env,
        log: Arc<dyn ShardLog>,
        catalog: Arc<dyn Catalog>,
        options: Options,
    ) -> Result<Arc<Self>, Error> {
        let records = Table::<StreamRecord>::new(catalog.clone(), kept::Prefix::Streams);
        let installation = Single::new(catalog.clone(), kept::Single::StreamInstallation);
        let account = Single::new(catalog.clone(), kept::Single::StreamAccount);
        let tokens = Tokens::new(&installation_of(&env, &installation).await?.value.token_key);
        let sealer = Sealer::open(&env, &catalog).await?;
        let mut by_name = BTreeMap::new();
        for (_, found) in records.all().await? {
            let stream = Arc::new(Stream::new(found.value, found.version, None));
            by_name.insert(stream.record.name.clone(), stream);
        }
        forget_orphans(&*log, &by_name).await?;
        for stream in by_name.values() {
            open_shards(&*log, stream).await?;
        }
        let streams = Arc::new(Self {
            env,
            log,
            options,
            tokens,
            sealer,
            catalog,
            records,
            installation,
            account,
            by_name: RwLock::new(by_name),
            changing: tokio::sync::Mutex::default(),
            changed: tokio::sync::Notify::new(),
            closing: AtomicBool::new(false),
            last_look: Mutex::default(),
        });
        streams.finish_all().await;
        Ok(streams)
    }

    /// The stream with this name, as it is now.
    pub fn get(&self, name: &StreamName) -> Result<Arc<Stream>, Error> {
        self.by_name
            .read()
            .get(name)
            .cloned()
            .ok_or_else(|| Error::NoStream(name.clone()))
    }

    /// At most `limit` streams whose names come after `after`, in order of their names.
    pub fn after(&self, after: Option<&StreamName>, limit: usize) -> Vec<Arc<Stream>> {
        use std::ops::Bound::{Excluded, Unbounded};
        let from = after.map_or(Unbounded, Excluded);
        self.by_name
            .read()
            .range::<StreamName, _>((from, Unbounded))
            .take(limit)
            .map(|(_, s)| s.clone())
            .collect()
    }

    /// All streams there are.
    pub(crate) fn all(&self) -> Vec<Arc<Stream>> {
        self.by_name.read().values().cloned().collect()
    }

    /// Open shards of all streams together.
    pub fn open_shards(&self) -> u32 {
        self.by_name
            .read()
            .values()
            .map(|stream| stream.open_shards())
            .sum()
    }

    /// Streams in on-demand mode.
    pub fn on_demand_streams(&self) -> u32 {
        self.by_name
            .read()
            .values()
            .filter(|stream| stream.record.mode.is_on_demand())
            .count() as u32
    }

    /// The most open shards that one stream may have which has `open` of them.
    pub(crate) fn room_for(&self, open: u32) -> u32 {
        let others = self.open_shards().saturating_sub(open);
        let quota = self.options.shard_quota.saturating_sub(others);
        if self.options.limits {
            quota.min(MAX_STREAM_SHARDS)
        } else {
            quota
        }
    }

    /// The clock that streams go by.
    pub fn now(&self) -> Millis {
        self.env.clock.now()
    }

    /// The operator's choices.
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// Ends all subscriptions, and those to come, so that a shutdown need not wait for them.
    pub fn end_subscriptions(&self) {
        self.closing.store(true, Ordering::Release);
        self.changed.notify_waiters();
    }

    /// Makes a stream; it takes and gives records when this returns.
    pub async fn create(self: &Arc<Self>, new: NewStream) -> Result<Arc<Stream>, Error> {
        let this = self.clone();
        self.to_the_end(async move { this.create_now(new).await })
            .await
    }

    async fn create_now(&self, new: NewStream) -> Result<Arc<Stream>, Error> {
        let _one = self.changing.lock().await;
        self.refresh(&new.name).await?;
        if self.get(&new.name).is_ok() {
            return Err(Error::StreamExists(new.name));
        }
        if new.tags.len() > MAX_TAGS {
            return Err(Error::TooManyTags(new.name));
        }
        self.check_quota(new.shards)?;
        if new.mode.is_on_demand()
            && self.options.limits
            && self.on_demand_streams() >= MAX_ON_DEMAND_STREAMS
        {
            return Err(Error::TooManyOnDemand(self.on_demand_streams()));
        }
        let stream = loop {
            // None: another node made a stream in between and took the number.
            if let Some(stream) = self.commit_new(&new).await? {
                break Arc::new(stream);
            }
        };
        // The log knows a shard before the first record is routed to it. When it fails, the stream is there nevertheless.
        let opened = open_shards(&*self.log, &stream).await;
        self.by_name.write().insert(new.name, stream.clone());
        opened?;
        tracing::info!(stream = %stream.record.name, shards = new.shards, "stream created");
        Ok(stream)
    }

    /// Writes a new stream and takes its number, in one commit; none when the number was taken meanwhile.
    async fn commit_new(&self, new: &NewStream) -> Result<Option<Stream>, Error> {
        let Versioned {
            value: mut installation,
            version,
        } = installation_of(&self.env, &self.installation).await?;
        let number = installation.next_number;
        if number >= STREAM_NUMBERS {
            return Err(Error::NumbersExhausted);
        }
        installation.next_number += 1;
        let record = new_record(new, number, self.env.clock.now());
        record.check_distribution()?;
        let take_number = self.installation.put(&installation, Expect::At(version));
        let make = self
            .records
            .put(record.name.as_str(), &record, Expect::Absent);
        match self.catalog.commit(vec![take_number, make]).await {
            Ok(version) => Ok(Some(Stream::new(record, version, None))),
            Err(CatalogError::Conflict { key }) if key == self.installation.key() => Ok(None),
            Err(CatalogError::Conflict { .. }) => {
                self.refresh(&record.name).await?;
                Err(Error::StreamExists(record.name))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Removes a stream with its shards and records, and its consumers where that is said; not while it has `others`.
    pub async fn delete(
        self: &Arc<Self>,
        name: StreamName,
        with_consumers: bool,
        others: Arc<dyn OtherReaders>,
    ) -> Result<(), Error> {
        let this = self.clone();
        self.to_the_end(async move {
            let _one = this.changing.lock().await;
            for _ in 0..CONFLICTS_MAX {
                match this.delete_once(&name, with_consumers, &*others).await {
                    Err(Error::Conflict(_)) => {}
                    done => return done,
                }
            }
            Err(Error::Conflict(name))
        })
        .await
    }

    async fn delete_once(
        &self,
        name: &StreamName,
        with_consumers: bool,
        others: &dyn OtherReaders,
    ) -> Result<(), Error> {
        self.refresh(name).await?;
        let stream = self.get(name)?;
        let others = others.count(name).await?;
        if others.value > 0 {
            return Err(Error::HasOtherReaders(name.clone()));
        }
        if !with_consumers && !stream.record.consumers.is_empty() {
            return Err(Error::HasConsumers(name.clone()));
        }
        let mut changes = others.checks;
        changes.push(
            self.records
                .delete(name.as_str(), Expect::At(stream.version)),
        );
        self.commit(name, changes).await?;
        self.forget(&stream).await;
        tracing::info!(stream = %name, "stream deleted");
        Ok(())
    }

    /// Adds tags, or replaces those with the same keys.
    pub async fn tag(self: &Arc<Self>, name: StreamName, tags: Tags) -> Result<(), Error> {
        self.alter(name, move |record, _| {
            record.tags.extend(tags.clone());
            if record.tags.len() > MAX_TAGS {
                Err(Error::TooManyTags(record.name.clone()))
            } else {
                Ok(())
            }
        })
        .await
    }

    /// Removes the tags with these keys, where there are any.
    pub async fn untag(self: &Arc<Self>, name: StreamName, keys: Vec<String>) -> Result<(), Error> {
        self.alter(name, move |record, _| {
            record.tags.retain(|key, _| !keys.contains(key));
            Ok(())
        })
        .await
    }

    /// Keeps records longer; the same period as now is fine, as on AWS.
    pub async fn increase_retention(
        self: &Arc<Self>,
        name: StreamName,
        hours: i64,
    ) -> Result<(), Error> {
        let asked = retention_hours(hours)?;
        self.alter(name, move |record, now| {
            let (stream, hours) = (record.name.clone(), record.retention_hours);
            if asked < hours {
                return Err(Error::NoIncrease {
                    stream,
                    hours,
                    asked,
                });
            }
            set_retention(record, asked, now);
            Ok(())
        })
        .await
    }

    /// Keeps records for less long; the same period as now is fine, as on AWS. Records that expire by this never come back.
    pub async fn decrease_retention(
        self: &Arc<Self>,
        name: StreamName,
        hours: i64,
    ) -> Result<(), Error> {
        let asked = retention_hours(hours)?;
        self.alter(name, move |record, now| {
            let (stream, hours) = (record.name.clone(), record.retention_hours);
            if asked > hours {
                return Err(Error::NoDecrease {
                    stream,
                    hours,
                    asked,
                });
            }
            set_retention(record, asked, now);
            Ok(())
        })
        .await
    }

    pub(crate) fn check_quota(&self, asked: u32) -> Result<(), Error> {
        let (open, quota) = (self.open_shards(), self.options.shard_quota);
        if open.checked_add(asked).is_none_or(|sum| sum > quota) {
            return Err(Error::ShardQuota { open, quota, asked });
        }
        Ok(())
    }
}

/// The installation's record, made when there is none.
async fn installation_of(
    env: &Env,
    installation: &Single<Installation>,
) -> Result<Versioned<Installation>, CatalogError> {
    loop {
        if let Some(found) = installation.get().await? {
            return Ok(found);
        }
        let mut token_key = [0; 32];
        env.random.fill(&mut token_key);
        let first = Installation {
            next_number: 1,
            token_key,
        };
        match installation.write(&first, Expect::Absent).await {
            // Another node made it: the next round finds it.
            Ok(_) | Err(CatalogError::Conflict { .. }) => {}
            Err(error) => return Err(error),
        }
    }
}

fn new_record(new: &NewStream, number: u32, now: Millis) -> StreamRecord {
    let shard = |(range, index)| ShardRecord {
        index: ShardIndex(index),
        range,
        created: now,
        parent: None,
        adjacent_parent: None,
        closed: None,
    };
    StreamRecord {
        name: new.name.clone(),
        number,
        created: now,
        shards: HashRange::split_evenly(new.shards)
            .into_iter()
            .zip(0..)
            .map(shard)
            .collect(),
        retention_hours: MIN_RETENTION_HOURS,
        trimmed: Millis::ZERO,
        max_record_bytes: new.max_record_bytes,
        tags: new.tags.clone(),
        resharding: Vec::new(),
        consumers: BTreeMap::new(),
        metrics: Default::default(),
        mode: new.mode.clone(),
        mode_changes: Vec::new(),
        scalings: Vec::new(),
        distribution: new.distribution,
        encryption: None,
        encryption_starts: Vec::new(),
        encryption_stops: Vec::new(),
        policy: None,
    }
}

fn retention_hours(hours: i64) -> Result<u32, Error> {
    if hours < i64::from(MIN_RETENTION_HOURS) {
        Err(Error::RetentionTooShort(hours))
    } else if hours > i64::from(MAX_RETENTION_HOURS) {
        Err(Error::RetentionTooLong(hours))
    } else {
        Ok(hours as u32)
    }
}

/// Changes the period; records that are expired under the old or the new one stay so.
fn set_retention(record: &mut StreamRecord, hours: u32, now: Millis) {
    let before = record.horizon(now);
    record.retention_hours = hours;
    record.trimmed = record.trimmed.max(before).max(record.horizon(now));
}

/// Has the log know a stream's shards, and what of their records expires.
pub(crate) async fn open_shards(log: &dyn ShardLog, stream: &Stream) -> Result<(), LogError> {
    let numbers: Vec<_> = stream.shards().iter().map(|shard| shard.number).collect();
    log.open_shards(&numbers, stream.record.log_retention())
        .await?;
    stream.set_open();
    Ok(())
}

/// Has the log forget the shards of streams that are gone.
async fn forget_orphans(
    log: &dyn ShardLog,
    by_name: &BTreeMap<StreamName, Arc<Stream>>,
) -> Result<(), LogError> {
    let living: BTreeMap<u32, &Stream> =
        by_name.values().map(|s| (s.record.number, &**s)).collect();
    let is_orphan = |number: &ShardNumber| {
        let index = ShardIndex(number.0 as u32);
        stream_of(*number).is_some_and(|stream| {
            let stream = living.get(&stream);
            stream.is_none_or(|stream| stream.shard(index).is_err())
        })
    };
    let mut orphans = log.shards().await?;
    orphans.retain(is_orphan);
    log.remove_shards(&orphans).await
}
