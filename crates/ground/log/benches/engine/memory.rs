//! The engine's memory at full load, over time.

use std::time::Duration;

use headwater_log::*;

use crate::{
    Bench,
    load::{self, Load, Until},
    machine::{MIB, resident_mib},
};

const SLICES: u32 = 10;
const SLICE: Duration = Duration::from_secs(2);

pub async fn run(bench: &Bench) {
    let loads = [
        Load {
            callers: 8,
            shards: 16,
            records: 500,
            bytes: 1024,
        },
        Load {
            callers: 8,
            shards: 10_000,
            records: 500,
            bytes: 1024,
        },
        Load {
            callers: 1000,
            shards: 100,
            records: 1,
            bytes: 100,
        },
    ];
    for load in loads {
        let dir = bench.dir.join("memory");
        let options = Options::new(&dir);
        let tail = options.tail_cache_bytes as f64 / MIB;
        let log = load::open(&bench.env, options, load.shards).await;
        print!(
            "memory: {} callers, {} shards, {} × {} bytes; MiB beside the {tail:.0} of the tail, every {} s:",
            load.callers,
            load.shards,
            load.records,
            load.bytes,
            SLICE.as_secs(),
        );
        for _ in 0..SLICES {
            load::append(&bench.env, &log, load, Until::Elapsed(SLICE)).await;
            print!(" {:.0}", resident_mib() - tail);
        }
        println!();
        log.close().await;
        bench
            .env
            .disk
            .remove_dir_all(&dir)
            .expect("the log's folder");
    }
}
