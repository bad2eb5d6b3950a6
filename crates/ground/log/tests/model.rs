//! Any sequence of actions, reopenings and crashes among them, does to the log what it does to a simple model.
#![allow(clippy::unwrap_used, reason = "this is test code")]

mod common;

use std::{collections::BTreeMap, time::Duration};

use bytes::Bytes;
use common::{Machine, Put, append, run};
use headwater_log::*;
use headwater_types::Millis;
use proptest::prelude::*;

#[derive(Debug, Clone)]
enum Action {
    /// Appends to shards: how many records, of how many bytes.
    Append(Vec<(u64, u8, u16)>),
    Read {
        shard: u64,
        from: u64,
        records: usize,
        bytes: usize,
    },
    OffsetAt {
        shard: u64,
        back: u64,
    },
    Seal(u64),
    Remove(u64),
    /// Another period, in milliseconds.
    Retain(u64, u64),
    Pass(u64),
    Maintain,
    Close,
    Crash,
}

fn action() -> impl Strategy<Value = Action> {
    let shard = 0u64..4;
    prop_oneof![
        8 => prop::collection::vec((0u64..4, 1u8..5, 0u16..300), 1..5).prop_map(Action::Append),
        4 => (shard.clone(), 0u64..60, 1usize..20, 0usize..2000)
            .prop_map(|(shard, from, records, bytes)| Action::Read { shard, from, records, bytes }),
        2 => (shard.clone(), 0u64..5000).prop_map(|(shard, back)| Action::OffsetAt { shard, back }),
        1 => shard.clone().prop_map(Action::Seal),
        1 => shard.clone().prop_map(Action::Remove),
        1 => (shard, 0u64..5000).prop_map(|(shard, period)| Action::Retain(shard, period)),
        3 => (1u64..1000).prop_map(Action::Pass),
        2 => Just(Action::Maintain),
        1 => Just(Action::Close),
        1 => Just(Action::Crash),
    ]
}

#[derive(Default)]
struct Shard {
    records: Vec<(Millis, (Bytes, Bytes))>,
    sealed: bool,
    retention: Option<Retention>,
}

impl Shard {
    fn first(&self, now: Millis) -> u64 {
        let cutoff = self
            .retention
            .map_or(Millis::ZERO, |r| r.floor.max(now.minus(r.period)));
        self.records.partition_point(|(time, _)| *time < cutoff) as u64
    }

    fn state(&self, now: Millis) -> ShardState {
        ShardState {
            first: self.first(now),
            end: self.records.len() as u64,
            newest: self.records.last().map_or(Millis::ZERO, |(time, _)| *time),
            sealed: self.sealed,
        }
    }
}

struct World {
    machine: Machine,
    log: Option<EmbeddedLog>,
    /// By the shard's number in the log; the actions' number is what is left of a division by 4.
    shards: BTreeMap<u64, Shard>,
    /// How often each of the four was removed: its next number was never used before.
    removed: [u64; 4],
    made: u64,
}

impl World {
    async fn new(writes_ahead: bool) -> Self {
        let machine = Machine {
            writes_ahead,
            ..Machine::new(1)
        };
        let mut world = Self {
            machine,
            log: None,
            shards: BTreeMap::new(),
            removed: [0; 4],
            made: 0,
        };
        (0..4).for_each(|shard| drop(world.shards.insert(shard, Shard::default())));
        world.open().await;
        world
    }

    fn log(&self) -> &EmbeddedLog {
        self.log.as_ref().unwrap()
    }

    fn now(&self) -> Millis {
        self.machine.env.clock.now()
    }

    fn number(&self, shard: u64) -> u64 {
        shard + 4 * self.removed[shard as usize]
    }

    /// Opens the log as a server does: shards that belong to nothing go, and the others get their retention.
    async fn open(&mut self) {
        let log = self.machine.open().await.unwrap();
        let mut strays = log.shards().await.unwrap();
        strays.retain(|shard| !self.shards.contains_key(&shard.0));
        log.remove_shards(&strays).await.unwrap();
        for (number, shard) in &mut self.shards {
            let all = Retention {
                period: Duration::from_secs(1 << 40),
                floor: Millis::ZERO,
            };
            let retention = *shard.retention.get_or_insert(all);
            let shards = [ShardNumber(*number)];
            log.open_shards(&shards, retention).await.unwrap();
        }
        self.log = Some(log);
    }

