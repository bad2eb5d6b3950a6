//! All tables of one installation: which there are, and the way to their partitions.

use std::{
    collections::HashMap,
    ops::Bound::{Excluded, Unbounded},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::SeqCst},
    },
};

use futures_util::future::join_all;
use headwater_catalog::Catalog;
use headwater_env::Env;
use headwater_items::{Item, item_size};
use headwater_log::{ReadLimit, ShardLog};
use headwater_sealing::InstallationKey;
use parking_lot::Mutex;
use tokio::sync::{mpsc, oneshot, watch};

use crate::{
    Cancellation, Change, Error, TableRecord, Target, Write, WriteError, Written,
    core::{Core, Table, shown},
    destinations::Sending,
    index::{Index, LateIndex},
    keeper::{self, Todo},
    keys::shard,
    layout::Layout,
    limits::{CALLS, TRANSACTION_BYTES},
    partition::Partition,
    pass::{Cause, find},
    store::Store,
    streams::Shared,
    tokens::Tokens,
    worker::{Call, Worker},
};

/// All tables.
pub struct Tables {
    pub(crate) inner: Arc<Inner>,
}

/// The tables with the ways to their workers, for those that work in the background too.
pub(crate) struct Inner {
    pub core: Arc<Core>,
    /// The ways to the workers that run, by table and partition. A worker ends when its way is gone.
    pub workers: Mutex<HashMap<(u64, u16), mpsc::Sender<Call>>>,
    /// Held during a change, so that the log has the tables' shards as the catalog has the tables.
    pub changing: tokio::sync::Mutex<()>,
    pub tokens: Mutex<Tokens>,
    /// Work to be done in the background.
    pub todo: Mutex<Todo>,
    /// Told when there is some.
    pub wake: watch::Sender<()>,
    pub streams: Shared,
    pub sending: Sending,
    pub is_closed: AtomicBool,
}

/// Changes of a partition.
#[derive(Debug, Clone, PartialEq)]
pub struct Changes {
    /// The changes, in order.
    pub changes: Vec<Change>,
    /// The offset at which to go on.
    pub next: u64,
    /// The oldest offset that is kept.
    pub first: u64,
    /// One past the newest.
    pub end: u64,
}

impl Tables {
    /// Opens the tables that `catalog` knows, whose changes are in `log`; their index is kept in the folder `index`.
    ///
    /// # Errors
    /// When the catalog, the log or the index fails; [`Error::IndexLost`].
    pub async fn open(
        env: Env,
        catalog: Arc<dyn Catalog>,
        log: Arc<dyn ShardLog>,
        index: &Path,
    ) -> Result<Arc<Self>, Error> {
        let (disk, folder) = (env.disk.clone(), index.to_owned());
        let index = env.blocking(move || LateIndex::open(disk, folder)).await?;
        Self::over(env, catalog, log, Arc::new(index)).await
    }

