//! The engine's journal, where a power failure left it so that the engine does not open it.
//!
//! The engine writes batches behind each other: a start with the number of items, the items, and an end with their
//! checksum. Their bytes may reach the disk in any order until they are synced. The engine cuts a last batch without an
//! end itself; over one that has its end and a hole in its middle it does not open. Owns the cut behind the last batch that
//! is whole; leaves all else of the journal to the engine. The form is that of its version 3.

use std::{io, path::Path};

use bytes::Buf;
use headwater_env::Disk;
use xxhash_rust::xxh3::xxh3_64;

const EXTENSION: &str = ".jnl";
/// The file that the engine makes last when it makes a database.
const MADE: &str = "version";

const START: u8 = 1;
const ITEM: u8 = 2;
const END: u8 = 3;
/// The bytes behind an end.
const TRAILER: &[u8] = b"FJL\x03";
/// Bytes of an item between its tag and the lengths: the kind of its value, the compression, the keyspace.
const ITEM_HEAD: usize = 1 + 1 + 8;

/// Cuts the newest journal in a folder behind its last whole batch; how many bytes it had behind that. Those before it were
/// synced when it was begun.
///
/// # Errors
/// When the disk fails.
pub fn cut(disk: &dyn Disk, folder: &Path) -> io::Result<u64> {
    let entries = disk.list(folder)?;
    let journals = entries.iter().filter_map(|entry| number(&entry.name));
    let Some(newest) = journals.max() else {
        return Ok(0);
    };
    let file = disk.open(&folder.join(format!("{newest}{EXTENSION}")))?;
    let len = file.len()?;
    let too_long = |_| io::Error::other("a journal is longer than memory");
    let mut bytes = vec![0; usize::try_from(len).map_err(too_long)?];
    file.read_exact_at(&mut bytes, 0)?;
    let whole = whole(&bytes) as u64;
    file.set_len(whole)?;
    file.sync()?;
    Ok(len - whole)
}

/// Removes what is left of a database whose making was cut short: the engine does not make it over a journal.
///
/// # Errors
/// When the disk fails.
pub fn remove_unmade(disk: &dyn Disk, folder: &Path) -> io::Result<()> {
    let entries = match disk.list(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        listed => listed?,
    };
    if entries.iter().any(|entry| entry.name == MADE) {
        return Ok(());
    }
    let names = entries.iter().map(|entry| &entry.name);
    for journal in names.filter(|name| number(name).is_some()) {
        disk.remove(&folder.join(journal))?;
    }
    Ok(())
}

fn number(name: &str) -> Option<u64> {
    name.strip_suffix(EXTENSION)?.parse().ok()
}

/// How many bytes of a journal are whole batches.
fn whole(journal: &[u8]) -> usize {
    let mut rest = journal;
    while let Some(behind) = batch(rest) {
        rest = behind;
    }
    journal.len() - rest.len()
}

/// What comes behind a batch, where one that is whole comes first.
fn batch(mut from: &[u8]) -> Option<&[u8]> {
    if from.try_get_u8().ok()? != START {
        return None;
    }
    let count = from.try_get_u32_le().ok()?;
    let _number_of_the_batch = from.try_get_u64_le().ok()?;
    let items = from;
    for _ in 0..count {
        from = item(from)?;
    }
    let items = items.get(..items.len() - from.len())?;
    let is_whole = from.try_get_u8().ok()? == END && from.try_get_u64_le().ok()? == xxh3_64(items);
    is_whole.then_some(from)?.strip_prefix(TRAILER)
}

/// What comes behind an item.
fn item(mut from: &[u8]) -> Option<&[u8]> {
    if from.try_get_u8().ok()? != ITEM {
        return None;
    }
    from = from.get(ITEM_HEAD..)?;
    let key = usize::from(from.try_get_u16_le().ok()?);
    let _unpacked = from.try_get_u32_le().ok()?;
    let value = usize::try_from(from.try_get_u32_le().ok()?).ok()?;
    from.get(key + value..)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn arbitrary_bytes_are_batches_or_not(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(whole(&bytes) <= bytes.len());
        }

        #[test]
        fn arbitrary_bytes_are_items_or_not(bytes in prop::collection::vec(0..4u8, 0..60)) {
            item(&bytes);
            batch(&bytes);
        }
    }
}
