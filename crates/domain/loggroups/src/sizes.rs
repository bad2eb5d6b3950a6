//! How many bytes groups keep, counted as AWS counts a put: by the days on which events arrived, in the catalog.
//!
//! What was appended waits here for a second. What a crash loses of that is counted anew at the next start, from the
//! offset that the catalog's counts reach to. A day is counted as long as one of its events can be read.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use headwater_catalog::{Catalog, CatalogError, Change, Expect, Table, Versioned};
use headwater_log::{LogError, ReadLimit, ShardLog};
use headwater_types::{Millis, kept};
use parking_lot::Mutex;

use crate::{
    Error,
    event::stored_size,
    limits,
    records::{group_key, number_of, shard},
};

/// The sizes of all groups.
pub(crate) struct Sizes {
    catalog: Arc<dyn Catalog>,
    log: Arc<dyn ShardLog>,
    /// Bytes by group and day.
    days: Table<u64>,
    /// The offset that a group's counts reach to.
    counted: Table<u64>,
    /// Events that the catalog has not counted, by the group's number and first offset.
    waiting: Mutex<HashMap<u64, BTreeMap<u64, Run>>>,
    /// Held while counts go from here to the catalog, so that none is seen twice or not at all.
    moving: tokio::sync::Mutex<()>,
}

/// Events that follow each other and arrived on one day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Run {
    /// One past the last offset.
    pub end: u64,
    /// When they arrived.
    pub time: Millis,
    /// Their size.
    pub bytes: u64,
}

/// Bytes by day.
type Days = BTreeMap<u64, u64>;

impl Sizes {
    pub fn new(catalog: Arc<dyn Catalog>, log: Arc<dyn ShardLog>) -> Self {
        Self {
            days: Table::new(catalog.clone(), kept::Prefix::LogGroupBytes),
            counted: Table::new(catalog.clone(), kept::Prefix::LogGroupsCounted),
            catalog,
            log,
            waiting: Mutex::default(),
            moving: tokio::sync::Mutex::default(),
        }
    }

    /// Notes events that were appended to a group from the offset `first` on; whether it is time to write.
    pub fn note(&self, group: u64, first: u64, run: Run) -> bool {
        let mut waiting = self.waiting.lock();
        let runs = waiting.entry(group).or_default();
        let before = runs.range_mut(..first).next_back();
        match before {
            Some((_, before)) if before.end == first && day(before.time) == day(run.time) => {
                before.end = run.end;
                before.bytes += run.bytes;
            }
            _ => drop(runs.insert(first, run)),
        }
        runs.len() >= limits::RUNS_WAITING_MAX
    }

    /// The bytes that a group keeps.
    pub async fn of(&self, group: u64) -> Result<u64, Error> {
        let _one = self.moving.lock().await;
        let Some(oldest) = self.oldest_day(group).await? else {
            return Ok(0);
        };
        let mut bytes = 0;
        let mut after = (oldest > 0).then(|| day_key(group, oldest - 1));
        loop {
            let start = group_key(group);
            let found = self
                .days
                .scan(&start, after.as_deref(), limits::DAYS_AT_ONCE)
                .await?;
            bytes += found.iter().map(|(_, day)| day.value).sum::<u64>();
            match found.last() {
                Some((key, _)) if found.len() == limits::DAYS_AT_ONCE => after = Some(key.clone()),
                _ => break,
            }
        }
        let waiting = self.waiting.lock();
        let runs = waiting.get(&group).into_iter().flatten();
        let readable = runs.filter(|(_, run)| day(run.time) >= oldest);
        Ok(bytes + readable.map(|(_, run)| run.bytes).sum::<u64>())
    }

    /// Writes the counts that wait.
    pub async fn write(&self) -> Result<(), Error> {
        let groups: Vec<u64> = self.waiting.lock().keys().copied().collect();
        for group in groups {
            let _one = self.moving.lock().await;
            match self.write_one(group).await {
                Err(Error::Log(LogError::Unknown(_))) => self.forget(group),
                // Another node came first: the next time.
                Err(Error::Catalog(CatalogError::Conflict { .. })) => {}
                written => written?,
            }
        }
        Ok(())
    }

    /// Moves the runs of a group that follow the catalog's counts there. Others wait for those before them, which are
    /// still on their way here.
    async fn write_one(&self, group: u64) -> Result<(), Error> {
        let found = self.counted.get(&group_key(group)).await?;
        let mut reached = found.as_ref().map_or(0, |found| found.value);
        let mut days = Days::new();
        let mut moved = Vec::new();
        for (&first, run) in self.waiting.lock().get(&group).into_iter().flatten() {
            if first != reached {
                break;
            }
            reached = run.end;
            *days.entry(day(run.time)).or_default() += run.bytes;
            moved.push((first, *run));
        }
        if moved.is_empty() {
            return Ok(());
        }
        self.add(group, found, reached, days).await?;
        self.moved(group, &moved);
        Ok(())
    }

