//! The sender of one partition: it reads changes and puts them into the stream, and with them, in one append, how far it
//! is. After a failure it does not guess, but reads how far it is.

use std::{
    sync::{Arc, Weak, atomic::Ordering::SeqCst},
    time::Duration,
};

use headwater_env::Env;
use headwater_log::{Chunk, ReadLimit, Record, ShardLog};
use tokio::sync::watch;
use xxhash_rust::xxh3::xxh3_128;

use super::{
    Destination, DestinationState,
    progress::Progress,
    sending::{SenderId, Status},
};
use crate::{
    Change, Error, Event, NotPut, Outgoing, OutgoingChange, Receivers, TableRecord, ViewType,
    keys::{progress_shard, shard},
    layout::Layout,
    limits::{SEND_BYTES, SEND_PAUSE, SEND_PAUSE_MAX, SEND_RECORDS},
    tables::Inner,
};

/// Microseconds of a millisecond.
const MICROS: u64 = 1000;

const AT_ONCE: ReadLimit = ReadLimit {
    records: SEND_RECORDS,
    bytes: SEND_BYTES,
};

/// The sender of one partition to one destination.
pub(crate) struct Sender {
    id: SenderId,
    inner: Weak<Inner>,
    env: Env,
    log: Arc<dyn ShardLog>,
    receivers: Arc<dyn Receivers>,
    changed: watch::Receiver<()>,
    /// How far it is, where that is known.
    progress: Option<Progress>,
    /// Where it ends, once the destination is to be disabled.
    end: Option<u64>,
    /// Whether it has nothing to do any more but to wait for the others.
    is_done: bool,
    /// How long it waits after the next failure.
    pause: Duration,
}

/// What comes after a step.
enum Next {
    /// Another.
    Step,
    /// Another when there is a change at this offset, or the destination was changed.
    Wait(u64),
    /// Another after a moment.
    Pause,
    /// Nothing: nobody wants more.
    End,
}

