//! Records put together with a record of another shard of the log: all of it is there or nothing, also after a crash. So
//! who puts what they read elsewhere notes how far they are, and puts nothing twice.

use std::sync::Arc;

use headwater_log::{Append, AppendError, NewRecord, ShardNumber};
use headwater_types::StreamName;

use crate::{
    Error, PutEntry, Stream, Streams,
    limits::PUT_ROUTES,
    put::{Routed, appends, groups, records, route},
};

/// A record that is written beside others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Beside {
    /// The shard of the log that takes it.
    pub shard: ShardNumber,
    /// The record's value; its key is empty.
    pub value: Vec<u8>,
}

impl Streams {
    /// Puts the first of `entries`, as many as the shards' limits let through, and beside them the record that `beside`
    /// makes of their number, with one durable write. Nothing is written where limits let none through; without entries
    /// the record is written alone.
    ///
    /// # Errors
    /// [`Error::NoStream`], [`Error::RecordTooLarge`], [`Error::Conflict`] where the stream is resharded again and again, or
    /// what failed below. Then nothing was written, or after [`Error::Log`] it is not known.
    pub async fn put_beside(
        self: &Arc<Self>,
        name: &StreamName,
        entries: &[PutEntry],
        beside: impl Fn(usize) -> Beside + Send + Sync,
    ) -> Result<usize, Error> {
        let mut stream = self.get(name)?;
        stream.takes_each(entries)?;
        for _ in 0..PUT_ROUTES {
            match self.put_beside_routed(&stream, entries, &beside).await {
                Err(AppendError::Sealed | AppendError::Unknown(_)) => {}
                done => return done.map_err(|error| failed(error, name)),
            }
            let newer = self.changed_since(&stream).await;
            stream = newer.ok_or_else(|| Error::Conflict(name.clone()))?;
        }
        Err(Error::Conflict(name.clone()))
    }

    /// The same into the shards that `stream` has.
    async fn put_beside_routed(
        &self,
        stream: &Stream,
        entries: &[PutEntry],
        beside: &(impl Fn(usize) -> Beside + Send + Sync),
    ) -> Result<usize, AppendError> {
        let mut routed = route(stream, entries, &vec![None; entries.len()]);
        let count = self.admit(stream, entries, &mut routed);
        if count == 0 && !entries.is_empty() {
            return Ok(0);
        }
        let sealed = self.sealed(stream, entries, &routed);
        let records = records(entries, &routed, &sealed);
        let Beside { shard, value } = beside(count);
        let last = [NewRecord {
            key: &[],
            value: &value,
        }];
        let mut batch = appends(stream, &routed, &records);
        batch.push(Append {
            shard,
            records: &last,
        });
        let appended = self.log.append_whole(&batch).await?;
        for (group, appended) in groups(&routed).zip(&appended) {
            group[0].shard(stream).wrote(appended, group, entries);
        }
        Ok(count)
    }

    /// How many of the first entries the shards' limits let through; takes the others out. Those behind one that is refused
    /// wait for it, whatever their shards are, so that what was put is always a beginning.
    fn admit(&self, stream: &Stream, entries: &[PutEntry], routed: &mut Vec<Routed>) -> usize {
        if !self.options.limits {
            return entries.len();
        }
        let now = self.env.clock.elapsed();
        let mut in_order = routed.clone();
        in_order.sort_unstable_by_key(Routed::entry);
        let is_admitted = |one: &&Routed| {
            let live = &one.shard(stream).live;
            let size = std::iter::once(one.of(entries).bytes());
            let is_admitted = live.throttle.admit_writes(now, size) == [true];
            live.counters.refused_writes(usize::from(!is_admitted));
            is_admitted
        };
        let count = in_order.iter().take_while(is_admitted).count();
        routed.retain(|one| one.entry() < count);
        count
    }
}

fn failed(error: AppendError, name: &StreamName) -> Error {
    match error {
        AppendError::Log(error) => error.into(),
        AppendError::Sealed | AppendError::Unknown(_) => Error::Conflict(name.clone()),
    }
}
