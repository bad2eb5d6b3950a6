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
/// Parentheses and functions within each other while a text is read. Whoever needs more has more operators than
/// are allowed, parentheses that mean nothing, or calls that nobody may make.
pub(crate) const NESTED: usize = OPERATORS + 2;
