//! Tables made, changed and deleted: in the catalog first, then here, in a task of its own.

use std::sync::Arc;

use headwater_catalog::{CatalogError, Expect, Version, Versioned};
use headwater_types::Millis;
use tokio::sync::oneshot;

use crate::{
    Billing, Error, GlobalIndex, IndexState, LocalIndex, NewTable, Stream, TableRecord, TableState,
    Tables,
    core::{kept_from, shown},
    limits::{
        CONFLICTS, CREATING, PARTITION_READ, PARTITION_WRITE, PARTITIONS, PARTITIONS_ON_DEMAND,
    },
    load::shards,
    store::{Deleted, row},
    tables::Inner,
    worker::{Call, Lease},
};

impl Tables {
    /// Makes a table.
    ///
    /// # Errors
    /// [`Error::Exists`], or what failed below.
    pub async fn create(&self, new: NewTable) -> Result<TableRecord, Error> {
        let inner = self.inner.clone();
        let env = inner.core.env.clone();
        env.to_the_end(async move { inner.create(new).await }).await
    }

    /// Changes what the catalog has of a table: `change` is given the newest record, and may be called again. Indexes
    /// that are new in state [`IndexState::Creating`] are filled in the background, and those in state
    /// [`IndexState::Deleting`] are removed. Streams that are enabled or disabled are so when it returns.
    ///
    /// # Errors
    /// [`Error::NoTable`], what `change` refuses, or what failed below.
    pub async fn change<E: From<Error> + Send>(
        &self,
        name: &str,
        change: impl Fn(&mut TableRecord) -> Result<(), E> + Send + Sync,
    ) -> Result<TableRecord, E> {
        let record = self.inner.change(name, change).await?;
        if record.unsettled_streams().is_empty() {
            return Ok(record);
        }
        let (inner, name) = (self.inner.clone(), name.to_owned());
        let env = inner.core.env.clone();
        let settle = async move { inner.settle_streams(&name).await };
        Ok(env.to_the_end(settle).await?)
    }

    /// Deletes a table with all that it has. Returns it as it was.
    ///
    /// # Errors
    /// [`Error::NoTable`], [`Error::Protected`], or what failed below.
    pub async fn delete(&self, name: &str) -> Result<TableRecord, Error> {
        let (inner, name) = (self.inner.clone(), name.to_owned());
        let env = inner.core.env.clone();
        env.to_the_end(async move { inner.delete(&name).await })
            .await
    }
}

impl Inner {
    async fn create(&self, new: NewTable) -> Result<TableRecord, Error> {
        let _one = self.changing.lock().await;
        for _ in 0..CONFLICTS {
            if self.core.table(&new.name).is_ok() {
                return Err(Error::Exists(new.name));
            }
            match self.create_once(&new).await {
                Err(Error::Catalog(CatalogError::Conflict { .. })) => {}
                done => return done,
            }
        }
        Err(Error::Conflict)
    }

    async fn create_once(&self, new: &NewTable) -> Result<TableRecord, Error> {
        let store = &self.core.store;
        let next = store.next_number.get().await?;
        let (number, expect) = next.map_or((1, Expect::Absent), |next| {
            (next.value, Expect::At(next.version))
        });
        let record = self.record(new, number);
        // Before the record: a caller that finds the record finds the shards.
        let kept = kept_from(Millis::ZERO);
        self.core.log.open_shards(&shards(&record), kept).await?;
        let changes = vec![
            store.next_number.put(&(number + 1), expect),
            store.tables.put(&record.name, &record, Expect::Absent),
        ];
        let version = store.catalog.commit(changes).await?;
        let value = record.clone();
        let (found, now) = (Versioned { value, version }, self.core.env.clock.elapsed());
        self.core.known.write().insert(found, now);
        Ok(record)
    }

    /// The record of a new table.
    fn record(&self, new: &NewTable, number: u64) -> TableRecord {
        let (now, partitions) = (self.core.env.clock.now(), partitions(&new.billing));
        let new = new.clone();
        let (locals, globals) = (new.local.len(), new.global.len());
        let local = (0..)
            .zip(new.local)
            .map(|(number, (name, key, projected))| {
                let index = LocalIndex {
                    number,
                    key,
                    projected,
                };
                (name, index)
            });
        let global = (count(locals)..).zip(new.global);
        let global = global.map(|(number, (name, key, projected, billing))| {
            let index = GlobalIndex {
                number,
                key,
                projected,
                state: IndexState::Active,
                billing,
            };
            (name, index)
        });
        let stream = new.stream;
        let stream = stream.map(|view| Stream::of_new_table(view, partitions, now));
        TableRecord {
            name: new.name,
            number,
            id: self.core.env.random.uuid(),
            created: now,
            state: TableState::Creating(now.plus(CREATING)),
            partitions,
            attributes: new.attributes,
            key: new.key,
            local: local.collect(),
            global: global.collect(),
            next_index: count(locals + globals),
            billing: new.billing,
            on_demand_since: matches!(new.billing, Billing::OnDemand { .. }).then_some(now),
            switched: Vec::new(),
            streams: stream.into_iter().collect(),
            time_to_live: None,
            protected: new.protected,
            infrequent_access: new.infrequent_access,
            recovery_days: None,
            policy: new
                .policy
                .map(|policy| (policy, self.core.env.random.uuid())),
            destinations: Vec::new(),
            tags: new.tags,
        }
    }

