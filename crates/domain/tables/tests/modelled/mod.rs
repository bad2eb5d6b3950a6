//! The model of a table: what its items must be after what was done, and whether the table agrees.
#![allow(clippy::unwrap_used, reason = "this is test code")]

mod cut;
mod reader;

use std::collections::BTreeMap;

use headwater_expressions::{
    Action as Change, Comparison, Condition, Operand, SetValue, SortCondition, Update,
};
use headwater_items::{Item, Value, item_size};
use headwater_tables::{IndexState, Transaction, Write, WriteAction};
use proptest::prelude::*;

use crate::support::{TABLE, World, item, key_of, number, path, query, target, text, write};
pub use cut::{cut_short, transact_cut_short};
pub use reader::{Reader, has_rolled};

pub type Key = (u8, i64);

#[derive(Debug, Clone)]
pub enum Action {
    Put(Others),
    /// Adds to `x`, and sets `g` or takes it away.
    Add(i64, Option<u8>),
    Delete,
    Check,
}

/// The attributes beside the key: for the indexes, for the expiry, and another.
#[derive(Debug, Clone)]
pub struct Others {
    a: Option<i64>,
    g: Option<u8>,
    /// In so many seconds.
    e: Option<i64>,
    x: i64,
}

pub fn others() -> impl Strategy<Value = Others> {
    let (a, g) = (prop::option::of(-3i64..3), prop::option::of(0u8..2));
    let e = prop::option::weighted(0.3, 1i64..200);
    (a, g, e, 0i64..3).prop_map(|(a, g, e, x)| Others { a, g, e, x })
}

/// What there must be.
#[derive(Default)]
pub struct Model {
    pub items: BTreeMap<Key, Item>,
    /// The second since 1970.
    pub now: i64,
    /// A reader of the stream that is there all the time.
    pub reader: Reader,
}

impl Model {
    pub fn write(&self, (key, action): &(Key, Action)) -> Write {
        let action = match action {
            Action::Put(others) => WriteAction::Put(self.whole(*key, others).into()),
            Action::Add(x, g) => WriteAction::Update(add(*x, *g)),
            Action::Delete => WriteAction::Delete,
            Action::Check => WriteAction::Check,
        };
        write(key_item(*key), action)
    }

    pub fn writes(&self, writes: &[(Key, Action)]) -> Vec<(String, Write)> {
        let writes = writes.iter();
        let writes = writes.map(|one| (TABLE.to_owned(), self.write(one)));
        writes.collect()
    }

    pub fn apply(&mut self, (key, action): &(Key, Action)) {
        let before = self.items.remove(key);
        let after = match action {
            Action::Put(others) => Some(self.whole(*key, others)),
            Action::Add(x, g) => Some(added(before.unwrap_or_else(|| key_item(*key)), *x, *g)),
            Action::Delete => None,
            Action::Check => before,
        };
        self.items.extend(after.map(|item| (*key, item)));
    }

    /// Whether [`x_is`] holds of an item.
    pub fn is(&self, key: Key, x: i64) -> bool {
        let item = self.items.get(&key);
        item.map_or(number(0), |item| item["x"].clone()) == number(x)
    }

    /// Gives the items in an order that is the same each time.
    pub fn sorted(&self) -> Vec<Item> {
        sorted(self.items.values().cloned().collect())
    }

    fn whole(&self, (p, s): Key, others: &Others) -> Item {
        let g = others.g.map(|g| ("g", text(&name(g))));
        let e = others.e.map(|e| ("e", number(self.now + e)));
        let a = others.a.map(|a| ("a", number(a))).into_iter();
        let all = a.chain(g).chain(e).chain([("x", number(others.x))]);
        item(&name(p), s, &all.collect::<Vec<_>>())
    }
}

pub fn name(partition: u8) -> String {
    format!("p{partition}")
}

pub fn key_item((p, s): Key) -> Item {
    item(&name(p), s, &[])
}

/// One write of each key, as a transaction wants it.
pub fn one_of_each(writes: Vec<(Key, Action)>) -> Vec<(Key, Action)> {
    let by_key: BTreeMap<Key, Action> = writes.into_iter().collect();
    by_key.into_iter().collect()
}

pub fn transaction(model: &Model, writes: &[(Key, Action)], token: Option<u64>) -> Transaction {
    Transaction {
        writes: model.writes(writes),
        token: token.map(|token| (token.to_string(), [1; 32])),
    }
}

fn add(x: i64, g: Option<u8>) -> Update {
    let g = match g {
        Some(g) => Change::Set(path("g"), SetValue::Value(text(&name(g)).into())),
        None => Change::Remove(path("g")),
    };
    Update(vec![Change::Add(path("x"), number(x).into()), g])
}

