//! The records of a partitioned batch between the steps and their objects: in a file without a name, in runs of one
//! partition each.
//!
//! It bounds memory: what is held is one group on its way in and one on its way out, and where each run lies. Nothing
//! in it outlives the execution, so nothing is synced, and a crash leaves no file behind. Each run is encrypted under a
//! key that is nowhere but in memory, for records may come from where they wait encrypted.

use std::{
    io::{self, IoSlice},
    ops::Range,
    path::Path,
    sync::Arc,
};

use bytes::{Buf, BufMut, Bytes, BytesMut};
use headwater_env::{Env, File};
use headwater_types::{Millis, SequenceNumber, ShardIndex};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

use crate::{
    limits::READ_BYTES_MAX,
    records::{Item, Outcome, UserRecord},
};

/// Records by partition.
pub struct Spool {
    env: Env,
    file: Arc<dyn File>,
    key: Arc<LessSafeKey>,
    end: u64,
    /// The runs of each partition.
    runs: Vec<Vec<Run>>,
}

/// Where a run lies.
#[derive(Clone, Copy)]
struct Run {
    offset: u64,
    length: usize,
    /// Bytes of the data in it.
    data: u64,
}

impl Spool {
    /// An empty one, in the folder `dir`.
    pub async fn open(env: Env, dir: &Path) -> io::Result<Self> {
        let (disk, dir, name) = (env.disk.clone(), dir.to_owned(), env.random.uuid());
        let open = move || {
            disk.create_dir_all(&dir)?;
            let path = dir.join(name);
            let file = disk.create(&path)?;
            // It lives for as long as it is open.
            disk.remove(&path)?;
            Ok::<_, io::Error>(Arc::from(file))
        };
        let file = env.blocking(open).await?;
        let key = Arc::new(new_key(&env));
        Ok(Self {
            env,
            file,
            key,
            end: 0,
            runs: Vec::new(),
        })
    }

    /// Adds items, each with the number of its partition. A spool that failed at it takes no more: what it would write
    /// in the same place would go by the same nonce.
    pub async fn add(&mut self, mut items: Vec<(usize, Item)>) -> io::Result<()> {
        let (file, key, end) = (self.file.clone(), self.key.clone(), self.end);
        let write = move || {
            items.sort_by_key(|(partition, _)| *partition);
            let mut offset = end;
            let mut run = |items: &[(usize, Item)]| {
                let sealed = seal(&key, offset, encode(items));
                let (length, data) = (
                    sealed.len(),
                    items.iter().map(|(_, item)| item.data.len() as u64).sum(),
                );
                let run = Run {
                    offset,
                    length,
                    data,
                };
                offset += length as u64;
                (items[0].0, run, sealed)
            };
            let runs: Vec<_> = items
                .chunk_by(|(a, _), (b, _)| a == b)
                .map(&mut run)
                .collect();
            let parts: Vec<IoSlice<'_>> = runs
                .iter()
                .map(|(.., sealed)| IoSlice::new(sealed))
                .collect();
            file.write_all_at(&parts, end)?;
            Ok::<_, io::Error>(
                runs.into_iter()
                    .map(|(partition, run, _)| (partition, run))
                    .collect(),
            )
        };
        let written: Vec<(usize, Run)> = self.env.blocking(write).await?;
        for (partition, run) in written {
            if self.runs.len() <= partition {
                self.runs.resize_with(partition + 1, Vec::new);
            }
            self.runs[partition].push(run);
            self.end += run.length as u64;
        }
        Ok(())
    }

    /// The runs of a partition, cut behind each that brings what is before it to `bytes` of data.
    pub fn cut(&self, partition: usize, bytes: u64) -> Vec<Range<usize>> {
        let (mut cuts, mut begin, mut data) = (Vec::new(), 0, 0);
        let runs = &self.runs[partition];
        for (at, run) in runs.iter().enumerate() {
            data += run.data;
            if data >= bytes || at + 1 == runs.len() {
                cuts.push(begin..at + 1);
                (begin, data) = (at + 1, 0);
            }
        }
        cuts
    }

