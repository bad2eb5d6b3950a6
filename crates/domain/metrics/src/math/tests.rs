//! Expressions, held against what the user guide says of them.

use proptest::prelude::*;

use super::*;

/// 2023-11-15T00:00:00Z, a Wednesday.
const START: u64 = 1_700_006_400_000;

fn series(id: &str, values: &[Option<f64>]) -> TimeSeries {
    let times = (0..).map(|minute| Millis(START + minute * 60_000));
    let points = times
        .zip(values)
        .filter_map(|(at, value)| Some((at, (*value)?)));
    TimeSeries {
        id: Some(id.to_owned()),
        period: 60,
        points: points.collect(),
    }
}

fn inputs() -> Inputs {
    let one = series("m1", &[Some(1.0), Some(2.0), Some(3.0), Some(4.0)]);
    let two = series("m2", &[Some(10.0), None, Some(30.0), Some(0.0)]);
    let errors = series("errors1", &[None, None, None, None]);
    let values = [("m1", one.clone()), ("m2", two), ("errors1", errors)];
    let mut values: BTreeMap<_, _> = values
        .map(|(id, series)| (id.to_owned(), Value::Series(series)))
        .into();
    values.insert("e1".into(), Value::Scalar(7.0));
    Inputs {
        values,
        metrics: ["m1", "m2", "errors1"].map(str::to_owned).into(),
        from: Millis(START),
        to: Millis(START + 240_000),
        period: 60,
    }
}

fn value(text: &str) -> Result<Value, MathError> {
    Expression::parse(text)?.evaluate(&inputs())
}

/// Series as a text: the values by minute, and a dash where there is none.
fn shown(text: &str) -> String {
    let show = |series: &TimeSeries| {
        let minutes = (0..4).map(
            |minute| match series.value_at(Millis(START + minute * 60_000)) {
                Some(value) => value.to_string(),
                None => "-".to_owned(),
            },
        );
        minutes.collect::<Vec<_>>().join(" ")
    };
    match value(text) {
        Ok(Value::Scalar(number)) => format!("={number}"),
        Ok(Value::Series(series)) => show(&series),
        Ok(Value::Array(array)) => array.iter().map(show).collect::<Vec<_>>().join(" | "),
        Err(error) => format!("! {error}"),
    }
}

#[test]
fn expressions_have_the_values_that_the_guide_says() {
    for (text, expected) in [
        ("1 + 2 * 3 - 4 / 2", "=5"),
        ("-2 ^ 2", "=-4"),
        ("2 ^ -1", "=0.5"),
        ("(1 + 2) * -e1", "=-21"),
        ("10 - 4 - 3", "=3"),
        ("1.5e2", "=150"),
        ("1 < 2 AND 3 != 3 || 1 == 1", "=1"),
        ("m1 * 2", "2 4 6 8"),
        ("m1 + m2", "11 - 33 4"),
        ("m1 / m2", "0.1 - 0.1 -"),
        ("m1 >= 2 && m1 < 4", "0 1 1 0"),
        ("SUM(m1)", "=10"),
        ("SUM(errors1)", "=0"),
        ("AVG(m1) + m1", "3.5 4.5 5.5 6.5"),
        ("SUM(METRICS())", "11 2 33 4"),
        ("MAX([m1, m2])", "10 2 30 4"),
        ("MIN([m1, m2])", "1 2 3 0"),
        ("AVG(METRICS(\"m\"))", "5.5 2 16.5 2"),
        ("STDDEV([m1, m2])", "4.5 0 13.5 2"),
        ("STDDEV(m1)", "=1.118033988749895"),
        ("METRICS('m2')", "10 - 30 0"),
        ("METRICS() * 2", "2 4 6 8 | 20 - 60 0 | - - - -"),
        ("METRIC_COUNT(METRICS())", "=3"),
        ("REMOVE_EMPTY(METRICS())", "1 2 3 4 | 10 - 30 0"),
        ("FILL(m2, 0)", "10 0 30 0"),
        ("FILL(m2, REPEAT)", "10 10 30 0"),
        ("FILL(m2, LINEAR)", "10 20 30 0"),
        ("FILL(errors1, 1)", "1 1 1 1"),
        ("FILL(METRICS(), 5)", "1 2 3 4 | 10 5 30 0 | 5 5 5 5"),
        ("IF(m1 > 2, m2)", "- - 30 0"),
        ("IF(m1 > 2, m2, 9)", "9 9 30 0"),
        ("IF(e1, 1, 2)", "=1"),
        ("DIFF(m2)", "- - 20 -30"),
        ("DIFF_TIME(m2)", "- - 120 60"),
        (
            "RATE(m1)",
            "- 0.016666666666666666 0.016666666666666666 0.016666666666666666",
        ),
        ("RUNNING_SUM(m1)", "1 3 6 10"),
        ("PERIOD(m1)", "=60"),
        ("SUM(m1) / PERIOD(m1)", "=0.16666666666666666"),
        ("TIME_SERIES(3)", "3 3 3 3"),
        ("DATAPOINT_COUNT(m2)", "=3"),
        ("DATAPOINT_COUNT(METRICS())", "2 1 2 2"),
        ("ABS(-m1)", "1 2 3 4"),
        ("CEIL(m1 / 2)", "1 1 2 2"),
        ("FLOOR(m1 / 2)", "0 1 1 2"),
        ("LOG10(m2)", "1 - 1.4771212547196624 -"),
        ("LOG(1)", "=0"),
        (
            "SORT(METRICS(), MAX, DESC)",
            "10 - 30 0 | 1 2 3 4 | - - - -",
        ),
        ("SORT(METRICS(), MAX, ASC, 1)", "1 2 3 4"),
        ("SLICE(METRICS(), 1, 2)", "10 - 30 0"),
        ("SLICE(METRICS(), 2)", "- - - -"),
        ("FIRST(METRICS())", "1 2 3 4"),
        ("LAST(METRICS())", "- - - -"),
        ("MINUTE(m1)", "0 1 2 3"),
        ("HOUR(m1) + DAY(m1) + DATE(m1)", "18 18 18 18"),
        ("MONTH(m1) + YEAR(m1)", "2034 2034 2034 2034"),
        ("EPOCH(m2)", "1700006400 - 1700006520 1700006580"),
    ] {
        assert_eq!(shown(text), expected, "{text}");
    }
}

