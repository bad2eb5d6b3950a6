//! Calls whose caller goes away, and the power with it: what they may have done.

use std::collections::BTreeMap;

use headwater_items::Item;

use super::{Action, Key, Model, key_item, transaction};
use crate::support::{TABLE, World, begin};

/// Of writes that were cut short each was done or not, those of one key in their order.
pub async fn cut_short(
    world: &mut World,
    model: &mut Model,
    writes: Vec<(Key, Action)>,
    steps: usize,
) {
    let tables = world.tables.clone();
    begin(tables.write_many(model.writes(&writes)), steps).await;
    drop(tables);
    // What it sees now it must see again, whatever the power failure leaves.
    model.reader.follow(world).await;
    world.crash().await;
    let before = model.items.clone();
    let mut possible: BTreeMap<Key, Vec<Option<Item>>> = BTreeMap::new();
    for write in &writes {
        let known = possible
            .entry(write.0)
            .or_insert_with(|| vec![before.get(&write.0).cloned()]);
        model.apply(write);
        known.push(model.items.get(&write.0).cloned());
    }
    for (key, possible) in possible {
        let found = world.read(&key_item(key)).await;
        assert!(
            possible.contains(&found),
            "{found:?} is none of {possible:?}"
        );
        model.items.remove(&key);
        model.items.extend(found.map(|item| (key, item)));
    }
}

/// A transaction that was cut short was done whole or not at all; where its caller asks again, it is done once.
pub async fn transact_cut_short(
    world: &mut World,
    model: &mut Model,
    writes: Vec<(Key, Action)>,
    steps: usize,
    again: bool,
) {
    let token = again.then(|| world.env.random.next_u64());
    let (tables, wanted) = (world.tables.clone(), transaction(model, &writes, token));
    begin(tables.transact(wanted.clone()), steps).await;
    drop(tables);
    model.reader.follow(world).await;
    world.crash().await;
    let keys = writes
        .iter()
        .map(|(key, _)| (TABLE.to_owned(), key_item(*key)));
    let of = |model: &Model| -> Vec<_> {
        let keys = writes.iter();
        keys.map(|(key, _)| model.items.get(key).cloned()).collect()
    };
    let found = world.tables.read_together(keys.collect()).await.unwrap();
    let (before, items) = (of(model), model.items.clone());
    writes.iter().for_each(|write| model.apply(write));
    let after = of(model);
    assert!(
        found == before || found == after,
        "a transaction is done whole or not at all: {found:?} is neither {before:?} nor {after:?}"
    );
    if again {
        let was_done = world.tables.transact(wanted).await.unwrap();
        // One that changes nothing cannot be told from one that was not done.
        assert!(before == after || was_done == (found == after));
    } else if found == before {
        model.items = items;
    }
}