/// Why a step failed.
#[derive(Debug, thiserror::Error)]
enum Failed {
    #[error(transparent)]
    Here(#[from] Error),
    #[error(transparent)]
    There(#[from] NotPut),
}

impl Drop for Sender {
    fn drop(&mut self) {
        if let Some(inner) = self.inner.upgrade() {
            inner.sending.running.lock().remove(&self.id);
        }
    }
}

impl Sender {
    pub fn new(inner: &Arc<Inner>, id: SenderId, receivers: Arc<dyn Receivers>) -> Self {
        Self {
            id,
            inner: Arc::downgrade(inner),
            env: inner.core.env.clone(),
            log: inner.core.log.clone(),
            receivers,
            changed: inner.sending.changed.subscribe(),
            progress: None,
            end: None,
            is_done: false,
            pause: SEND_PAUSE,
        }
    }

    /// Sends until the destination is disabled, or the table is gone, or all tables are closed.
    pub async fn run(mut self) {
        while let Some(inner) = self.inner.upgrade() {
            if inner.is_closed.load(SeqCst) {
                return;
            }
            let next = match self.step(&inner).await {
                Ok(next) => next,
                Err(failed) => {
                    // What was put is not known.
                    self.progress = None;
                    self.tell(&inner, failed.to_string());
                    Next::Pause
                }
            };
            // Tables that nobody has any more are not kept by those who wait.
            drop(inner);
            let may_go_on = match next {
                Next::Step => true,
                Next::Wait(offset) => self.wait(offset).await,
                Next::Pause => self.rest().await,
                Next::End => false,
            };
            if !may_go_on {
                return;
            }
        }
    }

    /// Sends some changes, where there are any.
    async fn step(&mut self, inner: &Arc<Inner>) -> Result<Next, Failed> {
        let Some((layout, to)) = self.destination(inner) else {
            return Ok(Next::End);
        };
        if self.is_done {
            return Ok(self.finish(inner, &layout).await?);
        }
        let progress = match self.progress {
            Some(progress) => progress,
            None => self.read_progress(&layout, &to).await?,
        };
        if to.state == DestinationState::Disabling && self.end.is_none() {
            self.end = Some(self.state_end(&layout).await?);
        }
        let turn = inner.sending.turns.acquire().await;
        let _turn = turn.map_err(|_| Error::Interrupted)?;
        let chunk = self.read(&layout, progress.offset).await?;
        let progress = self.pass_over(progress, &layout, &chunk);
        let owed = self.owed(&chunk);
        let unsent = owed.first().map_or(chunk.state.newest, |first| first.time);
        self.note(inner, |status| status.unsent = unsent);
        if owed.is_empty() {
            self.note(inner, |status| status.trouble = None);
            return match self.end {
                Some(_) => Ok(self.finish(inner, &layout).await?),
                None => Ok(Next::Wait(progress.offset)),
            };
        }
        match self.put(inner, &layout, &to, progress, owed).await {
            // A stream that is gone gets nothing more.
            Err(Failed::There(NotPut::Missing)) if self.end.is_some() => {
                Ok(self.finish(inner, &layout).await?)
            }
            sent => sent,
        }
    }

    /// The destination as it is now, with its table; none where nothing is to be sent there any more.
    fn destination(&self, inner: &Inner) -> Option<(Arc<Layout>, Destination)> {
        let layout = inner.core.numbered(self.id.table)?.layout();
        let live = layout.record.live_destination().cloned();
        let to = live.filter(|to| to.since == self.id.since && to.is_sent_to())?;
        Some((layout, to))
    }

    /// How far the changes were sent.
    async fn read_progress(
        &mut self,
        layout: &Layout,
        to: &Destination,
    ) -> Result<Progress, Error> {
        let shard = progress_shard(self.id.table, self.id.partition);
        let failed = |error| Error::of_log(error, &layout.record.name);
        let state = self.log.state(shard).await.map_err(failed)?;
        let last = self.log.read(shard, state.end.saturating_sub(1), AT_ONCE);
        let last = last.await.map_err(failed)?.records.pop();
        let damaged = || Error::damaged(&layout.record.name, "progress is not it");
        let written = last.map(|last| Progress::decode(last.value).ok_or_else(damaged));
        let begin = to.begins.get(usize::from(self.id.partition)).copied();
        // What is left of a destination before says nothing of this one.
        let found = written.transpose()?.filter(|found| found.since == to.since);
        let progress = found.unwrap_or(Progress {
            since: to.since,
            offset: begin.unwrap_or_default(),
            micros: 0,
        });
        self.progress = Some(progress);
        Ok(progress)
    }

    async fn state_end(&self, layout: &Layout) -> Result<u64, Error> {
        let state = self.log.state(shard(self.id.table, self.id.partition));
        let state = state.await;
        let state = state.map_err(|error| Error::of_log(error, &layout.record.name))?;
        Ok(state.end)
    }

    async fn read(&self, layout: &Layout, from: u64) -> Result<Chunk, Error> {
        let shard = shard(self.id.table, self.id.partition);
        let chunk = self.log.read(shard, from, AT_ONCE).await;
        chunk.map_err(|error| Error::of_log(error, &layout.record.name))
    }

    /// Passes over changes that were kept for as long as they are, and says so.
    fn pass_over(&mut self, mut progress: Progress, layout: &Layout, chunk: &Chunk) -> Progress {
        if progress.offset < chunk.state.first {
            let changes = chunk.state.first - progress.offset;
            let (table, partition) = (&layout.record.name, self.id.partition);
            tracing::error!(%table, partition, changes, "changes are forgotten that could not be sent to the table's stream for a day");
            progress.offset = chunk.state.first;
        }
        self.progress = Some(progress);
        progress
    }

    /// The changes of a chunk that are to be sent.
    fn owed<'a>(&self, chunk: &'a Chunk) -> &'a [Record] {
        let end = self.end.unwrap_or(u64::MAX);
        let count = chunk.records.partition_point(|record| record.offset < end);
        chunk.records.get(..count).unwrap_or_default()
    }

