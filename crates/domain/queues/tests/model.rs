//! A queue against a model of what it says, with restarts and a failing catalog among the actions.
#![allow(clippy::unwrap_used, reason = "this is test code")]

mod support;

use std::{collections::BTreeMap, time::Duration};

use headwater_queues::{Action, Error, Kind, Receipt, ReceiptError, Receive, Received};
use headwater_types::Millis;
use proptest::prelude::*;
use support::{World, attributes, records};

const SHARDS: usize = 2;
const VISIBILITY_S: u64 = 10;

#[derive(Debug, Clone)]
enum Step {
    Put(usize),
    Split,
    Advance(u64),
    Receive(Kind, usize, Option<u64>),
    Settle(prop::sample::Index, Action),
    SetMax(Option<u32>),
    /// A receive that the catalog refuses.
    Fail(Kind),
    Reopen,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let kind = || prop_oneof![3 => Just(Kind::Records), 1 => Just(Kind::DeadLetters)];
    let action = prop_oneof![
        3 => Just(Action::Acknowledge),
        2 => (0u64..15).prop_map(|seconds| Action::Hide(Duration::from_secs(seconds))),
        2 => Just(Action::Restore),
    ];
    let step = prop_oneof![
        6 => (0..SHARDS).prop_map(Step::Put),
        1 => Just(Step::Split),
        4 => (1u64..15).prop_map(Step::Advance),
        8 => (kind(), 1usize..5, prop::option::of(1u64..15)).prop_map(|(k, l, v)| Step::Receive(k, l, v)),
        6 => (any::<prop::sample::Index>(), action).prop_map(|(index, action)| Step::Settle(index, action)),
        1 => prop::option::of(1u32..4).prop_map(Step::SetMax),
        1 => kind().prop_map(Step::Fail),
        2 => Just(Step::Reopen),
    ];
    prop::collection::vec(step, 1..60)
}

/// The model of one record.
#[derive(Default)]
struct Known {
    receives: u32,
    first: Option<Millis>,
    visible: Millis,
    receipt: u64,
    dead: bool,
    acknowledged: bool,
}

#[derive(Default)]
struct Model {
    records: BTreeMap<(String, u64), Known>,
    max: Option<u32>,
    /// All that were ever given.
    receipts: Vec<Receipt>,
}

impl Model {
    fn bury(&mut self, now: Millis) {
        let max = self.max.unwrap_or(u32::MAX);
        for known in self.records.values_mut() {
            known.dead |= !known.acknowledged && known.receives >= max && known.visible <= now;
        }
    }

    fn ready(&self, kind: Kind, now: Millis) -> usize {
        let is_dead = kind == Kind::DeadLetters;
        let is_ready =
            |known: &&Known| !known.acknowledged && known.dead == is_dead && known.visible <= now;
        self.records.values().filter(is_ready).count()
    }

    fn received(
        &mut self,
        kind: Kind,
        now: Millis,
        limit: usize,
        hidden: u64,
        received: &[Received],
    ) {
        self.bury(now);
        assert_eq!(received.len(), limit.min(self.ready(kind, now)));
        for Received {
            receipt,
            record,
            first,
            receives,
        } in received
        {
            let known = self
                .records
                .get_mut(&(receipt.shard.clone(), record.offset))
                .unwrap();
            assert!(
                !known.acknowledged && known.visible <= now,
                "{receipt:?} is not there to be received"
            );
            assert_eq!(known.dead, kind == Kind::DeadLetters);
            assert_eq!(
                (*receives, *first),
                (known.receives + 1, known.first.unwrap_or(now))
            );
            assert!(receipt.number > known.receipt && receipt.offset == record.offset);
            known.receives += 1;
            known.first = Some(*first);
            known.visible = now.plus(Duration::from_secs(hidden));
            known.receipt = receipt.number;
            self.receipts.push(receipt.clone());
        }
    }

    fn settled(
        &mut self,
        receipt: &Receipt,
        action: Action,
        now: Millis,
    ) -> Result<(), ReceiptError> {
        self.bury(now);
        let known = self
            .records
            .get_mut(&(receipt.shard.clone(), receipt.offset))
            .unwrap();
        if known.acknowledged {
            return Err(ReceiptError::Gone);
        }
        if receipt.number != known.receipt {
            return Err(ReceiptError::Superseded);
        }
        if known.dead && receipt.kind == Kind::Records {
            return Err(ReceiptError::DeadLetter);
        }
        match action {
            Action::Acknowledge => known.acknowledged = true,
            Action::Hide(time) => known.visible = now.plus(time),
            Action::Restore => {
                (known.receives, known.visible, known.dead) = (0, now, false);
                known.receipt += 1;
            }
        }
        Ok(())
    }
}

