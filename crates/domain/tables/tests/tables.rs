//! Tables made, changed, deleted and found again.
#![allow(clippy::unwrap_used, reason = "this is test code")]

mod support;

use std::sync::Arc;

use headwater_catalog::{Catalog, MemoryCatalog, Table};
use headwater_log::{EmbeddedLog, Options, ShardLog};
use headwater_tables::{
    Billing, Error, NewTable, TableRecord, TableState, Tables, Throughput, Transaction,
    WriteAction, WriteError,
};
use headwater_types::kept::Prefix;
use support::{
    TABLE, World, item, key_of, new_table, number, scan, sync, target, text, world, write,
};

#[tokio::test]
async fn tables_are_made_listed_changed_and_deleted() {
    let mut world = world().await;
    let again = world.tables.create(new_table()).await;
    assert_eq!(again, Err(Error::Exists(TABLE.into())));
    let made = world.tables.get(TABLE).unwrap();
    assert!(matches!(made.state, TableState::Creating(_)));
    world.pass(1);
    assert_eq!(world.tables.get(TABLE).unwrap().state, TableState::Active);
    let numbers = (made.local["local"].number, made.global["global"].number);
    assert_eq!((numbers, made.next_index, made.partitions), ((0, 1), 2, 4));
    let other = NewTable {
        name: "other".into(),
        billing: Billing::Provisioned(Throughput {
            read: 3001,
            write: 1500,
            raised: None,
            lowered: None,
            lowered_that_day: 0,
        }),
        ..new_table()
    };
    let other = world.tables.create(other).await.unwrap();
    assert_eq!((other.partitions, other.number), (3, made.number + 1));
    assert_eq!(world.tables.list(None, 1), (vec!["other".into()], true));
    let rest = (vec![TABLE.into()], false);
    assert_eq!(world.tables.list(Some("other"), 5), rest);
    let protect = |record: &mut TableRecord| {
        record.protected = true;
        Ok::<(), Error>(())
    };
    let changed = world.tables.change("other", protect).await.unwrap();
    world.reopen().await;
    assert_eq!(world.tables.get("other").unwrap(), changed);
    let kept = world.tables.delete("other").await;
    assert_eq!(kept, Err(Error::Protected("other".into())));
    let none = world.tables.change("none", protect).await;
    assert_eq!(none, Err(Error::NoTable("none".into())));
}

#[tokio::test]
async fn a_deleted_table_leaves_nothing() {
    let mut world = world().await;
    for sort in 0..20 {
        world
            .put(item("p", sort, &[("a", number(1)), ("g", text("g"))]))
            .await;
    }
    sync(&world.index);
    world.tables.delete(TABLE).await.unwrap();
    let gone = Error::NoTable(TABLE.into());
    assert_eq!(world.tables.get(TABLE), Err(gone.clone()));
    let refused = world.write(item("p", 1, &[]), WriteAction::Delete).await;
    assert_eq!(refused, Err(WriteError::Failed(gone)));
    assert_eq!(
        world.log.shards().await.unwrap().len(),
        1,
        "that of transactions"
    );
    // The rows go in the background, also of a server that starts.
    world.crash().await;
    let deleted = Table::<serde_json::Value>::new(world.catalog.clone(), Prefix::TablesDeleted);
    world
        .until(async |_| deleted.all().await.unwrap().is_empty())
        .await;
    assert!(world.index.is_empty());
    // A table of that name has nothing of it.
    world.tables.create(new_table()).await.unwrap();
    assert!(world.scan(None).await.is_empty());
}

#[tokio::test]
async fn a_full_disk_loses_nothing_and_writing_goes_on() {
    let world = world().await;
    world.put(item("p", 1, &[])).await;
    world.disk.set_room(Some(0));
    let large = item("p", 2, &[("x", text(&"x".repeat(100_000)))]);
    let refused = world
        .write(key_of(&large), WriteAction::Put(large.clone().into()))
        .await;
    assert!(
        matches!(refused, Err(WriteError::Failed(Error::Log(_)))),
        "{refused:?}"
    );
    let transaction = Transaction {
        writes: vec![(
            TABLE.into(),
            write(key_of(&large), WriteAction::Put(large.clone().into())),
        )],
        token: None,
    };
    assert!(world.tables.transact(transaction.clone()).await.is_err());
    world.disk.set_room(None);
    assert_eq!(world.scan(None).await.len(), 1);
    assert_eq!(world.tables.transact(transaction).await, Ok(false));
    world.put(item("p", 3, &[])).await;
    assert_eq!(world.scan(None).await.len(), 3);
}

