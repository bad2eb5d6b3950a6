//! Indexes that are filled and removed, items that expire, and tables whose rows are removed: in slices between which others
//! have their turn.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::join_all;
use headwater_catalog::Expect;
use headwater_items::Item;
use tokio::sync::oneshot;

use crate::{
    Error, IndexState, TableRecord, Write, WriteAction, WriteError,
    core::{Core, Table},
    index::{Span, behind},
    keys::{Row, RowKind, base_of, index_of},
    layout::Layout,
    limits::{EXPIRE_ITEMS, EXPIRED_MAX, REMOVE_ROWS},
    partition::Partition,
    pass::Cause,
    store::{Deleted, row},
    tables::Inner,
    worker::Call,
};

impl Inner {
    /// Fills a table's new indexes, removes the entries of those that are no more, and tells the catalog.
    pub async fn build(self: &Arc<Self>, name: &str) -> Result<(), Error> {
        let table = self.core.table(name)?;
        let layout = table.layout();
        for partition in 0..layout.record.partitions {
            while self.fill(&table, &layout, partition).await? {}
        }
        // All workers know the indexes as they are here, or newer ones. What shows as filled must stay so.
        self.core.sync().await?;
        self.core.remove_strays(&table, &layout).await?;
        if layout.is_building() {
            let finish = |record: &mut TableRecord| {
                finish(record, &layout.record);
                Ok::<(), Error>(())
            };
            self.change(name, finish).await?;
        }
        Ok(())
    }

    /// Has a worker fill a part of its new indexes; whether there may be more.
    async fn fill(
        &self,
        table: &Arc<Table>,
        layout: &Layout,
        partition: u16,
    ) -> Result<bool, Error> {
        let (reply, answer) = oneshot::channel();
        self.call(table, layout, partition, Call::Fill(reply), answer)
            .await?
    }

    /// Gives partitions what they lack of transactions, also where nobody writes there.
    pub async fn settle(&self) -> Result<(), Error> {
        let unsettled: Vec<_> = self.core.unsettled.lock().keys().copied().collect();
        let mut done = Ok(());
        for (number, partition) in unsettled {
            if let Some(table) = self.core.numbered(number) {
                // Before any call, a worker makes its partition whole.
                let filled = self.fill(&table, &table.layout(), partition).await;
                done = done.and(filled.map(drop));
            }
        }
        done
    }

    /// Removes items that expired.
    pub async fn expire(&self) -> Result<(), Error> {
        let mut done = Ok(());
        for table in self.core.tables() {
            match self.expire_all(&table).await {
                Ok(()) | Err(Error::NoTable(_)) => {}
                Err(error) => done = Err(error),
            }
        }
        done
    }

    /// Removes the items of a table that expired.
    async fn expire_all(&self, table: &Arc<Table>) -> Result<(), Error> {
        let mut from = Some(Vec::new());
        while let Some(start) = from {
            from = self.expire_some(table, start).await?;
        }
        Ok(())
    }

    /// Removes some items of a table that expired, from this row on; where to go on, if there may be more.
    async fn expire_some(
        &self,
        table: &Arc<Table>,
        from: Vec<u8>,
    ) -> Result<Option<Vec<u8>>, Error> {
        // The table as it is now: since the slice before, its items may expire by another attribute, or not at all.
        let (core, layout) = (self.core.clone(), table.layout());
        let due = move || core.due(&layout, from);
        let (keys, next) = self.core.env.blocking(due).await?;
        let removals = keys.into_iter().map(async |key| {
            let write = Write {
                key,
                condition: None,
                action: WriteAction::Delete,
            };
            self.write(table, write, Cause::Expiry).await
        });
        let removed = join_all(removals).await.into_iter();
        let mut failed = removed.filter_map(|written| match written {
            Err(WriteError::Failed(error)) => Some(error),
            _ => None,
        });
        failed.next().map_or(Ok(next), Err)
    }
}

/// Makes a record's indexes those that they were to become.
fn finish(record: &mut TableRecord, built: &TableRecord) {
    // Another table of that name may have indexes of the same names and numbers, which nobody filled.
    if record.number != built.number {
        return;
    }
    record.global.retain(|name, index| {
        let built = built
            .global
            .get(name)
            .filter(|built| built.number == index.number);
        let is_built = built.is_some_and(|built| built.state == index.state);
        if is_built && index.state == IndexState::Creating {
            index.state = IndexState::Active;
        }
        !(is_built && index.state == IndexState::Deleting)
    });
}

