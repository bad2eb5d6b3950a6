//! Log groups and their streams: made, found, deleted; and events appended.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use headwater_catalog::{Catalog, CatalogError, Expect, Table, Versioned};
use headwater_env::Env;
use headwater_log::{Append, NewRecord, Retention, ShardLog};
use headwater_types::Millis;

use crate::{
    Error, NewEvent,
    event::encode,
    limits,
    records::{Group, Stream, Times, is_ours, number_of, stream_key, streams_prefix},
    times::NewTimes,
};

/// All log groups of a server. Cheap to clone.
#[derive(Clone)]
pub struct LogGroups {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    env: Env,
    catalog: Arc<dyn Catalog>,
    pub log: Arc<dyn ShardLog>,
    groups: Table<Group>,
    pub streams: Table<Stream>,
    /// The number that the next group gets, under [`NEXT`].
    numbers: Table<u64>,
    times: NewTimes,
}

const NEXT: &str = "next";

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

/// Which events of a put were not kept, because of their times; the others are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rejected {
    /// The events before this index are older than 14 days.
    pub too_old_end: Option<usize>,
    /// The events before this index are older than the group keeps them.
    pub expired_end: Option<usize>,
    /// The events from this index on lie more than 2 hours ahead.
    pub too_new_start: Option<usize>,
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
        let streams = Table::new(catalog.clone(), "log-streams/");
        let times = NewTimes::new(catalog.clone(), streams.clone());
        let groups = Table::new(catalog.clone(), "log-groups/");
        let numbers = Table::new(catalog.clone(), "log-group-numbers/");
        let inner = Arc::new(Inner {
            env,
            catalog,
            log,
            groups,
            streams,
            numbers,
            times,
        });
        inner.recover().await?;
        inner
            .env
            .spawn(write_times(inner.env.clone(), Arc::downgrade(&inner)));
        Ok(Self { inner })
    }

    /// Makes a group.
    ///
    /// # Errors
    /// [`Error::GroupExists`], or what failed below.
    pub async fn create_group(&self, name: &str) -> Result<Group, Error> {
        self.inner.create_group(name).await
    }

    /// Deletes a group with its streams and events.
    ///
    /// # Errors
    /// [`Error::NoGroup`], or what failed below.
    pub async fn delete_group(&self, name: &str) -> Result<(), Error> {
        let group = self.inner.find(name).await?;
        self.inner
            .groups
            .remove(name, Expect::At(group.version))
            .await?;
        self.inner.log.remove_shards(&[group.value.shard()]).await?;
        self.inner.delete_streams(group.value.number).await
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

    /// Sets after how many days a group's events expire, or that they never do.
    ///
    /// # Errors
    /// [`Error::NoGroup`], or what failed below.
    pub async fn set_retention(&self, name: &str, days: Option<u32>) -> Result<(), Error> {
        let found = self.inner.find(name).await?;
        let group = Group {
            retention_days: days,
            ..found.value
        };
        self.inner
            .groups
            .write(name, &group, Expect::At(found.version))
            .await?;
        self.inner.open_shard(&group).await
    }

    /// Makes a stream.
    ///
    /// # Errors
    /// [`Error::NoGroup`], [`Error::StreamExists`], or what failed below.
    pub async fn create_stream(&self, group: &str, stream: &str) -> Result<(), Error> {
        let group = self.inner.find(group).await?.value;
        self.inner.create_stream(&group, stream).await
    }

    /// Deletes a stream with its events.
    ///
    /// # Errors
    /// [`Error::NoGroup`], [`Error::NoStream`], or what failed below.
    pub async fn delete_stream(&self, group: &str, stream: &str) -> Result<(), Error> {
        let group = self.inner.find(group).await?.value;
        let key = stream_key(&group, stream);
        let found = self.inner.streams.get(&key).await?;
        found.ok_or_else(|| Error::NoStream(stream.to_owned()))?;
        self.inner.streams.remove(&key, Expect::Any).await?;
        self.inner.times.forget(&key);
        Ok(())
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
                key[streams_prefix(group.number).len()..].to_owned(),
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
            self.inner.append(&[(found, &batch)]).await?;
        }
        Ok(rejected)
    }

    /// Appends events of the server's own, with one durable write; groups and streams that do not exist are made.
    ///
    /// # Errors
    /// What failed below; some of the batches may be kept then.
    pub async fn append(&self, batches: &[Batch]) -> Result<(), Error> {
        let mut found = Vec::with_capacity(batches.len());
        for batch in batches.iter().filter(|batch| !batch.events.is_empty()) {
            found.push((self.inner.ensure(&batch.group, &batch.stream).await?, batch));
        }
        self.inner.append(&found).await
    }

    /// Writes what is written with delay.
    ///
    /// # Errors
    /// When the catalog fails.
    pub async fn close(&self) -> Result<(), Error> {
        Ok(self.inner.times.write().await?)
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
        }
        let mut strays = self.log.shards().await?;
        strays.retain(|shard| is_ours(*shard) && !groups.iter().any(|g| g.shard() == *shard));
        self.log.remove_shards(&strays).await?;
        let mut after: Option<String> = None;
        while let Some((key, _)) = self.streams.scan("", after.as_deref(), 1).await?.pop() {
            let Some(number) = number_of(&key) else { break };
            if groups.iter().any(|group| group.number == number) {
                // On to the next group's streams.
                after = Some(format!("{}{}", streams_prefix(number), char::MAX));
            } else {
                self.delete_streams(number).await?;
            }
        }
        Ok(())
    }

    async fn open_shard(&self, group: &Group) -> Result<(), Error> {
        const DAY: u64 = 24 * 3600;
        // A thousand years are as good as never.
        let days = group.retention_days.map_or(365_000, u64::from);
        let retention = Retention {
            period: Duration::from_secs(days * DAY),
            floor: Millis::ZERO,
        };
        Ok(self.log.open_shards(&[group.shard()], retention).await?)
    }

    pub async fn find(&self, name: &str) -> Result<Versioned<Group>, Error> {
        self.groups
            .get(name)
            .await?
            .ok_or_else(|| Error::NoGroup(name.to_owned()))
    }

    async fn create_group(&self, name: &str) -> Result<Group, Error> {
        for _ in 0..limits::CONFLICTS_MAX {
            if self.groups.get(name).await?.is_some() {
                return Err(Error::GroupExists(name.to_owned()));
            }
            let next = self.numbers.get(NEXT).await?;
            let (number, expect) =
                next.map_or((0, Expect::Absent), |n| (n.value, Expect::At(n.version)));
            let group = Group {
                number,
                created: self.env.clock.now(),
                retention_days: None,
            };
            // Before the record, so that whoever finds the record finds the shard.
            self.open_shard(&group).await?;
            let changes = vec![
                self.numbers.put(NEXT, &(number + 1), expect),
                self.groups.put(name, &group, Expect::Absent),
            ];
            match self.catalog.commit(changes).await {
                Ok(_) => return Ok(group),
                Err(CatalogError::Conflict { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(CatalogError::Conflict {
            key: name.to_owned(),
        }
        .into())
    }

    async fn create_stream(&self, group: &Group, stream: &str) -> Result<(), Error> {
        let first_offset = self.log.state(group.shard()).await?.end;
        let record = Stream {
            created: self.env.clock.now(),
            first_offset,
            times: None,
        };
        match self
            .streams
            .write(&stream_key(group, stream), &record, Expect::Absent)
            .await
        {
            Ok(_) => Ok(()),
            Err(CatalogError::Conflict { .. }) => Err(Error::StreamExists(stream.to_owned())),
            Err(error) => Err(error.into()),
        }
    }

    /// The group, made if need be, and the stream in it likewise.
    async fn ensure(&self, group: &str, stream: &str) -> Result<Group, Error> {
        let found = match self.find(group).await {
            Ok(found) => found.value,
            Err(Error::NoGroup(_)) => match self.create_group(group).await {
                Err(Error::GroupExists(_)) => self.find(group).await?.value,
                made => made?,
            },
            Err(error) => return Err(error),
        };
        if self
            .streams
            .get(&stream_key(&found, stream))
            .await?
            .is_none()
        {
            match self.create_stream(&found, stream).await {
                Ok(()) | Err(Error::StreamExists(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(found)
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
            let ingested = appended?.time;
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
            self.times.write().await?;
        }
        Ok(())
    }

    async fn delete_streams(&self, number: u64) -> Result<(), Error> {
        loop {
            let found = self
                .streams
                .scan(&streams_prefix(number), None, 500)
                .await?;
            if found.is_empty() {
                return Ok(());
            }
            found.iter().for_each(|(key, _)| self.times.forget(key));
            let changes = found
                .iter()
                .map(|(key, _)| self.streams.delete(key, Expect::Any));
            self.catalog.commit(changes.collect()).await?;
        }
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

async fn write_times(env: Env, inner: Weak<Inner>) {
    loop {
        env.clock.sleep(limits::TIMES_WRITE_EVERY).await;
        let Some(inner) = inner.upgrade() else { return };
        if let Err(error) = inner.times.write().await {
            tracing::warn!(%error, "the newest times of log streams could not be kept");
        }
    }
}

/// AWS's rules for the events of one put among each other.
fn check_put(events: &[NewEvent]) -> Result<(), Error> {
    let size: usize = events
        .iter()
        .map(|e| e.message.len() + limits::EVENT_OVERHEAD_BYTES)
        .sum();
    if size > limits::PUT_BYTES_MAX || events.len() > limits::PUT_EVENTS_MAX {
        return Err(Error::PutTooLarge {
            size,
            max: limits::PUT_BYTES_MAX,
        });
    }
    if !events.is_sorted_by_key(|event| event.time) {
        return Err(Error::OutOfOrder);
    }
    match (events.first(), events.last()) {
        (Some(first), Some(last)) if last.time.since(first.time) > limits::PUT_SPAN_MAX => {
            Err(Error::SpanTooLong)
        }
        _ => Ok(()),
    }
}

/// The events whose times are within bounds, and where the others were. `events` are in order.
fn timely(
    events: Vec<NewEvent>,
    now: Millis,
    retention_days: Option<u32>,
) -> (Vec<NewEvent>, Rejected) {
    let before = |time: Millis| events.partition_point(|event| event.time < time);
    let old = before(now.minus(limits::EVENT_AGE_MAX));
    let kept = retention_days.map(|days| Duration::from_secs(u64::from(days) * 24 * 3600));
    let expired = kept.map_or(0, |kept| before(now.minus(kept)));
    let new = events.partition_point(|event| event.time <= now.plus(limits::EVENT_AHEAD_MAX));
    let rejected = Rejected {
        too_old_end: (old > 0).then_some(old),
        expired_end: (expired > 0).then_some(expired),
        too_new_start: (new < events.len()).then_some(new),
    };
    let kept = events
        .into_iter()
        .take(new)
        .skip(old.max(expired))
        .collect();
    (kept, rejected)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(times: &[u64]) -> Vec<NewEvent> {
        times
            .iter()
            .map(|t| NewEvent {
                time: Millis(*t),
                message: "m".into(),
            })
            .collect()
    }

    #[test]
    fn events_outside_of_their_time_are_left_out() {
        const HOUR: u64 = 3_600_000;
        let now = 1000 * 24 * HOUR;
        let times = [
            now - 15 * 24 * HOUR,
            now - 2 * 24 * HOUR,
            now - HOUR,
            now + 2 * HOUR,
            now + 2 * HOUR + 1,
        ];
        let (kept, rejected) = timely(at(&times), Millis(now), Some(1));
        assert_eq!(kept, at(&times[2..4]));
        assert_eq!(
            rejected,
            Rejected {
                too_old_end: Some(1),
                expired_end: Some(2),
                too_new_start: Some(4)
            }
        );
        let (kept, rejected) = timely(at(&times[1..4]), Millis(now), None);
        assert_eq!((kept, rejected), (at(&times[1..4]), Rejected::default()));
    }

    #[test]
    fn a_put_is_in_order_and_within_its_bounds() {
        assert_eq!(check_put(&at(&[1, 1, 2])), Ok(()));
        assert_eq!(check_put(&at(&[2, 1])), Err(Error::OutOfOrder));
        assert_eq!(
            check_put(&at(&[0, 24 * 3_600_000 + 1])),
            Err(Error::SpanTooLong)
        );
        let large = vec![NewEvent {
            time: Millis(0),
            message: "x".repeat(limits::PUT_BYTES_MAX),
        }];
        assert!(matches!(check_put(&large), Err(Error::PutTooLarge { .. })));
        assert!(matches!(
            check_put(&at(&[0; 10_001])),
            Err(Error::PutTooLarge { .. })
        ));
    }
}
