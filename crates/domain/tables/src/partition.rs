//! A partition of a table, as its writer knows it: where its log ends, and which rows a change makes in the index.

use std::{borrow::Cow, sync::Arc};

use bytes::Bytes;
use headwater_env::wait_for;
use headwater_items::{Item, item_size};
use headwater_log::{Append, Appended, NewRecord, ShardNumber};
use headwater_types::Millis;

use crate::{
    Error,
    change::Altered,
    core::Core,
    index::{Batch, View, behind},
    keys::{BaseKey, items_of, meta_row, shard},
    layout::Layout,
    limits::{FILL_BYTES, FILL_ROWS},
    meta::Meta,
};

/// A partition. Whoever has it is the only one that writes there.
#[derive(Debug)]
pub(crate) struct Partition {
    pub table: u64,
    pub index: u16,
    pub meta: Meta,
}

/// Changes as records of the log.
pub(crate) struct Records<'a>(Cow<'a, [(Vec<u8>, Vec<u8>)]>);

impl<'a> Records<'a> {
    pub fn new(changes: &[Altered], keeps_before: bool) -> Self {
        let record = |change: &Altered| (change.key.bytes.clone(), change.encode(keeps_before));
        Self(changes.iter().map(record).collect())
    }

    /// Those with these keys and values.
    pub fn of(records: &'a [(Vec<u8>, Vec<u8>)]) -> Self {
        Self(records.into())
    }

    pub fn pairs(&self) -> &[(Vec<u8>, Vec<u8>)] {
        &self.0
    }

    pub fn borrow(&self) -> Vec<NewRecord<'_>> {
        let records = self.0.iter();
        let records = records.map(|(key, value)| NewRecord { key, value });
        records.collect()
    }
}

impl Partition {
    /// The partition as the index has it.
    pub fn of_index(layout: &Layout, index: u16, view: &dyn View) -> Result<Self, Error> {
        let record = &layout.record;
        let row = view.get(&meta_row(record.number, index))?;
        let meta = row.map(|row| {
            Meta::decode(row).ok_or_else(|| Error::damaged(&record.name, "a partition is not one"))
        });
        Ok(Self {
            table: record.number,
            index,
            meta: meta.transpose()?.unwrap_or_default(),
        })
    }

    pub fn shard(&self) -> ShardNumber {
        shard(self.table, self.index)
    }

    /// Appends changes to the log, and writes what they make of the index. Waits for the disk.
    pub fn commit(
        &mut self,
        core: &Arc<Core>,
        layout: &Layout,
        changes: &[Altered],
    ) -> Result<(), Error> {
        if changes.is_empty() {
            return Ok(());
        }
        let records = Records::new(changes, layout.keeps_before());
        let appended = wait_for(self.append(core, layout, &records))?;
        let mut batch = Batch::new();
        self.apply(layout, changes, appended.time, &mut batch);
        core.write_now(batch)
    }

    /// Appends records to the log.
    pub async fn append(
        &self,
        core: &Arc<Core>,
        layout: &Layout,
        records: &Records<'_>,
    ) -> Result<Appended, Error> {
        let append = Append {
            shard: self.shard(),
            records: &records.borrow(),
        };
        let appended = core.log.append(&[append]).await.pop();
        let appended = appended.ok_or(Error::Interrupted)?;
        let appended = appended.map_err(|error| Error::of_append(error, &layout.record.name))?;
        self.expects(&appended, layout)?;
        Ok(appended)
    }

    /// Refuses to go on where the log has records that this partition does not know.
    pub fn expects(&self, appended: &Appended, layout: &Layout) -> Result<(), Error> {
        if appended.first_offset == self.meta.position {
            return Ok(());
        }
        let table = &layout.record.name;
        tracing::error!(%table, partition = self.index, "others wrote changes of a partition");
        Err(Error::Interrupted)
    }

