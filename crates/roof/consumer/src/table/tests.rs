//! Leases over a table in memory. That they behave as those in memory do is `same`'s.

mod same;

use std::{sync::Arc, time::Duration};

use headwater_env::{Env, ManualClock};
use headwater_items::{Item, Number, Value};
use headwater_types::{HashKey, HashRange, Millis};

use super::{fake::FakeTable, layout};
use crate::{
    Assigning, Change, Changed, Checkpoint, CheckpointError, Lease, LeaseStore, Place, Shard,
    held_lease::HeldLease,
};

fn lease() -> Lease {
    let shard = Shard {
        id: "shardId-000000000002".into(),
        parents: vec!["shardId-000000000000".into()],
        range: HashRange {
            start: HashKey(5),
            end: HashKey(700),
        },
        open: true,
    };
    Lease::of(&shard, Checkpoint::TrimHorizon)
}

fn at(number: &str, sub: u64) -> Checkpoint {
    Checkpoint::At(Place {
        sequence_number: number.into(),
        sub_sequence_number: sub,
    })
}

fn env() -> (Env, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::at(Millis(1_700_000_000_999)));
    let env = Env {
        clock: clock.clone(),
        ..Env::real()
    };
    (env, clock)
}

fn text(text: &str) -> Option<Value> {
    Some(Value::String(text.into()))
}

fn number(number: i64) -> Option<Value> {
    Some(Value::Number(Number::from(number)))
}

fn set(text: &str) -> Option<Value> {
    Some(Value::StringSet([text.to_owned()].into()))
}

fn item(attributes: &[(&str, Option<Value>)]) -> Item {
    let there = attributes.iter().cloned();
    there
        .filter_map(|(name, value)| Some((name.to_owned(), value?)))
        .collect()
}

async fn done(store: &dyn LeaseStore, seen: &Lease, change: Change) -> Lease {
    match store.change(seen, change).await.unwrap() {
        Changed::Done(lease) => lease,
        refused => panic!("{refused:?}"),
    }
}

#[tokio::test]
async fn items_are_those_of_kcl() {
    let (table, (env, _)) = (Arc::<FakeTable>::default(), env());
    let (store, new) = (table.leases(&env), lease());
    assert!(store.create(new.clone()).await.unwrap());
    let mut wanted = vec![
        ("leaseKey", text("shardId-000000000002")),
        ("entityType", text("LEASE")),
        ("leaseCounter", number(0)),
        ("checkpoint", text("TRIM_HORIZON")),
        ("checkpointSubSequenceNumber", number(0)),
        ("ownerSwitchesSinceCheckpoint", number(0)),
        ("parentShardId", set("shardId-000000000000")),
        ("startingHashKey", text("5")),
        ("endingHashKey", text("700")),
    ];
    assert_eq!(table.item(&new.key), Some(item(&wanted)));

    let taken = done(&*store, &new, Change::Take("a".into())).await;
    let renew = Change::Renew {
        throughput: Some(1536),
    };
    let renewed = done(&*store, &taken, renew).await;
    // What a processor of KCL's prepared.
    table.write(&new.key, &[("pendingCheckpoint", text("8"))]);
    let stolen = done(&*store, &renewed, Change::Take("b".into())).await;
    wanted.extend([
        ("leaseOwner", text("b")),
        ("leaseCounter", number(3)),
        ("ownerSwitchesSinceCheckpoint", number(1)),
        (
            "throughputKBps",
            Some(Value::Number("1.5".parse().unwrap())),
        ),
        ("pendingCheckpoint", text("8")),
    ]);
    assert_eq!(table.item(&new.key), Some(item(&wanted)));

    let far = done(&*store, &stolen, Change::Checkpoint(at("495", 7))).await;
    wanted.extend([
        ("leaseCounter", number(4)),
        ("checkpoint", text("495")),
        ("checkpointSubSequenceNumber", number(7)),
        ("ownerSwitchesSinceCheckpoint", number(0)),
    ]);
    wanted.retain(|(name, _)| *name != "pendingCheckpoint");
    assert_eq!(table.item(&new.key), Some(item(&wanted)));
    let listed = store.list().await.unwrap();
    assert_eq!(listed, std::slice::from_ref(&far));

    let ended = done(&*store, &far, Change::Finish(vec!["c".into()])).await;
    done(&*store, &ended, Change::Release).await;
    wanted.extend([
        ("leaseCounter", number(6)),
        ("checkpoint", text("SHARD_END")),
        ("checkpointSubSequenceNumber", number(0)),
        ("childShardIds", set("c")),
    ]);
    wanted.retain(|(name, _)| *name != "leaseOwner");
    assert_eq!(table.item(&new.key), Some(item(&wanted)));
}

