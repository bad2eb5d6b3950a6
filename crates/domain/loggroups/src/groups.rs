//! Log groups and their streams: opened and found; and events appended.

use std::{
    collections::BTreeMap,
    sync::{Arc, OnceLock, Weak},
    time::Duration,
};

use headwater_catalog::{Catalog, Single, Table, Versioned};
use headwater_env::Env;
use headwater_log::{Append, LogError, NewRecord, Retention, ShardLog};
use headwater_types::{Millis, kept};
use tokio::sync::{Semaphore, watch};

use crate::{
    Error, NewEvent,
    event::encode,
    followers::{Counting, Delivering, World},
    limits,
    metric_filters::MetricFilters,
    ports::{Counts, Destinations},
    put::{Rejected, check_put, timely},
    records::{Group, Stream, Times, group_key, is_ours, notes_shard, number_of, stream_key},
    sizes::{Run, Sizes},
    subscriptions::Subscriptions,
    times::NewTimes,
};

/// All log groups of a server. Cheap to clone.
#[derive(Clone)]
pub struct LogGroups {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub env: Env,
    pub catalog: Arc<dyn Catalog>,
    pub log: Arc<dyn ShardLog>,
    pub groups: Table<Group>,
    pub streams: Table<Stream>,
    /// The number that the next group gets.
    pub next_number: Single<u64>,
    pub times: NewTimes,
    pub sizes: Sizes,
    pub subscriptions: Subscriptions,
    pub metric_filters: MetricFilters,
    /// What those work with who follow groups.
    pub world: Arc<World>,
    /// Where messages of subscriptions go, once that is known.
    pub delivering: OnceLock<Arc<Delivering>>,
    /// Where counted values go, once that is known.
    pub counting: OnceLock<Counting>,
    /// The places of live tails.
    pub tails: Arc<Semaphore>,
    /// Set once waits end.
    pub closed: watch::Sender<bool>,
    /// Held while a group is changed, so that the log has the groups' shards as the catalog has the groups.
    pub changing: tokio::sync::Mutex<()>,
}

/// Events for one stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// The group's name.
    pub group: String,
    /// The stream's name.
    pub stream: String,
    /// The events, in the order of their times.
    pub events: Vec<NewEvent>,
}

impl LogGroups {
    /// Opens the groups whose records are in `catalog` and whose events are in `log`.
    ///
    /// # Errors
    /// When the catalog fails.
    pub async fn open(
        env: Env,
        catalog: Arc<dyn Catalog>,
        log: Arc<dyn ShardLog>,
    ) -> Result<Self, Error> {
        let streams = Table::new(catalog.clone(), kept::Prefix::LogStreams);
        let times = NewTimes::new(catalog.clone(), streams.clone());
        let groups = Table::new(catalog.clone(), kept::Prefix::LogGroups);
        let next_number = Single::new(catalog.clone(), kept::Single::LogGroupNumber);
        let sizes = Sizes::new(catalog.clone(), log.clone());
        let world = World::new(env.clone(), catalog.clone(), log.clone());
        let inner = Arc::new(Inner {
            subscriptions: Subscriptions::new(catalog.clone()),
            metric_filters: MetricFilters::new(catalog.clone()),
            world: Arc::new(world),
            delivering: OnceLock::new(),
            counting: OnceLock::new(),
            tails: Arc::new(Semaphore::new(limits::TAILS_MAX)),
            closed: watch::Sender::new(false),
            env,
            catalog,
            log,
            groups,
            streams,
            next_number,
            times,
            sizes,
            changing: tokio::sync::Mutex::default(),
        });
        inner.recover().await?;
        inner
            .env
            .spawn(write_behind(inner.env.clone(), Arc::downgrade(&inner)));
        Ok(Self { inner })
    }

    /// Sends what subscriptions want from now on, for the groups of that account.
    ///
    /// # Errors
    /// When the catalog fails.
    pub async fn deliver_through(
        &self,
        account: String,
        destinations: Arc<dyn Destinations>,
    ) -> Result<(), Error> {
        let delivering = Delivering {
            account,
            destinations,
        };
        // It is told once.
        let _ = self.inner.delivering.set(Arc::new(delivering));
        for (name, group) in self.inner.groups.all().await? {
            for (subscription, record) in self.subscriptions(&name, "").await? {
                self.inner
                    .send_on(&name, &group.value, &subscription, record)?;
            }
        }
        Ok(())
    }

