//! The state that the callers' threads, the committer and the sealer share, and how they hand work to each other.

use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
};

use bytes::Bytes;
use headwater_env::{Env, File};
use parking_lot::{Condvar, Mutex, RwLock};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, oneshot};

use crate::{
    api::{Append, AppendError, Appended, LogError, ShardNumber},
    block::Draft,
    files::LogFile,
    format::{BLOCK_HEADER, BlockHeader, Kind},
    limits,
    options::Options,
    queue::{Pending, PendingBlock, Queue},
    sealer::Sealer,
    segments::Segments,
    shard::{Assigned, Shard},
    tail::TailCache,
    usage::Done,
};

/// Shards by their numbers.
pub type Shards = HashMap<ShardNumber, Arc<Shard>, BuildHasherDefault<NumberHasher>>;

/// Spreads shards' numbers, which their owner chooses: nobody can make them collide on purpose.
#[derive(Default)]
pub struct NumberHasher(u64);

impl Hasher for NumberHasher {
    fn write(&mut self, _: &[u8]) {
        unreachable!("a shard's number is hashed as a number");
    }

    fn write_u64(&mut self, number: u64) {
        // 2^64 divided by the golden ratio; both halves, since tables look at the ends.
        let product = u128::from(number) * 0x9e37_79b9_7f4a_7c15;
        self.0 = (product >> 64) as u64 ^ product as u64;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// The shared state of an open log.
pub struct Core {
    pub env: Env,
    pub options: Options,
    /// Locked before the queue where both are needed.
    pub shards: RwLock<Shards>,
    pub queue: Mutex<Queue>,
    /// Wakes the committer when the queue has work enough.
    pub work: Condvar,
    /// Room for pending bytes, in [`limits::PENDING_UNIT`]s.
    pub room: Arc<Semaphore>,
    /// Room for reads of files.
    pub reads: Semaphore,
    pub tail: TailCache,
    /// The journal files that have no footer yet, by sequence; the newest takes the appends.
    pub journals: Mutex<HashMap<u64, Arc<LogFile>>>,
    pub segments: Segments,
    pub sealer: Sealer,
    /// Counts of all that was committed since the log was opened.
    pub done: Done,
    /// Grows whenever a shard is removed or expires differently.
    pub epoch: AtomicU64,
    /// Held during a step of maintenance: there is one at a time.
    pub maintaining: Mutex<()>,
    /// How much of the log runs: its threads and its maintenance.
    pub running: AtomicUsize,
    /// Wakes those who wait for the last of that to end.
    pub ended: Notify,
    /// No append will ever become durable any more.
    pub is_closed: AtomicBool,
    /// Keeps others out of the folder while anything runs.
    pub lock: Mutex<Option<Box<dyn File>>>,
}

/// Which appends of a batch are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taking {
    /// Each that can be.
    Each,
    /// All, or where one cannot be, none.
    Whole,
}

/// The places that a batch got, and the commit that they wait for, if any.
pub struct Queued {
    pub results: Vec<Result<Appended, AppendError>>,
    pub durable: Option<oneshot::Receiver<Result<(), LogError>>>,
}

impl Core {
    /// The shard `number`.
    pub fn shard(&self, number: ShardNumber) -> Option<Arc<Shard>> {
        self.shards.read().get(&number).cloned()
    }

