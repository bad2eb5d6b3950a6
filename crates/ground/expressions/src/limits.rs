//! The bounds of expressions. (Source: the developer guide, "Quotas in Amazon DynamoDB", "Expression parameters".)

/// Bytes of an expression.
pub const EXPRESSION_BYTES: usize = 4096;
/// Bytes of an expression that has in the place of each `#name` and `:value` what it stands for. (Source: what DynamoDB
/// Local refuses.)
pub const EXPANDED_BYTES: usize = 1 << 20;
/// Bytes of all `#names` and `:values` of a request, with what they stand for.
pub const PLACEHOLDERS_BYTES: usize = 2 << 20;
/// Operators of an expression.
pub const OPERATORS: usize = 300;
/// Values that `IN` compares with.
pub const IN_OPERANDS: usize = 100;
/// Names and indexes of a path.
pub const PATH_LEVELS: usize = 32;
/// The largest index of a list.
pub const INDEX: usize = i32::MAX as usize;
/// Parentheses around a value, and functions of functions. Parentheses are redundant long before, and of the functions
/// only `if_not_exists` means anything in another.
pub(crate) const NESTED: usize = 2 * PATH_LEVELS;
