//! Reading out of files: nothing is in the tail.

use std::{path::Path, sync::Arc};

use headwater_log::*;

use crate::{
    Bench,
    load::{self, Load, Until},
    machine::{MIB, cached_reads, disk_reads, processor_seconds},
};

/// MiB of data in each log that is read.
const DATA: u64 = 400;
const READERS: u64 = 2;

pub async fn run(bench: &Bench) {
    let (large, small) = (
        cached_reads(bench, 1 << 20, 1 << 20),
        cached_reads(bench, 1096, 1 << 20),
    );
    println!(
        "read: the system's cache gives {large:.0} MiB/s in reads of 1 MiB, {small:.0} in reads of 1 KiB far apart, to one reader"
    );
    for (shards, bytes) in [(16, 1024), (100, 1024), (10_000, 1024), (100, 100)] {
        let load = Load {
            callers: 8,
            shards,
            records: 500,
            bytes,
        };
        let dir = bench.dir.join("read");
        fill(bench, &dir, load, DATA).await;
        let log = load::open(&bench.env, cold(&dir), 0).await;
        for page in [(1000, 10 << 20), (10_000, 4 << 20)] {
            let limit = ReadLimit {
                records: page.0,
                bytes: page.1,
            };
            read_by_many(bench, &log, load, limit, READERS, false).await;
        }
        log.close().await;
        drop(log);
        forget(&dir);
        let (log, before) = (load::open(&bench.env, cold(&dir), 0).await, disk_reads());
        let limit = ReadLimit {
            records: 1000,
            bytes: 10 << 20,
        };
        read_by_many(bench, &log, load, limit, READERS, false).await;
        println!(
            "    the same from the disk: {:.0} MiB were read of it",
            (disk_reads() - before) / MIB
        );
        log.close().await;
        bench
            .env
            .disk
            .remove_dir_all(&dir)
            .expect("the log's folder");
    }
    hundred_consumers(bench).await;
}

/// 100 consumers read all of 16 shards: each byte once from the disk.
async fn hundred_consumers(bench: &Bench) {
    let load = Load {
        callers: 8,
        shards: 16,
        records: 500,
        bytes: 1024,
    };
    let dir = bench.dir.join("read");
    fill(bench, &dir, load, 128).await;
    forget(&dir);
    let log = load::open(&bench.env, cold(&dir), 0).await;
    let before = disk_reads();
    let limit = ReadLimit {
        records: 1000,
        bytes: 10 << 20,
    };
    read_by_many(bench, &log, load, limit, 100, true).await;
    println!(
        "    of 128 MiB of records, {:.0} MiB were read from the disk",
        (disk_reads() - before) / MIB
    );
    log.close().await;
    bench
        .env
        .disk
        .remove_dir_all(&dir)
        .expect("the log's folder");
}

fn cold(dir: &Path) -> Options {
    Options {
        tail_cache_bytes: 0,
        ..Options::new(dir)
    }
}

async fn fill(bench: &Bench, dir: &Path, load: Load, mib: u64) {
    let log = load::open(
        &bench.env,
        Options {
            sync: false,
            ..cold(dir)
        },
        load.shards,
    )
    .await;
    let until = Until::Records((mib << 20) / load.bytes as u64);
    load::append(&bench.env, &log, load, until).await;
    log.maintain().await.expect("footers");
    log.close().await;
}

/// Has the system forget what it holds of the files in memory.
fn forget(dir: &Path) {
    for entry in std::fs::read_dir(dir).expect("the log's folder") {
        let file = std::fs::OpenOptions::new()
            .read(true)
            .open(entry.expect("a file").path())
            .expect("a file");
        file.sync_all().expect("a disk that syncs");
        rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed)
            .expect("a system that takes advice");
    }
}

/// Reads every shard from its begin to its end: each by one of the readers, or by all of them.
async fn read_by_many(
    bench: &Bench,
    log: &Arc<EmbeddedLog>,
    load: Load,
    limit: ReadLimit,
    readers: u64,
    each_reads_all: bool,
) {
    let (start, processor) = (bench.env.clock.elapsed(), processor_seconds());
    let (tell, mut told) = tokio::sync::mpsc::channel(readers as usize);
    for reader in 0..readers {
        let (log, tell) = (log.clone(), tell.clone());
        bench.env.spawn(async move {
            let mine = (0..load.shards).filter(|shard| each_reads_all || shard % readers == reader);
            let mut records = 0;
            for shard in mine {
                records += read_to_end(&log, ShardNumber(shard), limit).await;
            }
            tell.send(records).await.expect("somebody who counts");
        });
    }
    drop(tell);
    let mut records = 0;
    while let Some(more) = told.recv().await {
        records += more;
    }
    let seconds = (bench.env.clock.elapsed() - start).as_secs_f64();
    println!(
        "  {:>6} shards, records of {:>4} bytes, {:>6} a page, {readers:>3} readers: {:>5.0} MB/s of data, {:.2} µs of processor a record",
        load.shards,
        load.bytes,
        limit.records,
        records as f64 * load.bytes as f64 / 1e6 / seconds,
        (processor_seconds() - processor) * 1e6 / records as f64,
    );
}

async fn read_to_end(log: &EmbeddedLog, shard: ShardNumber, limit: ReadLimit) -> usize {
    let (mut next, mut records) = (0, 0);
    loop {
        let chunk = log
            .read(shard, next, limit)
            .await
            .expect("what was written");
        if chunk.records.is_empty() {
            return records;
        }
        records += chunk.records.len();
        next = chunk.next;
    }
}