    /// The same over an index that is open already.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub async fn over(
        env: Env,
        catalog: Arc<dyn Catalog>,
        log: Arc<dyn ShardLog>,
        index: Arc<dyn Index>,
    ) -> Result<Arc<Self>, Error> {
        let key = InstallationKey::open(&env, &catalog).await?;
        let core = Arc::new(Core {
            store: Store::new(catalog),
            positions: key.tokens(b"positions in streams of tables"),
            env: env.clone(),
            log,
            index,
            known: Default::default(),
            unsettled: Mutex::default(),
            unsynced: AtomicU64::new(0),
            syncing: tokio::sync::Mutex::default(),
            limits: AtomicBool::new(false),
        });
        let mut tokens = Tokens::default();
        core.recover(|transacted, time| {
            if let Some((token, digest)) = transacted.token {
                tokens.done(&token, digest, time);
            }
        })
        .await?;
        let todo = Todo::at_start(&core).await?;
        let (wake, woken) = watch::channel(());
        let inner = Arc::new(Inner {
            core,
            workers: Mutex::default(),
            changing: tokio::sync::Mutex::default(),
            tokens: Mutex::new(tokens),
            todo: Mutex::new(todo),
            wake,
            streams: Shared::default(),
            sending: Sending::new(&*env.clock),
            is_closed: AtomicBool::new(false),
        });
        env.spawn(keeper::run(env.clone(), woken, Arc::downgrade(&inner)));
        Ok(Arc::new(Self { inner }))
    }

    /// The table of this name, as it is now.
    ///
    /// # Errors
    /// [`Error::NoTable`].
    pub fn get(&self, name: &str) -> Result<TableRecord, Error> {
        let record = self.kept(name)?;
        Ok(shown(&record, self.inner.core.env.clock.now()))
    }

    /// The same as it is kept, for those that look at it with each call: a state that takes no time may be over.
    ///
    /// # Errors
    /// [`Error::NoTable`].
    pub fn kept(&self, name: &str) -> Result<Arc<TableRecord>, Error> {
        Ok(self.inner.core.table(name)?.layout().record.clone())
    }

    /// How many tables there are.
    pub fn tables(&self) -> usize {
        self.inner.core.known.read().by_name.len()
    }

    /// At most `limit` names of tables that come after `after`, in order, and whether there are more.
    pub fn list(&self, after: Option<&str>, limit: usize) -> (Vec<String>, bool) {
        let known = self.inner.core.known.read();
        let start = after.map_or(Unbounded, Excluded);
        let mut names = known.by_name.range::<str, _>((start, Unbounded));
        let page = names.by_ref().take(limit);
        let page = page.map(|(name, _)| name.clone()).collect();
        (page, names.next().is_some())
    }

    /// How many items a table or an index of it has, and their bytes.
    ///
    /// # Errors
    /// [`Error::NoTable`], [`Error::NoIndex`], or what failed below.
    pub fn count(&self, target: &Target) -> Result<(u64, u64), Error> {
        let core = &self.inner.core;
        let (layout, view) = (core.table(&target.table)?.layout(), core.view());
        let index = target.index.as_deref().map(|name| layout.index(name));
        let index = index.transpose()?;
        let (mut items, mut bytes) = (0, 0);
        for partition in 0..layout.record.partitions {
            let meta = Partition::of_index(&layout, partition, &*view)?.meta;
            let (more, their) = match index {
                None => (meta.items, meta.bytes),
                Some(index) => {
                    let entries = meta.indexes.get(&index.id);
                    entries.map_or((0, 0), |entries| (entries.count, entries.bytes))
                }
            };
            (items, bytes) = (items + more, bytes + their);
        }
        Ok((items, bytes))
    }

    /// Writes an item. Durable when it returns.
    ///
    /// # Errors
    /// Whatever speaks against it: then nothing was written, or after [`Error::Interrupted`] it is not known.
    pub async fn write(&self, table: &str, write: Write) -> Result<Written, WriteError> {
        let table = self.inner.core.table(table)?;
        self.inner.write(&table, write, Cause::Call).await
    }

    /// Writes items, each by itself, as [`Self::write`] does: one result an item, in order.
    pub async fn write_many(
        &self,
        writes: Vec<(String, Write)>,
    ) -> Vec<Result<Written, WriteError>> {
        let writes = writes.into_iter();
        join_all(writes.map(async |(table, write)| self.write(&table, write).await)).await
    }

    /// The item with this key.
    ///
    /// # Errors
    /// [`Error::NoTable`], [`Error::WrongKey`], or what failed below.
    pub async fn read(&self, table: &str, key: &Item) -> Result<Option<Item>, Error> {
        let core = &self.inner.core;
        let table = core.table(table)?;
        let layout = table.layout();
        // Here and now, though it may wait for the disk: the way to another thread takes longer than what is in memory.
        let item = find(&*core.view(), &layout.record, &layout.base(key)?)?;
        table.counters.read(item.as_ref());
        Ok(item)
    }

    /// The items with these keys as they were at one moment.
    ///
    /// # Errors
    /// [`Cancellation::TooLarge`] with all their bytes, or [`Cancellation::Failed`] with [`Error::NoTable`],
    /// [`Error::WrongKey`], or what failed below.
    pub async fn read_together(
        &self,
        keys: Vec<(String, Item)>,
    ) -> Result<Vec<Option<Item>>, Cancellation> {
        let core = self.inner.core.clone();
        let env = core.env.clone();
        let read = move || {
            // A transaction is written to the index as one batch: a view shows all of it or nothing.
            let view = core.view();
            let (mut items, mut bytes) = (Vec::with_capacity(keys.len()), 0);
            for (table, key) in &keys {
                let table = core.table(table)?;
                let layout = table.layout();
                let item = find(&*view, &layout.record, &layout.base(key)?)?;
                table.counters.read(item.as_ref());
                bytes += item.as_ref().map_or(0, item_size);
                items.push(item);
                // What is too large is counted, and not kept.
                if bytes > TRANSACTION_BYTES {
                    items.clear();
                }
            }
            match bytes {
                0..=TRANSACTION_BYTES => Ok(items),
                _ => Err(Cancellation::TooLarge(bytes)),
            }
        };
        env.blocking(read).await
    }

    /// Changes of a partition from `from` on, in order, of the table with this number.
    ///
    /// # Errors
    /// [`Error::NoTable`], or what failed below.
    pub async fn changes(
        &self,
        table: u64,
        partition: u16,
        from: u64,
        limit: ReadLimit,
    ) -> Result<Changes, Error> {
        let core = &self.inner.core;
        let gone = || Error::NoTable(table.to_string());
        let layout = core.numbered(table).ok_or_else(gone)?.layout();
        let record = &layout.record;
        let chunk = core.log.read(shard(table, partition), from, limit).await;
        let chunk = chunk.map_err(|error| Error::of_log(error, &record.name))?;
        let change = |read: &headwater_log::Record| {
            let damaged = || Error::damaged(&record.name, "a change is not one");
            Change::decode(&record.key, read).ok_or_else(damaged)
        };
        let changes: Result<_, Error> = chunk.records.iter().map(change).collect();
        Ok(Changes {
            changes: changes?,
            next: chunk.next,
            first: chunk.state.first,
            end: chunk.state.end,
        })
    }

    /// Returns once a partition has a change at `offset`, or has ended. May return early.
    pub async fn wait(&self, table: u64, partition: u16, offset: u64) {
        self.inner
            .core
            .log
            .wait(shard(table, partition), offset)
            .await;
    }

    /// Whether tables can be written to, as far as their index goes: for the health page.
    ///
    /// # Errors
    /// [`Error::Index`], which says what to do.
    pub async fn health(&self) -> Result<(), Error> {
        let core = &self.inner.core;
        let index = core.index.clone();
        core.env.blocking(move || index.health()).await
    }

    /// Ends the workers, and leaves the index as it is found next time.
    pub async fn close(&self) {
        let inner = &self.inner;
        inner.is_closed.store(true, SeqCst);
        inner.wake.send_replace(());
        inner.sending.changed.send_replace(());
        let ended = inner.end_workers(|_| true).await;
        if let Err(error) = inner.core.sync().await {
            tracing::error!(%error, "the index of tables was not synced: the next start takes longer");
        }
        drop(ended);
    }
}

