//! Leases as items, and changes as conditions and updates, attribute for attribute as KCL 3.5.1 writes them
//! (`DynamoDBLeaseSerializer`, `DynamoDBLeaseRefresher`).
//!
//! What KCL writes when a processor prepares a checkpoint (`pendingCheckpoint…`) is not read, and goes with the next
//! checkpoint, as there.

use std::collections::BTreeSet;

use headwater_items::{Item, Number, Value};
use headwater_types::{HashRange, Millis};

use crate::{
    checkpoint::{Checkpoint, Place},
    lease::{Change, Lease, StoreError, switches},
    table::items::{Expected, Update, Updates, Wanted},
};

/// The table's key, of all kinds of items.
pub(super) const KEY: &str = "leaseKey";
/// The kind of an item; leases of earlier versions of KCL have none.
pub(super) const ENTITY: &str = "entityType";
const LEASE: &str = "LEASE";
const OWNER: &str = "leaseOwner";
const COUNTER: &str = "leaseCounter";
const CHECKPOINT: &str = "checkpoint";
const SUB_SEQUENCE_NUMBER: &str = "checkpointSubSequenceNumber";
const PENDING: [&str; 3] = [
    "pendingCheckpoint",
    "pendingCheckpointState",
    "pendingCheckpointSubSequenceNumber",
];
const CHECKPOINT_OWNER: &str = "checkpointOwner";
const SWITCHES: &str = "ownerSwitchesSinceCheckpoint";
const PARENTS: &str = "parentShardId";
const CHILDREN: &str = "childShardIds";
const RANGE_START: &str = "startingHashKey";
const RANGE_END: &str = "endingHashKey";
const THROUGHPUT: &str = "throughputKBps";
/// The stream of a lease, where an application has several.
const STREAM: &str = "streamName";

/// A lease as its table keeps it.
pub(super) fn item(lease: &Lease) -> Item {
    let (checkpoint, sub) = written(&lease.checkpoint);
    let always = [
        (KEY, text(&lease.key)),
        (ENTITY, text(LEASE)),
        (COUNTER, number(lease.counter)),
        (CHECKPOINT, checkpoint),
        (SUB_SEQUENCE_NUMBER, sub),
        (SWITCHES, number(lease.switches_since_checkpoint)),
        (RANGE_START, text(lease.range.start.to_string())),
        (RANGE_END, text(lease.range.end.to_string())),
    ];
    let sometimes = [
        (OWNER, lease.owner.as_ref().map(text)),
        (CHECKPOINT_OWNER, lease.checkpoint_owner.as_ref().map(text)),
        (PARENTS, set(&lease.parents)),
        (CHILDREN, set(&lease.children)),
    ];
    let sometimes = sometimes.map(|(name, value)| value.map(|value| (name, value)));
    let attributes = always.into_iter().chain(sometimes.into_iter().flatten());
    attributes
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

/// The lease that an item is; none for items of other kinds.
pub(super) fn lease(item: &Item) -> Result<Option<Lease>, StoreError> {
    if item.get(ENTITY).is_some_and(|kind| *kind != text(LEASE)) {
        return Ok(None);
    }
    let key = read_text(item, KEY)?.unwrap_or_default();
    if item.contains_key(STREAM) {
        let problem = "the application has several streams, which is not supported";
        return Err(StoreError(format!("{problem}: lease {key}")));
    }
    Ok(Some(Lease {
        owner: read_text(item, OWNER)?,
        checkpoint_owner: read_text(item, CHECKPOINT_OWNER)?,
        counter: read_number(item, COUNTER)?,
        checkpoint: read_checkpoint(item)?,
        switches_since_checkpoint: read_number(item, SWITCHES)?,
        parents: read_set(item, PARENTS)?,
        children: read_set(item, CHILDREN)?,
        range: read_range(item)?,
        key,
    }))
}

/// That a lease has the counter that it had when it was seen.
pub(super) fn same_counter(seen: &Lease) -> Expected {
    Expected::from([(COUNTER, Wanted::Is(number(seen.counter)))])
}

/// What must be so for a change to be made: [`Change::fits`] in the table's words.
pub(super) fn expected(seen: &Lease, change: &Change) -> Expected {
    let same = |value: &Option<String>| match value {
        Some(value) => Wanted::Is(text(value)),
        None => Wanted::Absent,
    };
    let mut expected = same_counter(seen);
    match change {
        Change::Release => Expected::from([
            // Of a lease that is gone the other two may be true.
            (KEY, Wanted::Is(text(&seen.key))),
            (OWNER, same(&seen.owner)),
            (CHECKPOINT_OWNER, same(&seen.checkpoint_owner)),
        ]),
        Change::Renew { .. } if seen.checkpoint_owner.is_none() => {
            expected.insert(CHECKPOINT_OWNER, Wanted::Absent);
            expected
        }
        _ => expected,
    }
}

/// What a change writes: [`Change::apply`] in the table's words.
pub(super) fn updates(seen: &Lease, change: &Change) -> Updates {
    let mut updates = Updates::from([(COUNTER, Update::Put(number(seen.counter + 1)))]);
    match change {
        Change::Renew { throughput } => {
            updates.extend(throughput.map(|bytes| (THROUGHPUT, Update::Put(kilobytes(bytes)))));
        }
        Change::Take(consumer) => {
            updates.insert(OWNER, Update::Put(text(consumer)));
            updates.insert(CHECKPOINT_OWNER, Update::Delete);
            if switches(seen, consumer) {
                updates.insert(SWITCHES, Update::Add(Number::from(1)));
            }
        }
        Change::Checkpoint(checkpoint) => updates.extend(progress(checkpoint)),
        Change::Finish(children) => {
            updates.extend(progress(&Checkpoint::ShardEnd));
            updates.extend(set(children).map(|children| (CHILDREN, Update::Put(children))));
        }
        Change::Release => {
            // The counter is not among what must be as it was.
            updates.insert(COUNTER, Update::Add(Number::from(1)));
            updates.insert(CHECKPOINT_OWNER, Update::Delete);
            match seen.checkpoint_owner {
                Some(_) => updates.insert(SWITCHES, Update::Add(Number::from(1))),
                None => updates.insert(OWNER, Update::Delete),
            };
        }
    }
    updates
}

/// What a checkpoint writes.
fn progress(checkpoint: &Checkpoint) -> impl Iterator<Item = (&'static str, Update)> {
    let (checkpoint, sub) = written(checkpoint);
    let put = [
        (CHECKPOINT, Update::Put(checkpoint)),
        (SUB_SEQUENCE_NUMBER, Update::Put(sub)),
        (SWITCHES, Update::Put(number(0))),
    ];
    put.into_iter()
        .chain(PENDING.map(|pending| (pending, Update::Delete)))
}

/// A checkpoint, and the number within an aggregated record.
fn written(checkpoint: &Checkpoint) -> (Value, Value) {
    let (word, sub) = match checkpoint {
        Checkpoint::TrimHorizon => ("TRIM_HORIZON", 0),
        Checkpoint::Latest => ("LATEST", 0),
        Checkpoint::AtTimestamp(_) => ("AT_TIMESTAMP", 0),
        Checkpoint::ShardEnd => ("SHARD_END", 0),
        Checkpoint::At(place) => (place.sequence_number.as_str(), place.sub_sequence_number),
    };
    (text(word), number(sub))
}

fn read_checkpoint(item: &Item) -> Result<Checkpoint, StoreError> {
    let word = read_text(item, CHECKPOINT)?.unwrap_or_default();
    Ok(match word.as_str() {
        "TRIM_HORIZON" => Checkpoint::TrimHorizon,
        "LATEST" => Checkpoint::Latest,
        // Each worker has the time in its own configuration; without one it is all there is.
        "AT_TIMESTAMP" => Checkpoint::AtTimestamp(Millis(0)),
        "SHARD_END" => Checkpoint::ShardEnd,
        digits if !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit()) => {
            Checkpoint::At(Place {
                sequence_number: word,
                sub_sequence_number: read_number(item, SUB_SEQUENCE_NUMBER)?,
            })
        }
        _ => return Err(unreadable(item, CHECKPOINT)),
    })
}