    /// Counts what metric filters match from now on.
    ///
    /// # Errors
    /// When the catalog or the log fails.
    pub async fn count_into(&self, counts: Arc<dyn Counts>) -> Result<(), Error> {
        // It is told once.
        let _ = self.inner.counting.set(counts);
        for (_, group) in self.inner.groups.all().await? {
            self.inner.count(&group.value).await?;
        }
        Ok(())
    }

    /// Makes a group.
    ///
    /// # Errors
    /// [`Error::GroupExists`], or what failed below.
    pub async fn create_group(&self, name: &str) -> Result<Group, Error> {
        self.create_tagged_group(name, BTreeMap::new()).await
    }

    /// Makes a group that has tags.
    ///
    /// # Errors
    /// [`Error::GroupExists`], [`Error::TooManyTags`], or what failed below.
    pub async fn create_tagged_group(
        &self,
        name: &str,
        tags: BTreeMap<String, String>,
    ) -> Result<Group, Error> {
        let name = name.to_owned();
        self.change(|inner| async move { inner.create_group(&name, tags).await })
            .await
    }

    /// Adds tags to a group, in the place of those that have their names, and then takes some away.
    ///
    /// # Errors
    /// [`Error::NoGroup`], [`Error::TooManyTags`], or what failed below.
    pub async fn change_tags(
        &self,
        name: &str,
        add: BTreeMap<String, String>,
        remove: Vec<String>,
    ) -> Result<(), Error> {
        let name = name.to_owned();
        self.change(|inner| async move { inner.change_tags(&name, add, remove).await })
            .await
    }

    /// Deletes a group with its streams and events.
    ///
    /// # Errors
    /// [`Error::NoGroup`], or what failed below.
    pub async fn delete_group(&self, name: &str) -> Result<(), Error> {
        let name = name.to_owned();
        self.change(|inner| async move { inner.delete_group(&name).await })
            .await
    }

    /// A group.
    ///
    /// # Errors
    /// [`Error::NoGroup`], or what failed below.
    pub async fn group(&self, name: &str) -> Result<Group, Error> {
        Ok(self.inner.find(name).await?.value)
    }

