//! What tables promise, one by one.
#![allow(clippy::unwrap_used, reason = "this is test code")]

mod support;

use std::sync::Arc;

use headwater_catalog::{Catalog, MemoryCatalog, Table};
use headwater_expressions::{Action, Path, SetValue, SortCondition, Update};
use headwater_items::{Item, Kind, Value};
use headwater_log::{EmbeddedLog, Options, ShardLog};
use headwater_tables::{
    Billing, Cancellation, Error, GlobalIndex, IndexState, KeyKind, NewTable, Projected, Range,
    ReadOptions, TableRecord, TableState, Tables, Throughput, TimeToLive, Transaction, WriteAction,
    WriteError,
};
use headwater_types::kept::Prefix;
use support::{
    ON_DEMAND, START, TABLE, World, item, key_of, new_table, number, query, scan, schema, sync,
    target, text, write,
};

fn set(name: &str, value: Value) -> WriteAction {
    let path = Path {
        root: name.into(),
        steps: Vec::new(),
    };
    WriteAction::Update(Update(vec![Action::Set(path, SetValue::Value(value))]))
}

async fn world() -> World {
    let world = World::new().await;
    world.tables.create(new_table()).await.unwrap();
    world
}

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
async fn writes_without_effect_make_no_change() {
    let world = world().await;
    let first = item("p", 1, &[("x", number(1))]);
    let written = world.put(first.clone()).await;
    assert_eq!((written.before, written.after), (None, Some(first.clone())));
    world.put(first.clone()).await;
    let key = key_of(&first);
    world.write(key.clone(), set("x", number(1))).await.unwrap();
    world
        .write(item("p", 2, &[]), WriteAction::Delete)
        .await
        .unwrap();
    assert_eq!(world.changes().await.len(), 1);
    let updated = world
        .write(item("p", 2, &[]), set("x", number(7)))
        .await
        .unwrap();
    assert_eq!(updated.after, Some(item("p", 2, &[("x", number(7))])));
    let removed = world.write(key, WriteAction::Delete).await.unwrap();
    assert_eq!((removed.before, removed.after), (Some(first), None));
    let changes = world.changes().await;
    let existed: Vec<_> = changes.iter().map(|change| change.existed).collect();
    assert_eq!(existed, [false, false, true]);
}

#[tokio::test]
async fn what_cannot_be_an_item_is_refused() {
    let world = world().await;
    let key = item("p", 1, &[]);
    let moved = world.write(key.clone(), set("s", number(2))).await;
    assert_eq!(moved, Err(WriteError::ChangesKey("s".into())));
    let large = item("p", 1, &[("x", text(&"x".repeat(400 * 1024)))]);
    let refused = world.write(key.clone(), WriteAction::Put(large)).await;
    assert_eq!(refused, Err(WriteError::TooLarge));
    let deep = |levels: usize| {
        let nest = |value, _| Value::List(vec![value]);
        set("x", (0..levels).fold(Value::Null, nest))
    };
    let refused = world.write(key.clone(), deep(33)).await;
    assert_eq!(refused, Err(WriteError::TooDeep));
    world.write(item("p", 9, &[]), deep(32)).await.unwrap();
    world
        .write(item("p", 9, &[]), WriteAction::Delete)
        .await
        .unwrap();
    let wrong = world.write(key.clone(), set("a", text("1"))).await;
    let expected = WriteError::WrongIndexKind {
        index: "local".into(),
        attribute: "a".into(),
        expected: KeyKind::Number,
        actual: Kind::String,
    };
    assert_eq!(wrong, Err(expected));
    let empty = world.write(key.clone(), set("g", text(""))).await;
    let expected = WriteError::WrongIndexSize {
        index: "global".into(),
        attribute: "g".into(),
        bytes: 0,
    };
    assert_eq!(empty, Err(expected));
    let mut no_key = key;
    no_key.remove("s");
    let refused = world.tables.read(TABLE, &no_key).await;
    assert_eq!(refused, Err(Error::WrongKey(TABLE.into())));
    assert!(world.scan(None).await.is_empty());
}

