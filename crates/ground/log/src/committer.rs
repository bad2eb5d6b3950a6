//! The committer: one thread that takes everything that waits, writes it as one frame, syncs once, and answers.
//!
//! While one sync runs, the next batch gathers; where many were answered, it waits a moment for these, see [`queue`].

use std::{
    io::IoSlice,
    sync::{Arc, atomic::Ordering},
};

use crate::{
    api::{LogError, ShardNumber},
    core::Core,
    files::FileError,
    journal::Journal,
    limits,
    queue::{self, GatherWindow, Pending, PendingBlock},
    sealer::SealJob,
    shard::Shard,
};

/// Runs until the log is closed or dropped.
pub fn run(core: &Core, mut journal: Journal) {
    let _stop = Stop(core);
    let mut window = GatherWindow::default();
    while let Some(batch) = queue::next_batch(core.queue.lock(), &core.work, window) {
        let (callers, began) = (batch.len(), core.env.clock.elapsed());
        match commit(core, &mut journal, &batch) {
            Ok(()) => answer(core, batch),
            Err(e) => fail(core, batch, e),
        }
        let took = core.env.clock.elapsed().saturating_sub(began);
        core.done.took(took);
        window = GatherWindow::after(callers, took);
    }
    mark_end(core, journal);
}

fn commit(core: &Core, journal: &mut Journal, batch: &[Pending]) -> Result<(), LogError> {
    let parts: Vec<IoSlice<'_>> = batch
        .iter()
        .filter(|p| !p.bytes.is_empty())
        .map(|p| IoSlice::new(&p.bytes))
        .collect();
    if parts.is_empty() {
        // All that these waited for is durable: it was committed before.
        return Ok(());
    }
    if journal.is_full() {
        roll(core, journal)?;
    }
    let blocks = batch.iter().map(|p| p.blocks.len()).sum();
    let at = journal
        .commit(&parts, blocks, core.options.sync)
        .map_err(|e| refusal(core, &e))?;
    core.done.wrote(&parts, batch.len());
    publish(core, journal.file.id.sequence, at, batch);
    Ok(())
}

/// Lets readers see what is durable now.
fn publish(core: &Core, file: u64, mut at: u64, batch: &[Pending]) {
    let shards = core.shards.read();
    for pending in batch.iter().filter(|pending| !pending.blocks.is_empty()) {
        core.tail.keep(file, at, pending.bytes.clone());
        // Without the shards that were removed meanwhile.
        let found = pending
            .blocks
            .iter()
            .filter_map(|block| Some((block, shards.get(&ShardNumber(block.header.shard))?)));
        let found: Vec<(&PendingBlock, &Arc<Shard>)> = found.collect();
        found.iter().for_each(|(_, shard)| shard.fetch());
        for (PendingBlock { header, at: within }, shard) in found {
            shard.publish(header, at + *within as u64, file);
        }
        at += pending.bytes.len() as u64;
    }
}

fn answer(core: &Core, batch: Vec<Pending>) {
    if core.queue.lock().full.take().is_some() {
        tracing::info!("the disk has room again: the log takes appends");
    }
    for Pending { reply, room, .. } in batch {
        drop(room);
        // Nobody waits any more when the caller gave up.
        let _ = reply.send(Ok(()));
    }
}

/// The error that callers get for a failed write or sync.
fn refusal(core: &Core, error: &FileError) -> LogError {
    if error.is_full() {
        LogError::DiskFull {
            dir: core.options.dir.clone(),
        }
    } else {
        error.poison()
    }
}

/// Fails a batch and all that was queued behind it: their offsets follow its offsets, which do not come to be.
fn fail(core: &Core, mut batch: Vec<Pending>, error: LogError) {
    let shards = core.shards.read();
    let mut queue = core.queue.lock();
    if queue.full.as_ref() != Some(&error) {
        // Said once, not for each of the many that a full disk refuses: the log's own lines need disk, too.
        tracing::error!(%error, "a commit failed");
    }
    batch.append(&mut queue.take());
    let blocks = batch.iter().flat_map(|pending| &pending.blocks);
    for shard in blocks.filter_map(|block| shards.get(&ShardNumber(block.header.shard))) {
        shard.forget_assigned();
    }
    match error {
        LogError::DiskFull { .. } => queue.full = Some(error.clone()),
        _ => queue.refuse(error.clone()),
    }
    drop((queue, shards));
    for pending in batch {
        let _ = pending.reply.send(Err(error.clone()));
    }
}

/// Begins a new file, and hands the full one to the sealer.
fn roll(core: &Core, journal: &mut Journal) -> Result<(), LogError> {
    core.sealer.admit(limits::UNSEALED_FILES)?;
    if !core.options.sync {
        journal.file.sync().map_err(|e| refusal(core, &e))?;
    }
    let sequence = journal.file.id.sequence + 1;
    let new = Journal::begin(&core.env, &core.options, sequence, journal.next_commit)
        .map_err(|e| refusal(core, &e))?;
    core.journals.lock().insert(sequence, new.file.clone());
    let full = std::mem::replace(journal, new);
    let job = SealJob::new(
        full.file,
        full.len,
        full.next_commit - 1,
        core.shards.read().values(),
    );
    core.sealer.push(job);
    Ok(())
}

/// Marks a clean end, unless nobody knows what the disk holds.
fn mark_end(core: &Core, journal: Journal) {
    let poisoned = matches!(core.queue.lock().refusing, Some(LogError::Poisoned { .. }));
    if !poisoned && let Err(e) = journal.end() {
        tracing::warn!(error = %e.error, file = %e.path.display(), "the log's clean end could not be marked");
    }
}

/// Answers all callers that wait, however the committer ends: nothing more comes.
struct Stop<'a>(&'a Core);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        let Self(core) = self;
        let unanswered = {
            let mut queue = core.queue.lock();
            queue.refuse(LogError::Closed);
            queue.take()
        };
        core.is_closed.store(true, Ordering::Release);
        core.sealer.close();
        core.room.close();
        for pending in unanswered {
            let _ = pending.reply.send(Err(LogError::Closed));
        }
        core.shards
            .read()
            .values()
            .for_each(|shard| shard.grown.notify_waiters());
        core.end_running();
    }
}
