//! Decimal numbers read exactly, however they are written.

/// Why a text is not the decimal that was asked for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Wrong {
    /// It is no number.
    NoNumber,
    /// It has more digits before the point than fit.
    TooLarge,
}

/// The digits of a number, rounded half up to `scale` of them after the point and at most `precision` in all.
pub(super) fn parse(text: &str, precision: u8, scale: u8) -> Result<i128, Wrong> {
    let (negative, unsigned) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = || whole.bytes().chain(fraction.bytes());
    if digits().next().is_none() || !digits().all(|digit| digit.is_ascii_digit()) {
        return Err(Wrong::NoNumber);
    }
    let exponent = parse_exponent(exponent).ok_or(Wrong::NoNumber)?;
    if digits().all(|digit| digit == b'0') {
        return Ok(0);
    }
    let kept = i64::try_from(whole.len())
        .unwrap_or(i64::MAX)
        .saturating_add(exponent)
        + i64::from(scale);
    let value = round(
        digits().map(|digit| digit - b'0'),
        kept,
        10_i128.pow(u32::from(precision)),
    )?;
    Ok(if negative { -value } else { value })
}

/// An exponent; far beyond what matters they are all the same.
fn parse_exponent(text: &str) -> Option<i64> {
    const FAR: i64 = 1 << 40;
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let size = digits.parse().unwrap_or(FAR).min(FAR);
    Some(if text.starts_with('-') { -size } else { size })
}

/// The number of the first `kept` digits, rounded by the next, if it is under `limit`. The digits are not all zero.
fn round(digits: impl Iterator<Item = u8>, kept: i64, limit: i128) -> Result<i128, Wrong> {
    if kept < 0 {
        return Ok(0);
    }
    let mut digits = digits.fuse();
    let mut value = 0_i128;
    for _ in 0..kept {
        let digit = i128::from(digits.next().unwrap_or(0));
        let next = value
            .checked_mul(10)
            .and_then(|tens| tens.checked_add(digit));
        value = next.filter(|next| *next < limit).ok_or(Wrong::TooLarge)?;
    }
    value += i128::from(digits.next().unwrap_or(0) >= 5);
    if value < limit {
        Ok(value)
    } else {
        Err(Wrong::TooLarge)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn digits_are_kept_and_rounded_half_up() {
        for (text, value) in [
            ("12.345", 1235),
            ("-12.345", -1235),
            ("12.344999", 1234),
            (".5", 50),
            ("5.", 500),
            ("+1e2", 10000),
            ("1E-2", 1),
            ("5e-3", 1),
            ("0e1000000000", 0),
            ("1e-1000000000", 0),
            ("1e-99999999999999999999", 0),
            ("000000000000000000000000000000000000000000001", 100),
        ] {
            assert_eq!(parse(text, 6, 2), Ok(value), "{text}");
        }
        assert_eq!(
            parse("12345678901234567890.12", 22, 2),
            Ok(1_234_567_890_123_456_789_012)
        );
    }

    #[test]
    fn what_is_no_number_or_too_large_is_told_apart() {
        for text in [
            "", "-", ".", "e1", "1e", "1e+", "0x1", "1 ", "NaN", "1.2.3", "١",
        ] {
            assert_eq!(parse(text, 6, 2), Err(Wrong::NoNumber), "{text}");
        }
        for text in [
            "10000",
            "9999.995",
            "1e1000000000",
            "1e2147483647",
            "1e99999999999999999999",
        ] {
            assert_eq!(parse(text, 6, 2), Err(Wrong::TooLarge), "{text}");
        }
    }

    proptest! {
        #[test]
        fn integers_and_their_points_agree(value in -99_999_999_i128..=99_999_999) {
            let (sign, size) = (if value < 0 { "-" } else { "" }, value.abs());
            prop_assert_eq!(parse(&format!("{sign}{}.{:03}", size / 1000, size % 1000), 8, 3), Ok(value));
            prop_assert_eq!(parse(&format!("{sign}{size}e-3"), 8, 3), Ok(value));
        }

        #[test]
        fn any_text_is_read_or_refused(text in "[-+.eE0-9]{0,30}", other in "\\PC{0,20}") {
            drop(parse(&text, 38, 9));
            drop(parse(&other, 1, 0));
        }
    }
}
