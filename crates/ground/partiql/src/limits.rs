//! The bounds of statements.

/// Characters of a statement. (Source: the API reference, "ExecuteStatement".)
pub const STATEMENT_CHARACTERS: usize = 8192;
/// Levels of lists and maps of a value, itself counted. (Source: the developer guide, "Quotas in Amazon DynamoDB".)
pub const VALUE_LEVELS: usize = 32;
/// Reads that a statement's keys come to. (Source: the developer guide, "PartiQL … operators": 50 values of a key.)
pub const READS: usize = 50;
/// Parentheses and functions within each other.
pub(crate) const NESTED: usize = 32;
