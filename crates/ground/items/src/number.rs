//! Decimal numbers of 38 digits, as DynamoDB has them: exact, between 1E-130 and 9.99E+125 in size.
//!
//! Owns what a number is, its sums, its order and its size. How it is read from text and written is in `text`.

mod text;

use std::cmp::Ordering;

/// Significant digits that a number may have. (Source, as of the next two: the developer guide, "Supported data types and
/// naming rules".)
const DIGITS_MAX: i64 = 38;
/// The power of ten that the first digit of the smallest number counts.
pub(crate) const POWER_MIN: i64 = -130;
/// The power of ten that the first digit of the largest number counts.
const POWER_MAX: i64 = 125;
/// Pairs of digits of the longest number that AWS keeps.
const PAIRS_MAX: usize = 20;

/// A number: at most 38 significant digits, in canonical form, so that equal numbers are equal values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Number {
    /// The significant digits as a whole number with its sign, without zeros at its end; 0 for zero.
    digits: i128,
    /// The power of ten that they are multiplied by; 0 for zero.
    exponent: i16,
}

/// Why a text or a sum is no number. All but the first are told in AWS's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NumberError {
    /// The text is none.
    #[error("not a number")]
    NotANumber,
    /// It has more than 38 significant digits.
    #[error("Attempting to store more than 38 significant digits in a Number")]
    TooManyDigits,
    /// It is too far from zero.
    #[error(
        "Number overflow. Attempting to store a number with magnitude larger than supported range"
    )]
    Overflow,
    /// It is too near to zero.
    #[error(
        "Number underflow. Attempting to store a number with magnitude smaller than supported range"
    )]
    Underflow,
}

impl Number {
    /// Zero.
    pub const ZERO: Self = Self {
        digits: 0,
        exponent: 0,
    };

    /// The sum, exact.
    ///
    /// # Errors
    /// [`NumberError::Underflow`]; [`NumberError::Overflow`] also where the sum has more than 38 digits, for that is what
    /// AWS says of 1E50 + 1. (Source: ScyllaDB's `test_update_expression_plus_imprecise`, which runs against AWS.)
    pub fn plus(self, other: Self) -> Result<Self, NumberError> {
        if self.digits == 0 {
            return Ok(other);
        }
        if other.digits == 0 {
            return Ok(self);
        }
        let (high, low) = match self.exponent < other.exponent {
            false => (self, other),
            true => (other, self),
        };
        // The last digit of `low` is not zero and stays so in the sum where the exponents differ. So what does not fit here
        // makes a sum that is longer than 38 digits, even when `low` is taken away from it.
        let aligned = high.aligned_with(low).ok_or(NumberError::Overflow)?;
        let added = low.magnitude();
        let (negative, sum) = match high.is_negative() == low.is_negative() {
            true => (high.is_negative(), aligned.checked_add(added)),
            false => (
                high.is_negative() == (aligned > added),
                Some(aligned.abs_diff(added)),
            ),
        };
        let sum = sum.ok_or(NumberError::Overflow)?;
        Self::new(negative, sum, low.exponent.into()).map_err(|error| match error {
            NumberError::TooManyDigits => NumberError::Overflow,
            error => error,
        })
    }

    /// The difference, exact.
    ///
    /// # Errors
    /// As [`Self::plus`].
    pub fn minus(self, other: Self) -> Result<Self, NumberError> {
        self.plus(Self {
            digits: -other.digits,
            ..other
        })
    }

    /// Its bytes as AWS counts them: one, one for each pair of digits, counted from the point to both sides, and one where
    /// it is negative. The developer guide, "DynamoDB item sizes and formats", says about as much; dynalite and dynoxide asked
    /// AWS: "12" and "0.15" take 2, "1.5" and "-42" take 3. The two differ over "120", where this follows dynalite: 3. That
    /// no number takes more than 21 is what AWS's own store for JanusGraph reckons with.
    pub fn size(&self) -> usize {
        if self.digits == 0 {
            return 1;
        }
        let pairs = self.power().div_euclid(2) - i64::from(self.exponent).div_euclid(2) + 1;
        let pairs = pairs.unsigned_abs() as usize;
        1 + pairs + usize::from(self.is_negative() && pairs < PAIRS_MAX)
    }

