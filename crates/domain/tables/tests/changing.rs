//! What becomes of tables as time goes on: new indexes, expiry, tokens, streams.
#![allow(clippy::unwrap_used, reason = "this is test code")]

mod support;

use std::time::Duration;

use headwater_tables::{
    Cancellation, Error, IndexState, NewTable, TableRecord, Tables, TimeToLive, Transaction,
    ViewType, WriteAction,
};
use headwater_types::Millis;
use support::{
    START, TABLE, World, add_late, in_time, item, key_of, new_table, number, set, target, text,
    world, write,
};

#[tokio::test]
async fn a_new_index_is_filled_and_a_removed_one_leaves_nothing() {
    let mut world = world().await;
    for sort in 0..30 {
        world
            .put(item("p", sort, &[("a", number(sort)), ("x", number(sort))]))
            .await;
    }
    world.tables.change(TABLE, add_late).await.unwrap();
    let state = |tables: &Tables, name: &str| {
        let record = tables.get(TABLE).unwrap();
        record.global.get(name).map(|index| index.state)
    };
    world.put(item("p", 100, &[("a", number(100))])).await;
    world
        .write(item("p", 0, &[]), WriteAction::Delete)
        .await
        .unwrap();
    // A server that starts goes on with it.
    world.crash().await;
    world
        .until(async |world| state(&world.tables, "late") == Some(IndexState::Active))
        .await;
    // What shows as active is there after any crash.
    world.crash().await;
    let found = world.scan(Some("late")).await;
    assert_eq!(found, world.scan(None).await);
    let bytes: usize = found.iter().map(headwater_items::item_size).sum();
    assert_eq!(
        world.tables.count(&target(Some("late"))),
        Ok((30, bytes as u64))
    );
    let remove = |record: &mut TableRecord| {
        if let Some(index) = record.global.get_mut("late") {
            index.state = IndexState::Deleting;
        }
        Ok::<(), Error>(())
    };
    let rows = world.index.len();
    world.tables.change(TABLE, remove).await.unwrap();
    world
        .until(async |world| state(&world.tables, "late").is_none())
        .await;
    assert_eq!(world.index.len(), rows - 30);
}

/// Has items expire by an attribute from now on.
async fn expire_by(world: &World, attribute: &str, changed: Millis) {
    let enable = |record: &mut TableRecord| {
        record.time_to_live = Some(TimeToLive {
            attribute: attribute.into(),
            enabled: true,
            changed,
        });
        Ok::<(), Error>(())
    };
    world.tables.change(TABLE, enable).await.unwrap();
}

#[tokio::test]
async fn items_that_were_to_expire_stay_once_another_attribute_says_when() {
    let world = world().await;
    let due = START.seconds() as i64;
    let put = |sort: i64| {
        let mut item = item("p", sort, &[("e", number(due))]);
        // Those that go last by the one have the other.
        item.extend((sort >= 1000).then(|| ("f".to_owned(), number(due + 5_000_000))));
        (
            TABLE.to_owned(),
            write(key_of(&item), WriteAction::Put(item.into())),
        )
    };
    let written = world.tables.write_many((0..2000).map(put).collect()).await;
    assert!(written.iter().all(Result::is_ok));
    expire_by(&world, "e", START).await;
    let count = || world.tables.count(&target(None)).unwrap().0 as usize;
    world.until(async |_| count() < 2000).await;
    expire_by(&world, "f", START.plus(Duration::from_secs(1))).await;
    // Each has a row, those with the other attribute an expiry, and the partition a row.
    let is_done = async |world: &World| world.index.len() == count() + 1000 + 1;
    in_time(world.until(is_done)).await;
    assert!(count() > 1000);
}

#[tokio::test]
async fn items_expire() {
    let mut world = world().await;
    let due = START.seconds() as i64;
    let years = 6 * 365 * 24 * 3600;
    world.put(item("p", 1, &[("e", number(due + 5))])).await;
    world
        .put(item("p", 2, &[("e", number(due + 5_000_000))]))
        .await;
    world.put(item("p", 3, &[("e", number(due - years))])).await;
    world.put(item("p", 4, &[("e", text("no time"))])).await;
    expire_by(&world, "e", START).await;
    world.put(item("p", 5, &[("e", number(due + 3))])).await;
    world
        .until(async |world| world.scan(None).await.len() == 3)
        .await;
    world.crash().await;
    let left: Vec<_> = world
        .scan(None)
        .await
        .into_iter()
        .map(|item| item["s"].clone())
        .collect();
    assert_eq!(left, [2, 3, 4].map(number));
    let changes = world.changes().await;
    let expired: Vec<_> = changes.iter().filter(|change| change.expired).collect();
    assert!(expired.len() == 2 && expired.iter().all(|change| change.after.is_none()));
}

#[tokio::test]
async fn a_token_does_a_transaction_once() {
    let mut world = world().await;
    let transaction = |x: i64, digest: u8| {
        let put = |sort: i64| {
            let item = item("p", sort, &[("x", number(x))]);
            (
                TABLE.to_owned(),
                write(key_of(&item), WriteAction::Put(item.into())),
            )
        };
        Transaction {
            writes: vec![put(1), put(2)],
            token: Some(("token".into(), [digest; 32])),
        }
    };
    assert_eq!(world.tables.transact(transaction(1, 1)).await, Ok(false));
    world.put(item("p", 1, &[("x", number(5))])).await;
    assert_eq!(world.tables.transact(transaction(1, 1)).await, Ok(true));
    let other = world.tables.transact(transaction(2, 2)).await;
    assert_eq!(other, Err(Cancellation::OtherRequest));
    world.crash().await;
    assert_eq!(world.tables.transact(transaction(1, 1)).await, Ok(true));
    let found = world.read(&item("p", 1, &[])).await;
    assert_eq!(found, Some(item("p", 1, &[("x", number(5))])));
    world.pass(601);
    assert_eq!(world.tables.transact(transaction(2, 2)).await, Ok(false));
}

#[tokio::test]
async fn a_stream_that_is_enabled_shows_items_as_they_were() {
    let world = World::new().await;
    let quiet = NewTable {
        stream: None,
        ..new_table()
    };
    world.tables.create(quiet).await.unwrap();
    let first = item("p", 1, &[("x", number(1))]);
    world.put(first.clone()).await;
    world
        .write(key_of(&first), set("x", number(2)))
        .await
        .unwrap();
    let record = world
        .tables
        .enable_stream(TABLE, ViewType::Old)
        .await
        .unwrap();
    let begins = record.streams[0].begins.iter().flatten();
    let begins: Vec<_> = begins.map(|begin| begin.offset).collect();
    assert_eq!((begins.len(), begins.iter().sum::<u64>()), (4, 2));
    world
        .write(key_of(&first), WriteAction::Delete)
        .await
        .unwrap();
    let before: Vec<_> = world
        .changes()
        .await
        .into_iter()
        .map(|change| change.before)
        .collect();
    let last = item("p", 1, &[("x", number(2))]);
    assert_eq!(before, [None, None, Some(last)]);
}
