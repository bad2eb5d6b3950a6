//! What is bounded of a request, and what is shared and not copied.
#![allow(clippy::unwrap_used, reason = "this is test code")]

mod support;

use std::sync::Arc;

use headwater_items::{Item, item_size};
use headwater_tables::{
    Cancellation, Transaction, WriteAction, WriteError, limits::TRANSACTION_BYTES,
};
use support::{TABLE, World, item, key_of, number, set, text, world, write};

const LARGE: usize = 350 * 1024;
/// So many large items are more than a transaction may write or read.
const TOO_MANY: i64 = 12;

/// A world with many large items, and those.
async fn large() -> (World, Vec<Item>) {
    let (world, x) = (world().await, text(&"x".repeat(LARGE)));
    let mut items = Vec::new();
    for sort in 0..TOO_MANY {
        let item = item("p", sort, &[("x", x.clone())]);
        world.put(item.clone()).await;
        items.push(item);
    }
    (world, items)
}

async fn transact(
    world: &World,
    items: &[Item],
    action: impl Fn() -> WriteAction,
) -> Result<bool, Cancellation> {
    let writes = items
        .iter()
        .map(|item| (TABLE.to_owned(), write(key_of(item), action())));
    let writes = writes.collect();
    let transaction = Transaction {
        writes,
        token: None,
    };
    world.tables.transact(transaction).await
}

#[tokio::test]
async fn the_items_that_a_transaction_makes_are_bounded() {
    let (world, items) = large().await;
    let small = || set("y", number(1));
    let bytes = match transact(&world, &items, small).await {
        Err(Cancellation::TooLarge(bytes)) => bytes,
        other => panic!("{other:?}"),
    };
    assert!(bytes > TRANSACTION_BYTES && bytes < TRANSACTION_BYTES + 2 * LARGE);
    assert!(
        world
            .scan(None)
            .await
            .iter()
            .all(|item| !item.contains_key("y"))
    );
    assert_eq!(transact(&world, &items[1..], small).await, Ok(false));
    // Those that it only looks at, replaces by small ones or deletes are not counted.
    assert_eq!(
        transact(&world, &items, || WriteAction::Check).await,
        Ok(false)
    );
    assert_eq!(
        transact(&world, &items, || set("x", number(1))).await,
        Ok(false)
    );
    let (world, items) = large().await;
    assert_eq!(
        transact(&world, &items, || WriteAction::Delete).await,
        Ok(false)
    );
    assert!(world.scan(None).await.is_empty());
}

#[tokio::test]
async fn the_items_that_are_read_together_are_bounded() {
    let (world, items) = large().await;
    let keys = |items: &[Item]| -> Vec<(String, Item)> {
        let key = |item| (TABLE.to_owned(), key_of(item));
        items.iter().map(key).collect()
    };
    let bytes = items.iter().map(item_size).sum();
    assert_eq!(
        world.tables.read_together(keys(&items)).await,
        Err(Cancellation::TooLarge(bytes))
    );
    let read = world.tables.read_together(keys(&items[1..])).await.unwrap();
    assert!(read.iter().flatten().eq(&items[1..]));
}

#[tokio::test]
async fn an_update_that_no_item_has_room_for_is_too_large() {
    let (world, items) = large().await;
    let key = key_of(&items[0]);
    let refused = world
        .write(key, set("y", text(&"y".repeat(2 * LARGE))))
        .await;
    assert_eq!(refused, Err(WriteError::TooLarge));
}

#[tokio::test]
async fn an_item_that_is_put_is_not_copied() {
    let world = world().await;
    let item = Arc::new(item("p", 1, &[("x", number(1))]));
    let put = write(key_of(&item), WriteAction::Put(item.clone()));
    let written = world.tables.write(TABLE, put).await.unwrap();
    assert!(Arc::ptr_eq(&written.after.unwrap(), &item));
}
