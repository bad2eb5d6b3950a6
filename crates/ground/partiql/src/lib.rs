//! Statements of PartiQL, as tables know them: read, and what they want of a key.
//!
//! Owns the language: what a text means, and with which of AWS's words others are refused. A statement's conditions and
//! updates are those of `expressions`, whose checks and evaluation they share. Leaves tables, and what is done with a
//! statement, to others.
//!
//! Sources: the developer guide ("PartiQL - a SQL-compatible query language for Amazon DynamoDB"). Texts as recorded on AWS
//! by the tests of nubo-db's dynamodb-conformance and of floci; those of rarer faults as DynamoDB Local has them.

mod conditions;
mod error;
mod keys;
mod keywords;
pub mod limits;
mod paths;
mod reader;
mod statement;
mod statements;
mod tokens;
mod updates;
mod values;

pub use error::Refused;
pub use keys::{OneItem, one_item, reads};
pub use statement::{Delete, From, Insert, Order, Returning, Select, Statement, Update};
pub use statements::statement;

#[cfg(test)]
mod tests;