    /// The items of some runs of a partition in the order in which they were added, as many as are read at once: those
    /// of the first runs, at least one, and the run after them.
    pub async fn read(
        &self,
        partition: usize,
        runs: Range<usize>,
    ) -> io::Result<(Vec<Item>, usize)> {
        let mut bytes = 0;
        let fits = |run: &&Run| {
            let fits = bytes == 0 || bytes + run.length <= READ_BYTES_MAX;
            bytes += run.length;
            fits
        };
        let from = runs.start;
        let runs: Vec<_> = self.runs[partition][runs]
            .iter()
            .take_while(fits)
            .copied()
            .collect();
        let (file, key, next) = (self.file.clone(), self.key.clone(), from + runs.len());
        let read = move || {
            let mut records = Vec::new();
            for Run { offset, length, .. } in runs {
                let mut run = vec![0; length];
                file.read_exact_at(&mut run, offset)?;
                let run = open(&key, offset, run).ok_or(io::ErrorKind::InvalidData)?;
                decode(run, &mut records).ok_or(io::ErrorKind::InvalidData)?;
            }
            Ok::<_, io::Error>(Outcome::of(records).items)
        };
        Ok((self.env.blocking(read).await?, next))
    }
}

fn new_key(env: &Env) -> LessSafeKey {
    let mut secret = [0; 32];
    env.random.fill(&mut secret);
    LessSafeKey::new(
        UnboundKey::new(&AES_256_GCM, &secret).expect("the key has the cipher's length"),
    )
}

/// Encrypts the run that will lie at `offset`.
fn seal(key: &LessSafeKey, offset: u64, mut run: BytesMut) -> BytesMut {
    key.seal_in_place_append_tag(nonce(offset), Aad::empty(), &mut run)
        .expect("a group is far below the bound of GCM");
    run
}

/// The run that lies at `offset`; nothing where it is not what was written there.
fn open(key: &LessSafeKey, offset: u64, mut run: Vec<u8>) -> Option<Bytes> {
    let length = key
        .open_in_place(nonce(offset), Aad::empty(), &mut run)
        .ok()?
        .len();
    run.truncate(length);
    Some(run.into())
}

/// No two runs of a file begin at the same place, and no two files have the same key.
fn nonce(offset: u64) -> Nonce {
    let mut nonce = [0; NONCE_LEN];
    nonce[..8].copy_from_slice(&offset.to_le_bytes());
    Nonce::assume_unique_for_key(nonce)
}

/// The members of items that an object and a line about a failure need: arrival, sequence number, place, data.
fn encode(run: &[(usize, Item)]) -> BytesMut {
    let mut bytes = BytesMut::new();
    for (_, Item { origin, data, .. }) in run {
        bytes.put_u64(origin.arrival.0);
        bytes.put_u64(origin.sub as u64);
        let SequenceNumber {
            shard_created,
            index,
            time,
            shard,
        } = origin.sequence_number;
        for number in [
            shard_created,
            index,
            time,
            shard.0.into(),
            data.len() as u64,
        ] {
            bytes.put_u64(number);
        }
        bytes.put_slice(data);
    }
    bytes
}

