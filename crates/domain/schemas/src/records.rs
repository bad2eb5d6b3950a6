//! Databases, tables and partitions as the catalog keeps them, and the keys that they have there.

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
    /// The id that its partitions are kept under, since it had the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partitions: Option<String>,
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

/// A partition as it is kept, beside its values, which are its key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Partition {
    /// When it was made.
    pub created: Millis,
    /// The rest of its description: the door's, and kept as it is.
    pub document: Value,
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

/// Begins an escape in the values of a partition, which may have any character.
const ESCAPE: char = '\u{2}';

/// The beginning of the keys of all partitions under an id.
pub(crate) fn partitions_of(id: &str) -> String {
    format!("{id}/")
}

/// A partition's key. The order of keys is that of the values, compared one by one as text: the separator comes before
/// any character of a value, and the three lowest characters are escaped in their order.
pub(crate) fn partition_key(id: &str, values: &[String]) -> String {
    let mut key = partitions_of(id);
    for (at, value) in values.iter().enumerate() {
        if at > 0 {
            key.push(SEPARATOR);
        }
        for character in value.chars() {
            match character {
                '\0' => key.extend([ESCAPE, '0']),
                SEPARATOR => key.extend([ESCAPE, '1']),
                ESCAPE => key.extend([ESCAPE, '2']),
                other => key.push(other),
            }
        }
    }
    key
}

/// The values of a key that [`partition_key`] made, without what stands before them.
pub(crate) fn partition_values(key: &str) -> Vec<String> {
    let unescaped = |value: &str| {
        let value = value.replace("\u{2}0", "\0").replace("\u{2}1", "\u{1}");
        value.replace("\u{2}2", "\u{2}")
    };
    key.split(SEPARATOR).map(unescaped).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn values() -> impl Strategy<Value = Vec<String>> {
        let low = "[\u{0}-\u{4}a0-2]{0,4}";
        proptest::collection::vec(prop_oneof!["\\PC{0,8}", low], 1..4)
    }

    proptest! {
        #[test]
        fn keys_of_partitions_read_back_and_are_ordered_as_the_values(a in values(), b in values()) {
            let key = |values: &[String]| partition_key("id", values);
            prop_assert_eq!(&partition_values(&key(&a)["id/".len()..]), &a);
            prop_assert_eq!(key(&a).cmp(&key(&b)), a.cmp(&b));
        }
    }
}
