//! The bounds of items.

/// Levels of lists and maps within an item that is read from its bytes. Doors refuse items long before: AWS has 32 levels,
/// and the first is the attribute itself.
pub const NESTING_MAX: usize = 40;
/// Bytes of an item, names and values. (Source: the developer guide, "Quotas in Amazon DynamoDB".)
pub const ITEM_BYTES: usize = 400 * 1024;
