//! The embedded engine: [`ShardLog`] over a folder of this machine.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;
use headwater_env::Env;
use headwater_types::Millis;
use parking_lot::{Condvar, Mutex, RwLock};
use tokio::sync::{Notify, Semaphore};

use crate::{
    api::{
        Append, AppendError, Appended, Chunk, LogError, LogUsage, ReadLimit, Retention, ShardLog,
        ShardNumber, ShardState,
    },
    block, committer,
    core::{Core, Taking},
    files::read_error,
    limits,
    options::Options,
    queue::Queue,
    recovery::{self, Recovered},
    retention::Maintained,
    seal,
    sealer::Sealer,
    segments::Segments,
    shard::Shard,
    tail::TailCache,
    usage::Done,
};

/// A log in a folder of this machine. Dropping it stops it as a crash would: what was acknowledged is safe.
pub struct EmbeddedLog {
    core: Arc<Core>,
}

impl EmbeddedLog {
    /// Opens the log in `options.dir`, and recovers what it holds.
    pub async fn open(env: Env, options: Options) -> Result<Self, LogError> {
        let opening = env.clone();
        env.blocking(move || Self::open_now(opening, options)).await
    }

    fn open_now(env: Env, options: Options) -> Result<Self, LogError> {
        let io = |e: std::io::Error| read_error(&options.dir, &e);
        env.disk.create_dir_all(&options.dir).map_err(io)?;
        let lock = env
            .disk
            .lock(&options.dir.join("LOCK"))
            .map_err(|e| match e.kind() {
                std::io::ErrorKind::WouldBlock => LogError::InUse {
                    dir: options.dir.clone(),
                },
                _ => io(e),
            })?;
        let Recovered {
            shards,
            segments,
            unsealed,
            journal,
        } = recovery::recover(&env, &options)?;
        let newest = (journal.file.id.sequence, journal.file.clone());
        let journals: HashMap<u64, _> = unsealed
            .iter()
            .map(|job| (job.file.id.sequence, job.file.clone()))
            .chain([newest])
            .collect();
        let core = Arc::new(Core {
            shards: RwLock::new(shards),
            queue: Mutex::new(Queue::default()),
            work: Condvar::new(),
            room: Arc::new(Semaphore::new(limits::PENDING_BYTES / limits::PENDING_UNIT)),
            reads: Semaphore::new(limits::READS),
            tail: TailCache::new(options.tail_cache_bytes),
            journals: Mutex::new(journals),
            segments: Segments::new(env.disk.clone(), options.dir.clone(), segments),
            sealer: Sealer::new(unsealed),
            done: Done::default(),
            epoch: AtomicU64::new(0),
            maintaining: Mutex::new(()),
            running: AtomicUsize::new(2),
            ended: Notify::new(),
            is_closed: AtomicBool::new(false),
            lock: Mutex::new(Some(lock)),
            options,
            env,
        });
        let committing = core.clone();
        core.env.tasks.thread(
            "log-commit",
            Box::new(move || committer::run(&committing, journal)),
        );
        let sealing = core.clone();
        core.env
            .tasks
            .thread("log-seal", Box::new(move || seal::run(&sealing)));
        let log = Self { core };
        log.keep_maintaining();
        Ok(log)
    }

    /// One step of maintenance: gives full files their footers, deletes files whose records are all expired, and
    /// rewrites, within a budget, those whose live share is below half.
    pub async fn maintain(&self) -> Result<Maintained, LogError> {
        maintain(self.core.clone()).await
    }

    /// Maintains now and then, until the log is closed or dropped.
    fn keep_maintaining(&self) {
        let Some(every) = self.core.options.maintain_every else {
            return;
        };
        let (core, clock) = (Arc::downgrade(&self.core), self.core.env.clock.clone());
        self.core.env.spawn(async move {
            loop {
                clock.sleep(every).await;
                let Some(core) = core.upgrade() else {
                    return;
                };
                match maintain(core).await {
                    Ok(_) => {}
                    Err(LogError::Closed) => return,
                    Err(error) => {
                        tracing::warn!(%error, "a step of maintenance failed; it is tried again")
                    }
                }
            }
        });
    }

    fn shard(&self, number: ShardNumber) -> Result<Arc<Shard>, LogError> {
        self.core.shard(number).ok_or(LogError::Unknown(number))
    }

    /// Runs a read of files away from the asynchronous threads, of which a few run at one time.
    async fn read_files<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Core) -> Result<T, LogError> + Send + 'static,
    ) -> Result<T, LogError> {
        let _turn = self
            .core
            .reads
            .acquire()
            .await
            .map_err(|_| LogError::Closed)?;
        let core = self.core.clone();
        self.core.env.blocking(move || read(&core)).await
    }

    /// Appends what is taken of a batch; one result an append, in order, once all of them are durable.
    async fn take(
        &self,
        batch: &[Append<'_>],
        taking: Taking,
    ) -> Result<Vec<Result<Appended, AppendError>>, LogError> {
        let bytes = block::encoded_len(batch);
        let room = self.core.admit(bytes).await?;
        let draft = block::encode(batch, self.core.tail.spare.take(bytes));
        let queued = self.core.enqueue(batch, taking, draft, Some(room))?;
        if let Some(durable) = queued.durable {
            durable.await.unwrap_or(Err(LogError::Closed))?;
        }
        Ok(queued.results)
    }

    fn begin_close(&self) {
        self.core.queue.lock().closing = true;
        self.core.work.notify_one();
    }
}