    /// Gives a batch its offsets and times, and queues it. All that must be in order happens here, under one lock.
    pub fn enqueue(
        &self,
        batch: &[Append<'_>],
        taking: Taking,
        mut draft: Draft,
        room: Option<OwnedSemaphorePermit>,
    ) -> Result<Queued, LogError> {
        let known = self.shards.read();
        // Looked up before the queue is held, which others wait for.
        let shards: Vec<_> = batch.iter().map(|a| known.get(&a.shard)).collect();
        shards.iter().flatten().for_each(|shard| shard.fetch());
        let mut queue = self.queue.lock();
        if let Some(refusal) = &queue.refusing {
            return Err(refusal.clone());
        }
        // The time, told under the lock: what is queued later is not of an earlier time, see `ShardLog::settle`.
        let now = self.env.clock.now();
        // Seals are queued under the same lock, and removals wait for the list of shards: what is open now stays so.
        let refused = (taking == Taking::Whole).then(|| refused(batch, &shards));
        let refused = refused.flatten();
        let mut results: Vec<Result<Appended, AppendError>> = Vec::with_capacity(batch.len());
        let mut must_wait = false;
        for (append, shard) in batch.iter().zip(&shards) {
            let Some(shard) = shard else {
                results.push(Err(AppendError::Unknown(append.shard)));
                continue;
            };
            // Even a refusal waits until the seal that it tells of is durable.
            must_wait = true;
            if let Some(refused) = &refused {
                results.push(Err(refused.clone()));
                continue;
            }
            let mut assigned = shard.assigned.lock();
            results.push(assign(&mut assigned, append.records.len(), now));
        }
        let blocks = place(batch, &mut draft, &results);
        let durable = must_wait.then(|| self.push(&mut queue, draft.bytes.freeze(), blocks, room));
        Ok(Queued { results, durable })
    }

    /// Queues the seal of a shard, or, when it is sealed already, a wait for that to be durable; with the final end.
    pub fn enqueue_seal(
        &self,
        shard: &Arc<Shard>,
    ) -> Result<(u64, oneshot::Receiver<Result<(), LogError>>), LogError> {
        let mut queue = self.queue.lock();
        if let Some(refusal) = &queue.refusing {
            return Err(refusal.clone());
        }
        let mut assigned = shard.assigned.lock();
        let end = assigned.next;
        let (mut bytes, mut blocks) = (Bytes::new(), Vec::new());
        if !assigned.sealed {
            assigned.sealed = true;
            let kind = Kind::Seal;
            let (number, time) = (shard.number.0, assigned.time);
            let header = BlockHeader {
                kind,
                count: 0,
                shard: number,
                first: end,
                time,
                length: 0,
                body_crc: 0,
            };
            bytes = Bytes::copy_from_slice(&header.encode());
            blocks.push(PendingBlock { header, at: 0 });
        }
        drop(assigned);
        Ok((end, self.push(&mut queue, bytes, blocks, None)))
    }

    /// Queues a wait for all that was queued before it.
    pub fn enqueue_wait(&self) -> Result<oneshot::Receiver<Result<(), LogError>>, LogError> {
        let mut queue = self.queue.lock();
        match &queue.refusing {
            Some(refusal) => Err(refusal.clone()),
            None => Ok(self.push(&mut queue, Bytes::new(), Vec::new(), None)),
        }
    }

    fn push(
        &self,
        queue: &mut Queue,
        bytes: Bytes,
        blocks: Vec<PendingBlock>,
        room: Option<OwnedSemaphorePermit>,
    ) -> oneshot::Receiver<Result<(), LogError>> {
        let (reply, durable) = oneshot::channel();
        queue.push(
            Pending {
                bytes,
                blocks,
                reply,
                room,
            },
            &self.work,
        );
        durable
    }

    /// Waits for room for `bytes` more of pending appends.
    pub async fn admit(&self, bytes: usize) -> Result<OwnedSemaphorePermit, LogError> {
        let most = limits::PENDING_BYTES / limits::PENDING_UNIT;
        let units = (bytes / limits::PENDING_UNIT + 1).min(most) as u32;
        self.room
            .clone()
            .acquire_many_owned(units)
            .await
            .map_err(|_| LogError::Closed)
    }

    /// Something of the log ends; the last gives the folder free.
    pub fn end_running(&self) {
        if self.running.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.lock.lock().take();
            self.ended.notify_waiters();
        }
    }
}

/// Why the first append that cannot be taken is refused, if there is one.
fn refused(batch: &[Append<'_>], shards: &[Option<&Arc<Shard>>]) -> Option<AppendError> {
    batch.iter().zip(shards).find_map(|(append, shard)| {
        let unknown = AppendError::Unknown(append.shard);
        shard.map_or(Some(unknown), |shard| {
            shard.assigned.lock().sealed.then_some(AppendError::Sealed)
        })
    })
}

/// Gives `records` more records of a shard their place.
fn assign(
    assigned: &mut Assigned,
    records: usize,
    now: headwater_types::Millis,
) -> Result<Appended, AppendError> {
    if assigned.sealed {
        return Err(AppendError::Sealed);
    }
    assigned.time = assigned.time.max(now);
    let appended = Appended {
        first_offset: assigned.next,
        time: assigned.time,
    };
    assigned.next += records as u64;
    Ok(appended)
}

/// Writes the headers of the blocks that were taken, and takes those that were not out of the buffer.
fn place(
    batch: &[Append<'_>],
    draft: &mut Draft,
    results: &[Result<Appended, AppendError>],
) -> Vec<PendingBlock> {
    let mut placed: Vec<PendingBlock> = Vec::with_capacity(draft.blocks.len());
    let (mut kept, mut append, mut first) = (0, usize::MAX, 0);
    for block in &draft.blocks {
        let Ok(appended) = &results[block.append] else {
            continue;
        };
        if block.append != append {
            (append, first) = (block.append, appended.first_offset);
        }
        let header = BlockHeader {
            kind: Kind::Records,
            count: block.count,
            shard: batch[block.append].shard.0,
            first,
            time: appended.time,
            length: block.length,
            body_crc: block.body_crc,
        };
        first = header.end();
        let size = BLOCK_HEADER + block.length as usize;
        if kept != block.at {
            draft.bytes.copy_within(block.at..block.at + size, kept);
        }
        draft.bytes[kept..kept + BLOCK_HEADER].copy_from_slice(&header.encode());
        placed.push(PendingBlock { header, at: kept });
        kept += size;
    }
    draft.bytes.truncate(kept);
    placed
}
