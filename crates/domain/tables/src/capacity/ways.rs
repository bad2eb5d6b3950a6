//! The ways of reads and writes to the capacity that they are asked of. Where limits do not hold, nothing is asked, and what
//! is taken is only counted.

use std::{
    sync::{Arc, atomic::Ordering::SeqCst},
    time::Duration,
};

use headwater_items::{Item, Value};

use crate::{
    Error, TableRecord, Tables, Target,
    core::{Core, Table},
    keys::partition_with,
};

use super::{Access, Throttled, Units};

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
        let admitted = match &self.index {
            None => capacity.admit(Access::Read, self.partition, now),
            Some(index) => capacity.admit_indexes(Access::Read, [index], now),
        };
        admitted.inspect_err(|_| self.table.counters.throttled(Access::Read))
    }

    /// Takes what the read cost.
    pub fn take(&self, units: &Units) {
        let capacity = &self.table.capacity;
        if self.core.is_limited() {
            let now = self.core.env.clock.elapsed();
            capacity.take(Access::Read, self.partition, units, 1.0, now);
        } else {
            capacity.count(Access::Read, units, 1.0);
        }
    }
}

/// The way to the capacity that writes of one partition take.
pub(crate) struct Charging {
    table: Arc<Table>,
    partition: u16,
    now: Duration,
    is_limited: bool,
}

impl Core {
    pub fn limit(&self, holds: bool) {
        self.limits.store(holds, SeqCst);
    }

    pub fn is_limited(&self) -> bool {
        self.limits.load(SeqCst)
    }

    /// The way to a partition's capacity.
    pub fn charging(&self, table: &Arc<Table>, partition: u16) -> Charging {
        Charging {
            table: table.clone(),
            partition,
            now: self.env.clock.elapsed(),
            is_limited: self.is_limited(),
        }
    }
}

impl Charging {
    /// Whether the table and the partition take a write now.
    pub fn admit(&self) -> Result<(), Throttled> {
        if !self.is_limited {
            return Ok(());
        }
        let capacity = &self.table.capacity;
        capacity.admit(Access::Write, Some(self.partition), self.now)
    }

    /// Whether the global indexes take a write that costs so much.
    pub fn admit_indexes(&self, units: &Units) -> Result<(), Throttled> {
        if !self.is_limited || units.global.is_empty() {
            return Ok(());
        }
        let (capacity, names) = (&self.table.capacity, units.global.keys());
        capacity.admit_indexes(Access::Write, names, self.now)
    }

    /// Takes what writes cost, so many times.
    pub fn take(&self, units: &Units, times: f64) {
        let (capacity, partition) = (&self.table.capacity, Some(self.partition));
        match self.is_limited {
            true => capacity.take(Access::Write, partition, units, times, self.now),
            false => capacity.count(Access::Write, units, times),
        }
    }
}
