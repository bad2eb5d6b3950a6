//! A table against a model of what it says: random writes, transactions, indexes and expiry, with restarts, lost power and
//! calls cut short among them. After each, and at the end, items, indexes and counts are the model's, and so is what the
//! changes of the stream make, read anew and read on.
#![allow(clippy::unwrap_used, reason = "this is test code")]

mod modelled;
mod support;

use std::time::Duration;

use headwater_tables::{Cancellation, IndexState, Write, WriteError, limits::ROLL_EVERY};
use modelled::{
    Action, Key, Model, agrees, cut_short, expired, has_rolled, one_of_each, others, queries,
    transact_cut_short, transaction, x_is,
};
use proptest::prelude::*;
use support::{START, TABLE, World, add_late, new_table, remove_late, scan, sync};

#[derive(Debug, Clone)]
enum Step {
    Write(Key, Action),
    /// Writes at one time, which may share an append.
    Together(Vec<(Key, Action)>),
    /// A write if `x` is so.
    If(Key, Action, i64),
    Transact(Vec<(Key, Action)>),
    /// A transaction if the `x` of an item that it does not write is so.
    TransactIf(Vec<(Key, Action)>, Key, i64),
    /// A transaction with a token, asked for again: at once, or behind lost power.
    TransactTwice(Vec<(Key, Action)>, bool),
    /// Writes whose caller goes away after so many steps, and the power with it.
    CutShort(Vec<(Key, Action)>, usize),
    /// The same with a transaction, which may be asked for again then.
    TransactCutShort(Vec<(Key, Action)>, usize, bool),
    Query(u8, Option<i64>, bool),
    Segments(u32),
    Sync,
    /// Time passes: the index is synced, the log forgets, and items expire. The power may be lost meanwhile.
    Pass(u64, bool),
    /// So much time that shards of the stream are followed by others.
    Roll,
    /// Another index is begun, or removed where there is one.
    Late,
    Reopen,
    Crash,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let add = (-1i64..3, prop::option::of(0u8..2));
    let action = prop_oneof![
        4 => others().prop_map(Action::Put),
        3 => add.prop_map(|(x, g)| Action::Add(x, g)),
        1 => Just(Action::Delete)
    ];
    let key = || (0u8..6, -2i64..3);
    let one = (key(), action).boxed();
    let some = || prop::collection::vec(one.clone(), 1..5);
    let step = prop_oneof![
        8 => one.clone().prop_map(|(key, action)| Step::Write(key, action)),
        3 => some().prop_map(Step::Together),
        3 => (one.clone(), 0i64..3).prop_map(|((key, action), x)| Step::If(key, action, x)),
        4 => some().prop_map(Step::Transact),
        2 => (some(), key(), 0i64..2).prop_map(|(some, key, x)| Step::TransactIf(some, key, x)),
        1 => (some(), any::<bool>()).prop_map(|(some, crash)| Step::TransactTwice(some, crash)),
        2 => (some(), 0usize..100).prop_map(|(some, steps)| Step::CutShort(some, steps)),
        2 => (some(), 0usize..100, any::<bool>())
            .prop_map(|(some, steps, again)| Step::TransactCutShort(some, steps, again)),
        2 => (0u8..6, prop::option::of(-3i64..4), any::<bool>())
            .prop_map(|(partition, from, descending)| Step::Query(partition, from, descending)),
        1 => (1u32..5).prop_map(Step::Segments),
        2 => Just(Step::Sync),
        2 => (1u64..150, any::<bool>()).prop_map(|(seconds, crash)| Step::Pass(seconds, crash)),
        1 => Just(Step::Roll),
        1 => Just(Step::Late),
        2 => Just(Step::Reopen),
        3 => Just(Step::Crash),
    ];
    prop::collection::vec(step, 1..40)
}

async fn step(world: &mut World, model: &mut Model, step: Step) {
    model.now = world.clock_seconds();
    match step {
        Step::Write(key, action) => write(world, model, (key, action)).await,
        Step::Together(writes) => {
            let made = model.writes(&writes);
            writes.iter().for_each(|write| model.apply(write));
            let written = world.tables.write_many(made).await;
            assert!(written.iter().all(Result::is_ok));
        }
        Step::If(key, action, x) => write_if(world, model, (key, action), x).await,
        Step::Transact(writes) => {
            let writes = one_of_each(writes);
            let done = world.tables.transact(transaction(model, &writes, None));
            assert_eq!(done.await, Ok(false));
            writes.iter().for_each(|write| model.apply(write));
        }
        Step::TransactIf(writes, key, x) => {
            transact_if(world, model, one_of_each(writes), key, x).await;
        }
        Step::TransactTwice(writes, crashes) => {
            transact_twice(world, model, one_of_each(writes), crashes).await;
        }
        Step::CutShort(writes, steps) => cut_short(world, model, writes, steps).await,
        Step::TransactCutShort(writes, steps, again) => {
            transact_cut_short(world, model, one_of_each(writes), steps, again).await;
        }
        Step::Query(partition, from, descending) => {
            queries(world, model, partition, from, descending).await;
        }
        Step::Segments(count) => segments(world, count).await,
        Step::Sync => sync(&world.index),
        Step::Pass(seconds, crashes) => pass(world, model, seconds, crashes).await,
        // What a day ago was read is not read again, so no day passes.
        Step::Roll if model.now - START.seconds() as i64 > 12 * 3600 => {}
        Step::Roll => {
            world.clock.advance(ROLL_EVERY);
            world.until(has_rolled).await;
            expired(world, model).await;
        }
        Step::Late => late(world).await,
        Step::Reopen => {
            world.reopen().await;
            agrees(world, model).await;
        }
        Step::Crash => {
            world.crash().await;
            agrees(world, model).await;
        }
    }
    model.reader.follow(world).await;
}

