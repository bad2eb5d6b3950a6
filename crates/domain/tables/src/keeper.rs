//! Work in the background: indexes filled and removed, rows of deleted tables removed, expired items removed, shards of
//! streams ended, the index synced, and changes forgotten that nobody needs.
//!
//! All of it can be left off at any point, and begins anew at the next start.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Weak, atomic::Ordering::SeqCst},
    time::Duration,
};

use headwater_env::Env;
use headwater_log::{LogError, ShardNumber};
use headwater_types::Millis;
use tokio::sync::watch;

use crate::{
    Error, TableRecord,
    core::{Core, kept_from},
    destinations::{Sending, progress_shards},
    keys::{shard, transactions},
    limits::{
        EXPIRE_EVERY, ROLL_LOOK_EVERY, STREAM_KEPT, SYNC_BYTES, SYNC_EVERY, TOKEN_KEPT, TRIM_STEP,
    },
    partition::Partition,
    store::Deleted,
    tables::Inner,
};

/// What is to be done.
#[derive(Default)]
pub(crate) struct Todo {
    /// Tables with indexes to fill or to remove, by their names.
    pub tables: BTreeSet<String>,
    /// Tables that may have rows left.
    pub deleted: Vec<Deleted>,
    /// Whether streams wait for their shards to begin or to end, or destinations for changes.
    pub streams: bool,
}

impl Todo {
    /// What a server that ended left.
    pub async fn at_start(core: &Arc<Core>) -> Result<Self, Error> {
        let deleted = core.store.deleted.all().await?.into_iter();
        let mut todo = Self {
            deleted: deleted.map(|(_, found)| found.value).collect(),
            ..Self::default()
        };
        for table in core.tables() {
            let (looking, layout) = (core.clone(), table.layout());
            let name = layout.record.name.clone();
            let is_unbuilt = move || looking.is_unbuilt(&layout);
            if core.env.blocking(is_unbuilt).await? {
                todo.tables.insert(name);
            }
        }
        Ok(todo)
    }
}

/// Works until the tables are closed or gone. What may take long goes on beside what must not wait for it.
pub(crate) async fn run(env: Env, woken: watch::Receiver<()>, tables: Weak<Inner>) {
    let turns = || Turns {
        env: env.clone(),
        woken: woken.clone(),
        tables: tables.clone(),
    };
    tokio::join!(keep(turns()), build(turns()), expire(turns()));
}

/// The turns of one kind of work.
struct Turns {
    env: Env,
    woken: watch::Receiver<()>,
    tables: Weak<Inner>,
}

impl Turns {
    /// The tables, once it is time for the next turn; none where they are closed or gone.
    async fn next(&mut self) -> Option<Arc<Inner>> {
        tokio::select! {
            () = self.env.clock.sleep(EXPIRE_EVERY) => {}
            woken = self.woken.changed() => woken.ok()?,
        }
        let inner = self.tables.upgrade()?;
        (!inner.is_closed.load(SeqCst)).then_some(inner)
    }
}

/// Keeps what there is: partitions whole, the index synced, streams in shards.
async fn keep(mut turns: Turns) {
    let mut keeper = Keeper {
        synced: turns.env.clock.elapsed(),
        ..Keeper::default()
    };
    while let Some(inner) = turns.next().await {
        report(inner.settle().await);
        report(keeper.sync(&inner).await);
        report(keeper.keep_streams(&inner).await);
    }
}

/// Fills and removes indexes, and removes the rows of deleted tables.
async fn build(mut turns: Turns) {
    while let Some(inner) = turns.next().await {
        report(remove_deleted(&inner).await);
        report(build_indexes(&inner).await);
    }
}

/// Removes items that expired.
async fn expire(mut turns: Turns) {
    while let Some(inner) = turns.next().await {
        report(inner.expire().await);
    }
}

fn report(done: Result<(), Error>) {
    if let Err(error) = done {
        tracing::warn!(%error, "work on tables in the background failed, and is tried again");
    }
}

/// How far it is.
#[derive(Default)]
struct Keeper {
    synced: Duration,
    /// When streams were looked at.
    streams_kept: Option<Duration>,
    /// The times before which shards forget.
    floors: HashMap<ShardNumber, Millis>,
}

impl Keeper {
    /// Has streams begin and end shards, and changes sent, where it is time to look at them.
    async fn keep_streams(&mut self, inner: &Arc<Inner>) -> Result<(), Error> {
        let now = inner.core.env.clock.elapsed();
        let last = self.streams_kept;
        let is_time = last.is_none_or(|kept| now >= kept + ROLL_LOOK_EVERY);
        let is_asked = std::mem::take(&mut inner.todo.lock().streams);
        if !is_time && !is_asked {
            return Ok(());
        }
        // After a failure it is time at once.
        self.streams_kept = None;
        let sent = inner.keep_destinations().await;
        inner.keep_streams().await?;
        sent?;
        self.streams_kept = Some(now);
        Ok(())
    }

