//! Changes whose callers go away half way: what is known is what the catalog, the log and the index have.
#![allow(clippy::unwrap_used, reason = "this is test code")]

mod support;

use futures_util::future::BoxFuture;
use headwater_catalog::Table;
use headwater_env::testing::{CountedTasks, drop_at_every_await};
use headwater_log::ShardLog;
use headwater_tables::{
    Error, NewTable, TableRecord, Transaction, ViewType, WriteAction, WriteError,
};
use headwater_types::kept::Prefix;
use support::{TABLE, World, item, new_table, number, write};

type Call = for<'a> fn(&'a World) -> BoxFuture<'a, Result<(), WriteError>>;

/// Every operation that changes a table or what is in it.
const CALLS: &[(&str, Call)] = &[
    ("create", |world| {
        let new = NewTable {
            name: "new".into(),
            ..new_table()
        };
        Box::pin(async move { Ok(world.tables.create(new).await.map(drop)?) })
    }),
    ("change", |world| {
        let protect = |record: &mut TableRecord| {
            record.protected = true;
            Ok::<(), Error>(())
        };
        Box::pin(async move { Ok(world.tables.change(TABLE, protect).await.map(drop)?) })
    }),
    ("enable a stream", |world| {
        let tables = &world.tables;
        Box::pin(async move {
            Ok(tables
                .enable_stream("other", ViewType::Both)
                .await
                .map(drop)?)
        })
    }),
    ("disable a stream", |world| {
        let tables = &world.tables;
        Box::pin(async move { Ok(tables.disable_stream(TABLE).await.map(drop)?) })
    }),
    ("enable a destination", |world| {
        let tables = &world.tables;
        Box::pin(async move {
            let enabled = tables.enable_destination(TABLE, "stream", None).await;
            Ok(enabled.map(drop)?)
        })
    }),
    ("delete", |world| {
        Box::pin(async move { Ok(world.tables.delete("other").await.map(drop)?) })
    }),
    ("write", |world| {
        let item = item("p", 1, &[("x", number(2))]);
        Box::pin(async move {
            world
                .write(item.clone(), WriteAction::Put(item))
                .await
                .map(drop)
        })
    }),
    ("transact", |world| {
        let put = |partition| {
            (
                TABLE.to_owned(),
                write(item(partition, 1, &[]), WriteAction::Delete),
            )
        };
        let transaction = Transaction {
            writes: ["p", "q", "r"].map(put).into(),
            token: Some(("token".into(), [0; 32])),
        };
        Box::pin(async move {
            let done = world.tables.transact(transaction).await;
            assert_eq!(done, Ok(false));
            Ok(())
        })
    }),
];

async fn ready(tasks: &CountedTasks) -> World {
    let world = World::counted(tasks).await;
    world.tables.create(new_table()).await.unwrap();
    let other = NewTable {
        name: "other".into(),
        stream: None,
        ..new_table()
    };
    world.tables.create(other).await.unwrap();
    for partition in ["p", "q", "r"] {
        world.put(item(partition, 1, &[])).await;
    }
    world
}

async fn agrees(mut world: World) {
    let stored = Table::<TableRecord>::new(world.catalog.clone(), Prefix::Tables);
    let stored = stored.all().await.unwrap();
    let records: Vec<_> = stored.into_iter().map(|(_, found)| found.value).collect();
    let names: Vec<_> = records.iter().map(|record| record.name.clone()).collect();
    assert_eq!(world.tables.list(None, 100), (names, false));
    for record in &records {
        let known = world.tables.get(&record.name).unwrap();
        assert_eq!(known.protected, record.protected);
        assert_eq!(known.streams, record.streams);
        assert_eq!(known.destinations, record.destinations);
    }
    // Each partition has its shard, and so have transactions.
    let partitions: usize = records
        .iter()
        .map(|record| usize::from(record.partitions))
        .sum();
    assert_eq!(world.log.shards().await.unwrap().len(), partitions + 1);
    let found = world.scan(None).await;
    assert!(
        found.is_empty() || found.len() == 3,
        "a transaction is done whole or not at all"
    );
    let changes = world.changes().await;
    world.crash().await;
    assert_eq!(world.changes().await, changes);
    assert_eq!(world.scan(None).await, found);
}

#[tokio::test]
async fn a_change_whose_caller_goes_away_is_made_everywhere_or_nowhere() {
    let tasks = CountedTasks::default();
    for (what, call) in CALLS {
        println!("{what}");
        let ready = async || ready(&tasks).await;
        let done = drop_at_every_await(
            &tasks,
            ready,
            async |world: &World| call(world).await,
            agrees,
        );
        assert_eq!(done.await, Ok(()), "{what}");
    }
}
