//! The disk stops at every step in turn, the machine loses power, and nothing that was acknowledged is missing.
#![allow(clippy::unwrap_used, reason = "this is test code")]

mod common;

use std::{collections::BTreeMap, time::Duration};

use common::{FOREVER, Machine, Put, append, put, read_all, run};
use headwater_log::*;

const SHARDS: [ShardNumber; 3] = [ShardNumber(1), ShardNumber(2), ShardNumber(3)];
/// Expires while the work goes on, so that files are deleted and rewritten.
const SHORT_LIVED: ShardNumber = ShardNumber(9);
const SHORT: Retention = Retention {
    period: Duration::from_millis(500),
    ..FOREVER
};

/// What a caller was told.
#[derive(Default)]
struct Told {
    /// How many records of each shard are durable.
    acknowledged: BTreeMap<ShardNumber, u64>,
    sealed: bool,
    /// How many files were deleted or rewritten.
    reclaimed: usize,
}

fn value(shard: ShardNumber, offset: u64) -> String {
    format!(
        "{} {offset} {}",
        shard.0,
        ".".repeat((offset * 37 % 200) as usize)
    )
}

fn open(machine: &Machine) -> Result<EmbeddedLog, LogError> {
    let log = machine.open()?;
    SHARDS
        .into_iter()
        .for_each(|shard| log.open_shard(shard, FOREVER));
    log.open_shard(SHORT_LIVED, SHORT);
    Ok(log)
}

/// Works until the disk stops: appends to all shards, maintains now and then, seals the last shard, and reopens once.
async fn work(machine: &Machine, told: &mut Told) -> Result<(), LogError> {
    let mut log = open(machine)?;
    for round in 0..16 {
        machine.clock.advance(Duration::from_millis(100));
        if let Err(e) = work_round(&log, round, told).await {
            log.close().await;
            return Err(e);
        }
        if round == 7 {
            log.close().await;
            drop(log);
            log = open(machine)?;
        }
    }
    log.close().await;
    Ok(())
}

async fn work_round(log: &EmbeddedLog, round: u64, told: &mut Told) -> Result<(), LogError> {
    let shards: Vec<_> = SHARDS
        .iter()
        .filter(|&&s| !told.sealed || s != SHARDS[2])
        .copied()
        .collect();
    let filler = "x".repeat(300);
    let mut batch = vec![put(SHORT_LIVED, &[&filler, &filler])];
    for &shard in &shards {
        let next = told.acknowledged.get(&shard).copied().unwrap_or(0);
        let values: Vec<_> = (next..next + 1 + round % 3)
            .map(|offset| value(shard, offset))
            .collect();
        batch.push(put(
            shard,
            &values.iter().map(String::as_str).collect::<Vec<_>>(),
        ));
    }
    let results = append(log, &batch).await;
    for (Put { shard, records }, result) in batch.iter().zip(results) {
        match result {
            Ok(_) => *told.acknowledged.entry(*shard).or_default() += records.len() as u64,
            Err(AppendError::Log(e)) => return Err(e),
            Err(other) => panic!("{other}"),
        }
    }
    if round == 11 {
        log.seal(SHARDS[2]).await?;
        told.sealed = true;
    }
    if round % 4 == 3 {
        let done = log.maintain().await?;
        told.reclaimed += done.deleted + done.rewritten;
    }
    Ok(())
}

async fn check(machine: &Machine, told: &Told, at: u64) {
    let log = open(machine).unwrap_or_else(|e| panic!("step {at}: {e}"));
    for (&shard, &acknowledged) in told
        .acknowledged
        .iter()
        .filter(|(shard, _)| **shard != SHORT_LIVED)
    {
        let records = read_all(&log, shard, 0)
            .await
            .unwrap_or_else(|e| panic!("step {at}: {e}"));
        assert!(
            records.len() as u64 >= acknowledged,
            "step {at}: records of {shard:?} are lost"
        );
        for (offset, record) in (0..).zip(&records) {
            assert_eq!(
                (record.offset, &record.value[..]),
                (offset, value(shard, offset).as_bytes()),
                "step {at}"
            );
        }
        let sealed = log.state(shard).unwrap().sealed;
        assert!(
            sealed || !(told.sealed && shard == SHARDS[2]),
            "step {at}: the seal is lost"
        );
        if !sealed {
            let next = value(shard, records.len() as u64);
            assert!(
                append(&log, &[put(shard, &[&next])]).await[0].is_ok(),
                "step {at}"
            );
        }
    }
    read_all(&log, SHORT_LIVED, 0)
        .await
        .unwrap_or_else(|e| panic!("step {at}: {e}"));
    log.close().await;
    drop(log);
    let report = machine.verify();
    assert!(report.damage.is_empty(), "step {at}: {report}");
}

#[test]
fn whatever_step_the_disk_stops_at_nothing_acknowledged_is_lost() {
    run(async {
        let machine = Machine::new(0);
        let mut told = Told::default();
        work(&machine, &mut told).await.unwrap();
        assert!(told.reclaimed > 1, "{}", told.reclaimed);
        let steps = machine.disk.steps();
        assert!(machine.verify().sealed > 5, "{}", machine.verify());
        let mut stopped = 0;
        for at in 0..steps {
            for seed in 0..5 {
                let (machine, mut told) = (Machine::new(at * 5 + seed), Told::default());
                machine.disk.stop_at(at);
                stopped += usize::from(work(&machine, &mut told).await.is_err());
                machine.disk.crash();
                check(&machine, &told, at).await;
            }
        }
        assert!(stopped as u64 > steps, "only {stopped} runs were stopped");
    });
}

#[test]
fn a_crash_while_recovering_from_a_crash_loses_nothing_either() {
    run(async {
        for seed in 0..60 {
            let (machine, mut told) = (Machine::new(seed), Told::default());
            machine.disk.stop_at(20 + seed * 2);
            let _ = work(&machine, &mut told).await;
            machine.disk.crash();
            let before = machine.disk.steps();
            machine.disk.stop_at(before + seed % 5);
            if let Ok(log) = open(&machine) {
                log.close().await;
            }
            machine.disk.crash();
            check(&machine, &told, seed).await;
        }
    });
}

#[test]
fn zeros_that_were_written_ahead_are_no_records() {
    run(async {
        let machine = |seed| Machine {
            segment_bytes: 40_000,
            ..Machine::new(seed)
        };
        let whole = machine(0);
        work(&whole, &mut Told::default()).await.unwrap();
        for at in 0..whole.disk.steps() {
            let (machine, mut told) = (machine(at * 2), Told::default());
            machine.disk.stop_at(at);
            let _ = work(&machine, &mut told).await;
            machine.disk.crash();
            check(&machine, &told, at).await;
        }
    });
}
