//! Expressions over partitions: what they find, and what they are refused for.

use proptest::prelude::*;

use super::*;

fn keys(types: &[(&str, &str)]) -> Vec<Column> {
    let key = |(name, data_type): &(&str, &str)| Column {
        name: (*name).to_owned(),
        r#type: Some((*data_type).to_owned()),
        ..Default::default()
    };
    types.iter().map(key).collect()
}

/// The values of those partitions by one key that an expression finds.
fn found(data_type: &str, partitions: &[&str], expression: &str) -> Vec<String> {
    let filter = Filter::new(expression, &keys(&[("key", data_type)]))
        .unwrap_or_else(|error| panic!("{expression}: {}", error.message()))
        .unwrap();
    let one = |value: &&&str| filter.passes(&[(**value).to_owned()]).unwrap();
    let passed = partitions.iter().filter(one);
    passed.map(|value| (*value).to_owned()).collect()
}

/// Type and text of the error that an expression is refused with.
fn refused(data_type: &str, expression: &str) -> (String, String) {
    let refused = Filter::new(expression, &keys(&[("key", data_type)]));
    let error = refused.unwrap_err();
    (error.code().to_owned(), error.message().to_owned())
}

#[test]
fn whole_numbers_are_compared_as_numbers() {
    for expression in [
        "key = 2",
        "key = '2'",
        "KEY = 02",
        "key IN (2)",
        "key in (6, '4', 2)",
        "key between 2 AND 2",
        "key > 1 AND key < 3",
        "key >= 2 and key <> 3 and key != 10",
        "(key) = ((2)) OR (((key))) = (2)",
        "((key = 2))",
        "key IS NOT NULL and key = 2",
        "key not IN (1, 3, 10)",
        "key NOT BETWEEN 1 AND 1 and key NOT BETWEEN 3 AND 30",
        "NOT (key = 1 or key < > 2)",
        "not not key = 2",
        "key>1and key<3",
    ] {
        let found = found("int", &["1", "2", "3", "10"], expression);
        assert_eq!(found, ["2"], "{expression}");
    }
    assert_eq!(
        found("bigint", &["-5", "5"], "key > -6 AND key < 0"),
        ["-5"]
    );
}

#[test]
fn decimals_are_compared_as_numbers() {
    for expression in [
        "key = 2.6",
        "key = '2.60'",
        "key in (6, '4', 2.6)",
        "key between 2 AND 3e10",
        "key > 1.5 AND key < 3",
        "key >= 2 and key <> '3e14'",
    ] {
        let found = found("decimal(10,2)", &["1.2", "2.6", "3e14"], expression);
        assert_eq!(found, ["2.6"], "{expression}");
    }
}

#[test]
fn texts_are_compared_as_texts_whatever_the_literals_are() {
    let all = ["one", "two", "2", "three"];
    for (expression, expected) in [
        ("key = 'two'", "two"),
        ("key = 2", "2"),
        ("key IN (1, 2, 3)", "2"),
        ("key between 'twn' AND 'twp'", "two"),
        ("key > '1' AND key < '3'", "2"),
        ("key LIKE 't_o'", "two"),
        ("key LIKE '%wo'", "two"),
        ("key NOT LIKE '%e' AND key not like '_'", "two"),
        ("key = 'two' OR key = 'one' AND key = '2'", "two"),
        ("(key = 'two' OR key = 'one') AND key = 'two'", "two"),
    ] {
        assert_eq!(
            found("string", &all, expression),
            [expected],
            "{expression}"
        );
    }
    assert_eq!(found("varchar(9)", &["it's"], "key = 'it''s'"), ["it's"]);
}

#[test]
fn days_and_times_are_compared_as_such() {
    let days = ["2022-01-01", "2022-02-01", "2024-02-29"];
    for expression in [
        "key = '2022-02-01'",
        "key between '2022-01-15' AND '2022-02-15'",
        "key > '2022-01-15' AND key < '2022-02-15'",
    ] {
        assert_eq!(found("date", &days, expression), [days[1]], "{expression}");
    }
    let times = ["2022-01-31 23:59:59.999999999", "2022-02-01 00:00:00"];
    for expression in [
        "key = '2022-02-01 00:00:00.0'",
        "key > '2022-01-31 23:59:59.999999999'",
    ] {
        assert_eq!(found("timestamp", &times, expression), [times[1]]);
    }
}

