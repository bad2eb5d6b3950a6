//! The engine under load, on a disk that fails, and after a power failure.
#![allow(clippy::unwrap_used, reason = "this is test code")]

use std::{io::IoSlice, sync::Arc, thread, time::Duration};

use headwater_env::Env;

use super::*;

const MEMTABLE: u64 = 64 << 10;

fn disk() -> Arc<dyn Disk> {
    Env::real().disk
}

/// Rows of a batch, none of whose bytes are 0.
fn batch(number: u8, rows: u8, bytes: usize) -> Batch {
    let row = |row| (vec![number, row].into(), Some(vec![number; bytes].into()));
    (0..rows).map(row).collect()
}

fn all(index: &FjallIndex) -> Batch {
    let span = Span {
        from: vec![0],
        to: vec![255, 255],
    };
    let view = index.view();
    let rows = view.range(&span, false).map(Result::unwrap);
    rows.map(|(key, value)| (key, Some(value))).collect()
}

#[test]
fn many_writers_do_not_make_tables_in_memory_grow() {
    const WRITERS: u8 = 8;
    const WRITES: u16 = 3000;
    let dir = tempfile::tempdir().unwrap();
    let index = FjallIndex::with_memtables(&*disk(), dir.path(), MEMTABLE).unwrap();
    let key = |writer: u8, write: u16| {
        let [high, low] = write.wrapping_mul(7919).to_be_bytes();
        vec![writer, high, low]
    };
    thread::scope(|scope| {
        for writer in 0..WRITERS {
            let index = &index;
            scope.spawn(move || {
                for write in 0..WRITES {
                    index
                        .write(vec![(key(writer, write).into(), Some(vec![7; 60].into()))])
                        .unwrap();
                    let tree = &index.rows.tree;
                    assert!(tree.active_memtable().size() <= 2 * MEMTABLE);
                    assert!(tree.sealed_memtable_count() <= INDEX_SEALED + 1);
                }
            });
        }
    });
    assert!(index.rows.table_count() > 0);
    assert_eq!(
        all(&index).len(),
        usize::from(WRITERS) * usize::from(WRITES)
    );
}

#[test]
fn writes_end_when_the_engine_cannot_write_its_files() {
    let dir = tempfile::tempdir().unwrap();
    let index = FjallIndex::with_memtables(&*disk(), dir.path(), MEMTABLE).unwrap();
    index.write(batch(1, 1, 10)).unwrap();
    index.health().unwrap();
    // No file can be made in a folder that is gone.
    disk()
        .remove_dir_all(&index.rows.path().join("tables"))
        .unwrap();
    let write = |number| index.write(batch(number, 10, 10_000));
    let failed = (1..=250).find_map(|number| write(number).err());
    assert!(matches!(failed, Some(Error::Index(_))), "{failed:?}");
    assert!(index.health().is_err() && index.sync().is_err());
}

#[test]
fn an_engine_that_failed_is_ill_before_the_next_write() {
    let dir = tempfile::tempdir().unwrap();
    let index = FjallIndex::with_memtables(&*disk(), dir.path(), MEMTABLE).unwrap();
    disk()
        .remove_dir_all(&index.rows.path().join("tables"))
        .unwrap();
    index.write(batch(1, 10, 10_000)).unwrap();
    index.rows.rotate_memtable().unwrap();
    let clock = Env::real().clock;
    let start = clock.elapsed();
    while index.health().is_ok() {
        assert!(clock.elapsed() < start + Duration::from_secs(60));
        thread::yield_now();
    }
    assert!(index.write(batch(2, 1, 1)).is_err());
}

/// The journal's bytes up to the last that is not 0.
fn journal(folder: &Path) -> Vec<u8> {
    let file = disk().open_read(&folder.join("0.jnl")).unwrap();
    let mut bytes = vec![0; usize::try_from(file.len().unwrap()).unwrap()];
    file.read_exact_at(&mut bytes, 0).unwrap();
    let end = bytes.iter().rposition(|byte| *byte != 0);
    bytes.truncate(end.map_or(0, |last| last + 1));
    bytes
}

/// Gives an index a journal with these bytes.
fn replace_journal(folder: &Path, journal: &[u8]) {
    let path = folder.join("0.jnl");
    disk().remove(&path).unwrap();
    let file = disk().create(&path).unwrap();
    file.write_all_at(&[IoSlice::new(journal)], 0).unwrap();
    file.set_len(journal.len() as u64 + 100_000).unwrap();
}

#[test]
fn a_page_that_a_power_failure_lost_costs_nothing_that_was_synced() {
    const PAGE: usize = 4096;
    let dir = tempfile::tempdir().unwrap();
    let open = || FjallIndex::open(&*disk(), dir.path()).unwrap();
    let index = open();
    let write = |number| index.write(batch(number, 2, 5000)).unwrap();
    (1..=4).for_each(write);
    index.sync().unwrap();
    let synced = journal(dir.path()).len();
    (5..=16).for_each(write);
    let rows = all(&index);
    drop(index);
    let (whole, mut refused) = (journal(dir.path()), 0);
    for from in (synced.next_multiple_of(PAGE)..whole.len()).step_by(PAGE) {
        let mut holed = whole.clone();
        let to = whole.len().min(from + PAGE);
        holed[from..to].fill(0);
        replace_journal(dir.path(), &holed);
        refused += u32::from(Database::builder(dir.path()).open().is_err());
        replace_journal(dir.path(), &holed);
        let index = open();
        let found = all(&index);
        let is_beginning = found == rows[..found.len()];
        assert!(is_beginning && found.len().is_multiple_of(2) && found.len() >= 8);
        assert!(found.len() < rows.len(), "the page at {from} was lost");
        // It goes on behind the cut.
        index.write(batch(40, 2, 10)).unwrap();
        drop(index);
        assert_eq!(all(&open()), [found, batch(40, 2, 10)].concat());
    }
    assert!(refused > 0, "the engine opens over holes by itself");
    replace_journal(dir.path(), &whole);
    assert_eq!(all(&open()), rows);
}

#[test]
fn an_index_whose_making_was_cut_short_is_made() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["lock", "0.jnl"] {
        disk().create(&dir.path().join(name)).unwrap();
    }
    let index = FjallIndex::open(&*disk(), dir.path()).unwrap();
    index.write(batch(1, 1, 1)).unwrap();
}