#[tokio::test]
async fn queries_keep_to_the_order_of_keys() {
    let world = world().await;
    for sort in [10, -5, 2, 100, 0] {
        let a = number(-sort);
        world
            .put(item(
                "p",
                sort,
                &[("a", a), ("g", text("g")), ("y", number(1))],
            ))
            .await;
        world.put(item("other", sort, &[])).await;
    }
    let sorts = |items: Vec<Item>| {
        items
            .into_iter()
            .map(|item| item["s"].clone())
            .collect::<Vec<_>>()
    };
    let numbers = |numbers: &[i64]| numbers.iter().map(|n| number(*n)).collect::<Vec<_>>();
    let p = ("p", text("p"));
    for (wanted, expected) in [
        (None, &[-5, 0, 2, 10, 100][..]),
        (Some(SortCondition::Equal(number(2))), &[2]),
        (Some(SortCondition::Less(number(2))), &[-5, 0]),
        (Some(SortCondition::LessOrEqual(number(2))), &[-5, 0, 2]),
        (Some(SortCondition::Greater(number(2))), &[10, 100]),
        (
            Some(SortCondition::GreaterOrEqual(number(2))),
            &[2, 10, 100],
        ),
        (
            Some(SortCondition::Between(number(-1), number(10))),
            &[0, 2, 10],
        ),
        (Some(SortCondition::Between(number(10), number(-1))), &[]),
    ] {
        let wanted = wanted.map(|wanted| ("s", wanted));
        let found = world
            .all(None, query(p.clone(), wanted.clone(), false))
            .await;
        assert_eq!(sorts(found), numbers(expected), "{wanted:?}");
        let mut found = sorts(world.all(None, query(p.clone(), wanted, true)).await);
        found.reverse();
        assert_eq!(found, numbers(expected));
    }
    let by_a = query(
        p.clone(),
        Some(("a", SortCondition::Less(number(0)))),
        false,
    );
    let found = world.all(Some("local"), by_a).await;
    assert_eq!(found[0], item("p", 100, &[("a", number(-100))]));
    assert_eq!(sorts(found), numbers(&[100, 10, 2]));
    let by_g = query(("g", text("g")), None, true);
    assert_eq!(
        sorts(world.all(Some("global"), by_g).await),
        numbers(&[-5, 0, 2, 10, 100])
    );
    let none = world.tables.page(&target(Some("none")), scan((0, 1))).await;
    assert_eq!(none, Err(Error::NoIndex(TABLE.into(), "none".into())));
}

#[tokio::test]
async fn pages_have_bounds_and_go_on_behind_keys_that_are_gone() {
    let world = world().await;
    let large = text(&"x".repeat(300 * 1024));
    for sort in 0..6 {
        world.put(item("p", sort, &[("x", large.clone())])).await;
    }
    let mut range = query(("p", text("p")), None, false);
    let Range::Query(query) = &mut range else {
        unreachable!()
    };
    query.options = ReadOptions {
        count_only: true,
        ..ReadOptions::default()
    };
    let page = world
        .tables
        .page(&target(None), range.clone())
        .await
        .unwrap();
    assert_eq!((page.count, page.scanned, page.items.len()), (4, 4, 0));
    assert_eq!(page.last, Some(item("p", 3, &[])));
    world
        .write(item("p", 3, &[]), WriteAction::Delete)
        .await
        .unwrap();
    let Range::Query(query) = &mut range else {
        unreachable!()
    };
    query.options.after = page.last;
    let page = world.tables.page(&target(None), range).await.unwrap();
    assert_eq!((page.count, page.last), (2, None));
}

#[tokio::test]
async fn a_new_index_is_filled_and_a_removed_one_leaves_nothing() {
    let mut world = world().await;
    for sort in 0..30 {
        world
            .put(item("p", sort, &[("a", number(sort)), ("x", number(sort))]))
            .await;
    }
    let add = |record: &mut TableRecord| {
        let index = GlobalIndex {
            number: record.next_index,
            key: schema("p", "a"),
            projected: Projected::All,
            state: IndexState::Creating,
            billing: ON_DEMAND,
        };
        record.next_index += 1;
        record.global.insert("late".into(), index);
        Ok::<(), Error>(())
    };
    world.tables.change(TABLE, add).await.unwrap();
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
    let enable = |record: &mut TableRecord| {
        record.time_to_live = Some(TimeToLive {
            attribute: "e".into(),
            enabled: true,
            changed: START,
        });
        Ok::<(), Error>(())
    };
    world.tables.change(TABLE, enable).await.unwrap();
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
                write(key_of(&item), WriteAction::Put(item)),
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
async fn a_full_disk_loses_nothing_and_writing_goes_on() {
    let world = world().await;
    world.put(item("p", 1, &[])).await;
    world.disk.set_room(Some(0));
    let large = item("p", 2, &[("x", text(&"x".repeat(100_000)))]);
    let refused = world
        .write(key_of(&large), WriteAction::Put(large.clone()))
        .await;
    assert!(
        matches!(refused, Err(WriteError::Failed(Error::Log(_)))),
        "{refused:?}"
    );
    let transaction = Transaction {
        writes: vec![(
            TABLE.into(),
            write(key_of(&large), WriteAction::Put(large.clone())),
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
        first > 0
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
            tables.create(new_table()).await.unwrap();
        }
        let item = item("p", round, &[("g", text("g")), ("a", number(-round))]);
        let put = write(key_of(&item), WriteAction::Put(item));
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

#[tokio::test]
async fn a_table_need_not_have_a_sort_key() {
    let world = World::new().await;
    let mut new = new_table();
    new.key.sort = None;
    (new.local, new.global) = (Vec::new(), Vec::new());
    world.tables.create(new).await.unwrap();
    let item = |name: &str| Item::from([("p".to_owned(), text(name))]);
    for name in ["a", "b", "c"] {
        world
            .write(item(name), WriteAction::Put(item(name)))
            .await
            .unwrap();
    }
    let found = world.all(None, query(("p", text("b")), None, false)).await;
    assert_eq!(found, [item("b")]);
    assert_eq!(world.scan(None).await.len(), 3);
}
