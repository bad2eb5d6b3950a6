//! Capacity: how many units a second a table, its global indexes and its partitions take, and who is told to come later.
//!
//! A write asks before it looks at the item, takes what it costs when that is known, and may leave a debt; so does a read.
//! Owns the limits and what was taken lately, in memory alone: they begin full when a server starts. Leaves what reads cost
//! to the door, which knows how they were asked for, and AWS's words too.

mod bucket;
mod growth;
mod meter;
mod units;

use std::{
    collections::BTreeMap,
    sync::{Arc, atomic::Ordering::SeqCst},
    time::Duration,
};

use headwater_items::{Item, Value};
use parking_lot::Mutex;

use crate::{
    Error, TableRecord, Tables, Target,
    core::{Core, Table},
    keys::partition_with,
    limits::{PARTITION_READ, PARTITION_WRITE},
};

use meter::Meter;
pub use units::{Units, units};

/// What is done with an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// It is read.
    Read,
    /// It is written.
    Write,
}

/// The limit that something is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// What was provisioned.
    Provisioned,
    /// What a partition takes, or what is paid for by the request takes by now.
    KeyRange,
    /// The most that its owner set.
    Maximum,
    /// The most that a table of an account takes.
    Account,
}

/// Why an item is not read or written now.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the capacity of the table or of its index is used up")]
pub struct Throttled {
    /// The global index whose limit it is; the table's where there is none.
    pub index: Option<String>,
    /// What was to be done.
    pub access: Access,
    /// The limit.
    pub limit: Limit,
    /// Whether the table is paid for by the request.
    pub on_demand: bool,
}

/// The capacity of a table, its global indexes and its partitions.
#[derive(Debug)]
pub(crate) struct Capacity(Mutex<Meters>);

#[derive(Debug)]
struct Meters {
    table: Both,
    partitions: Vec<Both>,
    indexes: BTreeMap<String, Both>,
}

/// What reads take, and what writes take.
#[derive(Debug, Clone, Copy)]
struct Both {
    read: Meter,
    write: Meter,
}

impl Both {
    fn of(&mut self, access: Access) -> &mut Meter {
        match access {
            Access::Read => &mut self.read,
            Access::Write => &mut self.write,
        }
    }
}

impl Capacity {
    /// That of a table, where nothing was used yet.
    pub fn new(record: &TableRecord, now: Duration) -> Self {
        let table = Both::new(&record.billing, now);
        let mut meters = Meters {
            table,
            partitions: vec![table.share(record.partitions, now); record.partitions.into()],
            indexes: BTreeMap::new(),
        };
        meters.follow(record, now);
        Self(Mutex::new(meters))
    }

    /// Takes over how a table and its indexes are paid for now.
    pub fn follow(&self, record: &TableRecord, now: Duration) {
        self.0.lock().follow(record, now);
    }

    /// Whether a partition of the table may be read or written now; all of the table where none is named.
    ///
    /// # Errors
    /// [`Throttled`].
    pub fn admit(
        &self,
        access: Access,
        partition: Option<u16>,
        now: Duration,
    ) -> Result<(), Throttled> {
        let mut meters = self.0.lock();
        let Meters {
            table, partitions, ..
        } = &mut *meters;
        let table = table.of(access);
        table.admit(now).map_err(|limit| Throttled {
            index: None,
            access,
            limit,
            on_demand: table.is_on_demand(),
        })?;
        let partition = partition.and_then(|partition| partitions.get_mut(usize::from(partition)));
        match partition.map(|partition| partition.of(access).admit(now)) {
            None | Some(Ok(())) => Ok(()),
            Some(Err(_)) => Err(Throttled {
                index: None,
                access,
                limit: Limit::KeyRange,
                on_demand: table.is_on_demand(),
            }),
        }
    }

    /// Whether the global indexes of these names may be read or written now.
    ///
    /// # Errors
    /// [`Throttled`].
    pub fn admit_indexes<'a>(
        &self,
        access: Access,
        names: impl IntoIterator<Item = &'a String>,
        now: Duration,
    ) -> Result<(), Throttled> {
        let mut meters = self.0.lock();
        for name in names {
            let Some(index) = meters.indexes.get_mut(name) else {
                continue;
            };
            let index = index.of(access);
            index.admit(now).map_err(|limit| Throttled {
                index: Some(name.clone()),
                access,
                limit,
                on_demand: index.is_on_demand(),
            })?;
        }
        Ok(())
    }

    /// Takes units, so many times.
    pub fn take(
        &self,
        access: Access,
        partition: Option<u16>,
        units: &Units,
        times: f64,
        now: Duration,
    ) {
        let mut meters = self.0.lock();
        let Meters {
            table,
            partitions,
            indexes,
        } = &mut *meters;
        let own = units.of_its_own() * times;
        if own > 0.0 {
            if table.of(access).take(own, now) {
                let count = u16::try_from(partitions.len()).unwrap_or(u16::MAX);
                let share = table.share(count, now);
                for partition in partitions.iter_mut() {
                    partition.follow(&share, now);
                }
            }
            let partition =
                partition.and_then(|partition| partitions.get_mut(usize::from(partition)));
            if let Some(partition) = partition {
                partition.of(access).take(own, now);
            }
        }
        for (name, units) in &units.global {
            if let Some(index) = indexes.get_mut(name) {
                index.of(access).take(units * times, now);
            }
        }
    }
}