fn decode(mut run: Bytes, records: &mut Vec<UserRecord>) -> Option<()> {
    let nowhere: Arc<str> = "".into();
    while !run.is_empty() {
        let mut number = || run.try_get_u64().ok();
        let (arrival, sub) = (Millis(number()?), number()? as usize);
        let (shard_created, index, time) = (number()?, number()?, number()?);
        let shard = ShardIndex(number()?.try_into().ok()?);
        let length = number()? as usize;
        let data = (length <= run.len()).then(|| run.split_to(length))?;
        let sequence_number = SequenceNumber {
            shard_created,
            index,
            time,
            shard,
        };
        let (shard, partition_key) = (nowhere.clone(), Bytes::new());
        records.push(UserRecord {
            shard,
            sequence_number,
            sub,
            partition_key,
            data,
            arrival,
        });
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use headwater_env::SimDisk;
    use proptest::prelude::*;

    use super::*;
    use crate::testing::item;

    #[tokio::test]
    async fn partitions_come_back_in_order_and_nothing_is_left() {
        let disk = SimDisk::new(1);
        let env = Env {
            disk: Arc::new(disk.clone()),
            ..Env::real()
        };
        let mut spool = Spool::open(env.clone(), Path::new("spool")).await.unwrap();
        for group in 0..50usize {
            let items = (0..9usize).map(|i| {
                (
                    (group + i) % 3,
                    item(format!("{group} {i} {}", "x".repeat(40_000))),
                )
            });
            spool.add(items.collect()).await.unwrap();
        }
        assert_eq!(spool.runs.len(), 3);
        for partition in 0..3 {
            let (mut from, mut found, end) = (0, Vec::new(), spool.runs[partition].len());
            while from < end {
                let (items, next) = spool.read(partition, from..end).await.unwrap();
                assert!(items.iter().map(|item| item.data.len()).sum::<usize>() < READ_BYTES_MAX);
                assert!(
                    items
                        .iter()
                        .all(|item| (item.origin.arrival, item.origin.sub) == (Millis(7), 0))
                );
                found.extend(items.into_iter().map(|item| item.data));
                from = next;
            }
            let text = |bytes: &Bytes| {
                String::from_utf8_lossy(&bytes[..6])
                    .trim_end_matches(['x', ' '])
                    .to_owned()
            };
            let mine = (0..50).flat_map(|group| (0..9).map(move |i| (group, i)));
            let mine = mine.filter(|(group, i)| (group + i) % 3 == partition);
            assert_eq!(
                found.iter().map(text).collect::<Vec<_>>(),
                mine.map(|(group, i)| format!("{group} {i}"))
                    .collect::<Vec<_>>()
            );
        }
        assert_eq!(env.disk.list(Path::new("spool")).unwrap(), []);
    }

    #[tokio::test]
    async fn a_partition_is_cut_where_it_is_large_enough() {
        let env = Env {
            disk: Arc::new(SimDisk::new(1)),
            ..Env::real()
        };
        let mut spool = Spool::open(env, Path::new("spool")).await.unwrap();
        for bytes in [4, 3, 9, 1, 12, 2] {
            spool
                .add(vec![(0, item(vec![0; bytes])), (1, item("1"))])
                .await
                .unwrap();
        }
        assert_eq!(spool.cut(0, 7), [0..2, 2..3, 3..5, 5..6]);
        assert_eq!(spool.cut(0, 13), [0..3, 3..5, 5..6]);
        assert_eq!(
            [7, 6, 5, 0].map(|bytes| spool.cut(1, bytes).len()),
            [1, 1, 2, 6]
        );
    }

    #[tokio::test]
    async fn what_lies_on_disk_cannot_be_read_or_changed() {
        let env = Env {
            disk: Arc::new(SimDisk::new(1)),
            ..Env::real()
        };
        let mut spool = Spool::open(env, Path::new("spool")).await.unwrap();
        for _ in 0..2 {
            spool
                .add(vec![(0, item("a secret".to_owned()))])
                .await
                .unwrap();
        }
        let mut stored = vec![0; spool.end as usize];
        spool.file.read_exact_at(&mut stored, 0).unwrap();
        assert!(!stored.windows(6).any(|bytes| bytes == b"secret"));
        let (first, second) = stored.split_at(stored.len() / 2);
        assert_ne!(first, second, "the same run twice");
        for at in 0..first.len() {
            let damaged = [first[at] ^ 1];
            spool
                .file
                .write_all_at(&[IoSlice::new(&damaged)], at as u64)
                .unwrap();
            assert_eq!(
                spool.read(0, 0..2).await.unwrap_err().kind(),
                io::ErrorKind::InvalidData,
                "{at}"
            );
            spool
                .file
                .write_all_at(&[IoSlice::new(&first[at..=at])], at as u64)
                .unwrap();
        }
        assert_eq!(spool.read(0, 0..2).await.unwrap().0.len(), 2);
        spool.file.write_all_at(&[IoSlice::new(second)], 0).unwrap();
        assert!(
            spool.read(0, 0..2).await.is_err(),
            "a run in another's place"
        );
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            _ = decode(bytes.into(), &mut Vec::new());
        }
    }
}
