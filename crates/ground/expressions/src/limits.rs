//! The bounds of expressions. (Source: the developer guide, "Quotas in Amazon DynamoDB", "Expression parameters".)

/// Bytes of an expression.
pub const EXPRESSION_BYTES: usize = 4096;
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