fn added(mut item: Item, x: i64, g: Option<u8>) -> Item {
    let known = item.get("x").and_then(integer).unwrap_or(0);
    item.insert("x".into(), number(known + x));
    item.remove("g");
    item.extend(g.map(|g| ("g".to_owned(), text(&name(g)))));
    item
}

fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.to_i64(),
        _ => None,
    }
}

/// Holds of an item whose `x` is so, and of one that is not there if `x` is 0.
pub fn x_is(x: i64) -> Condition {
    let is = Condition::Compare(
        Comparison::Equal,
        Operand::Path(path("x")),
        Operand::Value(number(x).into()),
    );
    match x {
        0 => Condition::Or(Box::new(is), Box::new(Condition::NotExists(path("x")))),
        _ => is,
    }
}

/// Waits until what expired is gone, and nothing else.
pub async fn expired(world: &World, model: &mut Model) {
    let has_expired = |item: &Item, world: &World| {
        let due = item.get("e").and_then(integer);
        due.is_some_and(|due| due <= world.clock_seconds())
    };
    let is_done = async |world: &World| {
        let items = world.scan(None).await;
        items.iter().all(|item| !has_expired(item, world))
    };
    world.until(is_done).await;
    model.items.retain(|_, item| !has_expired(item, world));
}

pub async fn queries(
    world: &World,
    model: &Model,
    partition: u8,
    from: Option<i64>,
    descending: bool,
) {
    let in_order = |mut items: Vec<Item>| {
        if descending {
            items.reverse();
        }
        items
    };
    let sort = from.map(|from| ("s", SortCondition::Greater(number(from))));
    let range = query(("p", text(&name(partition))), sort, descending);
    let of = model
        .items
        .range((partition, i64::MIN)..=(partition, i64::MAX));
    let wanted = of.filter(|((_, s), _)| from.is_none_or(|from| *s > from));
    let wanted = wanted.map(|(_, item)| item.clone()).collect();
    assert_eq!(world.all(None, range).await, in_order(wanted));
    for (index, of) in [("local", "p"), ("global", "g")] {
        let sort = from.map(|from| ("a", SortCondition::LessOrEqual(number(from))));
        let range = query((of, text(&name(partition))), sort, descending);
        let found = in_order(world.all(Some(index), range).await);
        let a = |item: &Item| item.get("a").and_then(integer);
        assert!(found.is_sorted_by_key(a));
        let is_wanted = |item: &&Item| {
            let is_within = a(item).is_some_and(|a| from.is_none_or(|from| a <= from));
            item.get(of) == Some(&text(&name(partition))) && is_within
        };
        let wanted = model.items.values().filter(is_wanted).cloned().collect();
        assert_eq!(sorted(found), shown(index, wanted));
    }
}

/// Whether what is found in every way is what the model has, and what the changes make.
pub async fn agrees(world: &World, model: &Model) {
    let items = model.sorted();
    let mut ways = vec![None, Some("local"), Some("global")];
    let record = world.tables.get(TABLE).unwrap();
    let late = record.global.get("late").map(|index| index.state);
    ways.extend((late == Some(IndexState::Active)).then_some(Some("late")));
    for index in ways {
        let found = sorted(world.scan(index).await);
        let bytes: usize = found.iter().map(item_size).sum();
        let counted = world.tables.count(&target(index)).unwrap();
        assert_eq!(counted, (found.len() as u64, bytes as u64), "{index:?}");
        let wanted = match index {
            Some(index) => shown(index, items.clone()),
            None => items.clone(),
        };
        assert_eq!(found, wanted, "{index:?}");
    }
    assert_eq!(Reader::default().follow(world).await, items);
}

/// Of these items those that an index has, with what it shows of them.
fn shown(index: &str, mut items: Vec<Item>) -> Vec<Item> {
    let (key, attributes): (_, Option<&[&str]>) = match index {
        "local" => (&["a"][..], Some(&["p", "s", "a"])),
        "global" => (&["a", "g"][..], Some(&["p", "s", "a", "g", "x"])),
        _ => (&["a"][..], None),
    };
    items.retain(|item| key.iter().all(|name| item.contains_key(*name)));
    for item in &mut items {
        item.retain(|name, _| attributes.is_none_or(|names| names.contains(&&name[..])));
    }
    sorted(items)
}

fn sorted(mut items: Vec<Item>) -> Vec<Item> {
    items.sort_by_key(|item| format!("{:?}", key_of(item)));
    items
}
