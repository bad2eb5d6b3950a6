//! What capacity lets through, by a clock that the test moves.
#![allow(clippy::unwrap_used, reason = "this is test code")]

mod support;

use headwater_expressions::{Condition, Path};
use headwater_items::Item;
use headwater_tables::{
    Access, Billing, Cancellation, Error, Limit, Metered, NewTable, TableRecord, Throttled,
    Throughput, Transaction, Units, Write, WriteAction, WriteError,
};
use support::{TABLE, World, item, key_of, new_table, number, target, text, write};

fn by_second(read: u64, write: u64) -> Billing {
    Billing::Provisioned(Throughput {
        read,
        write,
        raised: None,
        lowered: None,
        lowered_that_day: 0,
    })
}

fn by_request(read_max: Option<u64>, write_max: Option<u64>) -> Billing {
    Billing::OnDemand {
        read_max,
        write_max,
    }
}

/// A world whose limits hold, with a table that is paid for so, and whose global index takes this much.
async fn world(billing: Billing, index: Billing) -> World {
    let world = World::new().await;
    world.tables.limit(true);
    let mut new = NewTable {
        billing,
        ..new_table()
    };
    for global in &mut new.global {
        global.3 = index;
    }
    world.tables.create(new).await.unwrap();
    world
}

/// An item of so many units, which are its sort key too.
fn of_units(partition: &str, units: u16) -> Item {
    let x = "x".repeat(usize::from(units) * 1024 - 100);
    item(partition, units.into(), &[("x", text(&x))])
}

async fn put(world: &World, item: Item) -> Result<(), WriteError> {
    let written = world
        .write(key_of(&item), WriteAction::Put(item.into()))
        .await;
    written.map(drop)
}

/// Puts items of one unit until one is refused; how many were not, and why that was.
async fn puts(world: &World, partition: &str) -> (usize, Throttled) {
    for count in 0..100_000 {
        match put(world, item(partition, 0, &[])).await {
            Ok(()) => {}
            Err(WriteError::Throttled(throttled)) => return (count, throttled),
            Err(error) => panic!("{error}"),
        }
    }
    panic!("all were written")
}

fn throttled(index: Option<&str>, access: Access, limit: Limit, on_demand: bool) -> Throttled {
    Throttled {
        index: index.map(Into::into),
        access,
        limit,
        on_demand,
    }
}

fn provisioned(index: Option<&str>) -> Throttled {
    throttled(index, Access::Write, Limit::Provisioned, false)
}

#[tokio::test]
async fn a_table_takes_its_burst_and_then_what_is_provisioned() {
    let world = world(by_second(1, 5), by_second(1, 1)).await;
    for _ in 0..14 {
        put(&world, of_units("p", 100)).await.unwrap();
    }
    assert_eq!(puts(&world, "p").await, (100, provisioned(None)));
    world.pass(1);
    for _ in 0..4 {
        assert_eq!(puts(&world, "p").await, (5, provisioned(None)));
        world.pass(1);
    }
    assert_eq!(puts(&world, "p").await, (5, provisioned(None)));
    world.pass(60);
    assert_eq!(puts(&world, "p").await.0, 300);
    world.pass(3600);
    put(&world, of_units("p", 300)).await.unwrap();
    assert_eq!(puts(&world, "p").await.0, 1200);
}

#[tokio::test]
async fn writes_cost_the_larger_item_and_may_leave_a_debt() {
    let world = world(by_second(1, 1), by_second(1, 1)).await;
    put(&world, of_units("p", 290)).await.unwrap();
    let key = item("p", 290, &[]);
    // What was there is larger than what is.
    put(&world, key.clone()).await.unwrap();
    assert_eq!(
        put(&world, key.clone()).await,
        Err(provisioned(None).into())
    );
    world.pass(280);
    assert_eq!(
        put(&world, key.clone()).await,
        Err(provisioned(None).into())
    );
    world.pass(1);
    put(&world, key.clone()).await.unwrap();
    // A condition that does not hold costs as much as the item; while nothing is left, it is not even looked at.
    let unheld = Write {
        condition: Some(Condition::NotExists(Path {
            root: "p".into(),
            steps: Vec::new(),
        })),
        ..write(key, WriteAction::Delete)
    };
    world.pass(1);
    let failed = world.tables.write(TABLE, unheld.clone()).await;
    assert!(matches!(failed, Err(WriteError::ConditionFailed(_))));
    let throttled = world.tables.write(TABLE, unheld).await;
    assert_eq!(throttled, Err(provisioned(None).into()));
}