impl Meters {
    fn follow(&mut self, record: &TableRecord, now: Duration) {
        let table = Both::new(&record.billing, now);
        self.table.follow(&table, now);
        let share = self.table.share(record.partitions, now);
        for partition in &mut self.partitions {
            partition.follow(&share, now);
        }
        self.indexes
            .retain(|name, _| record.global.contains_key(name));
        for (name, index) in &record.global {
            let new = Both::new(&index.billing, now);
            let known = self.indexes.entry(name.clone()).or_insert(new);
            known.follow(&new, now);
        }
    }
}

impl Both {
    fn new(billing: &crate::Billing, now: Duration) -> Self {
        Self {
            read: Meter::new(billing, Access::Read, now),
            write: Meter::new(billing, Access::Write, now),
        }
    }

    /// The part that each of so many partitions has of it. Partitions are never split, and so none has less than its
    /// part, even where that is more than a partition of AWS takes.
    #[allow(clippy::cast_precision_loss, reason = "these are small numbers")]
    fn share(&self, partitions: u16, now: Duration) -> Self {
        let part = |meter: &Meter, least: u64| {
            let rate = meter.rate() / f64::from(partitions.max(1));
            Meter::of_partition(rate.max(least as f64), now)
        };
        Self {
            read: part(&self.read, PARTITION_READ),
            write: part(&self.write, PARTITION_WRITE),
        }
    }

    fn follow(&mut self, new: &Self, now: Duration) {
        self.read.follow(&new.read, now);
        self.write.follow(&new.write, now);
    }
}

/// The way to the capacity of what is read.
#[must_use]
pub struct Metered {
    core: Arc<Core>,
    table: Arc<Table>,
    /// The global index that is read.
    index: Option<String>,
    partition: Option<u16>,
}

impl Tables {
    /// Has AWS's limits on capacity hold, or not; at first they do not.
    pub fn limit(&self, holds: bool) {
        self.inner.core.limit(holds);
    }

    /// Whether limits on capacity hold.
    pub fn is_limited(&self) -> bool {
        self.inner.core.is_limited()
    }

    /// The way to the capacity of what is read: of items with this value as their partition key, or of any.
    ///
    /// # Errors
    /// [`Error::NoTable`].
    pub fn metered(&self, target: &Target, partition: Option<&Value>) -> Result<Metered, Error> {
        let table = self.inner.core.table(&target.table)?;
        let layout = table.layout();
        let is_global = |index: &&String| layout.record.global.contains_key(*index);
        let index = target.index.as_ref().filter(is_global).cloned();
        Ok(Metered::new(&self.inner.core, table, index, partition))
    }

    /// The same of one item with this key.
    ///
    /// # Errors
    /// [`Error::NoTable`].
    pub fn metered_item(&self, table: &TableRecord, key: &Item) -> Result<Metered, Error> {
        let partition = key.get(&table.key.partition);
        let table = self.inner.core.table(&table.name)?;
        Ok(Metered::new(&self.inner.core, table, None, partition))
    }
}

impl Metered {
    fn new(
        core: &Arc<Core>,
        table: Arc<Table>,
        index: Option<String>,
        partition: Option<&Value>,
    ) -> Self {
        let partitions = table.layout().record.partitions;
        let partition = partition.filter(|_| index.is_none() && core.is_limited());
        Self {
            core: core.clone(),
            table,
            index,
            partition: partition.and_then(|value| partition_with(value, partitions)),
        }
    }

    /// Whether it may be read now.
    ///
    /// # Errors
    /// [`Throttled`].
    pub fn admit(&self) -> Result<(), Throttled> {
        if !self.core.is_limited() {
            return Ok(());
        }
        let (capacity, now) = (&self.table.capacity, self.core.env.clock.elapsed());
        match &self.index {
            None => capacity.admit(Access::Read, self.partition, now),
            Some(index) => capacity.admit_indexes(Access::Read, [index], now),
        }
    }

    /// Takes what the read cost.
    pub fn take(&self, units: &Units) {
        if self.core.is_limited() {
            let now = self.core.env.clock.elapsed();
            let capacity = &self.table.capacity;
            capacity.take(Access::Read, self.partition, units, 1.0, now);
        }
    }
}

/// The way to the capacity that writes of one partition take.
pub(crate) struct Charging {
    table: Arc<Table>,
    partition: u16,
    now: Duration,
}

impl Core {
    pub fn limit(&self, holds: bool) {
        self.limits.store(holds, SeqCst);
    }

    pub fn is_limited(&self) -> bool {
        self.limits.load(SeqCst)
    }

    /// The way to a partition's capacity, where limits hold.
    pub fn charging(&self, table: &Arc<Table>, partition: u16) -> Option<Charging> {
        self.is_limited().then(|| Charging {
            table: table.clone(),
            partition,
            now: self.env.clock.elapsed(),
        })
    }
}

impl Charging {
    /// Whether the table and the partition take a write now.
    pub fn admit(&self) -> Result<(), Throttled> {
        let capacity = &self.table.capacity;
        capacity.admit(Access::Write, Some(self.partition), self.now)
    }

    /// Whether the global indexes take a write that costs so much.
    pub fn admit_indexes(&self, units: &Units) -> Result<(), Throttled> {
        if units.global.is_empty() {
            return Ok(());
        }
        let (capacity, names) = (&self.table.capacity, units.global.keys());
        capacity.admit_indexes(Access::Write, names, self.now)
    }

    /// Takes what writes cost, so many times.
    pub fn take(&self, units: &Units, times: f64) {
        let (capacity, partition) = (&self.table.capacity, Some(self.partition));
        capacity.take(Access::Write, partition, units, times, self.now);
    }
}