    /// Puts changes into the stream, as many as it takes.
    async fn put(
        &mut self,
        inner: &Inner,
        layout: &Layout,
        to: &Destination,
        progress: Progress,
        owed: &[Record],
    ) -> Result<Next, Failed> {
        let changes = self.outgoing(&layout.record, progress.micros, owed)?;
        let after = |count: usize| match changes.get(count.wrapping_sub(1)) {
            Some(last) => Progress {
                offset: last.event.offset + 1,
                micros: last.micros,
                ..progress
            },
            None => progress,
        };
        let outgoing = Outgoing {
            stream: &to.stream,
            table: &layout.record.name,
            precision: to.precision,
            changes: &changes,
            progress_shard: progress_shard(self.id.table, self.id.partition),
            progress: &|count| after(count).encode(),
        };
        let count = self.receivers.put(outgoing).await?;
        if count == 0 {
            self.tell(
                inner,
                "the stream takes nothing more for the moment".to_owned(),
            );
            return Ok(Next::Pause);
        }
        self.progress = Some(after(count));
        self.pause = SEND_PAUSE;
        self.note(inner, |status| status.trouble = None);
        match count < changes.len() {
            true => Ok(Next::Pause),
            false => Ok(Next::Step),
        }
    }

    /// Records as changes on their way. Each is given a time that no other has, in the order in which they were made.
    fn outgoing(
        &self,
        record: &TableRecord,
        mut last: u64,
        owed: &[Record],
    ) -> Result<Vec<OutgoingChange>, Error> {
        let changes = owed.iter().map(|read| {
            let change = Change::decode(&record.key, read);
            let change =
                change.ok_or_else(|| Error::damaged(&record.name, "a change is not one"))?;
            last = read.time.0.saturating_mul(MICROS).max(last + 1);
            Ok(OutgoingChange {
                item: xxh3_128(&read.key),
                micros: last,
                event: Event::new(record.number, self.id.partition, change, ViewType::Both),
            })
        });
        changes.collect()
    }

    /// All is sent: the last of the table's senders has the destination disabled.
    async fn finish(&mut self, inner: &Arc<Inner>, layout: &Layout) -> Result<Next, Error> {
        self.is_done = true;
        let SenderId { table, since, .. } = self.id;
        self.note(inner, |status| status.is_done = true);
        if inner
            .sending
            .are_done(table, since, layout.record.partitions)
        {
            let disabled = |record: &mut TableRecord| {
                let same = record.number == table;
                let mut found = record.destinations.iter_mut();
                if let Some(to) = found.find(|to| same && to.since == since) {
                    to.state = DestinationState::Disabled;
                }
                Ok::<(), Error>(())
            };
            inner.change(&layout.record.name, disabled).await?;
            inner.sending.changed.send_replace(());
        }
        Ok(Next::Wait(u64::MAX))
    }

    /// Says why nothing can be sent, once for each reason.
    fn tell(&self, inner: &Inner, trouble: String) {
        self.note(inner, |status| {
            if status.trouble.as_ref() != Some(&trouble) {
                let SenderId { table, partition, .. } = self.id;
                tracing::warn!(table, partition, %trouble, "changes of a table wait to be sent to its stream");
                status.trouble = Some(trouble);
            }
        });
    }

    fn note(&self, inner: &Inner, note: impl FnOnce(&mut Status)) {
        if let Some(status) = inner.sending.running.lock().get_mut(&self.id) {
            note(status);
        }
    }

    /// Waits for a change at an offset, or of the destination; whether somebody may want more.
    async fn wait(&mut self, offset: u64) -> bool {
        let shard = shard(self.id.table, self.id.partition);
        tokio::select! {
            () = self.log.wait(shard, offset) => true,
            changed = self.changed.changed() => changed.is_ok(),
        }
    }

    /// Waits longer each time, or for a change of the destination; whether somebody may want more.
    async fn rest(&mut self) -> bool {
        let pause = self.pause;
        self.pause = (pause * 2).min(SEND_PAUSE_MAX);
        tokio::select! {
            () = self.env.clock.sleep(pause) => true,
            changed = self.changed.changed() => changed.is_ok(),
        }
    }
}