/// As users of AWS found: https://github.com/trinodb/trino/issues/13150.
#[test]
fn no_value_is_null() {
    let all = ["1", NULL];
    for data_type in ["int", "string"] {
        assert!(found(data_type, &all, "key IS NULL").is_empty());
        assert_eq!(found(data_type, &all, "key IS NOT NULL"), all);
    }
    assert_eq!(found("int", &all, "key < 5"), ["1"]);
    assert_eq!(found("string", &all, &format!("key = '{NULL}'")), [NULL]);
}

#[test]
fn keys_are_told_by_their_names() {
    let keys = keys(&[("year", "string"), ("month", "int")]);
    let filter = Filter::new("month = 2 AND year = '2024'", &keys).unwrap();
    let filter = filter.unwrap();
    let passes = |values: &[&str]| {
        let values: Vec<String> = values.iter().map(|value| (*value).to_owned()).collect();
        filter.passes(&values).unwrap()
    };
    assert!(passes(&["2024", "2"]));
    assert!(!passes(&["2", "2024"]));
    assert!(!passes(&["2024"]), "a partition from before the key");
    assert_eq!(Filter::new(" \n", &keys).unwrap(), None);
}

#[test]
fn what_is_no_filter_is_refused_in_aws_words() {
    let unsupported = |expression: &str| format!("Unsupported expression '{expression}'");
    let integral = "Integral data type doesn't support operation 'LIKE'".to_owned();
    let invalid = "Invalid partition expression!".to_owned();
    for (data_type, expression, text) in [
        (
            "int",
            "key = 'test'",
            "\"test\" is not an integer.".to_owned(),
        ),
        (
            "int",
            "key in (2.5)",
            "\"2.5\" is not an integer.".to_owned(),
        ),
        ("int", "key LIKE '2'", integral),
        (
            "decimal",
            "key = 'test'",
            "test is not a decimal.".to_owned(),
        ),
        (
            "date",
            "key = '2022-02-32'",
            "2022-02-32 is not a date.".to_owned(),
        ),
        ("date", "key >= 2026-02-02", invalid.clone()),
        ("int", "key = 1 + 1", invalid.clone()),
        ("int", "other IS NULL", invalid),
        ("float", "key = 3.14", "Unknown type : 'float'".to_owned()),
    ] {
        let expected = ("InvalidInputException".to_owned(), text);
        assert_eq!(refused(data_type, expression), expected, "{expression}");
    }
    for expression in [
        "key IS test' AND not parsable",
        "key",
        "key =",
        "= 2",
        "key = 2 key = 3",
        "(key = 2",
        "key = 2)",
        "key IN ()",
        "key IN (1,)",
        "key BETWEEN 1",
        "key NOT 2",
        "2 = key",
        "key = other",
        "and = 2",
        "key = 2;",
    ] {
        let (code, text) = refused("int", expression);
        assert_eq!(code, "InvalidInputException");
        assert_eq!(text, unsupported(expression));
    }
}

#[test]
fn a_value_that_is_none_of_its_type_is_an_invalid_state() {
    let filter = Filter::new("key = 2", &keys(&[("key", "int")])).unwrap();
    let error = filter.unwrap().passes(&["int".to_owned()]).unwrap_err();
    assert_eq!(error.code(), "InvalidStateException");
    assert_eq!(error.message(), "\"int\" is not an integer.");
}

#[test]
fn nesting_has_a_bound() {
    for nested in ["(".repeat(1000), "NOT ".repeat(500), "not (".repeat(400)] {
        let (code, _) = refused("int", &format!("{nested}key = 2"));
        assert_eq!(code, "InvalidInputException");
    }
}

proptest! {
    #[test]
    fn any_text_is_a_filter_or_an_error(
        expression in "\\PC{0,80}|(key|other|and|or|not|in|between|like|is|null|[-()<>=!,'.*+/ 0-9e]){0,40}",
        value in "\\PC{0,10}|[0-9]{1,4}",
    ) {
        let keys = keys(&[("key", "int"), ("other", "string")]);
        if let Ok(Some(filter)) = Filter::new(&expression, &keys) {
            drop(filter.passes(&[value.clone(), value]));
        }
    }
}
