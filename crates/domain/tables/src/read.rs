//! What is asked of the readers of items, and what they answer.

use headwater_expressions::{Condition, KeyCondition};
use headwater_items::Item;

/// What is read: a table, or an index of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The table.
    pub table: String,
    /// The index.
    pub index: Option<String>,
}

/// Items with one partition key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// Which.
    pub keys: KeyCondition,
    /// Whether they come in descending order.
    pub descending: bool,
    /// The rest.
    pub options: ReadOptions,
}

/// All items, or those of one segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scan {
    /// The segment, and how many there are.
    pub segment: (u32, u32),
    /// The rest.
    pub options: ReadOptions,
}

/// What queries and scans have in common.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReadOptions {
    /// The key behind which to go on: attributes of the table's key, and of the index's.
    pub after: Option<Item>,
    /// Items that are looked at, at the most.
    pub limit: Option<usize>,
    /// What must hold of those that are given.
    pub filter: Option<Condition>,
    /// Whether only their number is wanted: then [`Page::items`] stays empty.
    pub count_only: bool,
    /// Of an index, whether the whole items are wanted, and not only the attributes that it has.
    pub whole: bool,
}

/// The way through items: a query or a scan.
#[expect(
    clippy::large_enum_variant,
    reason = "a request has one, which is not moved often"
)]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Range {
    /// Those with one partition key.
    Query(Query),
    /// All.
    Scan(Scan),
}

/// Items that were found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// Those for which the filter holds. Of an index, only the attributes that it has, unless the whole item was asked for.
    pub items: Vec<Item>,
    /// How many these are.
    pub count: usize,
    /// How many were looked at.
    pub scanned: usize,
    /// Bytes of those that were looked at.
    pub bytes: usize,
    /// The key of the last one that was looked at, where there may be more.
    pub last: Option<Item>,
}
