//! Full disks, failed syncs, and rotten bytes.
#![allow(clippy::unwrap_used, reason = "this is test code")]

mod common;

use std::path::{Path, PathBuf};

use common::{FOREVER, Machine, append, put, read_all, run};
use headwater_env::Disk;
use headwater_log::*;
use proptest::prelude::*;

const S: ShardNumber = ShardNumber(5);
const T: ShardNumber = ShardNumber(6);

async fn fill(log: &EmbeddedLog, records: u64) {
    log.open_shards(&[S, T], FOREVER).await.unwrap();
    for i in 0..records {
        let long = format!("{i} {}", "y".repeat(i as usize * 31 % 90));
        let results = append(log, &[put(S, &[&long, "b"]), put(T, &[&long])]).await;
        assert!(results.iter().all(Result::is_ok));
    }
}

#[test]
fn a_full_disk_refuses_and_heals_when_there_is_room() {
    run(async {
        let machine = Machine::new(1);
        let log = machine.open().await.unwrap();
        fill(&log, 3).await;
        for room in [0, 10, 60, 100, 500] {
            machine.disk.set_room(Some(room));
            let before = log.state(S).await.unwrap();
            let big = "z".repeat(600);
            let results = append(&log, &[put(S, &[&big]), put(T, &["a"])]).await;
            assert!(
                matches!(results[0], Err(AppendError::Log(LogError::DiskFull { .. }))),
                "{results:?}"
            );
            assert!(results[1].is_err() && matches!(log.health(), Err(LogError::DiskFull { .. })));
            assert_eq!(log.state(S).await, Ok(before));
            machine.disk.set_room(None);
            let done = append(&log, &[put(S, &[&big])]).await;
            assert_eq!(done[0].as_ref().unwrap().first_offset, before.end);
            assert_eq!(log.health(), Ok(()));
        }
        let before = read_all(&log, S, 0).await.unwrap();
        log.close().await;
        drop(log);
        assert!(machine.verify().await.damage.is_empty());
        let log = machine.open().await.unwrap();
        assert_eq!(read_all(&log, S, 0).await.unwrap(), before);
    });
}

#[test]
fn room_that_was_taken_ahead_is_used_on_a_full_disk() {
    run(async {
        let machine = Machine::new(2);
        let log = machine.open().await.unwrap();
        fill(&log, 2).await;
        let before = read_all(&log, S, 0).await.unwrap();
        machine.disk.set_room(Some(0));
        let big = "z".repeat(600);
        let mut taken = 0;
        while append(&log, &[put(S, &[&big])]).await[0].is_ok() {
            taken += 1;
        }
        assert!(taken > 0 && matches!(log.health(), Err(LogError::DiskFull { .. })));
        machine.disk.set_room(None);
        assert!(append(&log, &[put(S, &[&big])]).await[0].is_ok());
        log.close().await;
        drop(log);
        assert!(
            machine.verify().await.leftovers.is_empty(),
            "{}",
            machine.verify().await
        );
        let log = machine.open().await.unwrap();
        assert_eq!(
            read_all(&log, S, 0).await.unwrap().len(),
            before.len() + taken + 1
        );
    });
}

#[test]
fn a_seal_that_found_no_room_did_not_happen() {
    run(async {
        let machine = Machine::new(1);
        let log = machine.open().await.unwrap();
        fill(&log, 1).await;
        machine.disk.set_room(Some(0));
        assert!(matches!(log.seal(S).await, Err(LogError::DiskFull { .. })));
        machine.disk.set_room(None);
        assert!(append(&log, &[put(S, &["a"])]).await[0].is_ok());
        assert_eq!(log.seal(S).await, Ok(3));
    });
}

#[test]
fn after_a_failed_sync_the_log_refuses_until_it_is_opened_anew() {
    run(async {
        let machine = Machine::new(1);
        let log = machine.open().await.unwrap();
        fill(&log, 2).await;
        let end = log.state(S).await.unwrap().end;
        machine.disk.fail_next_sync();
        for _ in 0..2 {
            let refused = append(&log, &[put(S, &["lost"])]).await;
            assert!(
                matches!(
                    refused[0],
                    Err(AppendError::Log(LogError::Poisoned {
                        operation: "sync",
                        ..
                    }))
                ),
                "{refused:?}"
            );
        }
        assert!(matches!(log.health(), Err(LogError::Poisoned { .. })));
        assert!(matches!(log.seal(T).await, Err(LogError::Poisoned { .. })));
        assert_eq!(
            log.state(S).await.unwrap().end,
            end,
            "readers see only what is durable"
        );
        assert_eq!(read_all(&log, S, 0).await.unwrap().len() as u64, end);
        log.close().await;
        drop(log);
        machine.disk.crash();
        let log = machine.open().await.unwrap();
        assert!(log.state(S).await.unwrap().end >= end);
        assert!(append(&log, &[put(S, &["again"])]).await[0].is_ok());
    });
}

