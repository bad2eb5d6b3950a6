//! The engine on a real folder: what callers see of appends, reads, seals and a reopening.
#![allow(clippy::unwrap_used, reason = "this is test code")]

mod common;

use std::sync::Arc;

use common::{ALL, FOREVER, append, put};
use headwater_env::Env;
use headwater_log::*;

const S: ShardNumber = ShardNumber(7);

async fn values(log: &EmbeddedLog, shard: ShardNumber, from: u64) -> Vec<String> {
    let chunk = log.read(shard, from, ALL).await.unwrap();
    chunk
        .records
        .iter()
        .map(|r| String::from_utf8(r.value.to_vec()).unwrap())
        .collect()
}

#[tokio::test]
async fn what_was_appended_is_read_before_and_after_a_reopening() {
    let dir = tempfile::tempdir().unwrap();
    let log = EmbeddedLog::open(Env::real(), Options::new(dir.path())).unwrap();
    let second = EmbeddedLog::open(Env::real(), Options::new(dir.path())).err();
    assert_eq!(
        second,
        Some(LogError::InUse {
            dir: dir.path().to_owned()
        })
    );
    log.open_shard(S, FOREVER);
    let done = append(
        &log,
        &[
            put(S, &["a", "b"]),
            put(ShardNumber(9), &["x"]),
            put(S, &["c"]),
        ],
    )
    .await;
    assert_eq!(done[0].as_ref().unwrap().first_offset, 0);
    assert_eq!(done[1], Err(AppendError::Unknown(ShardNumber(9))));
    assert_eq!(done[2].as_ref().unwrap().first_offset, 2);
    assert_eq!(values(&log, S, 1).await, ["b", "c"]);
    log.close().await;
    assert_eq!(
        append(&log, &[put(S, &["d"])]).await,
        [Err(AppendError::Log(LogError::Closed))]
    );
    drop(log);

    let log = EmbeddedLog::open(Env::real(), Options::new(dir.path())).unwrap();
    assert_eq!(log.shards(), [S]);
    assert_eq!(values(&log, S, 0).await, ["a", "b", "c"]);
    assert_eq!(
        append(&log, &[put(S, &["d"])]).await[0]
            .as_ref()
            .unwrap()
            .first_offset,
        3
    );
    assert_eq!(values(&log, S, 2).await, ["c", "d"]);
    assert_eq!(log.state(S).unwrap().end, 4);
}

#[tokio::test]
async fn a_sealed_shard_takes_nothing_more() {
    let dir = tempfile::tempdir().unwrap();
    let log = EmbeddedLog::open(Env::real(), Options::new(dir.path())).unwrap();
    log.open_shard(S, FOREVER);
    append(&log, &[put(S, &["a"])]).await;
    assert_eq!(log.seal(S).await, Ok(1));
    assert_eq!(log.seal(S).await, Ok(1));
    assert_eq!(
        append(&log, &[put(S, &["b"])]).await,
        [Err(AppendError::Sealed)]
    );
    assert!(log.state(S).unwrap().sealed);
    log.wait(S, 5).await;
    log.close().await;
    drop(log);
    let log = EmbeddedLog::open(Env::real(), Options::new(dir.path())).unwrap();
    assert_eq!(
        append(&log, &[put(S, &["b"])]).await,
        [Err(AppendError::Sealed)]
    );
    assert_eq!(values(&log, S, 0).await, ["a"]);
}

#[tokio::test]
async fn a_waiter_wakes_when_the_end_moves_and_when_the_shard_goes() {
    let dir = tempfile::tempdir().unwrap();
    let log = Arc::new(EmbeddedLog::open(Env::real(), Options::new(dir.path())).unwrap());
    log.open_shard(S, FOREVER);
    let batch = [put(S, &["a"])];
    let (appended, ()) = tokio::join!(append(&log, &batch), log.wait(S, 0));
    assert!(appended[0].is_ok());
    let removing = async {
        log.remove_shard(S);
    };
    tokio::join!(log.wait(S, 1), removing);
    assert_eq!(log.state(S), Err(LogError::Unknown(S)));
    log.wait(S, 0).await;
}

#[tokio::test]
async fn a_read_stays_within_its_limits_but_gives_at_least_one_record() {
    let dir = tempfile::tempdir().unwrap();
    let log = EmbeddedLog::open(Env::real(), Options::new(dir.path())).unwrap();
    log.open_shard(S, FOREVER);
    append(&log, &[put(S, &["one", "two"]), put(S, &["three"])]).await;
    let read = |from, records, bytes| log.read(S, from, ReadLimit { records, bytes });
    assert_eq!(read(0, 10, 1).await.unwrap().records.len(), 1);
    assert_eq!(read(0, 10, 8).await.unwrap().records.len(), 2);
    assert_eq!(read(1, 2, 1000).await.unwrap().next, 3);
    let end = read(3, 1, 1).await.unwrap();
    assert_eq!((end.records.len(), end.next), (0, 3));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn readers_that_follow_many_writers_see_every_record_once_and_in_order() {
    const WRITERS: u64 = 8;
    const EACH: u64 = 150;
    let dir = tempfile::tempdir().unwrap();
    let options = Options {
        segment_bytes: 40_000,
        tail_cache_bytes: 10_000,
        ..Options::new(dir.path())
    };
    let log = Arc::new(EmbeddedLog::open(Env::real(), options).unwrap());
    let shards = [S, ShardNumber(8)];
    shards
        .iter()
        .for_each(|&shard| log.open_shard(shard, FOREVER));
    let mut tasks = tokio::task::JoinSet::new();
    for writer in 0..WRITERS {
        let log = log.clone();
        tasks.spawn(async move {
            for i in 0..EACH {
                let text = format!("{writer} {i}");
                let results = append(&log, &shards.map(|shard| put(shard, &[&text]))).await;
                assert!(results.iter().all(Result::is_ok));
            }
        });
    }
    for shard in [S, S, shards[1]] {
        let log = log.clone();
        tasks.spawn(async move {
            let (mut next, mut seen) = (0, [0; WRITERS as usize]);
            while next < WRITERS * EACH {
                log.wait(shard, next).await;
                let chunk = log
                    .read(
                        shard,
                        next,
                        ReadLimit {
                            records: 40,
                            bytes: 4000,
                        },
                    )
                    .await
                    .unwrap();
                assert!(!chunk.records.is_empty());
                for record in &chunk.records {
                    assert_eq!(record.offset, next);
                    next += 1;
                    let text = String::from_utf8(record.value.to_vec()).unwrap();
                    let (writer, i) = text.split_once(' ').unwrap();
                    let seen = &mut seen[writer.parse::<usize>().unwrap()];
                    assert_eq!(i, seen.to_string());
                    *seen += 1;
                }
            }
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
    log.close().await;
}
