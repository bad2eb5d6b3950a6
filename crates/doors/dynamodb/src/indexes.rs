//! The indexes of a new table: which it can have, in AWS's order of checks.

use std::collections::BTreeSet;

use headwater_shapes_dynamodb::{GlobalSecondaryIndex, LocalSecondaryIndex};
use headwater_tables::{Billing, KeySchema, Projected};
use headwater_wire::ApiError;

use crate::{
    billing::{self, Maxima, Mode},
    errors::{invalid, validation},
    projection, refused,
    schema::{self, Definitions, Element},
};

/// Local indexes of a table. (Source: the developer guide, "Quotas in Amazon DynamoDB", as the others.)
const LOCAL_MAX: usize = 5;
/// Global indexes of a table.
pub(crate) const GLOBAL_MAX: usize = 20;
/// Attributes that all indexes of a table together include by name.
const INCLUDED_MAX: usize = 100;
/// Attributes of a global index's key that say the partition, and that sort.
const PARTS_MAX: usize = 4;

/// A local index: its name, its key and what it has.
pub(crate) type Local = (String, KeySchema, Projected);
/// A global one, and how it is paid for.
pub(crate) type Global = (String, KeySchema, Projected, Billing);

/// The indexes of a table that is being made, and the names that they have.
pub(crate) struct Indexes<'a> {
    /// The table's key.
    table: &'a KeySchema,
    definitions: &'a Definitions,
    names: BTreeSet<String>,
}

impl<'a> Indexes<'a> {
    /// None yet, of a table with this key.
    pub fn of(table: &'a KeySchema, definitions: &'a Definitions) -> Self {
        Self {
            table,
            definitions,
            names: BTreeSet::new(),
        }
    }

    /// The local ones.
    pub fn local(&mut self, sent: Vec<LocalSecondaryIndex>) -> Result<Vec<Local>, ApiError> {
        if sent.is_empty() {
            return Err(invalid("List of LocalSecondaryIndexes is empty"));
        }
        if self.table.sort.is_none() {
            return Err(invalid(
                "Table KeySchema does not have a range key, which is required when specifying a LocalSecondaryIndex",
            ));
        }
        let sent = sent.into_iter().enumerate();
        let read = sent.map(|(at, index)| self.local_one(at, index));
        let read: Vec<Local> = read.collect::<Result<_, _>>()?;
        if read.len() > LOCAL_MAX {
            return Err(invalid(format_args!(
                "Number of LocalSecondaryIndexes exceeds per-table limit of {LOCAL_MAX}"
            )));
        }
        Ok(read)
    }

    /// The global ones of a table that is paid for so.
    pub fn global(
        &mut self,
        sent: Vec<GlobalSecondaryIndex>,
        mode: Mode,
    ) -> Result<Vec<Global>, ApiError> {
        if sent.is_empty() {
            return Err(invalid("List of GlobalSecondaryIndexes is empty"));
        }
        let read = sent.into_iter().map(|index| self.global_one(index, mode));
        let read: Vec<Global> = read.collect::<Result<_, _>>()?;
        if read.len() > GLOBAL_MAX {
            return Err(invalid(format_args!(
                "GlobalSecondaryIndex count exceeds the per-table limit of {GLOBAL_MAX}"
            )));
        }
        Ok(read)
    }

    fn local_one(&mut self, at: usize, sent: LocalSecondaryIndex) -> Result<Local, ApiError> {
        let LocalSecondaryIndex {
            index_name,
            key_schema,
            projection,
        } = sent;
        let key = schema::elements(key_schema);
        let member = format!("localSecondaryIndexes.{}.member.keySchema", at + 1);
        schema::check_count(&key, &member)?;
        self.definitions.cover(&key)?;
        let key = schema::key(&key)?;
        self.check_local_key(&index_name, &key)?;
        let projected = projection::read(projection)?;
        Ok((self.take(index_name)?, key, projected))
    }

    fn global_one(&mut self, sent: GlobalSecondaryIndex, mode: Mode) -> Result<Global, ApiError> {
        let GlobalSecondaryIndex {
            index_name,
            key_schema,
            projection,
            provisioned_throughput,
            on_demand_throughput,
            warm_throughput,
        } = sent;
        refused::warm(warm_throughput)?;
        let key = schema::elements(key_schema);
        self.definitions.cover(&key)?;
        let key = global_key(&key)?;
        let projected = projection::read(projection)?;
        let maxima = Maxima::read(on_demand_throughput);
        let billing = billing::of_index(&index_name, mode, provisioned_throughput, maxima)?;
        Ok((self.take(index_name)?, key, projected, billing))
    }

    /// Whether a local index can have this key.
    fn check_local_key(&self, index: &str, key: &KeySchema) -> Result<(), ApiError> {
        if key.sort.is_none() {
            return Err(invalid(format_args!(
                "Index KeySchema does not have a range key for index: {index}"
            )));
        }
        let (own, tables) = (&key.partition, &self.table.partition);
        if own != tables {
            return Err(invalid(format_args!(
                "Index KeySchema does not have the same leading hash key as table KeySchema for index: {index}. index \
                 hash key: {own}, table hash key: {tables}"
            )));
        }
        Ok(())
    }

    /// A name that no other index has.
    fn take(&mut self, name: String) -> Result<String, ApiError> {
        match self.names.insert(name.clone()) {
            true => Ok(name),
            false => Err(invalid(format_args!("Duplicate index name: {name}"))),
        }
    }
}

/// The key of a global index. Of AWS's keys of up to four attributes each those are built that have one.
pub(crate) fn global_key(elements: &[Element]) -> Result<KeySchema, ApiError> {
    if elements.len() <= 2 {
        return schema::key(elements);
    }
    let is_hash = |element: &&Element| element.is_hash;
    let hashes = elements.iter().filter(is_hash).count();
    if elements.iter().take_while(is_hash).count() != hashes {
        return Err(invalid(
            "All HASH key attributes must precede RANGE key attributes in the KeySchema",
        ));
    }
    for (kind, count) in [("HASH", hashes), ("RANGE", elements.len() - hashes)] {
        if count > PARTS_MAX {
            return Err(invalid(format_args!(
                "The KeySchema exceeds the maximum allowed number of {kind} key attributes"
            )));
        }
    }
    let mut names = BTreeSet::new();
    if !elements.iter().all(|element| names.insert(&element.name)) {
        return Err(validation(
            "The KeySchema contains multiple key attributes with the same name",
        ));
    }
    schema::key(elements)
}

/// Whether the attributes that indexes include by name are not too many.
pub(crate) fn check_included<'a>(
    projected: impl Iterator<Item = &'a Projected>,
) -> Result<(), ApiError> {
    let included = projected.map(|projected| match projected {
        Projected::Include(names) => names.len(),
        Projected::All | Projected::Keys => 0,
    });
    match included.sum::<usize>() <= INCLUDED_MAX {
        true => Ok(()),
        false => Err(invalid(format_args!(
            "Number of NonKeyAttributes over all indexes exceeds the per-table limit of {INCLUDED_MAX}"
        ))),
    }
}
