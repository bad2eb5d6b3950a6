//! Whether SQLite's write-ahead log is whole, as far as a crash cannot explain what is wrong with it.
//!
//! SQLite takes the first frame with a wrong checksum for the log's end, wherever it is, and forgets all behind it
//! without a word. A crash leaves at most the last transaction unfinished, because each is synced before the next
//! begins: a wrong frame with more than one commit from there on is damage.

use headwater_env::File;

use crate::CatalogError;

const HEADER: usize = 32;
const FRAME_HEADER: usize = 24;
/// The first bytes of a log whose checksums are over little-endian words; big-endian ones have the last bit set.
const MAGIC: u32 = 0x377f_0682;
/// SQLite's largest page.
const PAGE_MAX: usize = 65_536;

/// Fails when a log that was synced at each commit is damaged.
pub fn check(file: &dyn File) -> Result<(), CatalogError> {
    let failed =
        |e: std::io::Error| CatalogError::Failed(format!("catalog.sqlite-wal: {e}").into());
    let len = file.len().map_err(failed)?;
    if len <= HEADER as u64 {
        return Ok(());
    }
    let mut header = [0; HEADER];
    file.read_exact_at(&mut header, 0).map_err(failed)?;
    let (magic, page) = (word(&header, 0), word(&header, 8) as usize);
    let mut sums = Sums {
        big_endian: magic & 1 == 1,
        values: (0, 0),
    };
    sums.add(&header[..24]);
    if magic & !1 != MAGIC
        || sums.values != (word(&header, 24), word(&header, 28))
        || page > PAGE_MAX
    {
        return Err(damaged(0));
    }
    let mut frame = vec![0; FRAME_HEADER + page];
    let (mut at, mut wrong, mut commits) = (HEADER as u64, None, 0);
    while at + frame.len() as u64 <= len {
        file.read_exact_at(&mut frame, at).map_err(failed)?;
        let is_current = frame[8..16] == header[16..24];
        if wrong.is_none() {
            sums.add(&frame[..8]);
            sums.add(&frame[FRAME_HEADER..]);
            let is_whole = is_current && sums.values == (word(&frame, 16), word(&frame, 20));
            wrong = (!is_whole).then_some(at);
        }
        commits += u32::from(wrong.is_some() && is_current && word(&frame, 4) != 0);
        at += frame.len() as u64;
    }
    wrong
        .filter(|_| commits > 1)
        .map_or(Ok(()), |at| Err(damaged(at)))
}

fn damaged(at: u64) -> CatalogError {
    let what = format!(
        "catalog.sqlite-wal is damaged at byte {at}. Restore the folder catalog from a backup; nothing was changed"
    );
    CatalogError::Failed(what.into())
}

fn word(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes(bytes[at..at + 4].try_into().expect("it is four bytes"))
}

/// SQLite's running checksum.
struct Sums {
    big_endian: bool,
    values: (u32, u32),
}

impl Sums {
    fn add(&mut self, bytes: &[u8]) {
        for pair in bytes.chunks_exact(8) {
            let word = |at| {
                if self.big_endian {
                    word(pair, at)
                } else {
                    word(pair, at).swap_bytes()
                }
            };
            let (first, second) = (word(0), word(4));
            self.values.0 = self
                .values
                .0
                .wrapping_add(first)
                .wrapping_add(self.values.1);
            self.values.1 = self
                .values
                .1
                .wrapping_add(second)
                .wrapping_add(self.values.0);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::disallowed_methods,
        reason = "SQLite's files are on the real disk"
    )]

    use std::{fs, path::Path};

    use headwater_env::Env;
    use proptest::prelude::*;

    use super::*;

    /// A log with 20 commits, as a crash leaves it: its connection never closed.
    fn log() -> Vec<u8> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("c.sqlite");
        let connection = rusqlite::Connection::open(&path).unwrap();
        connection
            .pragma_update(None, "journal_mode", "WAL")
            .unwrap();
        connection.execute_batch("CREATE TABLE t (a)").unwrap();
        for i in 0..19 {
            connection
                .execute("INSERT INTO t VALUES (?1)", [i])
                .unwrap();
        }
        fs::read(folder.path().join("c.sqlite-wal")).unwrap()
    }

    fn check_bytes(bytes: &[u8]) -> Result<(), CatalogError> {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), bytes).unwrap();
        let path: &Path = file.path();
        check(&*Env::real().disk.open_read(path).unwrap())
    }

    #[test]
    fn a_log_that_breaks_off_anywhere_is_no_damage() {
        let log = log();
        for len in (0..log.len()).step_by(97).chain([log.len()]) {
            assert_eq!(check_bytes(&log[..len]), Ok(()), "{len}");
        }
    }

    #[test]
    fn a_changed_byte_before_the_last_commit_is_damage() {
        let log = log();
        let last = log.len() - (FRAME_HEADER + 4096);
        for at in (0..last - 2 * 4096).step_by(331) {
            let mut changed = log.clone();
            changed[at] ^= 0x41;
            assert!(check_bytes(&changed).is_err(), "{at}");
        }
        let mut torn = log;
        torn[last + 500] ^= 1;
        assert_eq!(check_bytes(&torn), Ok(()));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn nothing_makes_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = check_bytes(&bytes);
        }
    }
}
