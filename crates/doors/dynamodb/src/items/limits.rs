//! The bounds of requests about items. (Source: the developer guide, "Quotas in Amazon DynamoDB".)

/// Bytes of an attribute's name.
pub(crate) const NAME_BYTES: usize = 65_535;
/// Bytes of the value that says the partition.
pub(crate) const PARTITION_KEY_BYTES: usize = 2048;
/// Bytes of the value that sorts.
pub(crate) const SORT_KEY_BYTES: usize = 1024;
/// Items of one BatchGetItem.
pub(crate) const BATCH_GETS: usize = 100;
/// Items of one BatchWriteItem.
pub(crate) const BATCH_WRITES: usize = 25;
/// Bytes of the items that one BatchGetItem gives; the rest is left to another call.
pub(crate) const BATCH_GET_BYTES: usize = 16 << 20;
/// The body of a write of one item: 400 KB, with quotes, escapes and base64, and of its expressions' values.
pub(crate) const WRITE_BODY_BYTES: usize = 4 << 20;
/// The body of a batch of writes or of a transaction: AWS's own bound.
pub(crate) const BATCH_BODY_BYTES: usize = 16 << 20;
