//! Opening: empty, after a clean end, and after the process just went away.

use std::path::Path;

use headwater_log::*;

use crate::{
    Bench,
    load::{self, Load, Until},
    machine::resident_mib,
};

pub async fn run(bench: &Bench) {
    let empty = bench.dir.join("empty");
    println!("open: {:.1} ms, empty", millis(bench, &empty).await);
    println!(
        "open: {:.1} ms, 58 MiB without a footer and a clean end",
        after_crash(bench).await
    );
    for shards in [16, 10_000] {
        let dir = bench.dir.join("open");
        let load = Load {
            callers: 8,
            shards,
            records: 500,
            bytes: 1024,
        };
        let mut held = 0;
        for gib in [1, 2, 4] {
            let log = load::open(&bench.env, unsynced(&dir), shards).await;
            load::append(&bench.env, &log, load, Until::Records((gib - held) << 20)).await;
            log.maintain().await.expect("footers");
            log.close().await;
            drop(log);
            held = gib;
            let clean = millis(bench, &dir).await;
            println!(
                "open: {clean:.1} ms, {shards} shards, {gib} GiB, {:.0} MiB resident",
                resident_mib()
            );
        }
        bench
            .env
            .disk
            .remove_dir_all(&dir)
            .expect("the log's folder");
    }
}

fn unsynced(dir: &Path) -> Options {
    Options {
        sync: false,
        ..Options::new(dir)
    }
}

async fn millis(bench: &Bench, dir: &Path) -> f64 {
    let start = bench.env.clock.elapsed();
    let log = load::open(&bench.env, Options::new(dir), 0).await;
    let taken = (bench.env.clock.elapsed() - start).as_secs_f64() * 1000.0;
    log.close().await;
    taken
}

/// A file's frames are read, and nothing says that they are all.
async fn after_crash(bench: &Bench) -> f64 {
    let dir = bench.dir.join("crashed");
    let load = Load {
        callers: 8,
        shards: 16,
        records: 500,
        bytes: 1024,
    };
    let log = load::open(&bench.env, unsynced(&dir), load.shards).await;
    load::append(&bench.env, &log, load, Until::Records(58 << 10)).await;
    log.close().await;
    drop(log);
    let is_log = |entry: &headwater_env::Entry| entry.name.ends_with(".log");
    let newest = bench
        .env
        .disk
        .list(&dir)
        .expect("the log's folder")
        .into_iter()
        .rfind(is_log)
        .expect("a file");
    let file = bench.env.disk.open(&dir.join(newest.name)).expect("a file");
    // The mark of the clean end.
    file.set_len(newest.len - 36).expect("a file that is cut");
    millis(bench, &dir).await
}
