//! Databases and tables as the catalog keeps them.

use headwater_types::Millis;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A database as it is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Database {
    /// When it was made.
    pub created: Millis,
    /// The rest of its description: the door's, and kept as it is.
    pub document: Value,
}

/// A version of a table as it is kept; the latest is the table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Table {
    /// Counts its updates, from 0.
    pub version: u64,
    /// How many versions before it are kept.
    pub archived: usize,
    /// When the table was made.
    pub created: Millis,
    /// When this version was.
    pub updated: Millis,
    /// The ARN or name of the table's maker, as the door gave it.
    pub created_by: String,
    /// Its definition.
    pub definition: Definition,
}

/// The definition of a table: its columns, and the door's description.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Definition {
    /// Its columns, in their order, without those that it is partitioned by.
    pub columns: Vec<Column>,
    /// The rest of its description: the door's, and kept as it is.
    pub document: Value,
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type as Hive spells it: `struct<a:int,b:array<string>>`. It is not read here.
    pub data_type: String,
}

/// Stands between the parts of a key; no name has it.
const SEPARATOR: char = '\u{1}';

/// A table's key, under that of its database.
pub(crate) fn table_key(database: &str, table: &str) -> String {
    format!("{}{table}", within(database))
}

/// The beginning of the keys of all that is in a database.
pub(crate) fn within(database: &str) -> String {
    format!("{database}{SEPARATOR}")
}

/// A version's key. The newest comes first.
pub(crate) fn version_key(database: &str, table: &str, version: u64) -> String {
    format!(
        "{}{:016x}",
        within(&table_key(database, table)),
        u64::MAX - version
    )
}