#[test]
fn what_is_no_expression_is_refused_with_the_reason() {
    for (text, expected) in [
        (
            "",
            "! at character 1: a number, an id or a function should stand here",
        ),
        (
            "m1 +",
            "! at character 5: a number, an id or a function should stand here",
        ),
        (
            "m1 m2",
            "! at character 4: an operator or the end should stand here",
        ),
        (
            "(m1",
            "! at character 4: a closing bracket should stand here",
        ),
        (
            "SUM(m1",
            "! at character 7: a comma or a closing bracket should stand here",
        ),
        (
            "m1 § 2",
            "! at character 4: an expression has no such character",
        ),
        ("'m1", "! at character 1: the text has no end"),
        ("1e999", "! at character 1: the number is too large"),
        ("WHAT(m1)", "! there is no function WHAT"),
        ("WHAT", "! at character 1: there is no such word"),
        ("SUM()", "! SUM takes another number of arguments"),
        ("SEARCH('a', 'b')", "! the function SEARCH is not supported"),
        (
            "ANOMALY_DETECTION_BAND(m1, 2)",
            "! the function ANOMALY_DETECTION_BAND is not supported",
        ),
        ("m9", "! nothing has the id m9"),
        ("'m1'", "! a value should stand where a word does"),
        (
            "METRICS() + [m1]",
            "! two arrays should have as many series",
        ),
        (
            "PERIOD(METRICS())",
            "! one series should stand where several do",
        ),
        ("DIFF(1)", "! a series should stand where a number does"),
        (
            "SLICE(METRICS(), 0.5)",
            "! a place in an array is a whole number",
        ),
    ] {
        assert_eq!(shown(text), expected, "{text}");
    }
    assert_eq!(value(&"(".repeat(40)), Err(MathError::TooDeep));
    assert_eq!(value(&"-".repeat(2000)), Err(MathError::TooDeep));
    assert_eq!(value(&" ".repeat(2049)), Err(MathError::TooLong));
    assert_eq!(shown(&["1"; 1000].join("+")), "=1000");
}

#[test]
fn points_are_bounded() {
    let far = Inputs {
        to: Millis(START * 2),
        period: 1,
        ..inputs()
    };
    for text in ["TIME_SERIES(1)", "FILL(errors1, 1)", "FILL(METRICS(), 1)"] {
        let value = Expression::parse(text).unwrap().evaluate(&Inputs {
            period: 1,
            ..far.clone()
        });
        assert_eq!(value, Err(MathError::TooManyPoints), "{text}");
    }
}

#[test]
fn ids_are_told() {
    let expression = Expression::parse("IF(m1 > -m2, [m3], SUM(METRICS('x'))) ^ e1").unwrap();
    assert_eq!(
        expression.ids().into_iter().collect::<Vec<_>>(),
        ["e1", "m1", "m2", "m3"]
    );
}

#[test]
fn series_keep_the_id_of_the_metric_that_they_come_of() {
    let ids = |text: &str| {
        let value = value(text).unwrap();
        value
            .series()
            .iter()
            .map(|series| series.id.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        ids("FILL(METRICS('m'), 0) * 2"),
        [Some("m1".into()), Some("m2".into())]
    );
    assert_eq!(ids("m1 / m2"), [None]);
    assert_eq!(
        ids("METRICS('m') / m1"),
        [Some("m1".into()), Some("m2".into())]
    );
}

proptest! {
    #[test]
    fn any_text_is_an_expression_or_none(
        text in "((m1|m2|e1|[0-9.]{1,3}|SUM|FILL|IF|SORT|METRICS|REPEAT|[-+*/^<>=&|(),\\[\\]' ]){1,12}|.{0,9})"
    ) {
        drop(value(&text));
    }
}