impl Inner {
    /// Writes an item of a table.
    pub async fn write(
        &self,
        table: &Arc<Table>,
        write: Write,
        cause: Cause,
    ) -> Result<Written, WriteError> {
        let layout = table.layout();
        let key = layout.base(&write.key)?;
        let partition = key.partition(layout.record.partitions);
        let (reply, answer) = oneshot::channel();
        let call = Call::Write(key, Box::new(write), cause, reply);
        self.call(table, &layout, partition, call, answer).await?
    }

    /// Makes a call to a partition's worker; its answer.
    pub async fn call<T>(
        &self,
        table: &Arc<Table>,
        layout: &Layout,
        partition: u16,
        call: Call,
        answer: oneshot::Receiver<T>,
    ) -> Result<T, Error> {
        let gone = || match self.core.table(&layout.record.name) {
            Ok(_) => Error::Interrupted,
            Err(error) => error,
        };
        let worker = self.worker(table, partition)?;
        worker.send(call).await.map_err(|_| gone())?;
        drop(worker);
        answer.await.map_err(|_| gone())
    }

    /// The way to a partition's worker, which is started where none runs: at the first call, and after one that
    /// panicked. A table that was deleted gets none any more.
    fn worker(&self, table: &Arc<Table>, partition: u16) -> Result<mpsc::Sender<Call>, Error> {
        let id = (table.number, partition);
        let mut workers = self.workers.lock();
        if let Some(worker) = workers.get(&id).filter(|worker| !worker.is_closed()) {
            return Ok(worker.clone());
        }
        if self.core.numbered(table.number).is_none() {
            return Err(Error::NoTable(table.layout().record.name.clone()));
        }
        if self.is_closed.load(SeqCst) {
            return Err(Error::Log(headwater_log::LogError::Closed));
        }
        let (calls, receiver) = mpsc::channel(CALLS);
        let worker = Worker::new(self.core.clone(), table.clone(), partition);
        self.core.env.spawn(worker.run(receiver));
        workers.insert(id, calls.clone());
        Ok(calls)
    }
}