#[test]
fn other_items_are_passed_over_and_damage_is_told() {
    let old = item(&[
        ("leaseKey", text("s")),
        ("checkpoint", text("AT_TIMESTAMP")),
    ]);
    let lease = layout::lease(&old).unwrap().unwrap();
    assert_eq!(lease.range, HashRange::ALL, "made before KCL kept them");
    assert_eq!(lease.checkpoint, Checkpoint::AtTimestamp(Millis(0)));
    let with = |name: &str, value: Option<Value>| {
        let mut item = old.clone();
        item.insert(name.into(), value.unwrap());
        layout::lease(&item)
    };
    assert_eq!(with("entityType", text("LEADER")), Ok(None));
    for (name, value) in [
        ("checkpoint", text("")),
        ("checkpoint", text("-1")),
        ("leaseCounter", number(-1)),
        ("leaseCounter", text("1")),
        ("leaseOwner", number(1)),
        ("parentShardId", text("p")),
        ("streamName", text("of several")),
    ] {
        assert!(with(name, value.clone()).is_err(), "{name} {value:?}");
    }
    let ranged = |start: &str| {
        let mut item = old.clone();
        item.insert("startingHashKey".into(), text(start).unwrap());
        item.insert("endingHashKey".into(), text("9").unwrap());
        layout::lease(&item)
    };
    assert!(ranged("1").is_ok() && ranged("x").is_err());
}

#[tokio::test]
async fn of_two_that_take_a_lease_one_wins() {
    let (table, (env, _)) = (Arc::<FakeTable>::default(), env());
    let new = lease();
    // Each process has its own.
    let (one, other) = (table.leases(&env), table.leases(&env));
    assert!(one.create(new.clone()).await.unwrap());
    assert!(!other.create(new.clone()).await.unwrap());
    let (a, b) = tokio::join!(
        one.change(&new, Change::Take("a".into())),
        other.change(&new, Change::Take("b".into()))
    );
    let (winner, found) = match (a.unwrap(), b.unwrap()) {
        (Changed::Done(winner), Changed::Refused(found)) => (winner, found),
        (Changed::Refused(found), Changed::Done(winner)) => (winner, found),
        both => panic!("{both:?}"),
    };
    assert_eq!(found.as_ref(), Some(&winner));
    // What is known from before is no good for anything.
    let renew = Change::Renew { throughput: None };
    for stale in [renew.clone(), Change::Checkpoint(at("1", 0))] {
        let refused = other.change(&new, stale).await.unwrap();
        assert_eq!(refused, Changed::Refused(Some(winner.clone())));
    }
    assert!(!other.remove(&new).await.unwrap());
    let renewed = done(&*one, &winner, renew).await;
    assert!(one.remove(&renewed).await.unwrap());
    let gone = one.change(&renewed, Change::Release).await.unwrap();
    assert_eq!(gone, Changed::Refused(None), "a lease is not made anew");
    assert_eq!(table.item(&new.key), None);
}

/// A lease of `a`'s, held.
async fn held(table: &Arc<FakeTable>, env: &Env) -> HeldLease {
    let (store, new) = (table.leases(env), lease());
    store.create(new.clone()).await.unwrap();
    let lease = done(&*store, &new, Change::Take("a".into())).await;
    let duration = Duration::from_secs(10);
    HeldLease::new(lease, store, env.clone(), duration, Duration::ZERO)
}

/// Asks `a` to hand its lease over, as a leader of KCL's does: the counter stays.
fn ask(table: &FakeTable, key: &str, next: &str) {
    let asked = [("leaseOwner", text(next)), ("checkpointOwner", text("a"))];
    table.write(key, &asked);
}

#[tokio::test]
async fn a_lease_is_handed_over_where_that_is_asked_for() {
    let (table, (env, _)) = (Arc::<FakeTable>::default(), env());
    let held = held(&table, &env).await;
    ask(&table, held.key(), "j");
    held.renew().await.unwrap();
    assert!(held.is_handed_over() && held.is_mine());
    held.renew().await.unwrap();
    held.release().await.unwrap();
    let after = table.item(held.key()).unwrap();
    assert_eq!(after.get("leaseOwner"), text("j").as_ref());
    assert_eq!(after.get("checkpointOwner"), None);
    assert_eq!(after.get("leaseCounter"), number(4).as_ref());
    assert_eq!(
        after.get("ownerSwitchesSinceCheckpoint"),
        number(1).as_ref()
    );
    assert_eq!(held.renew().await, Err(CheckpointError::Lost));
}