async fn write(world: &World, model: &mut Model, one: (Key, Action)) {
    let before = model.items.get(&one.0).cloned();
    let written = world.tables.write(TABLE, model.write(&one)).await.unwrap();
    model.apply(&one);
    let after = model.items.get(&one.0).cloned();
    assert_eq!(
        (written.before.as_deref(), written.after.as_deref()),
        (before.as_ref(), after.as_ref())
    );
}

async fn write_if(world: &World, model: &mut Model, one: (Key, Action), x: i64) {
    let conditional = Write {
        condition: Some(x_is(x)),
        ..model.write(&one)
    };
    let written = world.tables.write(TABLE, conditional).await;
    if model.is(one.0, x) {
        assert!(written.is_ok());
        model.apply(&one);
    } else {
        let before = model.items.get(&one.0).cloned();
        assert_eq!(written, Err(WriteError::ConditionFailed(before)));
    }
}

async fn transact_if(
    world: &World,
    model: &mut Model,
    mut writes: Vec<(Key, Action)>,
    key: Key,
    x: i64,
) {
    writes.retain(|(written, _)| *written != key);
    let mut wanted = transaction(model, &writes, None);
    let check = Write {
        condition: Some(x_is(x)),
        ..model.write(&(key, Action::Check))
    };
    wanted.writes.push((TABLE.to_owned(), check));
    let done = world.tables.transact(wanted).await;
    if model.is(key, x) {
        assert_eq!(done, Ok(false));
        return writes.iter().for_each(|write| model.apply(write));
    }
    let mut reasons = vec![None; writes.len()];
    let before = model.items.get(&key).cloned();
    reasons.push(Some(WriteError::ConditionFailed(before)));
    assert_eq!(done, Err(Cancellation::Reasons(reasons)));
}

async fn transact_twice(
    world: &mut World,
    model: &mut Model,
    writes: Vec<(Key, Action)>,
    crashes: bool,
) {
    let wanted = transaction(model, &writes, Some(world.env.random.next_u64()));
    assert_eq!(world.tables.transact(wanted.clone()).await, Ok(false));
    if crashes {
        world.crash().await;
    }
    assert_eq!(world.tables.transact(wanted).await, Ok(true));
    writes.iter().for_each(|write| model.apply(write));
}

/// The segments one behind the other are the whole table, in its order.
async fn segments(world: &World, count: u32) {
    let mut items = Vec::new();
    for segment in 0..count {
        items.extend(world.all(None, scan((segment, count))).await);
    }
    assert_eq!(items, world.scan(None).await);
}

/// Time passes until what expired meanwhile is gone.
async fn pass(world: &mut World, model: &mut Model, seconds: u64, crashes: bool) {
    world.clock.advance(Duration::from_secs(seconds));
    if crashes {
        for _ in 0..world.env.random.next_u64() % 30 {
            tokio::task::yield_now().await;
        }
        model.reader.follow(world).await;
        world.crash().await;
    }
    expired(world, model).await;
}

async fn late(world: &World) {
    let record = world.tables.get(TABLE).unwrap();
    let changed = match record.global.get("late").map(|index| index.state) {
        None => world.tables.change(TABLE, add_late).await,
        Some(IndexState::Active) => world.tables.change(TABLE, remove_late).await,
        // One change after the other.
        Some(_) => return,
    };
    changed.unwrap();
}

async fn run(seed: u64, steps: Vec<Step>) {
    let mut world = World::of_seed(seed).await;
    world.tables.create(new_table()).await.unwrap();
    world.expire_by("e", START).await;
    let mut model = Model::default();
    for one in steps {
        step(&mut world, &mut model, one).await;
    }
    agrees(&world, &model).await;
    world.crash().await;
    let is_built = async |world: &World| {
        let record = world.tables.get(TABLE).unwrap();
        record
            .global
            .values()
            .all(|index| index.state == IndexState::Active)
    };
    world.until(is_built).await;
    expired(&world, &mut model).await;
    agrees(&world, &model).await;
    assert_eq!(model.reader.follow(&world).await, model.sorted());
}

proptest! {
    // The variable PROPTEST_CASES says how many.
    #![proptest_config(ProptestConfig::default())]

    #[test]
    fn a_table_is_as_its_model(seed in any::<u64>(), steps in steps()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        runtime.unwrap().block_on(run(seed, steps));
    }
}
