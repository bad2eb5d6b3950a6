//! The keys of the index's rows: `docs/format/tables.md`.

use headwater_items::{Item, Kind, Value, key};
use headwater_log::ShardNumber;
use headwater_types::kept::ShardSpace;
use xxhash_rust::xxh3::xxh3_64;

use crate::{
    KeyKind, KeySchema, TableRecord,
    index::{Span, behind_all},
};

/// The first byte of a row's key: what the row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum RowKind {
    Item = 1,
    Entry = 2,
    Meta = 3,
}

impl RowKind {
    pub const ALL: [Self; 3] = [Self::Item, Self::Entry, Self::Meta];
}

/// The bytes of a row's key before the base key of an expiry, or the values of an index's key: kind, table, index, and a
/// hash or a second.
const ENTRY_HEAD: usize = 1 + 8 + 8 + 8;

/// The bits of a shard's number that say the partition.
const PARTITION_BITS: u32 = 8;

/// The bit of these by which a shard has the progress of a partition's changes to their destination.
const PROGRESS: u64 = 1 << (PARTITION_BITS - 1);

/// A row's key, in the making.
pub(crate) struct Row(pub Vec<u8>);

impl Row {
    pub fn of(kind: RowKind, table: u64) -> Self {
        Self(vec![kind as u8]).number(table)
    }

    /// Adds a number, so that rows are in its order.
    pub fn number(mut self, number: u64) -> Self {
        self.0.extend_from_slice(&number.to_be_bytes());
        self
    }

    pub fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }

    /// All rows whose keys begin so.
    pub fn span(self) -> Span {
        Span::of_prefix(self.0)
    }

    /// The rows that go on with a number from `from` up to `to`, or to the last where there is none.
    pub fn numbers(self, from: u64, to: Option<u64>) -> Span {
        let to = match to {
            Some(to) => Self(self.0.clone()).number(to).0,
            None => behind_all(self.0.clone()),
        };
        Span {
            from: self.number(from).0,
            to,
        }
    }
}

/// The key of an item.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct BaseKey {
    /// The encoded values of the partition key and the sort key.
    pub bytes: Vec<u8>,
    /// That of the partition key's.
    pub hash: u64,
}

impl BaseKey {
    /// The key of a table's item; none where the attributes are not there, or of other kinds.
    pub fn of(record: &TableRecord, item: &Item) -> Option<Self> {
        let mut bytes = Vec::new();
        encode(record, &record.key.partition, item, &mut bytes)?;
        let hash = xxh3_64(&bytes);
        if let Some(sort) = &record.key.sort {
            encode(record, sort, item, &mut bytes)?;
        }
        Some(Self { bytes, hash })
    }

    /// The key that was encoded so.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (_, rest) = key::decode(bytes).ok()?;
        Some(Self {
            hash: xxh3_64(&bytes[..bytes.len() - rest.len()]),
            bytes: bytes.to_vec(),
        })
    }

    /// The attributes of the key.
    pub fn item(&self, schema: &KeySchema) -> Option<Item> {
        let (partition, rest) = key::decode(&self.bytes).ok()?;
        let mut item = Item::from([(schema.partition.clone(), partition)]);
        if let Some(name) = &schema.sort {
            let (sort, _) = key::decode(rest).ok()?;
            item.insert(name.clone(), sort);
        }
        Some(item)
    }

    /// The partition that has it.
    pub fn partition(&self, partitions: u16) -> u16 {
        partition_of(self.hash, partitions)
    }

    /// The row of the item.
    pub fn row(&self, table: u64) -> Vec<u8> {
        let row = Row::of(RowKind::Item, table).number(self.hash);
        row.bytes(&self.bytes).0
    }

    /// The key of the item that a row has.
    pub fn of_row(row: &[u8]) -> Option<Self> {
        Self::decode(row.get(1 + 8 + 8..)?)
    }
}

/// The partition of a hash: each has a part of the hashes that is as large as any other's.
fn partition_of(hash: u64, partitions: u16) -> u16 {
    let place = (u128::from(hash) * u128::from(partitions)) >> u64::BITS;
    u16::try_from(place).unwrap_or(0)
}

/// The partition of the items with this value as their partition key; none where it cannot be one.
pub(crate) fn partition_with(value: &Value, partitions: u16) -> Option<u16> {
    let mut bytes = Vec::new();
    let is_key = key::encode(value, &mut bytes);
    is_key.then(|| partition_of(xxh3_64(&bytes), partitions))
}

