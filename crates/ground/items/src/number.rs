//! Decimal numbers of 38 digits, as DynamoDB has them: exact, between 1E-130 and 9.99E+125 in size.

use std::{cmp::Ordering, fmt, str::FromStr};

/// A number: at most 38 significant digits, in canonical form, so that equal numbers are equal values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Number {
    /// The significant digits as a whole number with its sign, without zeros at its end; 0 for zero.
    pub(crate) digits: i128,
    /// The power of ten that they are multiplied by; 0 for zero.
    pub(crate) exponent: i16,
}

/// Why a text or a sum is no number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NumberError {
    /// The text is none.
    #[error("not a number")]
    NotANumber,
    /// It has more than 38 significant digits.
    #[error("more than 38 significant digits")]
    TooManyDigits,
    /// It is too far from zero.
    #[error("too large")]
    Overflow,
    /// It is too near to zero.
    #[error("too small")]
    Underflow,
}

impl Number {
    /// Zero.
    pub const ZERO: Self = Self { digits: 0, exponent: 0 };

    /// The sum, exact.
    ///
    /// # Errors
    /// All but [`NumberError::NotANumber`].
    pub fn plus(self, _other: Self) -> Result<Self, NumberError> {
        todo!()
    }

    /// The difference, exact.
    ///
    /// # Errors
    /// As [`Self::plus`].
    pub fn minus(self, _other: Self) -> Result<Self, NumberError> {
        todo!()
    }

    /// Its bytes as AWS counts them.
    pub fn size(&self) -> usize {
        todo!()
    }

    /// The number as a whole one, cut towards zero; none where it does not fit.
    pub fn to_i64(self) -> Option<i64> {
        todo!()
    }
}

impl From<i64> for Number {
    fn from(_number: i64) -> Self {
        todo!()
    }
}

impl FromStr for Number {
    type Err = NumberError;

    fn from_str(_text: &str) -> Result<Self, NumberError> {
        todo!()
    }
}

impl fmt::Display for Number {
    fn fmt(&self, _f: &mut fmt::Formatter<'_>) -> fmt::Result {
        todo!()
    }
}

impl Ord for Number {
    fn cmp(&self, _other: &Self) -> Ordering {
        todo!()
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
