//! The file of names: the series there are, written whole at each fold.

use std::{io::IoSlice, path::Path};

use headwater_env::Disk;

use crate::{
    Error,
    bytes::{Input, put_varint},
    file::{checksum, create, io_error},
    index::{Index, Known, SeriesId},
    limits,
};

/// The beginning of the file; the last byte is the version.
const MAGIC: &[u8; 8] = b"HWNAMES\x01";
const COMPRESSION: i32 = 3;
/// What one name takes beside its bytes, at the most.
const OVERHEAD_BYTES: usize = 20;

/// Writes all series, durably but for the file's name. Blocks.
pub(crate) fn write(disk: &dyn Disk, path: &Path, all: &[(SeriesId, Known)]) -> Result<(), Error> {
    let io = |error: &std::io::Error| io_error(path, error);
    let packed = zstd::bulk::compress(&encode(all), COMPRESSION).map_err(|error| io(&error))?;
    let file = create(disk, path)?;
    let sum = checksum(&packed).to_le_bytes();
    let parts = [&MAGIC[..], &packed, &sum].map(IoSlice::new);
    file.write_all_at(&parts, 0).map_err(|error| io(&error))?;
    file.sync().map_err(|error| io(&error))
}

/// Reads all series. Blocks.
pub(crate) fn read(disk: &dyn Disk, path: &Path) -> Result<Index, Error> {
    let io = |error: &std::io::Error| io_error(path, error);
    let damaged = |what| Error::Damaged {
        file: path.into(),
        what,
    };
    let file = disk.open_read(path).map_err(|error| io(&error))?;
    let mut bytes = vec![0; file.len().map_err(|error| io(&error))? as usize];
    file.read_exact_at(&mut bytes, 0)
        .map_err(|error| io(&error))?;
    let packed = bytes
        .strip_prefix(MAGIC)
        .and_then(|bytes| bytes.split_last_chunk());
    let (packed, sum) = packed.ok_or_else(|| damaged("it is no file of names of this version"))?;
    if checksum(packed) != u32::from_le_bytes(*sum) {
        return Err(damaged("the checksum does not hold"));
    }
    let most = limits::SERIES_BYTES_MAX + limits::SERIES_MAX * OVERHEAD_BYTES;
    let bytes = zstd::bulk::decompress(packed, most);
    let bytes = bytes.map_err(|_| damaged("it is not compressed as it should be"))?;
    decode(&bytes).ok_or_else(|| damaged("it has no names"))
}

fn encode(all: &[(SeriesId, Known)]) -> Vec<u8> {
    let mut to = Vec::new();
    let mut before = 0;
    for (id, known) in all {
        put_varint(&mut to, (id.0 - before).into());
        put_varint(&mut to, known.last_minute.into());
        put_varint(&mut to, known.key.len() as u64);
        to.extend_from_slice(&known.key);
        before = id.0;
    }
    to
}

fn decode(bytes: &[u8]) -> Option<Index> {
    let mut input = Input::new(bytes);
    let (mut index, mut id) = (Index::default(), 0u32);
    while !input.rest().is_empty() {
        id = id.checked_add(input.varint()?.try_into().ok()?)?;
        let last_minute = input.varint()?.try_into().ok()?;
        let len = input.count(bytes.len())?;
        index.add(SeriesId(id), input.take(len)?, last_minute);
    }
    Some(index)
}

/// Reads names, for the target in `fuzz/`.
#[cfg(feature = "fuzzing")]
pub(crate) fn read_all(bytes: &[u8]) {
    drop(decode(bytes));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn names_read_back(
            all in prop::collection::btree_map(any::<u32>(), (any::<u32>(), any::<Vec<u8>>()), 0..9),
        ) {
            let mut index = Index::default();
            for (id, (minute, key)) in all {
                index.add(SeriesId(id), &key, minute);
            }
            let back = decode(&encode(&index.all())).unwrap();
            prop_assert_eq!(encode(&back.all()), encode(&index.all()));
        }

        #[test]
        fn any_bytes_are_names_or_none(bytes: Vec<u8>) {
            drop(decode(&bytes));
        }
    }
}
