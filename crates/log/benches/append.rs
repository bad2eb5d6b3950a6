//! How fast the log appends and reads on this machine, beside what its disk can do at most.
//!
//! `cargo bench -p headwater-log [-- DIR]`: the folder should be on the disk in question.

use std::{io::IoSlice, path::Path, sync::Arc, time::Duration};

use bytes::Bytes;
use headwater_env::{Disk, Env, RealDisk};
use headwater_log::*;
use headwater_types::Millis;

const MIB: f64 = (1 << 20) as f64;
const FOREVER: Retention = Retention { period: Duration::from_secs(1 << 40), floor: Millis::ZERO };

fn main() {
    let dir = std::env::args().nth(1).filter(|arg| !arg.starts_with('-')).unwrap_or_else(|| ".".into());
    let dir = tempfile::tempdir_in(dir).expect("a folder to write to");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let env = Env::real();

    let raw_bytes = raw_mib_per_s(&env, dir.path(), 8 << 20);
    let raw_syncs = raw_mib_per_s(&env, dir.path(), 4 << 10) * MIB / 4096.0;
    println!(
        "disk: {raw_bytes:.0} MiB/s in synced writes of 8 MiB, {raw_syncs:.0} synced writes of 4 KiB a second"
    );

    runtime.block_on(async {
        let large = Work { tasks: 16, shards: 4, records: 500, bytes: 1024, batches: 262 };
        let rate = append(&env, &dir.path().join("large"), large).await;
        let mib = rate * 1024.0 / MIB;
        println!(
            "append: {mib:.0} MiB/s, 16 callers, 500 records of 1 KiB each ({:.2} of the disk)",
            mib / raw_bytes
        );
        let small = Work { tasks: 1000, shards: 100, records: 1, bytes: 100, batches: 100 };
        let rate = append(&env, &dir.path().join("small"), small).await;
        println!("append: {rate:.0} a second, 1000 callers, 1 record of 100 bytes each, synced");
        let (shards, mib) = read(&env, &dir.path().join("large"), large).await;
        println!("read: {mib:.0} MiB/s, {shards} shards one after the other, from files");
        let (shards, mib) = read(&env, &dir.path().join("small"), small).await;
        println!("read: {mib:.0} MiB/s, {shards} shards of small blocks one after the other, from files");
    });
}

#[derive(Clone, Copy)]
struct Work {
    tasks: u64,
    shards: u64,
    records: usize,
    bytes: usize,
    batches: usize,
}

/// Writes and syncs `size` bytes again and again for a second.
fn raw_mib_per_s(env: &Env, dir: &Path, size: usize) -> f64 {
    let path = dir.join("raw");
    let file = RealDisk.create(&path).expect("a new file");
    let (bytes, start, mut written) = (vec![7; size], env.clock.elapsed(), 0);
    while env.clock.elapsed() - start < Duration::from_secs(1) {
        file.write_all_at(&[IoSlice::new(&bytes)], written).expect("room on the disk");
        file.sync().expect("a disk that syncs");
        written += size as u64;
    }
    RealDisk.remove(&path).expect("the file that was made");
    written as f64 / MIB / (env.clock.elapsed() - start).as_secs_f64()
}

/// Records a second.
async fn append(env: &Env, dir: &Path, work: Work) -> f64 {
    let log = Arc::new(EmbeddedLog::open(env.clone(), Options::new(dir)).expect("a new log"));
    (0..work.shards).for_each(|shard| log.open_shard(ShardNumber(shard), FOREVER));
    let value = Bytes::from(vec![b'v'; work.bytes]);
    let start = env.clock.elapsed();
    let callers = (0..work.tasks).map(|task| {
        let (log, value) = (log.clone(), value.clone());
        async move {
            for _ in 0..work.batches {
                let record = NewRecord { key: Bytes::from_static(b"key"), value: value.clone() };
                let records = vec![record; work.records];
                let done = log.append(vec![Append { shard: ShardNumber(task % work.shards), records }]).await;
                assert!(done[0].is_ok(), "{done:?}");
            }
        }
    });
    let (done, mut finished) = tokio::sync::mpsc::channel::<()>(1);
    for caller in callers {
        let done = done.clone();
        env.spawn(async move {
            caller.await;
            drop(done);
        });
    }
    drop(done);
    // Ends when the last caller has dropped its sender.
    finished.recv().await;
    let elapsed = (env.clock.elapsed() - start).as_secs_f64();
    log.close().await;
    (work.tasks as usize * work.batches * work.records) as f64 / elapsed
}

/// Reads every shard from its begin to its end, after a reopening; number of shards, and MiB a second.
async fn read(env: &Env, dir: &Path, work: Work) -> (usize, f64) {
    let start = env.clock.elapsed();
    let log = EmbeddedLog::open(env.clone(), Options::new(dir)).expect("the log that was closed");
    println!("open: {:.0} ms", (env.clock.elapsed() - start).as_secs_f64() * 1000.0);
    let (start, mut bytes, mut records) = (env.clock.elapsed(), 0, 0);
    for shard in log.shards() {
        let mut next = 0;
        loop {
            let limit = ReadLimit { records: 10_000, bytes: 4 << 20 };
            let chunk = log.read(shard, next, limit).await.expect("what was written");
            if chunk.records.is_empty() {
                break;
            }
            bytes += chunk.records.iter().map(|r| r.value.len()).sum::<usize>();
            records += chunk.records.len();
            next = chunk.next;
        }
    }
    assert_eq!(records, work.tasks as usize * work.batches * work.records);
    let mib = bytes as f64 / MIB / (env.clock.elapsed() - start).as_secs_f64();
    let shards = log.shards().len();
    println!("resident after reading {:.0} MiB: {:.0} MiB", bytes as f64 / MIB, resident_mib());
    log.close().await;
    (shards, mib)
}

/// What this process holds in memory now; 0 where the system does not tell.
fn resident_mib() -> f64 {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    pages.split(' ').nth(1).and_then(|n| n.parse::<f64>().ok()).unwrap_or(0.0) * 4096.0 / MIB
}
