//! Filters of partitions: the expressions of GetPartitions, held against the values of each partition.
//!
//! Owns the language: comparisons of a table's partition keys with literals, `IN`, `BETWEEN`, `LIKE`, `IS NULL`, and what
//! `AND`, `OR`, `NOT` and parentheses make of them. Names and literals are held against the table's keys when an
//! expression is read, so that a wrong one is refused whether there are partitions or not. Texts of errors as users have
//! recorded them.

mod lexer;
mod like;
mod parser;
mod scalar;

use std::cmp::Ordering;

use headwater_shapes_glue::{Column, errors::INVALID_STATE_EXCEPTION};
use headwater_wire::ApiError;

use crate::filter::{
    like::Like,
    parser::Parser,
    scalar::{Kind, Scalar},
};

/// What Hive writes where a partition's value is null.
const NULL: &str = "__HIVE_DEFAULT_PARTITION__";

/// An expression over a table's partitions.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Filter {
    All(Vec<Filter>),
    Any(Vec<Filter>),
    Not(Box<Filter>),
    /// A test of the value of one key, by the key's place.
    Test(usize, Kind, Test),
}

/// A test of one value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Test {
    Compare(Comparison, Scalar),
    Between(Scalar, Scalar),
    In(Vec<Scalar>),
    Like(Like),
    IsNull,
}

/// A comparison, by the orders of value and literal that it holds for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Filter {
    /// The filter of an expression over partitions by `keys`; none where it is blank, which all partitions pass.
    pub fn new(expression: &str, keys: &[Column]) -> Result<Option<Self>, ApiError> {
        if expression.trim().is_empty() {
            return Ok(None);
        }
        Parser::new(expression, keys)?.whole().map(Some)
    }

    /// Whether a partition of these values passes. A value that is none of its key's type is an invalid state.
    pub fn passes(&self, values: &[String]) -> Result<bool, ApiError> {
        match self {
            Self::Not(inner) => Ok(!inner.passes(values)?),
            Self::All(inner) => {
                for filter in inner {
                    if !filter.passes(values)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Self::Any(inner) => {
                for filter in inner {
                    if filter.passes(values)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            // The table had fewer keys when the partition was made.
            Self::Test(at, kind, test) => match values.get(*at) {
                None => Ok(false),
                Some(value) => test.passes(*kind, value),
            },
        }
    }
}

impl Test {
    fn passes(&self, kind: Kind, value: &str) -> Result<bool, ApiError> {
        match self {
            // No partition's value is null on AWS, not even the one that Hive writes for it.
            Self::IsNull => return Ok(false),
            Self::Like(like) => return Ok(like.matches(value)),
            _ if value == NULL && kind != Kind::Text => return Ok(false),
            _ => {}
        }
        let value = kind
            .read(value)
            .map_err(|text| ApiError::of(&INVALID_STATE_EXCEPTION, text))?;
        Ok(match self {
            Self::Compare(comparison, literal) => comparison.holds(value.cmp(literal)),
            Self::Between(low, high) => *low <= value && value <= *high,
            Self::In(literals) => literals.contains(&value),
            Self::Like(_) | Self::IsNull => false,
        })
    }
}

impl Comparison {
    fn holds(self, order: Ordering) -> bool {
        match self {
            Self::Equal => order.is_eq(),
            Self::Unequal => order.is_ne(),
            Self::Less => order.is_lt(),
            Self::LessOrEqual => order.is_le(),
            Self::Greater => order.is_gt(),
            Self::GreaterOrEqual => order.is_ge(),
        }
    }
}

#[cfg(test)]
mod tests;
