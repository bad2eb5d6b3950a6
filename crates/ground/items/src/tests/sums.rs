//! Sums and their order, against a model that adds decimal digits one by one.

use std::cmp::Ordering;

use proptest::prelude::*;

use super::{any::any_number, number};
use crate::{Number, NumberError};

/// The power of ten that the first place of a [`Ledger`] counts: one above what the sum of two numbers needs.
const TOP: usize = 127;
/// Places of a ledger: behind the point as many as the last digit of the smallest number needs.
const PLACES: usize = TOP + 1 + 167;

/// A number as decimal places, from 10^127 down.
struct Ledger {
    negative: bool,
    places: [u8; PLACES],
}

impl Ledger {
    fn of(number: Number) -> Self {
        let text = number.to_string();
        let (negative, text) = match text.strip_prefix('-') {
            Some(text) => (true, text),
            None => (false, text.as_str()),
        };
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let mut places = [0; PLACES];
        let first = TOP + 1 - whole.len();
        for (place, digit) in places[first..]
            .iter_mut()
            .zip(whole.bytes().chain(fraction.bytes()))
        {
            *place = digit - b'0';
        }
        Self { negative, places }
    }

    fn plus(&self, other: &Self) -> Self {
        let by_sign = |place: usize| match self.negative == other.negative {
            true => i32::from(self.places[place]) + i32::from(other.places[place]),
            false => i32::from(self.places[place]) - i32::from(other.places[place]),
        };
        let mut sum: Vec<i32> = (0..PLACES).map(by_sign).collect();
        let flips = sum
            .iter()
            .find(|place| **place != 0)
            .is_some_and(|place| *place < 0);
        if flips {
            sum.iter_mut().for_each(|place| *place = -*place);
        }
        for place in (1..PLACES).rev() {
            sum[place - 1] += sum[place].div_euclid(10);
            sum[place] = sum[place].rem_euclid(10);
        }
        let places = std::array::from_fn(|place| u8::try_from(sum[place]).expect("a digit"));
        Self {
            negative: self.negative != flips,
            places,
        }
    }

    /// The number as text, or why it is none.
    fn text(&self) -> Result<String, NumberError> {
        let Some(first) = self.places.iter().position(|place| *place != 0) else {
            return Ok("0".to_owned());
        };
        let last = self
            .places
            .iter()
            .rposition(|place| *place != 0)
            .unwrap_or(first);
        if first < TOP - 125 || last - first >= 38 {
            return Err(NumberError::Overflow);
        }
        if first > TOP + 130 {
            return Err(NumberError::Underflow);
        }
        let digits =
            |places: &[u8]| String::from_iter(places.iter().map(|place| char::from(b'0' + place)));
        let whole = digits(&self.places[first.min(TOP)..=TOP]);
        let fraction = digits(&self.places[TOP + 1..=last.max(TOP)]);
        let sign = if self.negative { "-" } else { "" };
        Ok(match fraction.is_empty() {
            true => format!("{sign}{whole}"),
            false => format!("{sign}{whole}.{fraction}"),
        })
    }
}

#[test]
fn sums_are_exact_or_refused() {
    let nines = "9".repeat(38);
    for (one, other, sum) in [
        ("0", "0", Ok("0")),
        ("1", "-1", Ok("0")),
        ("0.1", "0.2", Ok("0.3")),
        ("0.3", "-0.1", Ok("0.2")),
        ("1e22", "1", Ok("10000000000000000000001")),
        ("1e22", "-1", Ok("9999999999999999999999")),
        ("1e38", "-1", Ok(nines.as_str())),
        ("-1e38", "1", Ok(&format!("-{nines}"))),
        (
            "19e37",
            &format!("-{nines}"),
            Ok("90000000000000000000000000000000000001"),
        ),
        (&nines, "1", Ok(&format!("1{}", "0".repeat(38)))),
        ("9e125", "9e124", Ok(&format!("99{}", "0".repeat(124)))),
        ("1e50", "0", Ok(&format!("1{}", "0".repeat(50)))),
        ("1e50", "1", Err(NumberError::Overflow)),
        ("1e50", "-1", Err(NumberError::Overflow)),
        ("3e38", "1", Err(NumberError::Overflow)),
        ("3e38", "-1", Err(NumberError::Overflow)),
        ("1e125", "1e-130", Err(NumberError::Overflow)),
        ("9e125", "9e125", Err(NumberError::Overflow)),
        ("-9e125", "-9e125", Err(NumberError::Overflow)),
        ("1.1e-130", "-1e-130", Err(NumberError::Underflow)),
    ] {
        let sum = sum.map(str::to_owned);
        let told = |sum: Result<Number, _>| sum.map(|sum| sum.to_string());
        assert_eq!(
            told(number(one).plus(number(other))),
            sum,
            "{one} + {other}"
        );
        assert_eq!(
            told(number(other).plus(number(one))),
            sum,
            "{other} + {one}"
        );
    }
}

/// Two numbers whose digits overlap as a rule.
fn any_pair() -> impl Strategy<Value = (Number, Number)> {
    let near = (any_number(), -45..45_i64, any::<u64>(), any::<bool>()).prop_map(
        |(one, away, magnitude, negative)| {
            let other = Number::new(negative, magnitude.into(), one.exponent() + away);
            (one, other.unwrap_or(Number::ZERO))
        },
    );
    prop_oneof![(any_number(), any_number()), near]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 1024, ..ProptestConfig::default() })]

    #[test]
    fn sums_are_those_of_the_model((one, other) in any_pair()) {
        let (left, mut right) = (Ledger::of(one), Ledger::of(other));
        let told = |sum: Result<Number, _>| sum.map(|sum| sum.to_string());
        prop_assert_eq!(told(one.plus(other)), left.plus(&right).text());
        right.negative ^= true;
        let difference = left.plus(&right);
        prop_assert_eq!(told(one.minus(other)), difference.text());
        let order = match (difference.places.iter().all(|place| *place == 0), difference.negative) {
            (true, _) => Ordering::Equal,
            (false, true) => Ordering::Less,
            (false, false) => Ordering::Greater,
        };
        prop_assert_eq!(one.cmp(&other), order);
    }
}
