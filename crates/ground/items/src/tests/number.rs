//! Numbers: what is one, how it is given back, its order and size.

use proptest::prelude::*;

use super::{any::any_number, number};
use crate::{Number, NumberError};

#[test]
fn a_number_is_given_back_as_all_its_digits() {
    for (text, canonical) in [
        ("0", "0"),
        ("-0", "0"),
        ("-0.0", "0"),
        ("+0", "0"),
        ("0e5", "0"),
        ("0.0e126", "0"),
        ("0e99999999999999999999999", "0"),
        ("007", "7"),
        ("+3", "3"),
        ("5.", "5"),
        ("-.5", "-0.5"),
        ("001.2300", "1.23"),
        ("100.000", "100"),
        ("1E+3", "1000"),
        ("1e03", "1000"),
        ("-3e2", "-300"),
        ("1.5e2", "150"),
        ("1.50e1", "15"),
        ("123e-2", "1.23"),
        ("-0015.789e6", "-15789000"),
        ("1e-3", "0.001"),
        ("-1234.5678", "-1234.5678"),
        ("100200300", "100200300"),
        ("9223372036854775807", "9223372036854775807"),
    ] {
        assert_eq!(number(text).to_string(), canonical, "{text}");
    }
}

#[test]
fn the_longest_the_largest_and_the_smallest_numbers_are_taken() {
    let nines = "9".repeat(38);
    for (text, canonical) in [
        ("1e125".into(), format!("1{}", "0".repeat(125))),
        ("0.1e126".into(), format!("1{}", "0".repeat(125))),
        ("-1e-130".into(), format!("-0.{}1", "0".repeat(129))),
        (format!("{nines}e88"), format!("{nines}{}", "0".repeat(88))),
        (format!("-0{nines}.00"), format!("-{nines}")),
        (
            format!("{nines}e-167"),
            format!("0.{}{nines}", "0".repeat(129)),
        ),
        (
            format!("1{}1e-36", "0".repeat(36)),
            format!("10.{}1", "0".repeat(35)),
        ),
    ] {
        assert_eq!(number(&text).to_string(), canonical, "{text}");
    }
}

#[test]
fn what_is_no_number_is_refused() {
    for text in [
        "",
        "-",
        "+",
        ".",
        "-.",
        "e",
        "e2",
        "+e2",
        "1e",
        "1e+",
        "1e1.5",
        "1e 5",
        " 1",
        "1 ",
        "\t1",
        "1\n",
        "++5",
        "+-5",
        "1+2",
        "1.2.3",
        "..1",
        "1_000",
        "1,5",
        "0x10",
        "NaN",
        "Infinity",
        "-Infinity",
        "dog",
        "٣",
        "1e5e5",
    ] {
        assert_eq!(
            text.parse::<Number>(),
            Err(NumberError::NotANumber),
            "{text}"
        );
    }
}

#[test]
fn numbers_out_of_range_are_refused() {
    let long = "1234567890".repeat(4);
    for (text, error) in [
        ("1e126", NumberError::Overflow),
        ("-11e125", NumberError::Overflow),
        ("1.0e100000000", NumberError::Overflow),
        ("1e99999999999999999999999", NumberError::Overflow),
        ("1e-131", NumberError::Underflow),
        ("-0.9e-130", NumberError::Underflow),
        ("1e-99999999999999999999999", NumberError::Underflow),
        (&long[..39], NumberError::TooManyDigits),
        (&format!("3.{}", &long[..38]), NumberError::TooManyDigits),
        (&format!("1{}1", "0".repeat(37)), NumberError::TooManyDigits),
        (&format!("{}e100", &long[..39]), NumberError::Overflow),
    ] {
        assert_eq!(text.parse::<Number>(), Err(error), "{text}");
    }
}

#[test]
fn numbers_have_the_size_that_aws_counts() {
    for (text, size) in [
        ("0", 1),
        ("-0", 1),
        ("1", 2),
        ("12", 2),
        ("123", 3),
        ("123456789", 6),
        ("1234567890123456789", 11),
        ("12345678901234567890123456789012345678", 20),
        ("0042", 2),
        ("100", 2),
        ("120", 3),
        ("1010", 3),
        ("1E125", 2),
        ("1E-100", 2),
        ("0.0000001", 2),
        ("0.15", 2),
        ("1.5", 3),
        ("1.234", 4),
        ("3.14159", 5),
        ("100.5", 4),
        ("-42", 3),
        ("-0.15", 3),
        ("-1E125", 3),
        ("1.2345678901234567890123456789012345678", 21),
        ("-1.2345678901234567890123456789012345678", 21),
    ] {
        assert_eq!(number(text).size(), size, "{text}");
    }
}

#[test]
fn whole_numbers_are_cut_towards_zero() {
    for (text, whole) in [
        ("0", Some(0)),
        ("1700000000", Some(1_700_000_000)),
        ("-1.99", Some(-1)),
        ("0.99", Some(0)),
        ("1e-130", Some(0)),
        ("-9223372036854775808", Some(i64::MIN)),
        ("9223372036854775807.9", Some(i64::MAX)),
        ("9223372036854775808", None),
        ("1e19", None),
        ("-1e125", None),
    ] {
        assert_eq!(number(text).to_i64(), whole, "{text}");
    }
}

#[test]
fn numbers_are_ordered_by_value() {
    let ordered = [
        "-1e125",
        "-1e39",
        "-1e38",
        "-101",
        "-100.5",
        "-100",
        "-99",
        "-1",
        "-0.5",
        "-0.05",
        "-1e-130",
        "0",
        "1e-130",
        "0.05",
        "0.5",
        "1",
        "1.0000000000000000000000000000000000001",
        "9",
        "10",
        "99",
        "100",
        "100.5",
        "1e38",
        "1e125",
    ];
    let numbers = ordered.map(number);
    assert!(numbers.is_sorted_by(|one, next| one < next));
}

#[test]
fn errors_are_told_in_the_words_of_aws() {
    let told = |text: &str| text.parse::<Number>().map_err(|error| error.to_string());
    let overflow =
        "Number overflow. Attempting to store a number with magnitude larger than supported range";
    let underflow = "Number underflow. Attempting to store a number with magnitude smaller than supported range";
    assert_eq!(told("1e126"), Err(overflow.to_owned()));
    assert_eq!(told("1e-131"), Err(underflow.to_owned()));
    assert_eq!(
        told(&"1".repeat(39)),
        Err("Attempting to store more than 38 significant digits in a Number".to_owned())
    );
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_read(number in any_number()) {
        prop_assert_eq!(number.to_string().parse(), Ok(number));
        prop_assert!(number.size() <= 21);
    }

    #[test]
    fn whole_numbers_are_numbers(whole in any::<i64>(), zeros in 0..19_u32) {
        let whole = whole / 10_i64.pow(zeros) * 10_i64.pow(zeros);
        prop_assert_eq!(Number::from(whole).to_string(), whole.to_string());
        prop_assert_eq!(Number::from(whole), number(&whole.to_string()));
        prop_assert_eq!(Number::from(whole).to_i64(), Some(whole));
    }

    #[test]
    fn any_text_is_a_number_or_refused(text in "[-+0-9.eE ]{0,12}") {
        let like_a_float = text.parse::<f64>().is_ok();
        prop_assert_eq!(text.parse::<Number>() != Err(NumberError::NotANumber), like_a_float);
    }
}