impl Core {
    /// Whether a server that ended may have left indexes to fill or to remove. Waits for the disk.
    pub fn is_unbuilt(&self, layout: &Layout) -> Result<bool, Error> {
        let (record, view) = (&layout.record, self.view());
        for index in 0..record.partitions {
            let mut meta = Partition::of_index(layout, index, &*view)?.meta;
            meta.follow(layout);
            if meta
                .indexes
                .values()
                .any(|entries| entries.filled.is_some())
            {
                return Ok(true);
            }
        }
        Ok(layout.is_building() || self.stray(record.number, |id| layout.has(id))?.is_some())
    }

    /// The first index of a table that has entries and is not known. Waits for the disk.
    fn stray(&self, table: u64, is_known: impl Fn(u64) -> bool) -> Result<Option<u64>, Error> {
        let (view, mut from) = (self.view(), 0);
        loop {
            let span = Row::of(RowKind::Entry, table).numbers(from, None);
            let Some(first) = view.range(&span, false).next() else {
                return Ok(None);
            };
            match index_of(&first?.0) {
                Some(id) if is_known(id) => from = id + 1,
                found => return Ok(found),
            }
        }
    }

    /// Removes the entries of indexes that are no more.
    async fn remove_strays(
        self: &Arc<Self>,
        table: &Table,
        built: &Arc<Layout>,
    ) -> Result<(), Error> {
        loop {
            let (core, number) = (self.clone(), table.number);
            let (now, built) = (table.layout(), built.clone());
            let stray = move || core.stray(number, |id| now.has(id) || built.has(id));
            let Some(id) = self.env.blocking(stray).await? else {
                return Ok(());
            };
            let row = Row::of(RowKind::Entry, table.number).number(id);
            self.remove_all(row.span()).await?;
        }
    }

    /// Removes the rows of a deleted table, and then what says that there may be some.
    pub async fn remove_rows(self: &Arc<Self>, deleted: &Deleted) -> Result<(), Error> {
        for kind in RowKind::ALL {
            self.remove_all(Row::of(kind, deleted.number).span())
                .await?;
        }
        self.sync().await?;
        let row = row(deleted.number);
        Ok(self.store.deleted.remove(&row, Expect::Any).await?)
    }

    /// Removes all rows of a span, slice by slice.
    async fn remove_all(self: &Arc<Self>, mut span: Span) -> Result<(), Error> {
        loop {
            let (core, slice) = (self.clone(), span.clone());
            let removed = self.env.blocking(move || core.remove_some(&slice));
            match removed.await? {
                Some(next) => span.from = next,
                None => return Ok(()),
            }
        }
    }

    /// Removes the first rows of a span; where to go on, if there may be more.
    fn remove_some(&self, span: &Span) -> Result<Option<Vec<u8>>, Error> {
        let (rows, next) = self.first(span, REMOVE_ROWS)?;
        // Each of its own: what is read is a part of a block, which a row would hold in memory.
        let removals = rows.iter().map(|row| (Bytes::copy_from_slice(row), None));
        self.write_now(removals.collect())?;
        Ok(next)
    }

    /// The keys of some items that expired, from this row on; and where to go on, if there may be more.
    fn due(&self, layout: &Layout, from: Vec<u8>) -> Result<(Vec<Item>, Option<Vec<u8>>), Error> {
        let Some((index, _)) = layout.expiry() else {
            return Ok((Vec::new(), None));
        };
        let (record, now) = (&layout.record, self.env.clock.now());
        let row = Row::of(RowKind::Entry, record.number).number(index);
        let mut span = row.numbers(now.minus(EXPIRED_MAX).seconds(), Some(now.seconds() + 1));
        span.from = span.from.max(from);
        let (rows, next) = self.first(&span, EXPIRE_ITEMS)?;
        let key = |row: Bytes| {
            let key = base_of(&row, 0).and_then(|base| base.item(&record.key));
            key.ok_or_else(|| Error::damaged(&record.name, "an expiry is not one"))
        };
        let keys: Result<_, Error> = rows.into_iter().map(key).collect();
        Ok((keys?, next))
    }

    /// The first rows of a span; and where to go on, if there may be more. What was removed at the beginning of a span
    /// is not passed over again so.
    fn first(&self, span: &Span, limit: usize) -> Result<(Vec<Bytes>, Option<Vec<u8>>), Error> {
        let view = self.view();
        let rows = view.range(span, false).take(limit).map(|row| Ok(row?.0));
        let rows = rows.collect::<Result<Vec<_>, Error>>()?;
        let last = rows.last().filter(|_| rows.len() == limit);
        let next = last.map(|row| behind(row.to_vec()));
        Ok((rows, next))
    }
}
