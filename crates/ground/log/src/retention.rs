//! Retention: which sealed files hold nothing alive any more and go, and which hold so little that they are rewritten.
//!
//! Readers are kept from expired records when they read (`shard::Tail::cutoff`); here only the bytes are reclaimed.

use std::sync::{Arc, atomic::Ordering};

use headwater_types::Millis;

use crate::{
    api::{LogError, ShardNumber},
    core::Core,
    expired::{Expired, Judged},
    files::read_error,
    format::FILE_HEADER,
    index::ShardEntry,
    limits, rewrite,
    segment::{self, Footer, Segment},
};

/// The outcome of a step of maintenance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Maintained {
    /// Files deleted because nothing in them was alive.
    pub deleted: usize,
    /// Files rewritten because less than half of them was alive.
    pub rewritten: usize,
}

/// The decision on a file.
enum Verdict {
    Keep,
    Delete(Vec<Judged>),
    Rewrite(Vec<Judged>),
}

impl Core {
    /// One step of maintenance. Blocks.
    pub fn maintain(&self) -> Result<Maintained, LogError> {
        {
            let queue = self.queue.lock();
            if queue.closing {
                return Err(LogError::Closed);
            }
            self.running.fetch_add(1, Ordering::AcqRel);
        }
        let done = {
            let _alone = self.maintaining.lock();
            // When there is no room for a footer, what is deleted below may make some.
            let settled = self.sealer.settle();
            self.reclaim().and_then(|done| settled.map(|()| done))
        };
        self.end_running();
        done
    }

    fn reclaim(&self) -> Result<Maintained, LogError> {
        let (mut done, mut budget, mut failed) =
            (Maintained::default(), limits::REWRITE_BYTES, None);
        let list = self.segments.all();
        for (i, segment) in list.segments.iter().enumerate() {
            // The newest footer is the checkpoint of all shards: it may shrink, but it stays.
            let is_newest = i + 1 == list.segments.len();
            // A file that cannot be read keeps what it has; the others go on.
            if let Ok(footer) = &segment.footer
                && let Err(e) = self.reclaim_one(segment, footer, is_newest, &mut budget, &mut done)
            {
                failed.get_or_insert(e);
            }
        }
        failed.map_or(Ok(done), Err)
    }

    fn reclaim_one(
        &self,
        segment: &Arc<Segment>,
        footer: &Footer,
        is_newest: bool,
        budget: &mut u64,
        done: &mut Maintained,
    ) -> Result<(), LogError> {
        match self.judge(segment, footer, is_newest)? {
            Verdict::Delete(judged) => {
                self.drop_expired(&judged);
                self.delete(segment)?;
                done.deleted += 1;
            }
            Verdict::Rewrite(judged) if *budget > 0 => {
                self.drop_expired(&judged);
                *budget = budget.saturating_sub(footer.trailer.frames_end);
                done.rewritten += usize::from(rewrite::rewrite(self, segment, footer, &judged)?);
            }
            Verdict::Keep | Verdict::Rewrite(_) => {}
        }
        Ok(())
    }

    fn judge(
        &self,
        segment: &Segment,
        footer: &Footer,
        is_newest: bool,
    ) -> Result<Verdict, LogError> {
        let (now, epoch) = (self.env.clock.now(), self.epoch.load(Ordering::Acquire));
        if segment
            .next_look
            .lock()
            .is_some_and(|(then, next)| then == epoch && now < next)
        {
            return Ok(Verdict::Keep);
        }
        let entries = segment::read_directory(&*self.segments.file(segment)?, &footer.trailer)?;
        let judged: Vec<_> = entries
            .iter()
            .map(|entry| (*entry, self.expired(entry, now)))
            .collect();
        let is_live = |(entry, expired): &&Judged| match expired {
            Expired::Shard => false,
            Expired::Before(time) => entry.bytes > 0 && entry.last_time >= *time,
        };
        let live: u64 = judged
            .iter()
            .filter(is_live)
            .map(|(entry, _)| entry.bytes)
            .sum();
        let all = footer.trailer.frames_end - FILE_HEADER as u64;
        if live == 0 && !is_newest {
            return Ok(Verdict::Delete(judged));
        }
        if live * 2 < all {
            return Ok(Verdict::Rewrite(judged));
        }
        let next = self.next_look(
            judged.iter().filter(is_live).map(|(entry, _)| entry),
            live,
            all,
        );
        *segment.next_look.lock() = Some((epoch, next));
        Ok(Verdict::Keep)
    }

    fn expired(&self, entry: &ShardEntry, now: Millis) -> Expired {
        match self.shard(ShardNumber(entry.shard)) {
            None => Expired::Shard,
            Some(shard) => Expired::Before(shard.tail.lock().cutoff(now)),
        }
    }

    /// When enough of what is alive now will have expired for another verdict.
    fn next_look<'a>(
        &self,
        entries: impl Iterator<Item = &'a ShardEntry>,
        mut live: u64,
        all: u64,
    ) -> Millis {
        let expiry = |entry: &ShardEntry| {
            let shard = self.shard(ShardNumber(entry.shard))?;
            let period = shard.tail.lock().retention?.period;
            Some((
                Millis(entry.last_time.plus(period).0.saturating_add(1)),
                entry.bytes,
            ))
        };
        let mut expiries: Vec<_> = entries.filter_map(expiry).collect();
        expiries.sort_unstable();
        for (time, bytes) in expiries {
            live -= bytes;
            if live * 2 < all {
                return time;
            }
        }
        Millis(u64::MAX)
    }

    /// Makes sure that nobody looks for what is about to go.
    fn drop_expired(&self, judged: &[Judged]) {
        for (entry, expired) in judged {
            if let (Expired::Before(time), Some(shard)) =
                (expired, self.shard(ShardNumber(entry.shard)))
                && entry.bytes > 0
                && entry.first_time < *time
            {
                shard.tail.lock().drop_before(*time);
            }
        }
    }

    fn delete(&self, segment: &Arc<Segment>) -> Result<(), LogError> {
        self.segments.replace(segment.id, None);
        let path = self.options.dir.join(segment.id.name());
        self.env
            .disk
            .remove(&path)
            .map_err(|e| read_error(&path, &e))?;
        tracing::debug!(file = %path.display(), "deleted: all in it is expired");
        Ok(())
    }
}