    /// Takes over changes that stand in the log from this partition's position on; adds the rows that they make to
    /// `batch`.
    pub fn apply(&mut self, layout: &Layout, changes: &[Altered], time: Millis, batch: &mut Batch) {
        self.meta.follow(layout);
        for change in changes {
            self.alter(layout, change, batch);
        }
        self.meta.position += changes.len() as u64;
        self.meta.time = time;
        batch.push(self.row());
    }

    /// The row that says how far the index is.
    pub fn row(&self) -> (Bytes, Option<Bytes>) {
        let row = meta_row(self.table, self.index);
        (row.into(), Some(self.meta.encode().into()))
    }

    fn alter(&mut self, layout: &Layout, change: &Altered, batch: &mut Batch) {
        let row = change.key.row(self.table);
        let (before, after) = (change.before.as_deref(), change.after.as_deref());
        let size = |item: Option<&Item>| item.map_or(0, |item| item_size(item) as u64);
        let meta = &mut self.meta;
        count(&mut meta.items, before.is_some(), after.is_some());
        meta.bytes = (meta.bytes + size(after)).saturating_sub(size(before));
        for index in &layout.indexes {
            if !meta.is_filled(index.id, &row) {
                continue;
            }
            let entry = |item: &Item| index.entry(&layout.record, item, &change.key);
            let (old, new) = (before.and_then(entry), after.and_then(entry));
            let size = |item: Option<&Item>, entry: &Option<Vec<u8>>| match (item, entry) {
                (Some(item), Some(_)) => index.size(&layout.record, item),
                _ => 0,
            };
            if let Some(entries) = meta.indexes.get_mut(&index.id) {
                count(&mut entries.count, old.is_some(), new.is_some());
                let (gone, more) = (size(before, &old), size(after, &new));
                entries.bytes = (entries.bytes + more).saturating_sub(gone);
            }
            if old != new {
                batch.extend(old.map(|row| (row.into(), None)));
                batch.extend(new.map(|row| (row.into(), Some(Bytes::new()))));
            }
        }
        batch.push((row.into(), change.bytes.clone()));
    }

    /// Adds some items to the indexes that are new; the rows of it, and whether there are more to add.
    pub fn fill(&mut self, layout: &Layout, view: &dyn View) -> Result<(Batch, bool), Error> {
        self.meta.follow(layout);
        let mut batch = Batch::new();
        let new = layout.indexes.iter().find_map(|index| {
            let filled = self.meta.indexes.get(&index.id)?.filled.clone()?;
            Some((index, filled))
        });
        let Some((index, filled)) = new else {
            return Ok((batch, false));
        };
        let record = &layout.record;
        let mut span = items_of(self.table, self.index, record.partitions);
        span.from = span.from.max(behind(filled));
        let mut entries = self.meta.indexes.remove(&index.id).unwrap_or_default();
        let mut rows = view.range(&span, false);
        let (mut last, mut bytes) = (None, 0);
        for row in rows.by_ref().take(FILL_ROWS) {
            let (row, value) = row?;
            bytes += row.len() + value.len();
            let damaged = || Error::damaged(&record.name, "an item is not one");
            let key = BaseKey::of_row(&row).ok_or_else(damaged)?;
            let item = headwater_items::decode(&value).map_err(|_| damaged())?;
            if let Some(entry) = index.entry(record, &item, &key) {
                entries.count += 1;
                entries.bytes += index.size(record, &item);
                batch.push((entry.into(), Some(Bytes::new())));
            }
            last = Some(row.to_vec());
            if bytes >= FILL_BYTES {
                break;
            }
        }
        entries.filled = last;
        self.meta.indexes.insert(index.id, entries);
        batch.push(self.row());
        Ok((batch, true))
    }
}

/// Counts something that was there before or not, and is there after or not.
fn count(number: &mut u64, before: bool, after: bool) {
    *number = (*number + u64::from(after)).saturating_sub(u64::from(before));
}
