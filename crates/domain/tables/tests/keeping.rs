//! Work in the background while tables come and go, over an index that the test holds up.
#![allow(clippy::unwrap_used, reason = "this is test code")]

mod support;

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::SeqCst},
};

use headwater_catalog::Table;
use headwater_log::ShardLog;
use headwater_tables::{
    Batch, Error, Index, IndexState, MemoryIndex, NewTable, Tables, View, WriteAction,
};
use headwater_types::kept::Prefix;
use support::{TABLE, World, add_late, in_time, item, key_of, new_table, number, target, write};
use tokio::sync::Mutex;

/// An index whose syncs wait for as long as the test has `syncs`.
#[derive(Default)]
struct Held {
    rows: Arc<MemoryIndex>,
    syncs: Mutex<()>,
    begun: AtomicUsize,
}

impl Held {
    /// Returns once a sync has begun, without time going by.
    async fn is_syncing(&self) {
        while self.begun.load(SeqCst) == 0 {
            tokio::task::yield_now().await;
        }
    }
}

impl Index for Held {
    fn view(&self) -> Box<dyn View> {
        self.rows.view()
    }

    fn write(&self, batch: Batch) -> Result<(), Error> {
        self.rows.write(batch)
    }

    fn sync(&self) -> Result<(), Error> {
        self.begun.fetch_add(1, SeqCst);
        let _held = self.syncs.blocking_lock();
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
    create(&world).await;
    (world, held)
}

async fn create(world: &World) {
    let quiet = NewTable {
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
            write(key_of(&item), WriteAction::Put(item)),
        )
    };
    let written = world.tables.write_many((0..count).map(put).collect());
    assert!(written.await.iter().all(Result::is_ok));
}

#[tokio::test]
async fn a_table_that_is_deleted_while_its_changes_are_forgotten_stays_deleted() {
    let (world, index) = world().await;
    put(&world, 1).await;
    let held = index.syncs.lock().await;
    in_time(world.until(async |_| index.begun.load(SeqCst) > 0)).await;
    world.tables.delete(TABLE).await.unwrap();
    drop(held);
    let deleted = Table::<serde_json::Value>::new(world.catalog.clone(), Prefix::TablesDeleted);
    let is_gone = async |_: &World| deleted.all().await.unwrap().is_empty();
    in_time(world.until(is_gone)).await;
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
    let held = index.syncs.lock().await;
    world.tables.change(TABLE, add_late).await.unwrap();
    in_time(index.is_syncing()).await;
    // Another table of the name, whose index has the name and the number of the one that was filled.
    world.tables.delete(TABLE).await.unwrap();
    create(&world).await;
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