async fn run(steps: Vec<Step>) {
    let mut world = World::new(SHARDS).await;
    let mut model = Model {
        max: Some(2),
        ..Model::default()
    };
    let id = world
        .queue(attributes(VISIBILITY_S as u32, model.max))
        .await;
    let mut shards: Vec<usize> = (0..SHARDS).collect();
    let mut made = SHARDS;
    for step in steps {
        let now = world.now();
        match step {
            Step::Put(at) => {
                let shard = shards[at % shards.len()];
                let offset = world.put(shard, "x");
                model
                    .records
                    .insert((shard.to_string(), offset), Known::default());
            }
            Step::Split => {
                world.stream.split(shards.remove(0));
                shards.extend([made, made + 1]);
                made += 2;
            }
            Step::Advance(seconds) => world.advance(seconds),
            Step::Receive(kind, limit, hidden) => {
                let visibility = hidden.map(Duration::from_secs);
                let receive = Receive {
                    limit,
                    visibility,
                    wait: Duration::ZERO,
                    ..records(kind)
                };
                let mut received = world.queues.receive(&id, receive).await.unwrap();
                if received.len() < limit {
                    // The children of a shard that was just found to have ended come with the next receive.
                    let rest = Receive {
                        limit: limit - received.len(),
                        ..receive
                    };
                    received.extend(world.queues.receive(&id, rest).await.unwrap());
                }
                model.received(kind, now, limit, hidden.unwrap_or(VISIBILITY_S), &received);
            }
            Step::Settle(index, action) if !model.receipts.is_empty() => {
                let receipt = index.get(&model.receipts).clone();
                let is_possible = action != Action::Restore || receipt.kind == Kind::DeadLetters;
                let action = if is_possible {
                    action
                } else {
                    Action::Acknowledge
                };
                let expected = model.settled(&receipt, action, now);
                let settled = world
                    .queues
                    .settle(&id, receipt.kind, vec![(receipt, action)])
                    .await
                    .unwrap();
                assert_eq!(settled, [expected]);
            }
            Step::Settle(..) => {}
            Step::SetMax(max) => {
                model.bury(now);
                model.max = max;
                world
                    .queues
                    .update(&id, move |attributes| attributes.max_receives = max)
                    .await
                    .unwrap();
            }
            Step::Fail(kind) => {
                model.bury(now);
                let expected = model.ready(kind, now);
                world.catalog.fail_after(0);
                let receive = Receive {
                    wait: Duration::ZERO,
                    ..records(kind)
                };
                let answer = world.queues.receive(&id, receive).await;
                assert!(
                    matches!(answer, Err(Error::Catalog(_)))
                        || expected == 0
                        || answer == Ok(Vec::new())
                );
                world.catalog.mend();
            }
            Step::Reopen => world.reopen().await,
        }
    }
    drain(&mut world, &id, &mut model).await;
}

/// All records that were never acknowledged are there, and no others.
async fn drain(world: &mut World, id: &str, model: &mut Model) {
    world.advance(VISIBILITY_S * 2);
    world.reopen().await;
    model.bury(world.now());
    let mut found = Vec::new();
    for kind in [Kind::Records, Kind::DeadLetters] {
        // Twice without any: the children of shards that have ended come with the next receive.
        let mut empty = 0;
        while empty < 2 {
            let received = world.receive(id, kind, 10).await;
            empty = if received.is_empty() { empty + 1 } else { 0 };
            found.extend(
                received
                    .into_iter()
                    .map(|received| (received.receipt.shard, received.record.offset)),
            );
        }
    }
    found.sort();
    let left = model
        .records
        .iter()
        .filter(|(_, known)| !known.acknowledged)
        .map(|(key, _)| key.clone());
    assert_eq!(found, left.collect::<Vec<_>>());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn each_record_is_delivered_until_it_is_acknowledged_and_never_after(steps in steps()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(run(steps));
    }
}