    async fn act(&mut self, action: &Action) {
        match action {
            Action::Append(batch) => self.append(batch).await,
            Action::Read {
                shard,
                from,
                records,
                bytes,
            } => {
                let limit = ReadLimit {
                    records: *records,
                    bytes: *bytes,
                };
                self.read(self.number(*shard), *from, limit).await;
            }
            Action::OffsetAt { shard, back } => {
                let (number, time) = (
                    self.number(*shard),
                    self.now().minus(Duration::from_millis(*back)),
                );
                let shard = &self.shards[&number];
                let expected = shard.records.partition_point(|(t, _)| *t < time) as u64;
                let found = self.log().offset_at(ShardNumber(number), time).await;
                assert_eq!(found, Ok(expected.max(shard.first(self.now()))));
            }
            Action::Seal(shard) => {
                let number = self.number(*shard);
                let end = self.log().seal(ShardNumber(number)).await.unwrap();
                let shard = self.shards.get_mut(&number).unwrap();
                assert_eq!(end, shard.records.len() as u64);
                shard.sealed = true;
            }
            Action::Remove(shard) => {
                let number = self.number(*shard);
                let shards = [ShardNumber(number)];
                self.log().remove_shards(&shards).await.unwrap();
                self.shards.remove(&number);
                self.removed[*shard as usize] += 1;
                self.retain(*shard, Duration::from_secs(1 << 40)).await;
            }
            Action::Retain(shard, period) => {
                self.retain(*shard, Duration::from_millis(*period)).await;
            }
            Action::Pass(time) => self.machine.clock.advance(Duration::from_millis(*time)),
            Action::Maintain => drop(self.log().maintain().await.unwrap()),
            Action::Close => {
                self.log().close().await;
                self.log = None;
                let report = self.machine.verify().await;
                assert!(
                    report.damage.is_empty() && report.leftovers.is_empty(),
                    "{report}"
                );
                self.open().await;
            }
            Action::Crash => {
                let old = self.log.take().unwrap();
                self.machine.disk.crash();
                old.close().await;
                drop(old);
                self.open().await;
            }
        }
    }

    /// Sets a period as a server does: what is expired stays expired.
    async fn retain(&mut self, shard: u64, period: Duration) {
        let (number, now) = (self.number(shard), self.now());
        let shard = self.shards.entry(number).or_default();
        let floor = shard
            .retention
            .map_or(Millis::ZERO, |r| r.floor.max(now.minus(r.period)));
        let retention = Retention { period, floor };
        shard.retention = Some(retention);
        let shards = [ShardNumber(number)];
        self.log().open_shards(&shards, retention).await.unwrap();
    }

    async fn append(&mut self, batch: &[(u64, u8, u16)]) {
        let mut appends = Vec::new();
        for (shard, count, bytes) in batch {
            let mut record = || {
                self.made += 1;
                common::record(
                    &format!("key{}", self.made),
                    vec![self.made as u8; usize::from(*bytes)],
                )
            };
            let records = (0..*count).map(|_| record()).collect();
            appends.push(Put {
                shard: ShardNumber(self.number(*shard)),
                records,
            });
        }
        let results = append(self.log(), &appends).await;
        let now = self.now();
        for (Put { shard, records }, result) in appends.into_iter().zip(results) {
            let shard = self.shards.get_mut(&shard.0).unwrap();
            if shard.sealed {
                assert_eq!(result, Err(AppendError::Sealed));
                continue;
            }
            assert_eq!(
                result,
                Ok(Appended {
                    first_offset: shard.records.len() as u64,
                    time: now
                })
            );
            shard
                .records
                .extend(records.into_iter().map(|record| (now, record)));
        }
    }

    async fn read(&self, number: u64, from: u64, limit: ReadLimit) {
        let chunk = self
            .log()
            .read(ShardNumber(number), from, limit)
            .await
            .unwrap();
        let shard = &self.shards[&number];
        let state = shard.state(self.now());
        assert_eq!(chunk.state, state);
        let from = from.max(state.first).min(state.end);
        assert_eq!(chunk.next, from + chunk.records.len() as u64);
        assert!(chunk.records.len() <= limit.records.max(1));
        assert!(
            from == state.end || !chunk.records.is_empty(),
            "at least one record"
        );
        let bytes: usize = chunk
            .records
            .iter()
            .map(|r| r.key.len() + r.value.len())
            .sum();
        assert!(bytes <= limit.bytes || chunk.records.len() == 1);
        for (offset, found) in (from..).zip(&chunk.records) {
            let (time, (key, value)) = shard.records[offset as usize].clone();
            assert_eq!(
                *found,
                Record {
                    offset,
                    time,
                    key,
                    value
                }
            );
        }
    }

    async fn check(&self) {
        assert!(self.log().health().is_ok());
        for (number, shard) in &self.shards {
            assert_eq!(
                self.log().state(ShardNumber(*number)).await,
                Ok(shard.state(self.now())),
                "shard {number}"
            );
            let mut from = 0;
            while from < shard.records.len() as u64 {
                self.read(
                    *number,
                    from,
                    ReadLimit {
                        records: 9,
                        bytes: 1000,
                    },
                )
                .await;
                from += 5;
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn the_log_does_what_the_model_does(
        writes_ahead: bool, actions in prop::collection::vec(action(), 1..60),
    ) {
        run(async {
            let mut world = World::new(writes_ahead).await;
            for action in &actions {
                world.act(action).await;
                for (number, shard) in &world.shards {
                    let state = world.log().state(ShardNumber(*number)).await;
                    assert_eq!(state, Ok(shard.state(world.now())), "shard {number} after {action:?}");
                }
            }
            world.check().await;
            world.act(&Action::Close).await;
            world.check().await;
            world.act(&Action::Maintain).await;
            world.check().await;
        });
    }
}
