//! Appending, synced.

use std::time::Duration;

use crate::{
    Bench,
    load::{Load, Outcome, Until, fresh},
    machine::{median, synced_writes},
};

const ROUNDS: usize = 3;
const FOR: Duration = Duration::from_secs(2);

/// PutRecords of 500 records of 1 KiB by 8 connections, at few and at many shards.
pub async fn batches(bench: &Bench) {
    let load = |shards| Load {
        callers: 8,
        shards,
        records: 500,
        bytes: 1024,
    };
    let loads = [16, 1000, 10_000].map(load);
    let (mut disk, mut rates, mut processor) =
        (Vec::new(), vec![Vec::new(); 3], vec![Vec::new(); 3]);
    for _ in 0..ROUNDS {
        let raw = synced_writes(bench, 8 << 20);
        for (i, load) in loads.into_iter().enumerate() {
            let outcome = once(bench, load).await;
            rates[i].push(outcome.mib_per_s(load));
            processor[i].push(outcome.micros_per_record());
        }
        disk.push((raw + synced_writes(bench, 8 << 20)) / 2.0);
    }
    println!(
        "put: 8 callers, 500 records of 1 KiB a call; the disk: {:.0} MiB/s in synced writes of 8 MiB",
        median(disk.clone())
    );
    for (i, load) in loads.into_iter().enumerate() {
        let of_disk = rates[i]
            .iter()
            .zip(&disk)
            .map(|(rate, disk)| rate / disk)
            .collect();
        let of_few = rates[i]
            .iter()
            .zip(&rates[0])
            .map(|(rate, few)| rate / few)
            .collect();
        println!(
            "  {:>6} shards: {:>5.0} MiB/s = {:.2} of the disk, {:.2} of 16 shards, {:.2} µs of processor a record",
            load.shards,
            median(rates[i].clone()),
            median(of_disk),
            median(of_few),
            median(processor[i].clone()),
        );
    }
}

/// PutRecord: one record a call.
pub async fn singles(bench: &Bench) {
    for (callers, shards, bytes) in [
        (1, 1, 1024),
        (64, 16, 1024),
        (1000, 100, 100),
        (1000, 10_000, 100),
    ] {
        let load = Load {
            callers,
            shards,
            records: 1,
            bytes,
        };
        let (mut disk, mut rates, mut processor) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            disk.push(synced_writes(bench, 4096) * 256.0);
            let outcome = once(bench, load).await;
            rates.push(outcome.rate());
            processor.push(outcome.micros_per_record());
        }
        println!(
            "single: {callers:>4} callers, {shards:>5} shards, {bytes:>4} bytes: {:>7.0} appends/s = {:.1} for each synced write of 4 KiB ({:.0}/s), {:.2} µs of processor each",
            median(rates.clone()),
            median(
                rates
                    .iter()
                    .zip(&disk)
                    .map(|(rate, disk)| rate / disk)
                    .collect()
            ),
            median(disk),
            median(processor),
        );
    }
}

async fn once(bench: &Bench, load: Load) -> Outcome {
    let dir = bench.dir.join("put");
    let outcome = fresh(&bench.env, &dir, load, Until::Elapsed(FOR)).await;
    bench
        .env
        .disk
        .remove_dir_all(&dir)
        .expect("the log's folder");
    outcome
}
