//! Ten thousand shards: appended to, reopened, read; a shard costs a few kilobytes at the most.
#![allow(clippy::unwrap_used, reason = "this is test code")]

mod common;

use common::{FOREVER, append, put, read_all};
use headwater_env::Env;
use headwater_log::*;

const SHARDS: u64 = 10_000;

fn resident_bytes() -> u64 {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
    pages.split(' ').nth(1).unwrap().parse::<u64>().unwrap() * 4096
}

async fn open(dir: &tempfile::TempDir) -> EmbeddedLog {
    let options = Options {
        segment_bytes: 1 << 20,
        tail_cache_bytes: 1 << 20,
        maintain_every: None,
        ..Options::new(dir.path())
    };
    EmbeddedLog::open(Env::real(), options).await.unwrap()
}

#[tokio::test]
async fn ten_thousand_shards_are_kept_read_and_reopened() {
    let dir = tempfile::tempdir().unwrap();
    let before = resident_bytes();
    let log = open(&dir).await;
    let shards: Vec<_> = (0..SHARDS).map(ShardNumber).collect();
    log.open_shards(&shards, FOREVER).await.unwrap();
    for round in 0..6 {
        for part in 0..10 {
            let shards = (0..SHARDS).filter(|shard| shard % 10 == part);
            let value = |shard: u64| format!("{shard} {round}");
            let batch = shards.map(|shard| put(ShardNumber(shard), &[&value(shard)]));
            assert!(
                append(&log, &batch.collect::<Vec<_>>())
                    .await
                    .iter()
                    .all(Result::is_ok)
            );
        }
    }
    let per_shard = resident_bytes().saturating_sub(before) / SHARDS;
    assert!(per_shard < 4096, "{per_shard} bytes a shard");
    log.maintain().await.unwrap();
    log.close().await;
    drop(log);

    let log = open(&dir).await;
    assert_eq!(log.shards().await.unwrap().len() as u64, SHARDS);
    for shard in (0..SHARDS).step_by(97) {
        let records = read_all(&log, ShardNumber(shard), 0).await.unwrap();
        let values: Vec<_> = records
            .iter()
            .map(|r| String::from_utf8_lossy(&r.value).into_owned())
            .collect();
        let expected: Vec<_> = (0..6).map(|round| format!("{shard} {round}")).collect();
        assert_eq!(values, expected);
    }
    log.close().await;
    drop(log);
    let env = Env::real();
    let report = verify(&env, dir.path()).unwrap();
    assert!(
        report.damage.is_empty() && report.sealed > 2 && report.shards as u64 == SHARDS,
        "{report}"
    );
}
