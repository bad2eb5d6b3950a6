//! Metric math: expressions over series, read and evaluated.
//!
//! The grammar and the functions are those of CloudWatch's user guide ("Using metric math"), but for the functions that
//! ask other services, which are refused by name. A point whose value is no finite number is left out, as AWS leaves it
//! out.

mod evaluate;
mod functions;
mod lex;
mod parse;
#[cfg(test)]
mod tests;
mod value;

use std::collections::{BTreeMap, BTreeSet};

use headwater_types::Millis;

pub use parse::Expression;
pub use value::{TimeSeries, Value};

/// The bounds of expressions.
pub mod limits {
    /// Bytes of an expression.
    pub const TEXT_BYTES_MAX: usize = 2048;
    /// How deep parts of an expression may stand within each other.
    pub const DEPTH_MAX: usize = 32;
    /// Points that the values of one expression may have together, at any moment of its evaluation.
    pub const POINTS_MAX: usize = 500_000;
}

/// What an expression is evaluated over.
#[derive(Debug, Clone, Default)]
pub struct Inputs {
    /// The values of what was evaluated before it, by id.
    pub values: BTreeMap<String, Value>,
    /// The ids of metrics, in the order in which `METRICS()` gives them.
    pub metrics: Vec<String>,
    /// The beginning of the first period.
    pub from: Millis,
    /// The end, itself not included.
    pub to: Millis,
    /// The length of a period in seconds.
    pub period: u32,
}

/// Why a text is no expression, or has no value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MathError {
    /// It has more bytes than an expression may have.
    #[error("it has more than {} bytes", limits::TEXT_BYTES_MAX)]
    TooLong,
    /// Its parts stand too deep within each other.
    #[error(
        "its parts stand more than {} deep within each other",
        limits::DEPTH_MAX
    )]
    TooDeep,
    /// It is not written as an expression is.
    #[error("at character {at}: {what}")]
    Syntax {
        /// Where, counted from 1.
        at: usize,
        /// The fault there.
        what: &'static str,
    },
    /// There is no such function.
    #[error("there is no function {0}")]
    NoFunction(String),
    /// A function of AWS's that is not supported here.
    #[error("the function {0} is not supported")]
    NotSupported(&'static str),
    /// A function has too few or too many arguments.
    #[error("{0} takes another number of arguments")]
    Arguments(&'static str),
    /// It names what nothing has as its id.
    #[error("nothing has the id {0}")]
    NoId(String),
    /// An argument is of another kind than the function or operator takes.
    #[error("{0}")]
    Kind(&'static str),
    /// Its values have too many points.
    #[error("its values have more than {} points", limits::POINTS_MAX)]
    TooManyPoints,
}

impl Expression {
    /// The ids that it names.
    pub fn ids(&self) -> BTreeSet<&str> {
        let mut ids = BTreeSet::new();
        self.0.ids(&mut ids);
        ids
    }

    /// Its value.
    ///
    /// # Errors
    /// [`MathError::NoId`], [`MathError::Kind`] and [`MathError::TooManyPoints`].
    pub fn evaluate(&self, inputs: &Inputs) -> Result<Value, MathError> {
        evaluate::evaluate(&self.0, inputs)
    }
}
