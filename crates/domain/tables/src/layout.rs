//! What a table's record means for its items: the indexes that they have entries in, and which entries these are.

use headwater_items::{Item, Value};

use crate::{
    Destination, Error, IndexState, KeySchema, Projected, TableRecord, ViewType, WriteError, keys,
    keys::{BaseKey, Row, RowKind, encode},
    limits::{PARTITION_KEY_BYTES, SORT_KEY_BYTES},
};

/// A table's record with its indexes.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    pub record: TableRecord,
    /// The indexes that are kept, all of whose entries are not there yet where they are new.
    pub indexes: Vec<Index>,
}

/// An index that is kept.
#[derive(Debug, Clone)]
pub(crate) struct Index {
    /// Its number within the table; that of an expiry is the time at which it was set, which is above all others.
    pub id: u64,
    pub name: String,
    pub order: Order,
}

/// What an index sorts items by.
#[derive(Debug, Clone)]
pub(crate) enum Order {
    /// A key of its own, with the attributes that it shows.
    Key(KeySchema, Projected),
    /// The second in which they expire, which this attribute says.
    Expiry(String),
}

impl Layout {
    pub fn new(record: TableRecord) -> Self {
        let local = record.local.iter().map(|(name, index)| Index {
            id: index.number.into(),
            name: name.clone(),
            order: Order::Key(index.key.clone(), index.projected.clone()),
        });
        let is_kept = |state: IndexState| state != IndexState::Deleting;
        let global = record
            .global
            .iter()
            .filter(|(_, index)| is_kept(index.state));
        let global = global.map(|(name, index)| Index {
            id: index.number.into(),
            name: name.clone(),
            order: Order::Key(index.key.clone(), index.projected.clone()),
        });
        let expiry = record.time_to_live.iter().filter(|expiry| expiry.enabled);
        let expiry = expiry.map(|expiry| Index {
            id: expiry.changed.0,
            name: String::new(),
            order: Order::Expiry(expiry.attribute.clone()),
        });
        Self {
            indexes: local.chain(global).chain(expiry).collect(),
            record,
        }
    }

    /// The index of this name.
    pub fn index(&self, name: &str) -> Result<&Index, Error> {
        let is_it = |index: &&Index| index.name == name && !name.is_empty();
        let found = self.indexes.iter().find(is_it);
        found.ok_or_else(|| Error::NoIndex(self.record.name.clone(), name.to_owned()))
    }

    /// The index by which its items expire, where they do, and the attribute that says when.
    pub fn expiry(&self) -> Option<(u64, &str)> {
        self.indexes.iter().find_map(|index| match &index.order {
            Order::Expiry(attribute) => Some((index.id, attribute.as_str())),
            Order::Key(..) => None,
        })
    }

    /// Whether work in the background follows from the change from `before`: indexes to fill, or to remove.
    pub fn is_to_build(&self, before: &Self) -> bool {
        let ids = |layout: &Self| -> Vec<u64> {
            let ids = layout.indexes.iter().map(|index| index.id);
            ids.collect()
        };
        self.is_building() || ids(self) != ids(before)
    }

    /// Whether an index is being made or removed.
    pub fn is_building(&self) -> bool {
        let mut global = self.record.global.values();
        global.any(|index| index.state != IndexState::Active)
    }

    /// Whether an index is kept.
    pub fn has(&self, id: u64) -> bool {
        self.indexes.iter().any(|index| index.id == id)
    }

    /// The key of an item of the table.
    pub fn base(&self, item: &Item) -> Result<BaseKey, Error> {
        let key = BaseKey::of(&self.record, item);
        key.ok_or_else(|| Error::WrongKey(self.record.name.clone()))
    }

    /// Whether its changes say what items were before.
    pub fn keeps_before(&self) -> bool {
        let views = [ViewType::Old, ViewType::Both];
        let mut streams = self.record.streams.iter();
        streams.any(|stream| stream.takes_changes() && views.contains(&stream.view))
            || self.record.destinations.iter().any(Destination::is_live)
    }