#[tokio::test]
async fn an_index_without_capacity_refuses_writes_that_change_it() {
    let world = world(by_second(1, 900), by_second(1, 1)).await;
    let indexed = |sort: i64, x: usize| {
        let x = text(&"x".repeat(x));
        item(
            "p",
            sort,
            &[("g", text("g")), ("a", number(sort)), ("x", x)],
        )
    };
    put(&world, indexed(1, 300 * 1024)).await.unwrap();
    let refused = put(&world, indexed(2, 1)).await;
    assert_eq!(refused, Err(provisioned(Some("global")).into()));
    assert_eq!(world.read(&item("p", 2, &[])).await, None);
    put(&world, item("p", 3, &[])).await.unwrap();
    // What the index has is not changed.
    put(&world, indexed(1, 300 * 1024)).await.unwrap();
    world.pass(2);
    put(&world, indexed(2, 1)).await.unwrap();
}

#[tokio::test]
async fn a_hot_key_is_throttled_where_others_are_not() {
    let world = world(by_request(None, None), by_request(None, None)).await;
    let metered = |key: &str| {
        let metered = world.tables.metered(&target(None), Some(&text(key)));
        metered.unwrap()
    };
    let hot = metered("p");
    hot.admit().unwrap();
    // All that is kept of 3,000 units a second, and one more.
    hot.take(&Units::of_table(900_001.0));
    let refused = throttled(None, Access::Read, Limit::KeyRange, true);
    assert_eq!(hot.admit(), Err(refused));
    let is_let_through = |key: &i32| metered(&key.to_string()).admit().is_ok();
    let others = (0..100).filter(is_let_through).count();
    assert!((50..100).contains(&others), "{others}");
    world.pass(1);
    hot.admit().unwrap();
}

#[tokio::test]
async fn maxima_hold_and_changes_of_billing_do_at_once() {
    let world = world(by_request(None, Some(7)), by_request(None, None)).await;
    let most = throttled(None, Access::Write, Limit::Maximum, true);
    assert_eq!(puts(&world, "p").await, (2100, most));
    let bill = async |billing: Billing| {
        let change = |record: &mut TableRecord| {
            record.billing = billing;
            Ok::<(), Error>(())
        };
        world.tables.change(TABLE, change).await.unwrap();
    };
    bill(by_request(None, None)).await;
    world.pass(1);
    assert_eq!(puts(&world, "p").await.0, 4000);
    world.pass(1);
    bill(by_second(1, 2)).await;
    assert_eq!(puts(&world, "p").await, (600, provisioned(None)));
    bill(by_second(1, 4)).await;
    world.pass(1);
    assert_eq!(puts(&world, "p").await, (4, provisioned(None)));
    world.tables.limit(false);
    put(&world, of_units("p", 1)).await.unwrap();
}

#[tokio::test]
async fn transactions_cost_twice_and_are_done_whole() {
    let world = world(by_second(1, 1), by_second(1, 1)).await;
    let transact = async |units: u16| {
        let writes = ["p", "q"].map(|key| {
            let item = of_units(key, units);
            (
                TABLE.to_owned(),
                write(key_of(&item), WriteAction::Put(item.into())),
            )
        });
        let transaction = Transaction {
            writes: writes.into(),
            token: None,
        };
        world.tables.transact(transaction).await
    };
    // The first write takes nearly all that there is; the second is done nevertheless.
    transact(149).await.unwrap();
    let reason = Some(WriteError::Throttled(provisioned(None)));
    let refused = Cancellation::Reasons(vec![reason.clone(), reason]);
    world.pass(2 * (2 * 149) - 300);
    assert_eq!(transact(1).await, Err(refused));
    world.pass(1);
    transact(1).await.unwrap();
}

#[tokio::test]
async fn reads_take_what_they_turn_out_to_cost() {
    let mut world = world(by_second(2, 1), by_second(1, 1)).await;
    let metered = |world: &World, index: Option<&str>| -> Metered {
        world
            .tables
            .metered(&target(index), Some(&text("p")))
            .unwrap()
    };
    let of_table = metered(&world, None);
    of_table.admit().unwrap();
    of_table.take(&Units::of_table(602.0));
    let spent = throttled(None, Access::Read, Limit::Provisioned, false);
    world.pass(1);
    assert_eq!(metered(&world, Some("local")).admit(), Err(spent));
    let of_index = metered(&world, Some("global"));
    of_index.admit().unwrap();
    let units = Units {
        global: [("global".to_owned(), 301.0)].into(),
        ..Units::default()
    };
    of_index.take(&units);
    let spent = throttled(Some("global"), Access::Read, Limit::Provisioned, false);
    assert_eq!(of_index.admit(), Err(spent.clone()));
    world.pass(1);
    assert_eq!(of_index.admit(), Err(spent));
    of_table.admit().unwrap();
    // What was taken is forgotten when a server ends.
    world.reopen().await;
    world.tables.limit(true);
    metered(&world, Some("global")).admit().unwrap();
}