async fn maintain(core: Arc<Core>) -> Result<Maintained, LogError> {
    let blocking = core.clone();
    core.env.blocking(move || blocking.maintain()).await
}

impl Drop for EmbeddedLog {
    fn drop(&mut self) {
        self.begin_close();
    }
}

#[async_trait]
impl ShardLog for EmbeddedLog {
    async fn open_shards(
        &self,
        numbers: &[ShardNumber],
        retention: Retention,
    ) -> Result<(), LogError> {
        let mut shards = self.core.shards.write();
        for &number in numbers {
            let shard = shards
                .entry(number)
                .or_insert_with(|| Arc::new(Shard::new(number)));
            let mut tail = shard.tail.lock();
            if tail.retention != Some(retention) {
                tail.retention = Some(retention);
                tail.trims.clear();
                self.core.epoch.fetch_add(1, Ordering::Relaxed);
            }
        }
        Ok(())
    }

    async fn remove_shards(&self, numbers: &[ShardNumber]) -> Result<(), LogError> {
        let mut shards = self.core.shards.write();
        for shard in numbers.iter().filter_map(|number| shards.remove(number)) {
            shard.remove();
            self.core.epoch.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }

    async fn shards(&self) -> Result<Vec<ShardNumber>, LogError> {
        let mut numbers: Vec<_> = self.core.shards.read().keys().copied().collect();
        numbers.sort_unstable();
        Ok(numbers)
    }

    async fn append(&self, batch: &[Append<'_>]) -> Vec<Result<Appended, AppendError>> {
        let all = |e| vec![Err(AppendError::Log(e)); batch.len()];
        let taken = self.take(batch, Taking::Each).await;
        taken.unwrap_or_else(all)
    }

    async fn append_whole(&self, batch: &[Append<'_>]) -> Result<Vec<Appended>, AppendError> {
        let taken = self.take(batch, Taking::Whole).await?;
        taken.into_iter().collect()
    }

    async fn settle(&self) -> Result<(), LogError> {
        let durable = self.core.enqueue_wait()?;
        durable.await.unwrap_or(Err(LogError::Closed))
    }

    async fn read(
        &self,
        shard: ShardNumber,
        from: u64,
        limit: ReadLimit,
    ) -> Result<Chunk, LogError> {
        let shard = self.shard(shard)?;
        if let Some(found) = self.core.read_memory(&shard, from, limit) {
            return found;
        }
        self.read_files(move |core| core.read_anywhere(&shard, from, limit))
            .await
    }

    async fn offset_at(&self, shard: ShardNumber, time: Millis) -> Result<u64, LogError> {
        let shard = self.shard(shard)?;
        if let Ok(found) = self.core.offset_in_memory(&shard, time) {
            return Ok(found);
        }
        self.read_files(move |core| core.offset_at(&shard, time))
            .await
    }

    async fn state(&self, shard: ShardNumber) -> Result<ShardState, LogError> {
        let shard = self.shard(shard)?;
        if let Some(state) = self.core.state_in_memory(&shard) {
            return Ok(state);
        }
        self.read_files(move |core| core.state(&shard)).await
    }

    async fn wait(&self, shard: ShardNumber, offset: u64) {
        let Some(shard) = self.core.shard(shard) else {
            return;
        };
        loop {
            let grown = shard.grown.notified();
            tokio::pin!(grown);
            // Registered before the check, so that nothing falls between the two.
            grown.as_mut().enable();
            if shard.is_past(offset) || self.core.is_closed.load(Ordering::Acquire) {
                return;
            }
            grown.await;
        }
    }

    async fn seal(&self, shard: ShardNumber) -> Result<u64, LogError> {
        let shard = self.shard(shard)?;
        let (end, durable) = self.core.enqueue_seal(&shard)?;
        durable.await.unwrap_or(Err(LogError::Closed))?;
        Ok(end)
    }

    async fn close(&self) {
        self.begin_close();
        loop {
            let ended = self.core.ended.notified();
            tokio::pin!(ended);
            ended.as_mut().enable();
            if self.core.running.load(Ordering::Acquire) == 0 {
                return;
            }
            ended.await;
        }
    }

    fn health(&self) -> Result<(), LogError> {
        let queue = self.core.queue.lock();
        queue
            .refusing
            .clone()
            .or_else(|| queue.full.clone())
            .map_or(Ok(()), Err)
    }

    async fn usage(&self) -> Option<LogUsage> {
        let core = self.core.clone();
        let told = self.core.env.blocking(move || core.usage()).await;
        told.inspect_err(|error| tracing::warn!(%error, "the log cannot tell what it takes"))
            .ok()
    }
}

#[cfg(test)]
mod tests;