#[tokio::test]
async fn a_checkpoint_finds_that_a_handover_is_asked_for() {
    let (table, (env, _)) = (Arc::<FakeTable>::default(), env());
    let held = held(&table, &env).await;
    ask(&table, held.key(), "j");
    held.finish(&[]).await.unwrap();
    assert!(held.is_handed_over());
    held.release().await.unwrap();
    let lease = layout::lease(&table.item(held.key()).unwrap()).unwrap();
    assert_eq!(lease.unwrap().holder(), Some("j"));
}

#[tokio::test]
async fn a_lease_that_is_given_back_while_a_handover_is_asked_for_goes_to_the_next() {
    let (table, (env, _)) = (Arc::<FakeTable>::default(), env());
    let held = held(&table, &env).await;
    ask(&table, held.key(), "j");
    held.release().await.unwrap();
    let lease = layout::lease(&table.item(held.key()).unwrap()).unwrap();
    assert_eq!(lease.unwrap().holder(), Some("j"));
}

#[tokio::test]
async fn a_write_whose_answer_is_lost_does_not_lose_the_lease() {
    let (table, (env, _)) = (Arc::<FakeTable>::default(), env());
    let held = held(&table, &env).await;
    table.lose_an_answer();
    assert!(matches!(held.renew().await, Err(CheckpointError::Store(_))));
    held.renew().await.unwrap();
    assert_eq!(held.lease().await.counter, 3);
    // The same counter from another's hand is something else.
    table.lose_an_answer();
    assert!(held.renew().await.is_err());
    table.write(held.key(), &[("leaseOwner", text("b"))]);
    assert_eq!(held.renew().await, Err(CheckpointError::Lost));
}

#[tokio::test]
async fn a_counter_that_went_on_by_itself_is_anothers() {
    let (table, (env, _)) = (Arc::<FakeTable>::default(), env());
    let held = held(&table, &env).await;
    table.write(held.key(), &[("leaseCounter", number(2))]);
    assert_eq!(held.renew().await, Err(CheckpointError::Lost));
}

#[tokio::test]
async fn a_consumer_tells_of_itself_as_a_worker_does() {
    let (table, (env, clock)) = (Arc::<FakeTable>::default(), env());
    let store = table.leases(&env);
    let told = |seconds: i64| {
        let empty = Some(Value::Map(Item::new()));
        let attributes = [
            ("leaseKey", text("a")),
            ("entityType", text("WORKER_METRIC_STATS")),
            ("lut", number(seconds)),
            ("slu", number(seconds)),
            ("sts", empty.clone()),
            ("opr", empty),
            ("sup", number(1)),
        ];
        Some(item(&attributes))
    };
    assert_eq!(store.greet("a").await, Ok(Assigning::Consumers));
    assert_eq!(table.item("a"), told(1_700_000_000));
    clock.advance(Duration::from_secs(5));
    store.greet("a").await.unwrap();
    assert_eq!(table.item("a"), told(1_700_000_005));
    assert_eq!(store.list().await, Ok(vec![]), "it is no lease");
    store.leave("a").await.unwrap();
    assert_eq!(table.item("a"), None);

    let taken = lease();
    store.create(taken.clone()).await.unwrap();
    let before = table.item(&taken.key);
    assert!(store.greet(&taken.key).await.is_err());
    store.leave(&taken.key).await.unwrap();
    assert_eq!(
        table.item(&taken.key),
        before,
        "whatever a consumer is called"
    );
}

#[tokio::test]
async fn a_leader_is_believed_in_while_its_lock_goes_on() {
    let (table, (env, clock)) = (Arc::<FakeTable>::default(), env());
    let store = table.leases(&env);
    let lock = |version: &str| {
        let lock = [
            ("entityType", text("LEADER")),
            ("recordVersionNumber", text(version)),
            ("leaseDuration", text("20000")),
        ];
        table.write("Leader", &lock);
    };
    let after = async |seconds| {
        clock.advance(Duration::from_secs(seconds));
        store.greet("a").await.unwrap()
    };
    lock("1");
    assert_eq!(
        after(100).await,
        Assigning::Leader,
        "none saw how old it is"
    );
    assert_eq!(after(19).await, Assigning::Leader);
    lock("2");
    assert_eq!(after(19).await, Assigning::Leader);
    assert_eq!(after(20).await, Assigning::Consumers);
    lock("3");
    assert_eq!(after(0).await, Assigning::Leader);
    table.write("Leader", &[("isReleased", text("1"))]);
    assert_eq!(after(0).await, Assigning::Consumers);
}
