//! Many callers at one time: transfers between accounts, read together, while tables come and go.
#![allow(clippy::unwrap_used, reason = "this is test code")]

mod support;

use std::sync::Arc;

use futures_util::future::join_all;
use headwater_expressions::{Action, Comparison, Condition, Operand, Path, SetValue, Update};
use headwater_items::{Item, Value};
use headwater_tables::{Cancellation, NewTable, Tables, Transaction, Write, WriteAction};
use support::{TABLE, World, item, key_of, new_table, number, write};

const ACCOUNTS: u64 = 6;
const START: i64 = 10;
const CALLERS: u64 = 8;
const TRANSFERS: u64 = 40;

fn account(at: u64) -> Item {
    item(&format!("account{}", at % ACCOUNTS), 1, &[])
}

fn x() -> Path {
    Path {
        root: "x".into(),
        steps: Vec::new(),
    }
}

/// Adds so much to an account, which must have as much as is taken.
fn add(at: u64, amount: i64) -> (String, Write) {
    let least = Operand::Value(number(-amount).into());
    let enough = Condition::Compare(Comparison::GreaterOrEqual, Operand::Path(x()), least);
    let action = WriteAction::Update(Update(vec![Action::Add(x(), number(amount).into())]));
    let write = Write {
        condition: Some(enough),
        ..write(account(at), action)
    };
    (TABLE.into(), write)
}

async fn transfer(tables: &Tables, from: u64, to: u64) {
    let transaction = Transaction {
        writes: vec![add(from, -3), add(to, 3)],
        token: None,
    };
    match tables.transact(transaction).await {
        Ok(_) | Err(Cancellation::Reasons(_)) => {}
        Err(error) => panic!("{error}"),
    }
}

/// What all accounts have, at one moment.
async fn sum(tables: &Tables) -> i64 {
    let keys = (0..ACCOUNTS).map(|at| (TABLE.to_owned(), account(at)));
    let items = tables.read_together(keys.collect()).await.unwrap();
    let has = |item: Option<Item>| match item.unwrap()["x"] {
        Value::Number(x) => x.to_i64().unwrap(),
        _ => panic!("it is a number"),
    };
    items.into_iter().map(has).sum()
}

async fn call(tables: Arc<Tables>, caller: u64) {
    let whole = ACCOUNTS as i64 * START;
    for round in 0..TRANSFERS {
        let seed = caller * 7 + round * 5;
        transfer(&tables, seed, seed + 1 + round % (ACCOUNTS - 1)).await;
        assert_eq!(sum(&tables).await, whole);
        // Neither writes nor reads one account from two places at a time.
        let alone = add(seed, 0).1;
        let update = SetValue::Plus(
            Box::new(SetValue::Path(x())),
            Box::new(SetValue::Value(number(0).into())),
        );
        let alone = Write {
            action: WriteAction::Update(Update(vec![Action::Set(x(), update)])),
            ..alone
        };
        tables.write(TABLE, alone).await.unwrap();
    }
}

/// A table that is made, written to by transactions with the accounts' table, and deleted meanwhile.
async fn come_and_go(tables: Arc<Tables>) {
    for round in 0..10 {
        let name = format!("short{round}");
        let new = NewTable {
            name: name.clone(),
            ..new_table()
        };
        tables.create(new).await.unwrap();
        let transactions = (0..6).map(|at| {
            let item = item(&format!("p{at}"), at, &[]);
            let other = (
                name.clone(),
                write(key_of(&item), WriteAction::Put(item.into())),
            );
            let writes = vec![add(at as u64, 0), other];
            tables.transact(Transaction {
                writes,
                token: None,
            })
        });
        // Those that come behind the deletion are refused.
        let (_, deleted) = tokio::join!(join_all(transactions), tables.delete(&name));
        deleted.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_is_lost_or_made_by_transfers_and_nobody_waits_for_ever() {
    let mut world = World::new().await;
    world.tables.create(new_table()).await.unwrap();
    for at in 0..ACCOUNTS {
        let mut item = account(at);
        item.insert("x".into(), number(START));
        world.put(item).await;
    }
    let calls = (0..CALLERS).map(|caller| {
        let call = call(world.tables.clone(), caller);
        world.env.to_the_end(call)
    });
    let comes = world.env.to_the_end(come_and_go(world.tables.clone()));
    tokio::join!(join_all(calls), comes);
    let whole = ACCOUNTS as i64 * START;
    assert_eq!(sum(&world.tables).await, whole);
    world.crash().await;
    assert_eq!(sum(&world.tables).await, whole);
}
