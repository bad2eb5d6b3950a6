//! Why a table does not take an item, a key or an update, in AWS's words. Texts as recorded on AWS by the tests of dynalite,
//! of Alternator, and of nubo-db's dynamodb-conformance.

use headwater_items::Kind;
use headwater_tables::KeyKind;
use headwater_wire::ApiError;

use crate::{
    errors::validation,
    items::kinds::{letters, of_key},
};

/// Why a table does not take an item, a key or an update.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fault {
    /// A key that is not one of the table.
    KeyMismatch,
    /// An item without this attribute of the key.
    NoKey(String),
    /// An item whose attribute of the key is of a wrong kind.
    KeyKind {
        attribute: String,
        expected: KeyKind,
        actual: Kind,
    },
    /// An attribute of the key that is empty.
    EmptyKey { attribute: String, kind: KeyKind },
    /// A value that says the partition and is too long.
    PartitionTooLong,
    /// A value that sorts and is too long.
    SortTooLong,
    /// An attribute of an index's key that is of a wrong kind.
    IndexKind {
        index: String,
        attribute: String,
        expected: KeyKind,
        actual: Kind,
    },
    /// The same, found in what an update makes of the item.
    UpdatedIndexKind,
    /// An attribute of an index's key that is empty.
    EmptyIndexKey {
        index: String,
        attribute: String,
        kind: KeyKind,
    },
    /// The same, of an update.
    UpdatedEmptyIndexKey(KeyKind),
    /// An update of this attribute of the key.
    ChangesKey(String),
    /// A path into this attribute of the key.
    PathIntoKey(String),
    /// A path into this attribute of an index's key.
    PathIntoIndexKey(String),
    /// An item that is too large.
    TooLarge,
    /// An item that an update makes too large.
    UpdatedTooLarge,
    /// An item whose values an update nests too deep.
    UpdatedTooDeep,
}

impl Fault {
    /// Whether AWS finds it in the request itself, before a transaction begins; all others cancel the transaction.
    pub fn is_of_request(&self) -> bool {
        matches!(
            self,
            Self::EmptyKey { .. }
                | Self::EmptyIndexKey { .. }
                | Self::UpdatedEmptyIndexKey(_)
                | Self::TooLarge
        )
    }

    /// AWS's text.
    pub fn text(&self) -> String {
        match self {
            Self::KeyMismatch => "The provided key element does not match the schema".to_owned(),
            Self::NoKey(attribute) => invalid(format!("Missing the key {attribute} in the item")),
            Self::KeyKind {
                attribute,
                expected,
                actual,
            } => invalid(format!(
                "Type mismatch for key {attribute} expected: {} actual: {}",
                letters(of_key(*expected)),
                letters(*actual)
            )),
            Self::EmptyKey { attribute, kind } => {
                format!("{NOT_VALID} {} Key: {attribute}", empty(*kind))
            }
            Self::PartitionTooLong => {
                invalid("Size of hashkey has exceeded the maximum size limit of2048 bytes")
            }
            Self::SortTooLong => invalid(
                "Aggregated size of all range keys has exceeded the size limit of 1024 bytes",
            ),
            Self::ChangesKey(attribute) => invalid(format!(
                "Cannot update attribute {attribute}. This attribute is part of the key"
            )),
            Self::PathIntoKey(attribute) => no_scalar("Key", attribute),
            Self::PathIntoIndexKey(attribute) => no_scalar("IndexKey", attribute),
            Self::TooLarge => "Item size has exceeded the maximum allowed size".to_owned(),
            Self::UpdatedTooLarge => {
                "Item size to update has exceeded the maximum allowed size".to_owned()
            }
            Self::UpdatedTooDeep => {
                "Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported \
                 limit"
                    .to_owned()
            }
            of_index => of_index.text_of_index(),
        }
    }

    /// AWS's text about keys of indexes.
    fn text_of_index(&self) -> String {
        match self {
            Self::IndexKind {
                index,
                attribute,
                expected,
                actual,
            } => invalid(format!(
                "Type mismatch for Index Key {attribute} Expected: {} Actual: {} IndexName: {index}",
                letters(of_key(*expected)),
                letters(*actual)
            )),
            Self::EmptyIndexKey {
                index,
                attribute,
                kind,
            } => format!(
                "{NOT_VALID} A value specified for a secondary index key is not supported. {} IndexName: {index}, \
                 IndexKey: {attribute}",
                empty(*kind)
            ),
            Self::UpdatedEmptyIndexKey(kind) => format!(
                "{NOT_VALID} The update expression attempted to update a secondary index key to a value that is not \
                 supported. {}",
                empty(*kind)
            ),
            _ => "The update expression attempted to update the secondary index key to unsupported type"
                .to_owned(),
        }
    }
}

impl From<Fault> for ApiError {
    fn from(fault: Fault) -> Self {
        validation(fault.text())
    }
}

const NOT_VALID: &str = "One or more parameter values are not valid.";

fn invalid(why: impl std::fmt::Display) -> String {
    format!("One or more parameter values were invalid: {why}")
}

fn no_scalar(of: &str, attribute: &str) -> String {
    format!(
        "Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: {of}: {attribute}"
    )
}

fn empty(kind: KeyKind) -> String {
    let kind = match kind {
        KeyKind::Binary => "binary",
        KeyKind::String | KeyKind::Number => "string",
    };
    format!("The AttributeValue for a key attribute cannot contain an empty {kind} value.")
}
