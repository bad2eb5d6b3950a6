//! Tables against a model of what they say, with restarts, lost power and changes cut short among the actions.
#![allow(clippy::unwrap_used, reason = "this is test code")]

mod support;

use std::collections::BTreeMap;

use headwater_expressions::{Comparison, Condition, Operand, Path, SortCondition};
use headwater_items::{Item, Value};
use headwater_tables::{Cancellation, Target, Transaction, Write, WriteAction, WriteError};
use proptest::prelude::*;
use support::{
    TABLE, World, begin, item, key_of, new_table, number, query, scan, sync, target, text, write,
};

type Key = (u8, i64);

#[derive(Debug, Clone)]
enum Action {
    Put(Others),
    Delete,
}

/// The attributes beside the key: for the indexes, and another.
#[derive(Debug, Clone)]
struct Others {
    a: Option<i64>,
    g: Option<u8>,
    x: i64,
}

#[derive(Debug, Clone)]
enum Step {
    Write(Key, Action),
    /// Writes at one time, which may share an append.
    Together(Vec<(Key, Action)>),
    /// A write if `x` is so.
    If(Key, Action, i64),
    Transact(Vec<(Key, Action)>),
    /// A transaction with a condition that fails.
    Refused(Vec<(Key, Action)>),
    /// Writes whose caller goes away after so many steps, and the power with it.
    CutShort(Vec<(Key, Action)>, usize),
    /// The same with a transaction.
    TransactCutShort(Vec<(Key, Action)>, usize),
    Query(u8, Option<i64>, bool),
    Segments(u32),
    Sync,
    /// Time passes: the index is synced, and the log forgets.
    Pass,
    Reopen,
    Crash,
}

type Model = BTreeMap<Key, Item>;

fn name(partition: u8) -> String {
    format!("p{partition}")
}

fn whole(key: Key, others: &Others) -> Item {
    let a = others.a.map(|a| ("a", number(a)));
    let g = others.g.map(|g| ("g", text(&name(g))));
    let others: Vec<_> = a
        .into_iter()
        .chain(g)
        .chain([("x", number(others.x))])
        .collect();
    item(&name(key.0), key.1, &others)
}

fn to_write((key, action): &(Key, Action)) -> Write {
    let action = match action {
        Action::Put(others) => WriteAction::Put(whole(*key, others).into()),
        Action::Delete => WriteAction::Delete,
    };
    write(item(&name(key.0), key.1, &[]), action)
}

fn apply(model: &mut Model, (key, action): &(Key, Action)) {
    match action {
        Action::Put(others) => drop(model.insert(*key, whole(*key, others))),
        Action::Delete => drop(model.remove(key)),
    }
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let others = (
        prop::option::of(-3i64..3),
        prop::option::of(0u8..2),
        0i64..3,
    );
    let others = others.prop_map(|(a, g, x)| Others { a, g, x });
    let action = prop_oneof![4 => others.prop_map(Action::Put), 1 => Just(Action::Delete)];
    let key = || (0u8..6, -2i64..3);
    let one = (key(), action).boxed();
    let some = prop::collection::vec(one.clone(), 1..5).boxed();
    let step = prop_oneof![
        8 => one.clone().prop_map(|(key, action)| Step::Write(key, action)),
        3 => some.clone().prop_map(Step::Together),
        3 => (one, 0i64..3).prop_map(|((key, action), x)| Step::If(key, action, x)),
        4 => some.clone().prop_map(Step::Transact),
        1 => some.clone().prop_map(Step::Refused),
        2 => (some.clone(), 0usize..100).prop_map(|(some, steps)| Step::CutShort(some, steps)),
        2 => (some, 0usize..100).prop_map(|(some, steps)| Step::TransactCutShort(some, steps)),
        2 => (0u8..6, prop::option::of(-3i64..4), any::<bool>())
            .prop_map(|(partition, from, descending)| Step::Query(partition, from, descending)),
        1 => (1u32..5).prop_map(Step::Segments),
        2 => Just(Step::Sync),
        1 => Just(Step::Pass),
        2 => Just(Step::Reopen),
        3 => Just(Step::Crash),
    ];
    prop::collection::vec(step, 1..40)
}

/// One write of each key, as a transaction wants it.
fn distinct(writes: Vec<(Key, Action)>) -> Vec<(Key, Action)> {
    let by_key: BTreeMap<Key, Action> = writes.into_iter().collect();
    by_key.into_iter().collect()
}

fn transaction(writes: &[(Key, Action)]) -> Transaction {
    let writes = writes
        .iter()
        .map(|write| (TABLE.to_owned(), to_write(write)));
    Transaction {
        writes: writes.collect(),
        token: None,
    }
}

