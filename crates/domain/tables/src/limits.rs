//! The bounds of tables. (Source: the developer guide, "Quotas in Amazon DynamoDB".)

/// Bytes of an item, names and values.
pub const ITEM_BYTES: usize = 400 * 1024;
/// Bytes of the items that one page looks at.
pub const PAGE_BYTES: usize = 1024 * 1024;