#[test]
fn without_syncs_a_crash_takes_the_newest_records_and_leaves_no_gap() {
    run(async {
        let mut shorter = 0;
        for seed in 0..60 {
            let machine = Machine::new(seed);
            let options = Options {
                sync: false,
                ..machine.options()
            };
            let open = || EmbeddedLog::open(machine.env.clone(), options.clone());
            let log = open().await.unwrap();
            fill(&log, 20 + seed % 10).await;
            let before = read_all(&log, S, 0).await.unwrap();
            machine.disk.crash();
            log.close().await;
            drop(log);
            let log = open().await.unwrap();
            log.open_shards(&[S], FOREVER).await.unwrap();
            let after = read_all(&log, S, 0).await.unwrap();
            assert_eq!(after, before[..after.len()]);
            shorter += usize::from(after.len() < before.len());
            assert!(append(&log, &[put(S, &["again"])]).await[0].is_ok());
            log.close().await;
        }
        assert!(shorter > 10, "{shorter}");
    });
}

async fn log_files(machine: &Machine) -> Vec<PathBuf> {
    let dir = machine.options().dir;
    let names = machine.list().await.into_iter().map(|e| e.name);
    names
        .filter(|name| name.ends_with(".log"))
        .map(|name| dir.join(name))
        .collect()
}

fn is_damage_of(error: &LogError, path: &Path) -> bool {
    matches!(error, LogError::Damaged { file, .. } if file == path)
}

/// Reads all of both shards with one bit flipped: either everything is right, or an error names the file.
async fn read_damaged(machine: &Machine, path: &Path, expected: &[Vec<Record>; 2], place: &str) {
    let log = match machine.open().await {
        Ok(log) => log,
        Err(e) => return assert!(is_damage_of(&e, path), "{place}: {e}"),
    };
    for (shard, expected) in [S, T].into_iter().zip(expected) {
        match read_all(&log, shard, 0).await {
            Ok(records) => assert!(
                records == *expected,
                "{place}: records are missing or wrong"
            ),
            Err(e) => assert!(is_damage_of(&e, path), "{place}: {e}"),
        }
    }
    log.close().await;
}

#[test]
fn a_flipped_bit_anywhere_is_never_passed_over() {
    run(async {
        let machine = Machine::new(1);
        let log = machine.open().await.unwrap();
        fill(&log, 40).await;
        let expected = [
            read_all(&log, S, 0).await.unwrap(),
            read_all(&log, T, 0).await.unwrap(),
        ];
        log.maintain().await.unwrap();
        log.close().await;
        drop(log);
        let files = log_files(&machine).await;
        let report = machine.verify().await;
        assert!(
            files.len() > 3 && report.sealed == files.len() - 1,
            "{report}"
        );
        for path in [&files[0], &files[files.len() - 2], &files[files.len() - 1]] {
            let whole: Vec<_> = files
                .iter()
                .map(|file| (file, machine.disk.contents(file).unwrap()))
                .collect();
            let len = machine.disk.contents(path).unwrap().len();
            for at in 0..len {
                let place = format!("byte {at} of {}", path.display());
                machine
                    .disk
                    .corrupt(path, |bytes| bytes[at] ^= 1 << (at % 8))
                    .unwrap();
                let report = machine.verify().await;
                let noted = report
                    .leftovers
                    .iter()
                    .any(|note| note.contains(&*path.to_string_lossy()));
                let found = report.damage.iter().any(|e| is_damage_of(e, path));
                assert!(found || noted, "{place} is not noticed: {report}");
                read_damaged(&machine, path, &expected, &place).await;
                for (file, bytes) in &whole {
                    machine
                        .disk
                        .corrupt(file, |now| now.clone_from(bytes))
                        .unwrap();
                }
                for file in log_files(&machine)
                    .await
                    .iter()
                    .filter(|file| !files.contains(file))
                {
                    let (disk, file) = (machine.disk.clone(), file.clone());
                    machine
                        .env
                        .blocking(move || disk.remove(&file))
                        .await
                        .unwrap();
                }
            }
        }
    });
}