/// Holds of an item whose `x` is so, and of one that is not there if `x` is 0.
fn x_is(x: i64) -> Condition {
    let path = || Path {
        root: "x".into(),
        steps: Vec::new(),
    };
    let is = Condition::Compare(
        Comparison::Equal,
        Operand::Path(path()),
        Operand::Value(number(x).into()),
    );
    match x {
        0 => Condition::Or(Box::new(is), Box::new(Condition::NotExists(path()))),
        _ => is,
    }
}

async fn step(world: &mut World, model: &mut Model, step: Step) {
    match step {
        Step::Write(key, action) => {
            let before = model.get(&key).cloned();
            let one = (key, action);
            apply(model, &one);
            let written = world.tables.write(TABLE, to_write(&one)).await.unwrap();
            let after = model.get(&key).cloned();
            assert_eq!(
                (written.before.as_deref(), written.after.as_deref()),
                (before.as_ref(), after.as_ref())
            );
        }
        Step::Together(writes) => {
            writes.iter().for_each(|write| apply(model, write));
            let writes = writes
                .iter()
                .map(|write| (TABLE.to_owned(), to_write(write)));
            let written = world.tables.write_many(writes.collect()).await;
            assert!(written.iter().all(Result::is_ok));
        }
        Step::If(key, action, x) => {
            let one = (key, action);
            let conditional = Write {
                condition: Some(x_is(x)),
                ..to_write(&one)
            };
            let written = world.tables.write(TABLE, conditional).await;
            let before = model.get(&key).cloned();
            let is = before.as_ref().map_or(number(0), |item| item["x"].clone());
            if is == number(x) {
                assert!(written.is_ok());
                apply(model, &one);
            } else {
                assert_eq!(written, Err(WriteError::ConditionFailed(before)));
            }
        }
        Step::Transact(writes) => {
            let writes = distinct(writes);
            writes.iter().for_each(|write| apply(model, write));
            let done = world.tables.transact(transaction(&writes)).await;
            assert_eq!(done, Ok(false));
        }
        Step::Refused(writes) => refused(world, distinct(writes)).await,
        Step::CutShort(writes, steps) => cut_short(world, model, writes, steps).await,
        Step::TransactCutShort(writes, steps) => {
            transact_cut_short(world, model, distinct(writes), steps).await;
        }
        Step::Query(partition, from, descending) => {
            queries(world, model, partition, from, descending).await;
        }
        Step::Segments(count) => {
            let mut items = Vec::new();
            for segment in 0..count {
                items.extend(world.all(None, scan((segment, count))).await);
            }
            // The segments one behind the other are the whole table, in its order.
            assert_eq!(items, world.scan(None).await);
        }
        Step::Sync => sync(&world.index),
        Step::Pass => {
            world.pass(100);
            for _ in 0..20 {
                tokio::task::yield_now().await;
            }
        }
        Step::Reopen => world.reopen().await,
        Step::Crash => world.crash().await,
    }
}

async fn refused(world: &World, writes: Vec<(Key, Action)>) {
    let mut refused = transaction(&writes);
    let last = refused.writes.len() - 1;
    refused.writes[last].1.condition = Some(x_is(99));
    let Err(Cancellation::Reasons(reasons)) = world.tables.transact(refused).await else {
        panic!("it is refused");
    };
    assert!(reasons[..last].iter().all(Option::is_none));
    assert!(matches!(
        reasons[last],
        Some(WriteError::ConditionFailed(_))
    ));
}

/// Of writes that were cut short each was done or not, those of one key in their order.
async fn cut_short(world: &mut World, model: &mut Model, writes: Vec<(Key, Action)>, steps: usize) {
    let made = writes
        .iter()
        .map(|write| (TABLE.to_owned(), to_write(write)));
    let tables = world.tables.clone();
    begin(tables.write_many(made.collect()), steps).await;
    drop(tables);
    world.crash().await;
    let mut possible: BTreeMap<Key, Vec<Option<Item>>> = BTreeMap::new();
    let mut after = model.clone();
    for write in &writes {
        let known = possible
            .entry(write.0)
            .or_insert_with(|| vec![model.get(&write.0).cloned()]);
        apply(&mut after, write);
        known.push(after.get(&write.0).cloned());
    }
    for (key, possible) in possible {
        let found = world.read(&item(&name(key.0), key.1, &[])).await;
        assert!(
            possible.contains(&found),
            "{found:?} is none of {possible:?}"
        );
        match found {
            Some(item) => drop(model.insert(key, item)),
            None => drop(model.remove(&key)),
        }
    }
}