    /// The number as a whole one, cut towards zero; none where it does not fit.
    pub fn to_i64(self) -> Option<i64> {
        let power = 10_i128.checked_pow(self.exponent.unsigned_abs().into());
        let whole = match self.exponent < 0 {
            true => power.map_or(0, |power| self.digits / power),
            false => self.digits.checked_mul(power?)?,
        };
        i64::try_from(whole).ok()
    }

    /// The number `magnitude` · 10^`exponent` with its sign.
    pub(crate) fn new(negative: bool, magnitude: u128, exponent: i64) -> Result<Self, NumberError> {
        let (mut magnitude, mut exponent) = (magnitude, exponent);
        if magnitude == 0 {
            return Ok(Self::ZERO);
        }
        while magnitude.is_multiple_of(10) {
            magnitude /= 10;
            exponent += 1;
        }
        check_range(digits_of(magnitude), exponent)?;
        Ok(Self::in_range(negative, magnitude, exponent))
    }

    /// The number of these parts, which are canonical and in range.
    fn in_range(negative: bool, magnitude: u128, exponent: i64) -> Self {
        let digits = magnitude as i128;
        Self {
            digits: if negative { -digits } else { digits },
            exponent: exponent as i16,
        }
    }

    /// Whether it is below zero.
    pub(crate) fn is_negative(self) -> bool {
        self.digits < 0
    }

    /// Its significant digits as a whole number.
    pub(crate) fn magnitude(self) -> u128 {
        self.digits.unsigned_abs()
    }

    /// The power of ten that [`Self::magnitude`] is multiplied by.
    pub(crate) fn exponent(self) -> i64 {
        self.exponent.into()
    }

    /// How many significant digits it has; for zero 1.
    pub(crate) fn digits(self) -> i64 {
        digits_of(self.magnitude())
    }

    /// The power of ten that its first digit counts.
    pub(crate) fn power(self) -> i64 {
        self.exponent() + self.digits() - 1
    }

    /// Its magnitude as a multiple of the power of ten that `other` is a multiple of; none where that does not fit.
    fn aligned_with(self, other: Self) -> Option<u128> {
        let shift = self.exponent.saturating_sub(other.exponent);
        10_u128
            .checked_pow(u32::try_from(shift).unwrap_or(0))?
            .checked_mul(self.magnitude())
    }
}

/// The digits of a whole number.
fn digits_of(magnitude: u128) -> i64 {
    i64::from(magnitude.checked_ilog10().unwrap_or(0)) + 1
}

/// Whether there is a number of so many significant digits, the last of which counts 10^`exponent`. Its size is judged before
/// its length, as AWS does.
fn check_range(digits: i64, exponent: i64) -> Result<(), NumberError> {
    match exponent + digits - 1 {
        power if power > POWER_MAX => Err(NumberError::Overflow),
        power if power < POWER_MIN => Err(NumberError::Underflow),
        _ if digits > DIGITS_MAX => Err(NumberError::TooManyDigits),
        _ => Ok(()),
    }
}

impl From<i64> for Number {
    fn from(number: i64) -> Self {
        let (mut digits, mut exponent) = (number, 0);
        while digits != 0 && digits % 10 == 0 {
            digits /= 10;
            exponent += 1;
        }
        Self {
            digits: digits.into(),
            exponent,
        }
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        let signs = self.digits.signum().cmp(&other.digits.signum());
        if signs != Ordering::Equal || self.exponent == other.exponent {
            return signs.then(self.digits.cmp(&other.digits));
        }
        // Where the first digits count the same, both fit: they have 38 digits together with the zeros.
        let magnitudes = (self.power().cmp(&other.power()))
            .then_with(|| self.aligned_with(*other).cmp(&other.aligned_with(*self)));
        match self.is_negative() {
            true => magnitudes.reverse(),
            false => magnitudes,
        }
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
