//! Numbers as text: what DynamoDB takes for one, and how it gives it back.

use std::{fmt, io::Write, str::FromStr};

use super::{DIGITS_MAX, Number, NumberError, check_range};

/// Where a written exponent is cut: it is out of range however long the text before it is.
const EXPONENT_CUT: i64 = 1_000_000_000_000;

/// As many zeros as stand beside the digits of any number.
const ZEROS: &str = match std::str::from_utf8(&[b'0'; 130]) {
    Ok(zeros) => zeros,
    Err(_) => "",
};

/// A sign, digits with a point among them, before or behind them, and an exponent; all but one digit may be left out. Spaces
/// are not taken. (Source: ScyllaDB's `test_invalid_numbers` and dynoxide's `number_validation`, which tell of AWS.) Zero may
/// have any exponent, though AWS refuses those out of range unless a point stands among the digits.
impl FromStr for Number {
    type Err = NumberError;

    fn from_str(text: &str) -> Result<Self, NumberError> {
        let (negative, text) = signed(text.as_bytes());
        let is_mark = |byte: &u8| matches!(byte, b'e' | b'E');
        let mark = text.iter().position(is_mark);
        let (coefficient, power) = text.split_at(mark.unwrap_or(text.len()));
        let mut read = Coefficient::default();
        coefficient.iter().try_for_each(|byte| read.take(*byte))?;
        if !read.any {
            return Err(NumberError::NotANumber);
        }
        let exponent = match power {
            [] => 0,
            [_, power @ ..] => exponent(power)?,
        };
        read.number(negative, exponent)
    }
}

/// Whether a text begins with a minus, and what follows its sign.
fn signed(text: &[u8]) -> (bool, &[u8]) {
    match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    }
}

/// The exponent that stands behind its mark.
fn exponent(text: &[u8]) -> Result<i64, NumberError> {
    let (negative, digits) = signed(text);
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Err(NumberError::NotANumber);
    }
    let exponent = digits.iter().fold(0, |exponent, digit| {
        (exponent * 10 + i64::from(digit - b'0')).min(EXPONENT_CUT)
    });
    Ok(if negative { -exponent } else { exponent })
}

/// The digits of a text that stand before its exponent.
#[derive(Default)]
struct Coefficient {
    /// The significant digits so far, without zeros at their end, as long as they are not too many.
    magnitude: u128,
    /// How many these are.
    digits: i64,
    /// Zeros that followed them.
    zeros: i64,
    /// Digits behind the point, once there was one.
    fraction: Option<i64>,
    /// Whether there was a digit at all.
    any: bool,
}

impl Coefficient {
    /// Takes the next character.
    fn take(&mut self, byte: u8) -> Result<(), NumberError> {
        match byte {
            b'0'..=b'9' => self.digit(byte - b'0'),
            b'.' if self.fraction.is_none() => self.fraction = Some(0),
            _ => return Err(NumberError::NotANumber),
        }
        Ok(())
    }

    fn digit(&mut self, digit: u8) {
        self.any = true;
        if let Some(fraction) = &mut self.fraction {
            *fraction += 1;
        }
        if digit == 0 {
            self.zeros += i64::from(self.magnitude != 0);
            return;
        }
        let shift = self.zeros + 1;
        self.zeros = 0;
        self.digits += shift;
        if self.digits <= DIGITS_MAX {
            self.magnitude = self.magnitude * 10_u128.pow(shift as u32) + u128::from(digit);
        }
    }

    fn number(&self, negative: bool, exponent: i64) -> Result<Number, NumberError> {
        if self.magnitude == 0 {
            return Ok(Number::ZERO);
        }
        let exponent = exponent + self.zeros - self.fraction.unwrap_or(0);
        check_range(self.digits, exponent)?;
        Ok(Number::in_range(negative, self.magnitude, exponent))
    }
}

/// All digits, without an exponent however large or small the number is, without zeros at the end of a fraction, and with one
/// before its point. (Source: ScyllaDB's `test_number_output_normalization`, which runs against AWS: 1e125 comes back as a 1
/// and 125 zeros; dynalite's "should put really long numbers": so does 1e-130, as a fraction.)
impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_negative() {
            f.write_str("-")?;
        }
        let mut buffer = [0; DIGITS_MAX as usize];
        let mut rest = &mut buffer[..];
        write!(rest, "{}", self.magnitude()).map_err(|_| fmt::Error)?;
        let free = rest.len();
        let digits = std::str::from_utf8(&buffer[..buffer.len() - free]).map_err(|_| fmt::Error)?;
        if self.exponent() >= 0 {
            f.write_str(digits)?;
            return f.write_str(zeros(self.exponent()));
        }
        match digits
            .len()
            .checked_sub(self.exponent().unsigned_abs() as usize)
        {
            Some(whole) if whole > 0 => {
                let (whole, fraction) = digits.split_at(whole);
                f.write_str(whole)?;
                f.write_str(".")?;
                f.write_str(fraction)
            }
            _ => {
                f.write_str("0.")?;
                f.write_str(zeros(-self.power() - 1))?;
                f.write_str(digits)
            }
        }
    }
}

/// So many zeros; no number has more beside its digits than there are.
fn zeros(count: i64) -> &'static str {
    let count = usize::try_from(count).unwrap_or(0);
    ZEROS.get(..count).unwrap_or(ZEROS)
}
