//! Indexes that are filled and removed, items that expire, and tables whose rows are removed: in slices between which others
//! have their turn.

use std::sync::Arc;

use futures_util::future::join_all;
use headwater_catalog::Expect;
use headwater_items::Item;
use tokio::sync::oneshot;

use crate::{
    Error, IndexState, TableRecord, Write, WriteAction,
    core::{Core, Table},
    index::{Batch, Span},
    keys::{Row, RowKind, base_of, index_of},
    layout::{Layout, Order},
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
        let unsettled = self.core.unsettled.lock().clone();
        for (number, partition) in unsettled {
            if let Some(table) = self.core.numbered(number) {
                // Before any call, a worker makes its partition whole.
                self.fill(&table, &table.layout(), partition).await?;
            }
        }
        Ok(())
    }

    /// Removes items that expired.
    pub async fn expire(&self) -> Result<(), Error> {
        for table in self.core.tables() {
            let layout = table.layout();
            let expiry = layout.indexes.iter().find_map(|index| match &index.order {
                Order::Expiry(attribute) => Some((index.id, attribute)),
                Order::Key(..) => None,
            });
            if let Some((index, attribute)) = expiry {
                while self.expire_some(&table, &layout, index, attribute).await? {}
            }
        }
        Ok(())
    }

    /// Removes some items of a table that expired; whether there may be more.
    async fn expire_some(
        &self,
        table: &Arc<Table>,
        layout: &Layout,
        index: u64,
        attribute: &str,
    ) -> Result<bool, Error> {
        let keys = self.core.due(layout, index)?;
        let count = keys.len();
        let removals = keys.into_iter().map(async |key| {
            let write = Write {
                key,
                condition: None,
                action: WriteAction::Delete,
            };
            self.write(table, write, Cause::Expiry(attribute.to_owned()))
                .await
        });
        let mut removed = join_all(removals).await.into_iter();
        let is_gone = |written| matches!(written, Ok(crate::Written { after: None, .. }));
        Ok(removed.all(is_gone) && count == EXPIRE_ITEMS)
    }
}

/// Makes a record's indexes those that they were to become.
fn finish(record: &mut TableRecord, built: &TableRecord) {
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
    /// Whether a server that ended may have left indexes to fill or to remove.
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

    /// The first index of a table that has entries and is not known.
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
    async fn remove_strays(self: &Arc<Self>, table: &Table, built: &Layout) -> Result<(), Error> {
        loop {
            let now = table.layout();
            let stray = self.stray(table.number, |id| now.has(id) || built.has(id))?;
            let Some(id) = stray else {
                return Ok(());
            };
            let row = Row::of(RowKind::Entry, table.number).number(id);
            self.remove_all(&row.span()).await?;
        }
    }

    /// Removes the rows of a deleted table, and then what says that there may be some.
    pub async fn remove_rows(self: &Arc<Self>, deleted: &Deleted) -> Result<(), Error> {
        for kind in RowKind::ALL {
            self.remove_all(&Row::of(kind, deleted.number).span())
                .await?;
        }
        self.sync().await?;
        let row = row(deleted.number);
        Ok(self.store.deleted.remove(&row, Expect::Any).await?)
    }

    /// Removes all rows of a span, slice by slice.
    async fn remove_all(self: &Arc<Self>, span: &Span) -> Result<(), Error> {
        loop {
            let (core, span) = (self.clone(), span.clone());
            let removed = self.env.blocking(move || core.remove_some(&span));
            if removed.await? < REMOVE_ROWS {
                return Ok(());
            }
        }
    }

    fn remove_some(&self, span: &Span) -> Result<usize, Error> {
        let view = self.view();
        let rows = view.range(span, false).take(REMOVE_ROWS);
        let removals = rows.map(|row| Ok((row?.0.to_vec(), None)));
        let batch = removals.collect::<Result<Batch, Error>>()?;
        let count = batch.len();
        self.write_now(batch)?;
        Ok(count)
    }

    /// The keys of some items that expired.
    fn due(&self, layout: &Layout, index: u64) -> Result<Vec<Item>, Error> {
        let (record, now) = (&layout.record, self.env.clock.now());
        let row = Row::of(RowKind::Entry, record.number).number(index);
        let span = row.numbers(now.minus(EXPIRED_MAX).seconds(), Some(now.seconds() + 1));
        let view = self.view();
        let rows = view.range(&span, false).take(EXPIRE_ITEMS);
        let key = |row: Result<(bytes::Bytes, bytes::Bytes), Error>| {
            let key = base_of(&row?.0, 0).and_then(|base| base.item(&record.key));
            key.ok_or_else(|| Error::damaged(&record.name, "an expiry is not one"))
        };
        rows.map(key).collect()
    }
}
