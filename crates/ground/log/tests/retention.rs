//! Expired records cannot be read any more, and their bytes are given back, whatever else their files hold.
#![allow(clippy::unwrap_used, reason = "this is test code")]

mod common;

use std::time::Duration;

use common::{FOREVER, Machine, append, put, read_all, run};
use headwater_log::*;
use headwater_types::Millis;

const KEPT: ShardNumber = ShardNumber(1);
const SHORT: ShardNumber = ShardNumber(2);
const MINUTE: Duration = Duration::from_secs(60);
const ONE_MINUTE: Retention = Retention {
    period: MINUTE,
    floor: Millis::ZERO,
};

/// Records in both shards, most bytes of them in the short-lived one.
async fn fill(machine: &Machine, log: &EmbeddedLog) {
    log.open_shards(&[KEPT], FOREVER).await.unwrap();
    log.open_shards(&[SHORT], ONE_MINUTE).await.unwrap();
    for i in 0..40 {
        let long = "s".repeat(200);
        let done = append(
            log,
            &[put(KEPT, &[&format!("{i}")]), put(SHORT, &[&long, &long])],
        )
        .await;
        assert!(done.iter().all(Result::is_ok));
        machine.clock.advance(Duration::from_millis(10));
    }
}

async fn used(machine: &Machine) -> u64 {
    let entries = machine.list().await;
    entries.iter().map(|entry| entry.len).sum()
}

async fn kept_values(log: &EmbeddedLog) -> Vec<String> {
    let records = read_all(log, KEPT, 0).await.unwrap();
    records
        .iter()
        .map(|r| String::from_utf8_lossy(&r.value).into_owned())
        .collect()
}

#[test]
fn expired_bytes_are_given_back_and_what_is_alive_beside_them_stays() {
    run(async {
        let machine = Machine::new(1);
        let log = machine.open().await.unwrap();
        fill(&machine, &log).await;
        assert_eq!(log.maintain().await, Ok(Maintained::default()));
        let (before, expected) = (used(&machine).await, kept_values(&log).await);
        machine.clock.advance(MINUTE);
        assert_eq!(log.state(SHORT).await.unwrap().first, 80);
        assert!(read_all(&log, SHORT, 0).await.unwrap().is_empty());
        let done = log.maintain().await.unwrap();
        assert!(done.rewritten > 5 && done.deleted == 0, "{done:?}");
        assert!(
            used(&machine).await < before / 2,
            "{} of {before}",
            used(&machine).await
        );
        assert_eq!(
            log.maintain().await,
            Ok(Maintained::default()),
            "nothing more to do"
        );
        assert_eq!(kept_values(&log).await, expected);

        log.close().await;
        drop(log);
        let report = machine.verify().await;
        assert!(
            report.damage.is_empty() && report.leftovers.is_empty(),
            "{report}"
        );
        let log = machine.open().await.unwrap();
        log.open_shards(&[KEPT], FOREVER).await.unwrap();
        log.open_shards(&[SHORT], ONE_MINUTE).await.unwrap();
        assert_eq!(kept_values(&log).await, expected);
        assert_eq!(
            append(&log, &[put(SHORT, &["new"])]).await[0]
                .as_ref()
                .unwrap()
                .first_offset,
            80
        );
        assert_eq!(read_all(&log, SHORT, 0).await.unwrap().len(), 1);
    });
}

#[test]
fn a_removed_shards_bytes_go_and_files_without_anything_alive_with_them() {
    run(async {
        let machine = Machine::new(1);
        let log = machine.open().await.unwrap();
        fill(&machine, &log).await;
        log.maintain().await.unwrap();
        let files = machine.verify().await.files;
        log.remove_shards(&[KEPT]).await.unwrap();
        log.remove_shards(&[SHORT]).await.unwrap();
        let done = log.maintain().await.unwrap();
        // The newest footer stays, as the checkpoint, and the file that takes the appends.
        assert_eq!((done.deleted, done.rewritten), (files - 2, 1));
        assert!(log.shards().await.unwrap().is_empty());
        log.close().await;
        drop(log);
        assert!(machine.verify().await.damage.is_empty());
        assert!(machine.open().await.is_ok());
    });
}

#[test]
fn a_longer_retention_brings_nothing_back_that_was_given_back() {
    run(async {
        let machine = Machine::new(1);
        let log = machine.open().await.unwrap();
        fill(&machine, &log).await;
        machine.clock.advance(MINUTE - Duration::from_millis(100));
        let first = log.state(SHORT).await.unwrap().first;
        assert!(0 < first && first < 80);
        log.maintain().await.unwrap();
        log.open_shards(&[SHORT], FOREVER).await.unwrap();
        assert_eq!(log.state(SHORT).await.unwrap().first, first);
        assert_eq!(
            read_all(&log, SHORT, 0).await.unwrap().len() as u64,
            80 - first
        );
        assert_eq!(log.offset_at(SHORT, Millis::ZERO).await, Ok(first));
    });
}

#[test]
fn a_rewrite_that_finds_no_room_leaves_everything_as_it_was() {
    run(async {
        let machine = Machine::new(1);
        let log = machine.open().await.unwrap();
        fill(&machine, &log).await;
        log.maintain().await.unwrap();
        let expected = kept_values(&log).await;
        machine.clock.advance(MINUTE);
        machine.disk.set_room(Some(10));
        assert!(matches!(
            log.maintain().await,
            Err(LogError::DiskFull { .. })
        ));
        assert_eq!(kept_values(&log).await, expected);
        machine.disk.set_room(None);
        assert!(log.maintain().await.unwrap().rewritten > 5);
        assert_eq!(kept_values(&log).await, expected);
        assert_eq!(log.health(), Ok(()));
    });
}