/// The first hash of part `part` of `parts`; none behind the last.
pub(crate) fn first_hash(part: u32, parts: u32) -> Option<u64> {
    let whole = 1u128 << u64::BITS;
    let first = (whole * u128::from(part)).div_ceil(u128::from(parts.max(1)));
    u64::try_from(first).ok()
}

/// The items of one partition.
pub(crate) fn items_of(table: u64, partition: u16, partitions: u16) -> Span {
    let part = |part: u16| first_hash(u32::from(part), u32::from(partitions));
    let row = Row::of(RowKind::Item, table);
    row.numbers(part(partition).unwrap_or(u64::MAX), part(partition + 1))
}

/// The row of what is known of a partition.
pub(crate) fn meta_row(table: u64, partition: u16) -> Vec<u8> {
    let row = Row::of(RowKind::Meta, table);
    row.bytes(&partition.to_be_bytes()).0
}

/// The shard of the changes of a partition. Tables are numbered from 1.
pub(crate) fn shard(table: u64, partition: u16) -> ShardNumber {
    let number = table << PARTITION_BITS | u64::from(partition);
    ShardNumber::new(ShardSpace::Tables, number)
}

/// The shard that says how far the changes of a partition were sent. Partitions are too few for their own bit to be this.
pub(crate) fn progress_shard(table: u64, partition: u16) -> ShardNumber {
    let number = table << PARTITION_BITS | PROGRESS | u64::from(partition);
    ShardNumber::new(ShardSpace::Tables, number)
}

/// The table that a shard is of; 0 for that of transactions.
pub(crate) fn table_of(shard: ShardNumber) -> Option<u64> {
    Some(shard.within(ShardSpace::Tables)? >> PARTITION_BITS)
}

/// The shard of transactions.
pub(crate) fn transactions() -> ShardNumber {
    ShardNumber::new(ShardSpace::Tables, 0)
}

/// The index that an entry is of.
pub(crate) fn index_of(entry: &[u8]) -> Option<u64> {
    let number = entry.get(1 + 8..1 + 8 + 8)?;
    Some(u64::from_be_bytes(number.try_into().ok()?))
}

/// The base key of an entry, behind as many values of the index's key.
pub(crate) fn base_of(entry: &[u8], values: usize) -> Option<BaseKey> {
    let mut rest = entry.get(ENTRY_HEAD..)?;
    for _ in 0..values {
        rest = key::decode(rest).ok()?.1;
    }
    BaseKey::decode(rest)
}

/// Appends the value of an attribute of a key; none where it is not there or of another kind.
pub(crate) fn encode(
    record: &TableRecord,
    name: &str,
    item: &Item,
    out: &mut Vec<u8>,
) -> Option<()> {
    let value = item.get(name)?;
    let is_right = record.attributes.get(name).copied() == kind(value);
    (is_right && key::encode(value, out)).then_some(())
}

/// The kind that a value has as a part of a key.
pub(crate) fn kind(value: &Value) -> Option<KeyKind> {
    match value.kind() {
        Kind::String => Some(KeyKind::String),
        Kind::Number => Some(KeyKind::Number),
        Kind::Binary => Some(KeyKind::Binary),
        _ => None,
    }
}

/// The text or bytes of a key's value as they are.
pub(crate) fn length(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len(),
        Value::Binary(bytes) => bytes.len(),
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn arbitrary_bytes_are_no_key_or_one(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            BaseKey::of_row(&bytes);
            index_of(&bytes);
            for values in 0..3 {
                base_of(&bytes, values);
            }
        }
    }

    /// Keys are hashed so for ever: where an item is depends on it.
    #[test]
    fn a_hash_is_what_it_always_was() {
        // The vectors of XXH3's own tests.
        assert_eq!(xxh3_64(b""), 0x2d06_8005_38d3_94c2);
        assert_eq!(xxh3_64(b"a"), 0xe6c6_32b6_1e96_4e1f);
    }

    #[test]
    fn partitions_cut_the_hashes_into_equal_parts() {
        for partitions in [1, 3, 4, 64] {
            for partition in 0..partitions {
                let first = first_hash(partition.into(), partitions.into()).unwrap();
                assert_eq!(partition_of(first, partitions), partition);
                if first > 0 {
                    assert_eq!(partition_of(first - 1, partitions), partition - 1);
                }
            }
            assert_eq!(first_hash(partitions.into(), partitions.into()), None);
            assert_eq!(partition_of(u64::MAX, partitions), partitions - 1);
        }
    }
}