    /// At most `limit` groups whose names start with `prefix` and come after `after`, in order of their names.
    ///
    /// # Errors
    /// When the catalog fails.
    pub async fn groups(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(String, Group)>, Error> {
        let found = self.inner.groups.scan(prefix, after, limit).await?;
        Ok(found
            .into_iter()
            .map(|(name, group)| (name, group.value))
            .collect())
    }

    /// The bytes that a group keeps, as AWS counts those of a put. A day's events count as long as one of them is kept.
    ///
    /// # Errors
    /// When the catalog or the log fails.
    pub async fn stored_bytes(&self, group: &Group) -> Result<u64, Error> {
        match self.inner.sizes.of(group.number).await {
            // It is being deleted.
            Err(Error::Log(LogError::Unknown(_))) => Ok(0),
            counted => counted,
        }
    }

    /// Sets after how many days a group's events expire, or that they never do.
    ///
    /// # Errors
    /// [`Error::NoGroup`], or what failed below.
    pub async fn set_retention(&self, name: &str, days: Option<u32>) -> Result<(), Error> {
        let name = name.to_owned();
        self.change(|inner| async move { inner.set_retention(&name, days).await })
            .await
    }

    /// Makes a stream.
    ///
    /// # Errors
    /// [`Error::NoGroup`], [`Error::StreamExists`], or what failed below.
    pub async fn create_stream(&self, group: &str, stream: &str) -> Result<(), Error> {
        let (group, stream) = (group.to_owned(), stream.to_owned());
        self.change(|inner| async move { inner.create_stream(&group, &stream).await.map(drop) })
            .await
    }

    /// Deletes a stream with its events.
    ///
    /// # Errors
    /// [`Error::NoGroup`], [`Error::NoStream`], or what failed below.
    pub async fn delete_stream(&self, group: &str, stream: &str) -> Result<(), Error> {
        let (group, stream) = (group.to_owned(), stream.to_owned());
        self.change(|inner| async move { inner.delete_stream(&group, stream).await })
            .await
    }

    /// At most `limit` streams of a group whose names start with `prefix` and come after `after`, by their names.
    ///
    /// # Errors
    /// [`Error::NoGroup`], or what failed below.
    pub async fn streams(
        &self,
        group: &str,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(String, Stream)>, Error> {
        let group = self.inner.find(group).await?.value;
        let after = after.map(|name| stream_key(&group, name));
        let found = self
            .inner
            .streams
            .scan(&stream_key(&group, prefix), after.as_deref(), limit)
            .await?;
        let refreshed = found.into_iter().map(|(key, mut stream)| {
            self.inner.times.refresh(&key, &mut stream.value);
            (
                key[group_key(group.number).len()..].to_owned(),
                stream.value,
            )
        });
        Ok(refreshed.collect())
    }

    /// Appends events to a stream that exists, as a client of AWS does; durable when it returns.
    ///
    /// # Errors
    /// [`Error::NoGroup`], [`Error::NoStream`], [`Error::OutOfOrder`], [`Error::SpanTooLong`],
    /// [`Error::PutTooLarge`], or what failed below.
    pub async fn put(
        &self,
        group: &str,
        stream: &str,
        events: Vec<NewEvent>,
    ) -> Result<Rejected, Error> {
        let found = self.inner.find(group).await?.value;
        let key = stream_key(&found, stream);
        if self.inner.streams.get(&key).await?.is_none() {
            return Err(Error::NoStream(stream.to_owned()));
        }
        check_put(&events)?;
        let (events, rejected) = timely(events, self.inner.env.clock.now(), found.retention_days);
        if !events.is_empty() {
            let batch = Batch {
                group: group.to_owned(),
                stream: stream.to_owned(),
                events,
            };
            self.change(|inner| async move { inner.append(&[(found, &batch)]).await })
                .await?;
        }
        Ok(rejected)
    }

    /// Appends events of the server's own, with one durable write; groups and streams that do not exist are made.
    ///
    /// # Errors
    /// When the catalog or the log fails; some of the batches may be kept then.
    pub async fn append(&self, batches: Vec<Batch>) -> Result<(), Error> {
        self.change(|inner| async move {
            let mut found = Vec::with_capacity(batches.len());
            for batch in batches.iter().filter(|batch| !batch.events.is_empty()) {
                found.push((inner.ensure(&batch.group, &batch.stream).await?, batch));
            }
            inner.append(&found).await
        })
        .await
    }

    /// Runs a change to its end, even when its caller goes away: the catalog, the log and what is known here belong
    /// together.
    pub(crate) async fn change<T, F>(&self, change: impl FnOnce(Arc<Inner>) -> F) -> T
    where
        T: Send + 'static,
        F: Future<Output = T> + Send + 'static,
    {
        let work = change(self.inner.clone());
        self.inner.env.to_the_end(work).await
    }

    /// Ends live tails.
    pub fn end_waits(&self) {
        self.inner.closed.send_replace(true);
    }

    /// Ends those who follow groups, and writes what is written with delay.
    ///
    /// # Errors
    /// When the catalog fails.
    pub async fn close(&self) -> Result<(), Error> {
        self.end_waits();
        self.inner.subscriptions.running.end_all("");
        self.inner.metric_filters.running.end_all("");
        self.inner.write().await
    }
}

impl Inner {
    /// Opens the shards of all groups and removes what a crash between two steps of a deletion has left.
    async fn recover(&self) -> Result<(), Error> {
        let groups: Vec<Group> = self
            .groups
            .all()
            .await?
            .into_iter()
            .map(|(_, g)| g.value)
            .collect();
        for group in &groups {
            self.open_shard(group).await?;
            self.sizes.recover(group.number).await?;
        }
        let mut counted = self.metric_filters.records.all().await?;
        counted.retain(|(key, _)| groups.iter().any(|g| number_of(key) == Some(g.number)));
        let counted: Vec<u64> = counted
            .iter()
            .filter_map(|(key, _)| number_of(key))
            .collect();
        for number in &counted {
            self.open_notes(*number, Millis::ZERO).await?;
        }
        let is_known = |shard| {
            groups.iter().any(|group| group.shard() == shard)
                || counted.iter().any(|number| notes_shard(*number) == shard)
        };
        let mut strays = self.log.shards().await?;
        strays.retain(|shard| is_ours(*shard) && !is_known(*shard));
        self.log.remove_shards(&strays).await?;
        self.remove_followers(&groups).await?;
        for number in self.sizes.numbers().await? {
            if !groups.iter().any(|group| group.number == number) {
                self.sizes.delete(number).await?;
            }
        }
        let mut after: Option<String> = None;
        while let Some((key, _)) = self.streams.scan("", after.as_deref(), 1).await?.pop() {
            let Some(number) = number_of(&key) else { break };
            if groups.iter().any(|group| group.number == number) {
                // On to the next group's streams.
                after = Some(format!("{}{}", group_key(number), char::MAX));
            } else {
                self.delete_streams(number).await?;
            }
        }
        Ok(())
    }

    /// Removes what a deletion of a group left of those who followed it.
    async fn remove_followers(&self, groups: &[Group]) -> Result<(), Error> {
        let mut keys: Vec<String> = Vec::new();
        let filters = self.metric_filters.records.all().await?;
        keys.extend(filters.into_iter().map(|(key, _)| key));
        let subscriptions = self.subscriptions.progress.all().await?;
        keys.extend(subscriptions.into_iter().map(|(key, _)| key));
        let records = self.subscriptions.records.all().await?;
        keys.extend(records.into_iter().map(|(key, _)| key));
        for number in keys.iter().filter_map(|key| number_of(key)) {
            if !groups.iter().any(|group| group.number == number) {
                self.subscriptions.delete_all(number).await?;
                self.metric_filters.delete_all(number).await?;
            }
        }
        Ok(())
    }

    pub async fn open_shard(&self, group: &Group) -> Result<(), Error> {
        let retention = kept_for(group.retention_days);
        Ok(self.log.open_shards(&[group.shard()], retention).await?)
    }

    pub async fn find(&self, name: &str) -> Result<Versioned<Group>, Error> {
        self.groups
            .get(name)
            .await?
            .ok_or_else(|| Error::NoGroup(name.to_owned()))
    }

    async fn append(&self, batches: &[(Group, &Batch)]) -> Result<(), Error> {
        let values: Vec<Vec<Vec<u8>>> = batches
            .iter()
            .map(|(_, batch)| batch.events.iter().map(encode).collect())
            .collect();
        let records: Vec<Vec<NewRecord<'_>>> = batches
            .iter()
            .zip(&values)
            .map(|((_, batch), values)| records(&batch.stream, values))
            .collect();
        let of_group = batches.iter().map(|(group, _)| group.shard());
        let appends: Vec<_> = of_group
            .zip(&records)
            .map(|(shard, records)| Append { shard, records })
            .collect();
        let appended = self.log.append(&appends).await;
        let mut write = false;
        for ((group, batch), appended) in batches.iter().zip(appended) {
            let appended = appended?;
            let ingested = appended.time;
            let sizes = batch.events.iter().map(NewEvent::size);
            let run = Run {
                end: appended.first_offset + batch.events.len() as u64,
                time: ingested,
                bytes: sizes.sum::<usize>() as u64,
            };
            write |= self.sizes.note(group.number, appended.first_offset, run);
            if let (Some(first), Some(last)) = (batch.events.first(), batch.events.last()) {
                let times = Times {
                    first: first.time,
                    last: last.time,
                    ingested,
                };
                write |= self.times.note(stream_key(group, &batch.stream), times);
            }
        }
        if write {
            self.write().await?;
        }
        Ok(())
    }

    /// Writes what is written with delay.
    async fn write(&self) -> Result<(), Error> {
        self.times.write().await?;
        self.sizes.write().await
    }
}

/// How long the log keeps what is to be kept for so many days, or for ever.
pub(crate) fn kept_for(days: Option<u32>) -> Retention {
    const DAY: u64 = 24 * 3600;
    // A thousand years are as good as never.
    let days = days.map_or(365_000, u64::from);
    Retention {
        period: Duration::from_secs(days * DAY),
        floor: Millis::ZERO,
    }
}

/// The log's records of a stream's encoded events.
fn records<'a>(stream: &'a str, values: &'a [Vec<u8>]) -> Vec<NewRecord<'a>> {
    values
        .iter()
        .map(|value| NewRecord {
            key: stream.as_bytes(),
            value,
        })
        .collect()
}

async fn write_behind(env: Env, inner: Weak<Inner>) {
    loop {
        env.clock.sleep(limits::TIMES_WRITE_EVERY).await;
        let Some(inner) = inner.upgrade() else { return };
        if let Err(error) = inner.write().await {
            tracing::warn!(%error, "the newest times and sizes of log streams and groups could not be kept");
        }
    }
}