    /// Syncs the index where it is time, and has the logs forget what it has.
    async fn sync(&mut self, inner: &Arc<Inner>) -> Result<(), Error> {
        let core = &inner.core;
        let (now, unsynced) = (core.env.clock.elapsed(), core.unsynced.load(SeqCst));
        let is_time = now >= self.synced + SYNC_EVERY || unsynced >= SYNC_BYTES;
        if !is_time {
            return Ok(());
        }
        let reading = inner.clone();
        let read = move || floors(&reading.core, &reading.sending);
        let mut floors = core.env.blocking(read).await?;
        floors.extend(progress_floors(core).await?);
        // Asked again: what was written since may be in the view that the floors are of.
        if core.unsynced.load(SeqCst) > 0 {
            core.sync().await?;
        }
        self.synced = now;
        self.trim(inner, floors).await
    }

    /// Has the logs forget what comes before these times.
    async fn trim(
        &mut self,
        inner: &Inner,
        floors: Vec<(ShardNumber, Millis)>,
    ) -> Result<(), Error> {
        for (shard, floor) in floors {
            let last = self.floors.get(&shard).copied().unwrap_or_default();
            if floor < last.plus(TRIM_STEP) {
                continue;
            }
            // The shard of a table that was deleted since would be made anew.
            let _one = inner.changing.lock().await;
            if inner.core.has_shard(shard) {
                let kept = kept_from(floor);
                inner.core.log.open_shards(&[shard], kept).await?;
                self.floors.insert(shard, floor);
            }
        }
        self.floors.retain(|shard, _| inner.core.has_shard(*shard));
        Ok(())
    }
}

/// The times before which changes are not needed any more once the index is synced as it is now.
fn floors(core: &Core, sending: &Sending) -> Result<Vec<(ShardNumber, Millis)>, Error> {
    let (view, now) = (core.view(), core.env.clock.now());
    let mut floors = Vec::new();
    // A transaction of which a partition may lack changes was not appended before it was noted there.
    let unsettled = core.unsettled.lock().values().min().copied();
    let since = unsettled.map_or(now, |since| since.min(now));
    floors.push((transactions(), since.minus(TOKEN_KEPT)));
    for table in core.tables() {
        let layout = table.layout();
        let readable = readable_since(&layout.record, now);
        for index in 0..layout.record.partitions {
            // The log may give more changes the time of the last.
            let last = Partition::of_index(&layout, index, &*view)?.meta.time;
            let unsent = sending.unsent_since(&layout.record, index, &*core.env.clock);
            let floor = last.min(readable).min(unsent);
            floors.push((shard(table.number, index), floor));
        }
    }
    Ok(floors)
}

/// The times of what says last how far changes were sent: what said it before is not needed.
async fn progress_floors(core: &Core) -> Result<Vec<(ShardNumber, Millis)>, Error> {
    let mut floors = Vec::new();
    for table in core.tables() {
        let layout = table.layout();
        if layout.record.live_destination().is_none() {
            continue;
        }
        for shard in progress_shards(&layout.record) {
            match core.log.state(shard).await {
                Ok(state) => floors.push((shard, state.newest)),
                // It is not there yet, or went with its table.
                Err(LogError::Unknown(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
    Ok(floors)
}

/// Since when the changes of a table can be read as a stream; the end of time where they cannot.
fn readable_since(record: &TableRecord, now: Millis) -> Millis {
    let mut streams = record.streams.iter();
    let is_readable = streams.any(|stream| {
        let end = stream.disabled.map(|disabled| disabled.plus(STREAM_KEPT));
        end.is_none_or(|end| end > now)
    });
    match is_readable {
        true => now.minus(STREAM_KEPT),
        false => Millis(u64::MAX),
    }
}

/// Removes the rows of deleted tables. One that fails does not keep the others from their turn.
async fn remove_deleted(inner: &Inner) -> Result<(), Error> {
    let (mut done, tables) = (Ok(()), std::mem::take(&mut inner.todo.lock().deleted));
    for deleted in tables {
        if let Err(error) = inner.core.remove_rows(&deleted).await {
            inner.todo.lock().deleted.push(deleted);
            done = Err(error);
        }
    }
    done
}

/// Fills and removes indexes, table by table.
async fn build_indexes(inner: &Arc<Inner>) -> Result<(), Error> {
    let (mut done, names) = (Ok(()), std::mem::take(&mut inner.todo.lock().tables));
    for name in names {
        match inner.build(&name).await {
            Ok(()) | Err(Error::NoTable(_)) => {}
            Err(error) => {
                inner.todo.lock().tables.insert(name);
                done = Err(error);
            }
        }
    }
    done
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{START, World};

    #[tokio::test]
    async fn transactions_are_forgotten_while_others_are_under_way() {
        let world = World::with_table(None).await;
        let inner = &world.tables.inner;
        let core = &inner.core;
        let floor = || {
            let mut floors = floors(core, &inner.sending).unwrap().into_iter();
            let floor = floors.find(|(shard, _)| *shard == transactions());
            floor.map(|(_, floor)| floor)
        };
        let noted = |since| core.unsettled.lock().insert((1, 0), since);
        noted(START);
        world.clock.advance(TOKEN_KEPT * 3);
        let now = START.plus(TOKEN_KEPT * 3);
        assert!(floor() < Some(START));
        noted(now);
        assert_eq!(floor(), Some(now.minus(TOKEN_KEPT)));
    }
}