    /// Forgets runs that the catalog has counted now. One that has grown meanwhile goes on where it was counted to.
    fn moved(&self, group: u64, moved: &[(u64, Run)]) {
        let mut waiting = self.waiting.lock();
        let Some(runs) = waiting.get_mut(&group) else {
            return;
        };
        for (first, counted) in moved {
            let Some(run) = runs.remove(first) else {
                continue;
            };
            if run.end > counted.end {
                let bytes = run.bytes - counted.bytes;
                runs.insert(counted.end, Run { bytes, ..run });
            }
        }
        if runs.is_empty() {
            waiting.remove(&group);
        }
    }

    /// Counts what a group has that the catalog has not counted.
    pub async fn recover(&self, group: u64) -> Result<(), Error> {
        let found = self.counted.get(&group_key(group)).await?;
        let state = self.log.state(shard(group)).await?;
        let counted = found.as_ref().map_or(0, |found| found.value);
        let mut at = counted.max(state.first);
        let mut days = Days::new();
        while at < state.end {
            let limit = ReadLimit {
                records: limits::READ_RECORDS,
                bytes: limits::READ_BYTES,
            };
            let chunk = self.log.read(shard(group), at, limit).await?;
            for record in &chunk.records {
                *days.entry(day(record.time)).or_default() += stored_size(record);
            }
            at = chunk.next;
        }
        match days.is_empty() {
            true => Ok(()),
            false => self.add(group, found, at, days).await,
        }
    }

    /// Adds to a group's counts, which reach to the offset `reached` then. A new day takes those away of which no event
    /// can be read any more.
    async fn add(
        &self,
        group: u64,
        found: Option<Versioned<u64>>,
        reached: u64,
        days: Days,
    ) -> Result<(), Error> {
        let expect = found.map_or(Expect::Absent, |found| Expect::At(found.version));
        let mut changes = vec![self.counted.put(&group_key(group), &reached, expect)];
        let mut is_new = false;
        for (day, bytes) in days {
            let key = day_key(group, day);
            let (before, expect) = match self.days.get(&key).await? {
                Some(found) => (found.value, Expect::At(found.version)),
                None => (0, Expect::Absent),
            };
            is_new |= expect == Expect::Absent;
            changes.push(self.days.put(&key, &(before + bytes), expect));
        }
        if is_new {
            changes.extend(self.expired(group).await?);
        }
        self.catalog.commit(changes).await?;
        Ok(())
    }

    /// The removals of a group's days of which no event can be read any more.
    async fn expired(&self, group: u64) -> Result<Vec<Change>, Error> {
        let Some(oldest) = self.oldest_day(group).await? else {
            return Ok(Vec::new());
        };
        let oldest = day_key(group, oldest);
        let start = group_key(group);
        let found = self.days.scan(&start, None, limits::DAYS_AT_ONCE).await?;
        let expired = found.iter().filter(|(key, _)| *key < oldest);
        Ok(expired
            .map(|(key, _)| self.days.delete(key, Expect::Any))
            .collect())
    }

    /// The day of the oldest event that can be read; none when there is none.
    async fn oldest_day(&self, group: u64) -> Result<Option<u64>, Error> {
        let state = self.log.state(shard(group)).await?;
        let limit = ReadLimit {
            records: 1,
            bytes: 1,
        };
        let chunk = self.log.read(shard(group), state.first, limit).await?;
        Ok(chunk.records.first().map(|record| day(record.time)))
    }

    /// Removes the counts of a group that is deleted.
    pub async fn delete(&self, group: u64) -> Result<(), CatalogError> {
        let _one = self.moving.lock().await;
        self.forget(group);
        loop {
            let found = self
                .days
                .scan(&group_key(group), None, limits::DAYS_AT_ONCE)
                .await?;
            let mut changes: Vec<Change> = found
                .iter()
                .map(|(key, _)| self.days.delete(key, Expect::Any))
                .collect();
            let last = found.len() < limits::DAYS_AT_ONCE;
            if last {
                changes.push(self.counted.delete(&group_key(group), Expect::Any));
            }
            self.catalog.commit(changes).await?;
            if last {
                return Ok(());
            }
        }
    }

    /// The numbers of the groups that have counts.
    pub async fn numbers(&self) -> Result<Vec<u64>, CatalogError> {
        let found = self.counted.all().await?;
        Ok(found.iter().filter_map(|(key, _)| number_of(key)).collect())
    }

    fn forget(&self, group: u64) {
        self.waiting.lock().remove(&group);
    }
}

/// The days since the epoch.
fn day(time: Millis) -> u64 {
    time.0 / (24 * 3600 * 1000)
}

fn day_key(group: u64, day: u64) -> String {
    format!("{}{day:08x}", group_key(group))
}