    /// See [`Tables::change`].
    pub async fn change<E: From<Error> + Send>(
        self: &Arc<Self>,
        name: &str,
        change: impl Fn(&mut TableRecord) -> Result<(), E> + Send + Sync,
    ) -> Result<TableRecord, E> {
        for _ in 0..CONFLICTS {
            let (layout, version) = self.core.table(name)?.current();
            let mut record = shown(layout.record.clone(), self.core.env.clock.now());
            change(&mut record)?;
            if record == layout.record {
                return Ok(record);
            }
            let (inner, changed) = (self.clone(), record.clone());
            let work = async move { inner.replace(changed, version).await };
            match self.core.env.to_the_end(work).await {
                Err(Error::Catalog(CatalogError::Conflict { .. })) => {}
                Err(error) => return Err(error.into()),
                Ok(()) => return Ok(record),
            }
        }
        Err(Error::Conflict.into())
    }

    /// Gives a table another record, in place of the one at `version`.
    async fn replace(&self, record: TableRecord, version: Version) -> Result<(), Error> {
        let _one = self.changing.lock().await;
        let table = self.core.table(&record.name)?;
        let tables = &self.core.store.tables;
        let written = tables.write(&record.name, &record, Expect::At(version));
        let version = written.await?;
        let (name, before) = (record.name.clone(), table.layout());
        table.replace(record, version, self.core.env.clock.elapsed());
        if table.layout().is_to_build(&before) {
            self.todo.lock().tables.insert(name);
            self.wake.send_replace(());
        }
        // The caller sees to its streams itself; should it go away, the keeper does.
        if !table.layout().record.unsettled_streams().is_empty() {
            self.todo.lock().streams = true;
            self.wake.send_replace(());
        }
        Ok(())
    }

    async fn delete(&self, name: &str) -> Result<TableRecord, Error> {
        let _one = self.changing.lock().await;
        let table = self.core.table(name)?;
        let (layout, version) = table.current();
        let record = layout.record.clone();
        if record.protected {
            return Err(Error::Protected(name.to_owned()));
        }
        let deleted = Deleted {
            name: name.to_owned(),
            number: record.number,
        };
        let store = &self.core.store;
        let changes = vec![
            store.tables.delete(name, Expect::At(version)),
            store
                .deleted
                .put(&row(record.number), &deleted, Expect::Absent),
        ];
        store.catalog.commit(changes).await?;
        self.core.known.write().remove(name);
        // Until the shards are gone nobody writes there, and then nobody can: the rows can be removed.
        let ended = self.end_workers(|(table, _)| *table == record.number).await;
        self.core.log.remove_shards(&shards(&record)).await?;
        drop(ended);
        // What its partitions lack of transactions went with them.
        let mut unsettled = self.core.unsettled.lock();
        unsettled.retain(|(table, _), _| *table != record.number);
        drop(unsettled);
        self.todo.lock().deleted.push(deleted);
        self.wake.send_replace(());
        Ok(record)
    }

    /// Ends workers once they have done the calls that were made already. They do no more of them while what this
    /// returns is kept.
    pub async fn end_workers(&self, wanted: impl Fn(&(u64, u16)) -> bool) -> Vec<Lease> {
        let mut ending: Vec<_> = {
            let mut workers = self.workers.lock();
            workers.extract_if(|id, _| wanted(id)).collect()
        };
        // In the order in which transactions borrow them, so that none waits for this while this waits for it.
        ending.sort_unstable_by_key(|(id, _)| *id);
        let mut ended = Vec::with_capacity(ending.len());
        for (_, worker) in ending {
            let (reply, answer) = oneshot::channel();
            if worker.send(Call::Lend(reply)).await.is_ok() {
                ended.extend(answer.await.into_iter().flatten());
            }
        }
        ended
    }
}

/// A number of indexes, which are few.
fn count(indexes: usize) -> u32 {
    u32::try_from(indexes).unwrap_or(u32::MAX)
}

/// In how many partitions a table is cut.
fn partitions(billing: &Billing) -> u16 {
    let Billing::Provisioned(throughput) = billing else {
        return PARTITIONS_ON_DEMAND;
    };
    // Multiplied by both, so that no part of a unit is lost.
    let reads = throughput.read.saturating_mul(PARTITION_WRITE);
    let writes = throughput.write.saturating_mul(PARTITION_READ);
    let units = reads.saturating_add(writes);
    let wanted = units.div_ceil(PARTITION_READ * PARTITION_WRITE);
    u16::try_from(wanted)
        .unwrap_or(u16::MAX)
        .clamp(1, PARTITIONS)
}
