//! The log's files, damaged: it opens or says what is wrong, and never gives a record that was not written.
#![cfg_attr(feature = "libfuzzer", no_main)]

use std::{io::IoSlice, path::PathBuf, sync::LazyLock};

use headwater_env::{Disk, Env, SimDisk};
use headwater_fuzz::{block_on, machine, target};
use headwater_log::{
    Append, EmbeddedLog, Filter, NewRecord, Options, ReadLimit, Retention, ShardLog, ShardNumber,
    dump, verify,
};
use headwater_types::Millis;

const DIR: &str = "/log";
const SHARDS: u64 = 2;
const FOREVER: Retention = Retention {
    period: std::time::Duration::from_secs(1 << 40),
    floor: Millis::ZERO,
};
const ALL: ReadLimit = ReadLimit {
    records: usize::MAX,
    bytes: usize::MAX,
};

/// The files of a log with some records, two of them full and one in use.
static FILES: LazyLock<Vec<(PathBuf, Vec<u8>)>> = LazyLock::new(|| {
    let (disk, env) = machine();
    block_on(async {
        let log = EmbeddedLog::open(env.clone(), options())
            .await
            .expect("an empty folder opens");
        let shards: Vec<_> = (0..SHARDS).map(ShardNumber).collect();
        log.open_shards(&shards, FOREVER)
            .await
            .expect("a healthy log opens them");
        for n in 0..24_u64 {
            let value = n.to_string().repeat(9);
            let records = [NewRecord {
                key: b"k",
                value: value.as_bytes(),
            }];
            for appended in log
                .append(&[Append {
                    shard: ShardNumber(n % SHARDS),
                    records: &records,
                }])
                .await
            {
                appended.expect("a healthy log takes it");
            }
        }
        log.close().await;
    });
    let names = disk
        .list(DIR.as_ref())
        .expect("the log's folder")
        .into_iter()
        .map(|entry| entry.name);
    let files = names
        .map(|name| PathBuf::from(DIR).join(name))
        .filter(|path| !path.ends_with("LOCK"));
    files
        .map(|path| (path.clone(), disk.contents(&path).expect("a file")))
        .collect()
});

fn options() -> Options {
    Options {
        segment_bytes: 700,
        preallocate_bytes: 0,
        direct: false,
        maintain_every: None,
        ..Options::new(DIR)
    }
}

/// A change: a file, a place in it, what stands there. Beyond the end the file is cut.
type Change = (u8, u16, [u8; 4]);

fn damaged(changes: &[Change]) -> (SimDisk, Env) {
    let (disk, env) = machine();
    disk.create_dir_all(DIR.as_ref()).expect("a folder");
    for (path, bytes) in &*FILES {
        let file = disk.create(path).expect("a file");
        file.write_all_at(&[IoSlice::new(bytes)], 0).expect("room");
    }
    for &(file, at, bytes) in changes {
        let (path, _) = &FILES[usize::from(file) % FILES.len()];
        let change = |now: &mut Vec<u8>| match now.get_mut(usize::from(at)..usize::from(at) + 4) {
            Some(place) => place.copy_from_slice(&bytes),
            None => now
                .truncate(usize::from(u16::from_le_bytes([bytes[0], bytes[1]])) % (now.len() + 1)),
        };
        disk.corrupt(path, change).expect("the file is there");
    }
    (disk, env)
}

target!(|changes: Vec<Change>| {
    let (_, env) = damaged(&changes);
    drop(verify(&env, DIR.as_ref()));
    drop(dump(
        &env,
        DIR.as_ref(),
        Filter {
            shard: None,
            records: true,
        },
        &mut |_| true,
    ));
    block_on(async {
        let Ok(log) = EmbeddedLog::open(env, options()).await else {
            return;
        };
        for shard in (0..SHARDS).map(ShardNumber) {
            if log.open_shards(&[shard], FOREVER).await.is_err() {
                continue;
            }
            let Ok(chunk) = log.read(shard, 0, ALL).await else {
                continue;
            };
            for record in chunk.records {
                let n = record.offset * SHARDS + shard.0;
                assert_eq!(
                    record.value,
                    n.to_string().repeat(9),
                    "a record that was not written"
                );
            }
        }
        log.close().await;
    });
});
