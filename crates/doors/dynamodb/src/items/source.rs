//! What queries and scans read: a table or one of its indexes.

use std::collections::BTreeSet;

use headwater_items::Value;
use headwater_tables::{IndexState, KeySchema, Projected, Range, TableRecord, Target};
use headwater_wire::ApiError;

use crate::{errors::validation, items::keys};

/// A table or one of its indexes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Source<'a> {
    /// The table.
    pub table: &'a TableRecord,
    /// The index.
    pub index: Option<Index<'a>>,
}

/// An index.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Index<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its key.
    pub key: &'a KeySchema,
    /// What it has beside the keys.
    pub projected: &'a Projected,
    /// Whether it is global.
    pub is_global: bool,
}

impl<'a> Source<'a> {
    /// The table, or its index of this name.
    ///
    /// # Errors
    /// There is no such index, or it is not complete yet, or cannot be read consistently.
    pub fn find(
        table: &'a TableRecord,
        index: Option<&'a str>,
        is_consistent: bool,
    ) -> Result<Self, ApiError> {
        let Some(name) = index else {
            return Ok(Self { table, index: None });
        };
        let index = Index::find(table, name)?;
        if index.is_global && is_consistent {
            return Err(validation(
                "Consistent reads are not supported on global secondary indexes",
            ));
        }
        Ok(Self {
            table,
            index: Some(index),
        })
    }

    /// The key of what is read.
    pub fn key(&self) -> &'a KeySchema {
        self.index.map_or(&self.table.key, |index| index.key)
    }

    /// The attributes of a key at which a page ends: of the index's and the table's.
    pub fn key_names(&self) -> BTreeSet<&'a str> {
        let keys = [Some(&self.table.key), self.index.map(|index| index.key)];
        let names = keys.into_iter().flatten().flat_map(keys::names);
        names.map(String::as_str).collect()
    }

    /// What the domain reads.
    pub fn target(&self) -> Target {
        Target {
            table: self.table.name.clone(),
            index: self.index.map(|index| index.name.to_owned()),
        }
    }

    /// The partition key of the table's items that are read, where that is one.
    pub fn partition_of<'r>(&self, range: &'r Range) -> Option<&'r Value> {
        let is_of_table = self.index.is_none_or(|index| !index.is_global);
        match range {
            Range::Query(query) if is_of_table => Some(&query.keys.partition.1),
            _ => None,
        }
    }

    /// Whether it has an attribute.
    pub fn has(&self, attribute: &str) -> bool {
        match self.index.map(|index| index.projected) {
            None | Some(Projected::All) => true,
            Some(Projected::Keys) => self.key_names().contains(attribute),
            Some(Projected::Include(others)) => {
                self.key_names().contains(attribute)
                    || others.iter().any(|other| other == attribute)
            }
        }
    }
}

impl<'a> Index<'a> {
    fn find(table: &'a TableRecord, name: &'a str) -> Result<Self, ApiError> {
        if let Some(index) = table.local.get(name) {
            return Ok(Self {
                name,
                key: &index.key,
                projected: &index.projected,
                is_global: false,
            });
        }
        let index = table.global.get(name).ok_or_else(|| {
            validation(format!(
                "The table does not have the specified index: {name}"
            ))
        })?;
        match index.state {
            IndexState::Active => Ok(Self {
                name,
                key: &index.key,
                projected: &index.projected,
                is_global: true,
            }),
            IndexState::Creating => Err(validation(format!(
                "Cannot read from backfilling global secondary index: {name}"
            ))),
            IndexState::Deleting => Err(validation(format!(
                "The table does not have the specified index: {name}"
            ))),
        }
    }
}
