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

/// The answers that a caller got.
#[derive(Default)]
struct Answers {
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

async fn open(machine: &Machine) -> Result<EmbeddedLog, LogError> {
    let log = machine.open().await?;
    log.open_shards(&SHARDS, FOREVER).await?;
    log.open_shards(&[SHORT_LIVED], SHORT).await.unwrap();
    Ok(log)
}

/// Works until the disk stops: appends to all shards, maintains now and then, seals the last shard, and reopens once.
async fn work(machine: &Machine, answers: &mut Answers) -> Result<(), LogError> {
    let mut log = open(machine).await?;
    for round in 0..16 {
        machine.clock.advance(Duration::from_millis(100));
        if let Err(e) = work_round(&log, round, answers).await {
            log.close().await;
            return Err(e);
        }
        if round == 7 {
            log.close().await;
            drop(log);
            log = open(machine).await?;
        }
    }
    log.close().await;
    Ok(())
}

async fn work_round(log: &EmbeddedLog, round: u64, answers: &mut Answers) -> Result<(), LogError> {
    let shards: Vec<_> = SHARDS
        .iter()
        .filter(|&&s| !answers.sealed || s != SHARDS[2])
        .copied()
        .collect();
    let filler = "x".repeat(300);
    let mut batch = vec![put(SHORT_LIVED, &[&filler, &filler])];
    for &shard in &shards {
        let next = answers.acknowledged.get(&shard).copied().unwrap_or(0);
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
            Ok(_) => *answers.acknowledged.entry(*shard).or_default() += records.len() as u64,
            Err(AppendError::Log(e)) => return Err(e),
            Err(other) => panic!("{other}"),
        }
    }
    if round == 11 {
        log.seal(SHARDS[2]).await?;
        answers.sealed = true;
    }
    if round % 4 == 3 {
        let done = log.maintain().await?;
        answers.reclaimed += done.deleted + done.rewritten;
    }
    Ok(())
}

async fn check(machine: &Machine, answers: &Answers, at: u64) {
    let log = open(machine)
        .await
        .unwrap_or_else(|e| panic!("step {at}: {e}"));
    for (&shard, &acknowledged) in answers
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
        let sealed = log.state(shard).await.unwrap().sealed;
        assert!(
            sealed || !(answers.sealed && shard == SHARDS[2]),
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
    let report = machine.verify().await;
    assert!(report.damage.is_empty(), "step {at}: {report}");
}

#[test]
fn whatever_step_the_disk_stops_at_nothing_acknowledged_is_lost() {
    run(async {
        let machine = Machine::new(0);
        let mut answers = Answers::default();
        work(&machine, &mut answers).await.unwrap();
        assert!(answers.reclaimed > 1, "{}", answers.reclaimed);
        let steps = machine.disk.steps();
        assert!(
            machine.verify().await.sealed > 5,
            "{}",
            machine.verify().await
        );
        let mut stopped = 0;
        for at in 0..steps {
            for seed in 0..5 {
                let (machine, mut answers) = (Machine::new(at * 5 + seed), Answers::default());
                machine.disk.stop_at(at);
                stopped += usize::from(work(&machine, &mut answers).await.is_err());
                machine.disk.crash();
                check(&machine, &answers, at).await;
            }
        }
        assert!(stopped as u64 > steps, "only {stopped} runs were stopped");
    });
}

#[test]
fn a_crash_while_recovering_from_a_crash_loses_nothing_either() {
    run(async {
        for seed in 0..60 {
            let (machine, mut answers) = (Machine::new(seed), Answers::default());
            machine.disk.stop_at(20 + seed * 2);
            let _ = work(&machine, &mut answers).await;
            machine.disk.crash();
            let before = machine.disk.steps();
            machine.disk.stop_at(before + seed % 5);
            if let Ok(log) = open(&machine).await {
                log.close().await;
            }
            machine.disk.crash();
            check(&machine, &answers, seed).await;
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
        work(&whole, &mut Answers::default()).await.unwrap();
        for at in 0..whole.disk.steps() {
            let (machine, mut answers) = (machine(at * 2), Answers::default());
            machine.disk.stop_at(at);
            let _ = work(&machine, &mut answers).await;
            machine.disk.crash();
            check(&machine, &answers, at).await;
        }
    });
}

/// Appends batches of both shards until the disk stops.
async fn work_in_pairs(machine: &Machine, pair: [ShardNumber; 2]) -> Result<(), AppendError> {
    let log = machine.open().await?;
    log.open_shards(&pair, FOREVER).await?;
    let text = "x".repeat(700);
    let record = [NewRecord {
        key: b"k",
        value: text.as_bytes(),
    }];
    let batch = pair.map(|shard| Append {
        shard,
        records: &record,
    });
    for _ in 0..8 {
        log.append_whole(&batch).await?;
    }
    log.close().await;
    Ok(())
}

#[test]
fn a_batch_that_is_to_be_whole_is_there_or_not() {
    run(async {
        let pair = [SHARDS[0], SHARDS[1]];
        let machine = Machine::new(0);
        work_in_pairs(&machine, pair).await.unwrap();
        for at in 0..machine.disk.steps() {
            for seed in 0..5 {
                let machine = Machine::new(at * 5 + seed);
                machine.disk.stop_at(at);
                let _ = work_in_pairs(&machine, pair).await;
                machine.disk.crash();
                let log = machine.open().await.unwrap();
                log.open_shards(&pair, FOREVER).await.unwrap();
                let [one, two] = pair.map(|shard| log.state(shard));
                let (one, two) = (one.await.unwrap().end, two.await.unwrap().end);
                assert_eq!(one, two, "step {at}, seed {seed}");
                log.close().await;
            }
        }
    });
}