/// How many changes of a table its log forgot.
async fn forgotten(world: &World, record: &TableRecord) -> u64 {
    let mut first = 0;
    for partition in 0..record.partitions {
        let limit = headwater_log::ReadLimit {
            records: 1,
            bytes: 1,
        };
        let read = world
            .tables
            .changes(record.number, partition, 0, limit)
            .await;
        first += read.unwrap().first;
    }
    first
}

#[tokio::test]
async fn an_index_that_lacks_what_the_log_forgot_is_refused() {
    let mut world = World::new().await;
    let quiet = NewTable {
        stream: None,
        ..new_table()
    };
    world.tables.create(quiet).await.unwrap();
    for sort in 0..40 {
        world
            .put(item("p", sort, &[("x", text(&"x".repeat(2000)))]))
            .await;
    }
    world.pass(3600);
    let record = world.tables.get(TABLE).unwrap();
    let forgot = async |world: &World| {
        world.put(item("p", world.clock_seconds(), &[])).await;
        forgotten(world, &record).await > 0
    };
    world.until(forgot).await;
    world.log.maintain().await.unwrap();
    world.reopen().await;
    assert!(world.read(&item("p", 1, &[])).await.is_some());
    world.tables.close().await;
    world.log.close().await;
    world.index = Default::default();
    let refused = world.try_open().await;
    assert_eq!(refused.err(), Some(Error::IndexLost(TABLE.into())));
}

#[tokio::test]
async fn an_index_that_is_ahead_of_a_log_which_lost_changes_goes_on_where_the_log_ends() {
    let mut world = world().await;
    let put = async |world: &World, sort| world.put(item("p", sort, &[])).await;
    for sort in 0..3 {
        put(&world, sort).await;
    }
    world.tables.close().await;
    // A log that lost all that was not synced.
    let lost = Options::new("/lost");
    let log = EmbeddedLog::open(world.env.clone(), lost).await.unwrap();
    world.log = Arc::new(log);
    let open = async |world: &World| {
        let (env, catalog) = (world.env.clone(), world.catalog.clone());
        let tables = Tables::over(env, catalog, world.log.clone(), world.index.clone());
        tables.await.unwrap()
    };
    world.tables = open(&world).await;
    put(&world, 3).await;
    // The index loses the item that the log has.
    world.index = Arc::new(world.index.crashed());
    world.tables = open(&world).await;
    for sort in 0..4 {
        assert!(world.read(&item("p", sort, &[])).await.is_some(), "{sort}");
    }
}

#[tokio::test]
async fn tables_are_found_again_in_their_folder() {
    let (env, dir) = (headwater_env::Env::real(), tempfile::tempdir().unwrap());
    let catalog: Arc<dyn Catalog> = Arc::new(MemoryCatalog::default());
    for round in 0..3 {
        let options = Options::new(dir.path().join("log"));
        let log = Arc::new(EmbeddedLog::open(env.clone(), options).await.unwrap());
        let index = dir.path().join("index");
        let tables = Tables::open(env.clone(), catalog.clone(), log.clone(), &index);
        let tables = tables.await.unwrap();
        if round == 0 {
            assert!(!index.exists(), "a region without tables has no index");
            tables.create(new_table()).await.unwrap();
        }
        let item = item("p", round, &[("g", text("g")), ("a", number(-round))]);
        let put = write(key_of(&item), WriteAction::Put(item.into()));
        tables.write(TABLE, put).await.unwrap();
        let page = tables
            .page(&target(Some("global")), scan((0, 1)))
            .await
            .unwrap();
        let found: Vec<_> = page.items.iter().map(|item| item["s"].clone()).collect();
        let wanted: Vec<_> = (0..=round).rev().map(number).collect();
        assert_eq!(found, wanted);
        tables.close().await;
        log.close().await;
    }
}
