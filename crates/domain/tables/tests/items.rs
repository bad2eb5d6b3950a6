//! What is written to items, what is refused, and in which order they are found.
#![allow(clippy::unwrap_used, reason = "this is test code")]

mod support;

use headwater_expressions::SortCondition;
use headwater_items::{Item, Kind, Value};
use headwater_tables::{Error, KeyKind, Range, ReadOptions, Scan, WriteAction, WriteError};
use support::{
    TABLE, World, item, key_of, new_table, number, query, scan, set, target, text, world, write,
};

#[tokio::test]
async fn writes_without_effect_make_no_change() {
    let world = world().await;
    let first = item("p", 1, &[("x", number(1))]);
    let written = world.put(first.clone()).await;
    assert_eq!(
        (written.before, written.after),
        (None, Some(first.clone().into()))
    );
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
    assert_eq!(
        updated.after,
        Some(item("p", 2, &[("x", number(7))]).into())
    );
    let removed = world.write(key, WriteAction::Delete).await.unwrap();
    assert_eq!((removed.before, removed.after), (Some(first.into()), None));
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
    let refused = world
        .write(key.clone(), WriteAction::Put(large.into()))
        .await;
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
async fn a_table_need_not_have_a_sort_key() {
    let world = World::new().await;
    let mut new = new_table();
    new.key.sort = None;
    (new.local, new.global) = (Vec::new(), Vec::new());
    world.tables.create(new).await.unwrap();
    let item = |name: &str| Item::from([("p".to_owned(), text(name))]);
    for name in ["a", "b", "c"] {
        world
            .write(item(name), WriteAction::Put(item(name).into()))
            .await
            .unwrap();
    }
    let found = world.all(None, query(("p", text("b")), None, false)).await;
    assert_eq!(found, [item("b")]);
    assert_eq!(world.scan(None).await.len(), 3);
}

#[tokio::test]
async fn a_page_of_an_index_that_shows_little_leads_to_a_bounded_number_of_items() {
    const ITEMS: i64 = 60;
    let world = world().await;
    let large = text(&"x".repeat(300 * 1024));
    let put = |sort: i64| {
        let item = item("p", sort, &[("a", number(sort)), ("x", large.clone())]);
        (
            TABLE.to_owned(),
            write(key_of(&item), WriteAction::Put(item.into())),
        )
    };
    let written = world.tables.write_many((0..ITEMS).map(put).collect());
    assert!(written.await.iter().all(Result::is_ok));
    let page = async |after| {
        let options = ReadOptions {
            after,
            ..ReadOptions::default()
        };
        let segment = (0, 1);
        let range = Range::Scan(Scan { segment, options });
        let page = world.tables.page(&target(Some("local")), range).await;
        page.unwrap()
    };
    let first = page(None).await;
    assert!(first.last.is_some() && first.items.len() < 56, "16 MiB");
    let rest = page(first.last).await;
    assert_eq!(first.items.len() + rest.items.len(), ITEMS as usize);
    assert_eq!(rest.last, None);
}