/// The hash keys; all of them for a lease that earlier versions of KCL made without.
fn read_range(item: &Item) -> Result<HashRange, StoreError> {
    match (read_text(item, RANGE_START)?, read_text(item, RANGE_END)?) {
        (Some(start), Some(end)) => match (start.parse(), end.parse()) {
            (Ok(start), Ok(end)) => Ok(HashRange { start, end }),
            _ => Err(unreadable(item, RANGE_START)),
        },
        _ => Ok(HashRange::ALL),
    }
}

fn read_text(item: &Item, name: &str) -> Result<Option<String>, StoreError> {
    match item.get(name) {
        Some(Value::String(text)) => Ok(Some(text.clone())),
        None => Ok(None),
        Some(_) => Err(unreadable(item, name)),
    }
}

fn read_number(item: &Item, name: &str) -> Result<u64, StoreError> {
    match item.get(name) {
        Some(Value::Number(number)) => number
            .to_i64()
            .and_then(|number| u64::try_from(number).ok())
            .ok_or_else(|| unreadable(item, name)),
        None => Ok(0),
        Some(_) => Err(unreadable(item, name)),
    }
}

fn read_set(item: &Item, name: &str) -> Result<Vec<String>, StoreError> {
    match item.get(name) {
        Some(Value::StringSet(texts)) => Ok(texts.iter().cloned().collect()),
        None => Ok(Vec::new()),
        Some(_) => Err(unreadable(item, name)),
    }
}

fn unreadable(item: &Item, name: &str) -> StoreError {
    let key = item.get(KEY);
    StoreError(format!("the lease {key:?} has an unreadable {name}"))
}

pub(super) fn text(text: impl ToString) -> Value {
    Value::String(text.to_string())
}

pub(super) fn number(number: u64) -> Value {
    Value::Number(Number::from(i64::try_from(number).unwrap_or(i64::MAX)))
}

/// Bytes a second in kilobytes of 1,024, with six decimals.
fn kilobytes(bytes: u64) -> Value {
    let kilobytes = format!("{:.6}", bytes as f64 / 1024.0);
    Value::Number(kilobytes.parse().unwrap_or(Number::ZERO))
}

fn set(texts: &[String]) -> Option<Value> {
    let texts: BTreeSet<String> = texts.iter().cloned().collect();
    (!texts.is_empty()).then_some(Value::StringSet(texts))
}
