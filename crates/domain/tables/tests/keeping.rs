//! Work in the background while tables come and go, over an index that the test holds up.
#![allow(clippy::unwrap_used, reason = "this is test code")]

mod support;

use std::sync::{
    Arc,
    atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst},
};

use bytes::Bytes;
use headwater_catalog::Table;
use headwater_log::ShardLog;
use headwater_tables::{
    Batch, Error, Index, IndexState, Lookup, MemoryIndex, NewTable, Tables, View, WriteAction,
};
use headwater_types::kept::Prefix;
use support::{TABLE, World, add_late, in_time, item, key_of, new_table, number, target, write};
use tokio::sync::Mutex;

/// An index that the test holds up.
#[derive(Default)]
struct Held {
    rows: Arc<MemoryIndex>,
    syncs: Gate,
    /// Of batches that only remove rows, as after a table was deleted.
    removals: Gate,
    /// The table whose rows cannot be removed.
    refused: AtomicU64,
}

/// A place where calls wait for as long as the test has it.
#[derive(Default)]
struct Gate {
    held: Mutex<()>,
    begun: AtomicUsize,
}

impl Gate {
    fn pass(&self) {
        self.begun.fetch_add(1, SeqCst);
        drop(self.held.blocking_lock());
    }

    /// Returns once a call has come here, without time going by.
    async fn is_reached(&self) {
        while self.begun.load(SeqCst) == 0 {
            tokio::task::yield_now().await;
        }
    }
}

impl Lookup for Held {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, Error> {
        self.rows.get(key)
    }
}

impl Index for Held {
    fn view(&self) -> Box<dyn View> {
        self.rows.view()
    }

    fn write(&self, batch: Batch) -> Result<(), Error> {
        if !batch.is_empty() && batch.iter().all(|(_, value)| value.is_none()) {
            self.removals.pass();
            let refused = self.refused.load(SeqCst).to_be_bytes();
            if batch.iter().any(|(key, _)| key[1..9] == refused) {
                return Err(Error::Index("refused".into()));
            }
        }
        self.rows.write(batch)
    }

    fn sync(&self) -> Result<(), Error> {
        self.syncs.pass();
        self.rows.sync()
    }
}

/// A world with a table without a stream.
async fn world() -> (World, Arc<Held>) {
    let mut world = World::new().await;
    let held = Arc::new(Held::default());
    let (env, catalog) = (world.env.clone(), world.catalog.clone());
    let tables = Tables::over(env, catalog, world.log.clone(), held.clone());
    world.tables = tables.await.unwrap();
    world.index = held.rows.clone();
    create(&world, TABLE).await;
    (world, held)
}

async fn create(world: &World, name: &str) {
    let quiet = NewTable {
        name: name.into(),
        stream: None,
        ..new_table()
    };
    world.tables.create(quiet).await.unwrap();
}

/// Puts so many items that the index `late` has.
async fn put(world: &World, count: i64) {
    let put = |sort: i64| {
        let item = item("p", sort, &[("a", number(sort))]);
        (
            TABLE.to_owned(),
            write(key_of(&item), WriteAction::Put(item.into())),
        )
    };
    let written = world.tables.write_many((0..count).map(put).collect());
    assert!(written.await.iter().all(Result::is_ok));
}

/// The tables that may have rows left.
async fn deleted(world: &World) -> Vec<String> {
    let deleted = Table::<serde_json::Value>::new(world.catalog.clone(), Prefix::TablesDeleted);
    let deleted = deleted.all().await.unwrap().into_iter();
    let name = |found: &serde_json::Value| found["name"].as_str().unwrap().to_owned();
    deleted.map(|(_, found)| name(&found.value)).collect()
}

#[tokio::test]
async fn a_table_that_is_deleted_while_its_changes_are_forgotten_stays_deleted() {
    let (world, index) = world().await;
    put(&world, 1).await;
    let held = index.syncs.held.lock().await;
    in_time(world.until(async |_| index.syncs.begun.load(SeqCst) > 0)).await;
    world.tables.delete(TABLE).await.unwrap();
    drop(held);
    in_time(world.until(async |world| deleted(world).await.is_empty())).await;
    assert_eq!(
        world.log.shards().await.unwrap().len(),
        1,
        "that of transactions"
    );
}

#[tokio::test]
async fn an_index_of_a_table_made_anew_shows_only_once_it_is_filled() {
    const ITEMS: i64 = 3000;
    let (world, index) = world().await;
    put(&world, 1).await;
    let held = index.syncs.held.lock().await;
    world.tables.change(TABLE, add_late).await.unwrap();
    in_time(index.syncs.is_reached()).await;
    // Another table of the name, whose index has the name and the number of the one that was filled.
    world.tables.delete(TABLE).await.unwrap();
    create(&world, TABLE).await;
    put(&world, ITEMS).await;
    world.tables.change(TABLE, add_late).await.unwrap();
    drop(held);
    let is_active = async |world: &World| {
        let record = world.tables.get(TABLE).unwrap();
        record.global["late"].state == IndexState::Active
    };
    in_time(world.until(is_active)).await;
    let (found, _) = world.tables.count(&target(Some("late"))).unwrap();
    assert_eq!(found, ITEMS as u64);
}

#[tokio::test]
async fn the_index_is_synced_while_much_is_removed() {
    let (world, index) = world().await;
    put(&world, 1).await;
    let held = index.removals.held.lock().await;
    world.tables.delete(TABLE).await.unwrap();
    in_time(index.removals.is_reached()).await;
    create(&world, TABLE).await;
    put(&world, 1).await;
    let is_synced = async |world: &World| world.index.crashed().len() == world.index.len();
    in_time(world.until(is_synced)).await;
    drop(held);
}

#[tokio::test]
async fn a_table_whose_rows_cannot_be_removed_does_not_keep_those_of_others() {
    let (world, index) = world().await;
    put(&world, 1).await;
    index
        .refused
        .store(world.tables.get(TABLE).unwrap().number, SeqCst);
    let others = ["before", "behind"];
    for other in others {
        create(&world, other).await;
    }
    for name in [others[0], TABLE, others[1]] {
        world.tables.delete(name).await.unwrap();
    }
    in_time(world.until(async |world| deleted(world).await == [TABLE])).await;
    index.refused.store(0, SeqCst);
    in_time(world.until(async |world| deleted(world).await.is_empty())).await;
}