/// A transaction that was cut short was done whole or not at all.
async fn transact_cut_short(
    world: &mut World,
    model: &mut Model,
    writes: Vec<(Key, Action)>,
    steps: usize,
) {
    let tables = world.tables.clone();
    begin(tables.transact(transaction(&writes)), steps).await;
    drop(tables);
    world.crash().await;
    let mut after = model.clone();
    writes.iter().for_each(|write| apply(&mut after, write));
    let keys = writes
        .iter()
        .map(|((p, s), _)| (TABLE.to_owned(), item(&name(*p), *s, &[])));
    let found = world.tables.read_together(keys.collect()).await.unwrap();
    let of = |model: &Model| -> Vec<_> {
        writes
            .iter()
            .map(|(key, _)| model.get(key).cloned())
            .collect()
    };
    if found == of(&after) {
        *model = after;
    } else {
        assert_eq!(
            found,
            of(model),
            "a transaction is done whole or not at all"
        );
    }
}

async fn queries(world: &World, model: &Model, partition: u8, from: Option<i64>, descending: bool) {
    let sort = from.map(|from| ("s", SortCondition::Greater(number(from))));
    let range = query(("p", text(&name(partition))), sort, descending);
    let found = world.all(None, range).await;
    let wanted = model.range((partition, i64::MIN)..=(partition, i64::MAX));
    let wanted = wanted.filter(|((_, s), _)| from.is_none_or(|from| *s > from));
    let mut wanted: Vec<_> = wanted.map(|(_, item)| item.clone()).collect();
    if descending {
        wanted.reverse();
    }
    assert_eq!(found, wanted);
    let sort = from.map(|from| ("a", SortCondition::LessOrEqual(number(from))));
    let range = query(("g", text(&name(partition))), sort, descending);
    let found = world.all(Some("global"), range).await;
    let is_wanted = |item: &&Item| {
        let a = item.get("a").cloned();
        let is_below = |from: i64| (-10..=from).any(|below| a == Some(number(below)));
        item.get("g") == Some(&text(&name(partition))) && a.is_some() && from.is_none_or(is_below)
    };
    let mut wanted: Vec<_> = model.values().filter(is_wanted).cloned().collect();
    let order = |item: &Item| match item.get("a") {
        Some(Value::Number(a)) => a.to_i64(),
        _ => None,
    };
    assert!(found.is_sorted_by_key(|item| match descending {
        true => order(item).map(|a| -a),
        false => order(item),
    }));
    let mut found = found;
    wanted.sort_by_key(|item| format!("{item:?}"));
    found.sort_by_key(|item| format!("{item:?}"));
    assert_eq!(found, wanted);
}

/// What is found in every way is what the model has, and what the changes make.
async fn agrees(world: &World, model: &Model) {
    let mut found = world.scan(None).await;
    let size = |items: &[Item]| items.iter().map(headwater_items::item_size).sum::<usize>() as u64;
    let count = |target: &Target| world.tables.count(target).unwrap();
    assert_eq!(count(&target(None)), (found.len() as u64, size(&found)));
    for (index, attributes) in [
        ("local", &["p", "s", "a"][..]),
        ("global", &["p", "s", "a", "g", "x"]),
    ] {
        let shown = world.scan(Some(index)).await;
        assert_eq!(
            count(&target(Some(index))),
            (shown.len() as u64, size(&shown))
        );
        let has =
            |item: &&Item| item.contains_key("a") && (index == "local" || item.contains_key("g"));
        let mut wanted: Vec<Item> = model.values().filter(has).cloned().collect();
        wanted
            .iter_mut()
            .for_each(|item| item.retain(|name, _| attributes.contains(&&name[..])));
        assert_eq!(sorted(shown), sorted(wanted), "{index}");
    }
    found = sorted(found);
    assert_eq!(found, sorted(model.values().cloned().collect()));
    let mut folded: Vec<(Item, Item)> = Vec::new();
    for change in world.changes().await {
        let known = folded.iter().position(|(key, _)| *key == change.key);
        assert_eq!(change.existed, known.is_some());
        let before = known.map(|at| folded.swap_remove(at).1);
        assert_eq!(change.before, before);
        assert_ne!(change.before, change.after, "a change changes something");
        folded.extend(change.after.map(|item| (key_of(&item), item)));
    }
    let folded: Vec<_> = folded.into_iter().map(|(_, item)| item).collect();
    assert_eq!(sorted(folded), found);
}

fn sorted(mut items: Vec<Item>) -> Vec<Item> {
    items.sort_by_key(|item| format!("{:?}", key_of(item)));
    items
}

async fn run(seed: u64, steps: Vec<Step>) {
    let mut world = World::of_seed(seed).await;
    world.tables.create(new_table()).await.unwrap();
    let mut model = Model::new();
    for one in steps {
        step(&mut world, &mut model, one).await;
    }
    agrees(&world, &model).await;
    world.crash().await;
    agrees(&world, &model).await;
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    #[test]
    fn a_table_is_as_its_model(seed in any::<u64>(), steps in steps()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(run(seed, steps));
    }
}