#[test]
fn a_torn_end_is_cut_and_what_was_before_it_stays() {
    run(async {
        for cut in 1..120 {
            let machine = Machine {
                writes_ahead: false,
                ..Machine::new(cut)
            };
            let log = machine.open().await.unwrap();
            fill(&log, 4).await;
            let before = read_all(&log, S, 0).await.unwrap();
            let path = log_files(&machine).await.pop().unwrap();
            let whole = machine.disk.contents(&path).unwrap().len();
            assert!(append(&log, &[put(S, &["torn", "torn"])]).await[0].is_ok());
            let frame = machine.disk.contents(&path).unwrap().len() - whole;
            // As if the machine had failed within the write.
            machine.disk.crash();
            log.close().await;
            drop(log);
            machine
                .disk
                .corrupt(&path, |bytes| {
                    bytes.truncate(whole + (cut as usize) % frame)
                })
                .unwrap();
            let log = machine.open().await.unwrap();
            assert_eq!(read_all(&log, S, 0).await.unwrap(), before);
            assert!(append(&log, &[put(S, &["new"])]).await[0].is_ok());
            log.close().await;
            drop(log);
            let log = machine.open().await.unwrap();
            assert_eq!(read_all(&log, S, 0).await.unwrap().len(), before.len() + 1);
        }
    });
}

#[test]
fn damage_in_one_shards_block_stops_that_shard_alone() {
    run(async {
        let machine = Machine::new(1);
        let log = machine.open().await.unwrap();
        log.open_shards(&[S], FOREVER).await.unwrap();
        log.open_shards(&[T], FOREVER).await.unwrap();
        append(&log, &[put(S, &["here"]), put(T, &["there"])]).await;
        append(&log, &[put(S, &["more"])]).await;
        log.close().await;
        drop(log);
        let path = log_files(&machine).await.pop().unwrap();
        let bytes = machine.disk.contents(&path).unwrap();
        let at = bytes.windows(4).position(|w| w == b"here").unwrap();
        machine.disk.corrupt(&path, |bytes| bytes[at] ^= 1).unwrap();
        let log = machine.open().await.unwrap();
        let error = read_all(&log, S, 0).await.unwrap_err();
        assert!(is_damage_of(&error, &path), "{error}");
        assert_eq!(read_all(&log, S, 1).await.unwrap().len(), 1);
        assert_eq!(read_all(&log, T, 0).await.unwrap().len(), 1);
    });
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn whatever_a_file_holds_opening_it_ends_with_a_log_or_an_error(
        which in 0usize..9, at in 0usize..4000, bytes in prop::collection::vec(any::<u8>(), 0..200), cut: bool,
    ) {
        run(async {
            let machine = Machine::new(1);
            let log = machine.open().await.unwrap();
            fill(&log, 25).await;
            log.maintain().await.unwrap();
            log.close().await;
            drop(log);
            let files = log_files(&machine).await;
            machine
                .disk
                .corrupt(&files[which % files.len()], |file| {
                    let at = at % (file.len() + 1);
                    let end = if cut { file.len() } else { file.len().min(at + bytes.len()) };
                    file.splice(at..end, bytes);
                })
                .unwrap();
            machine.verify().await;
            let all = Filter { records: true, ..Filter::default() };
            let (env, dir) = (machine.env.clone(), machine.options().dir);
            let mut show = |line: Line| !line.to_string().is_empty();
            machine.env.blocking(move || dump(&env, &dir, all, &mut show)).await.unwrap();
            if let Ok(log) = machine.open().await {
                for shard in log.shards().await.unwrap() {
                    let _ = read_all(&log, shard, 0).await;
                }
                let _ = log.maintain().await;
                log.close().await;
            }
        });
    }
}

#[test]
fn a_dump_shows_the_records_of_a_shard() {
    run(async {
        let machine = Machine::new(1);
        let log = machine.open().await.unwrap();
        fill(&log, 2).await;
        log.seal(T).await.unwrap();
        log.close().await;
        let (env, dir) = (machine.env.clone(), machine.options().dir);
        let filter = Filter {
            shard: Some(T),
            records: true,
        };
        let dump_lines = move || {
            let mut lines = Vec::new();
            let mut keep = |line: Line| {
                lines.push(line.to_string());
                true
            };
            dump(&env, &dir, filter, &mut keep).map(|()| lines)
        };
        let lines = machine.env.blocking(dump_lines).await.unwrap();
        let text = lines.join("\n");
        assert!(
            text.contains("shard 6 offsets 0..1") && text.contains("value \"0 \""),
            "{text}"
        );
        assert!(
            text.contains("shard 6 sealed at 2") && !text.contains("shard 5"),
            "{text}"
        );
    });
}
