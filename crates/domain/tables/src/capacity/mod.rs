//! Capacity: how many units a second a table, its global indexes and its partitions take, and who is told to come later.
//!
//! A write asks before it looks at the item, takes what it costs when that is known, and may leave a debt; so does a read.
//! Owns the limits and what was taken lately, in memory alone: they begin full when a server starts. Leaves what reads cost
//! to the door, which knows how they were asked for, and AWS's words too.

mod bucket;
mod growth;
mod meter;
mod units;
mod used;
mod ways;

use std::{collections::BTreeMap, time::Duration};

use parking_lot::Mutex;

use crate::{
    Billing, TableRecord,
    limits::{PARTITION_READ, PARTITION_WRITE},
};

use meter::Meter;
pub use units::{Units, units};
pub use used::Used;
pub(crate) use ways::Charging;
pub use ways::Metered;

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
    table: Metering,
    partitions: Vec<Both>,
    indexes: BTreeMap<String, Metering>,
}

/// The limits of the table or of an index, and what is told of them.
#[derive(Debug)]
struct Metering {
    limits: Both,
    used: Used,
}

impl Metering {
    fn new(limits: Both) -> Self {
        Self {
            limits,
            used: Used::default(),
        }
    }
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
            table: Metering::new(table),
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
        let Metering { limits, used } = table;
        let limits = limits.of(access);
        let partition = partition.and_then(|partition| partitions.get_mut(usize::from(partition)));
        let of_partition = |()| match partition.map(|it| it.of(access).admit(now)) {
            None | Some(Ok(())) => Ok(()),
            Some(Err(_)) => Err(Limit::KeyRange),
        };
        let admitted = limits.admit(now).and_then(|()| of_partition(()));
        admitted.map_err(|limit| {
            used.refused(access);
            Throttled {
                index: None,
                access,
                limit,
                on_demand: limits.is_on_demand(),
            }
        })
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
            let Metering { limits, used } = index;
            let limits = limits.of(access);
            limits.admit(now).map_err(|limit| {
                used.refused(access);
                Throttled {
                    index: Some(name.clone()),
                    access,
                    limit,
                    on_demand: limits.is_on_demand(),
                }
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
            if table.limits.of(access).take(own, now) {
                let count = u16::try_from(partitions.len()).unwrap_or(u16::MAX);
                let share = table.limits.share(count, now);
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
                index.limits.of(access).take(units * times, now);
            }
        }
        meters.count(access, units, times);
    }

    /// Counts units that are taken where no limits hold.
    pub fn count(&self, access: Access, units: &Units, times: f64) {
        self.0.lock().count(access, units, times);
    }

    /// What was taken and refused of the table since this was asked last, and of its global indexes by name.
    pub fn take_used(&self) -> (Used, BTreeMap<String, Used>) {
        let mut meters = self.0.lock();
        let indexes = meters.indexes.iter_mut();
        let indexes = indexes.map(|(name, index)| (name.clone(), std::mem::take(&mut index.used)));
        let indexes = indexes.collect();
        (std::mem::take(&mut meters.table.used), indexes)
    }
}

impl Meters {
    fn count(&mut self, access: Access, units: &Units, times: f64) {
        let own = units.of_its_own() * times;
        self.table.used.took(access, own);
        for (name, units) in &units.global {
            if let Some(index) = self.indexes.get_mut(name) {
                index.used.took(access, units * times);
            }
        }
    }

    fn follow(&mut self, record: &TableRecord, now: Duration) {
        let table = Both::new(&record.billing, now);
        self.table.limits.follow(&table, now);
        let share = self.table.limits.share(record.partitions, now);
        for partition in &mut self.partitions {
            partition.follow(&share, now);
        }
        self.indexes
            .retain(|name, _| record.global.contains_key(name));
        for (name, index) in &record.global {
            let new = Both::new(&index.billing, now);
            let known = self.indexes.entry(name.clone());
            let known = known.or_insert_with(|| Metering::new(new));
            known.limits.follow(&new, now);
        }
    }
}

impl Both {
    fn new(billing: &Billing, now: Duration) -> Self {
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