    /// Refuses an item that has an attribute of an index's key that cannot be one.
    pub fn check(&self, item: &Item) -> Result<(), WriteError> {
        for index in &self.indexes {
            if let Order::Key(key, _) = &index.order {
                let sort = key.sort.iter().map(|name| (name, SORT_KEY_BYTES));
                let parts = std::iter::once((&key.partition, PARTITION_KEY_BYTES)).chain(sort);
                for (name, limit) in parts {
                    if let Some(value) = item.get(name) {
                        self.check_part(index, name, value, limit)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn check_part(
        &self,
        index: &Index,
        name: &str,
        value: &Value,
        limit: usize,
    ) -> Result<(), WriteError> {
        let expected = self.record.attributes.get(name).copied();
        let expected = expected.ok_or_else(|| {
            Error::damaged(&self.record.name, "an attribute of an index has no kind")
        })?;
        if keys::kind(value) != Some(expected) {
            return Err(WriteError::WrongIndexKind {
                index: index.name.clone(),
                attribute: name.to_owned(),
                expected,
                actual: value.kind(),
            });
        }
        let bytes = keys::length(value);
        if (1..=limit).contains(&bytes) {
            return Ok(());
        }
        Err(WriteError::WrongIndexSize {
            index: index.name.clone(),
            attribute: name.to_owned(),
            bytes,
        })
    }
}

impl Index {
    /// How many values its key has before the base key.
    pub fn values(&self) -> usize {
        match &self.order {
            Order::Key(key, _) => 1 + usize::from(key.sort.is_some()),
            Order::Expiry(_) => 0,
        }
    }

    /// The row of an item's entry; none where the item has none.
    pub fn entry(&self, record: &TableRecord, item: &Item, base: &BaseKey) -> Option<Vec<u8>> {
        let row = Row::of(RowKind::Entry, record.number).number(self.id);
        let row = match &self.order {
            Order::Key(key, _) => {
                let mut values = Vec::new();
                part(
                    record,
                    &key.partition,
                    item,
                    PARTITION_KEY_BYTES,
                    &mut values,
                )?;
                let hash = xxhash_rust::xxh3::xxh3_64(&values);
                if let Some(sort) = &key.sort {
                    part(record, sort, item, SORT_KEY_BYTES, &mut values)?;
                }
                row.number(hash).bytes(&values)
            }
            Order::Expiry(attribute) => row.number(expiry(item, attribute)?),
        };
        Some(row.bytes(&base.bytes).0)
    }

    /// Whether it has an attribute of its items.
    pub fn has(&self, record: &TableRecord, name: &str) -> bool {
        let Order::Key(key, projected) = &self.order else {
            return false;
        };
        let is_key = |key: &KeySchema| key.partition == name || key.sort.as_deref() == Some(name);
        match projected {
            Projected::All => true,
            Projected::Keys => is_key(key) || is_key(&record.key),
            Projected::Include(names) => {
                is_key(key) || is_key(&record.key) || names.iter().any(|other| other == name)
            }
        }
    }

    /// Bytes of what it has of an item.
    pub fn size(&self, record: &TableRecord, item: &Item) -> u64 {
        let has = item.iter().filter(|(name, _)| self.has(record, name));
        let bytes: usize = has.map(|(name, value)| name.len() + value.size()).sum();
        bytes as u64
    }
}

/// Appends a value of an index's key; none where it cannot be one, as of an item from before the index.
fn part(
    record: &TableRecord,
    name: &str,
    item: &Item,
    limit: usize,
    out: &mut Vec<u8>,
) -> Option<()> {
    let bytes = keys::length(item.get(name)?);
    (1..=limit).contains(&bytes).then_some(())?;
    encode(record, name, item, out)
}

/// The second in which an item expires.
pub(crate) fn expiry(item: &Item, attribute: &str) -> Option<u64> {
    match item.get(attribute)? {
        Value::Number(number) => u64::try_from(number.to_i64()?).ok(),
        _ => None,
    }
}
