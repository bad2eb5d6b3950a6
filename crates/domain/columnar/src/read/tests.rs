//! The rows that each deserializer makes of JSON, as recorded on AWS and as the SerDes' code has it.

use proptest::prelude::*;

use super::*;
use crate::settings::Hive;

/// Reads one record, and shows the rows it became or why it did not.
fn read(columns: &[(&str, &str)], deserializer: &Deserializer, record: &str) -> String {
    let schema = Schema::parse(columns.iter().copied()).unwrap();
    let reader = Reader::new(&schema, deserializer).unwrap();
    let mut columns = Column::of_members(&schema.columns);
    match reader.read(record.as_bytes(), &mut columns) {
        Ok(()) => columns.iter().map(shown).collect::<Vec<_>>().join(" "),
        Err(failure) => {
            assert!(
                columns.iter().all(|column| column.size() == 0),
                "nothing of it is left"
            );
            format!("{failure}")
        }
    }
}

/// A column's slots, in one short line.
fn shown(column: &Column) -> String {
    let mut values = shown_values(&column.values).into_iter();
    let slots = column.present.iter().map(|present| {
        if *present {
            values.next().unwrap()
        } else {
            "-".to_owned()
        }
    });
    slots.collect::<Vec<_>>().join(",")
}

fn shown_values(values: &Values) -> Vec<String> {
    fn each<T: fmt::Debug>(values: &[T]) -> Vec<String> {
        values.iter().map(|value| format!("{value:?}")).collect()
    }
    let nested = |ends: &[usize], column: &Column| -> Vec<String> {
        let slots: Vec<_> = shown(column).split(',').map(str::to_owned).collect();
        crate::column::ranges(ends)
            .map(|range| format!("[{}]", slots[range].join(" ")))
            .collect()
    };
    match values {
        Values::Boolean(values) => each(values),
        Values::Int(values) => each(values),
        Values::Long(values) => each(values),
        Values::Float(values) => each(values),
        Values::Double(values) => each(values),
        Values::Decimal(values) => each(values),
        Values::Timestamp(values) => values
            .iter()
            .map(|at| format!("{}.{}", at.seconds, at.nanos))
            .collect(),
        Values::Bytes(values) => values
            .iter()
            .map(|text| String::from_utf8_lossy(text).into_owned())
            .collect(),
        Values::List(ends, elements) => nested(ends, elements),
        Values::Map(ends, keys, values) => {
            let pairs = nested(ends, keys).into_iter().zip(nested(ends, values));
            pairs
                .map(|(keys, values)| format!("{keys}={values}"))
                .collect()
        }
        Values::Struct { count, members } => {
            let members: Vec<Vec<String>> = members
                .iter()
                .map(|member| shown(member).split(',').map(str::to_owned).collect())
                .collect();
            (0..*count)
                .map(|at| {
                    format!(
                        "({})",
                        members
                            .iter()
                            .map(|m| m[at].as_str())
                            .collect::<Vec<_>>()
                            .join(" ")
                    )
                })
                .collect()
        }
    }
}

fn openx() -> Deserializer {
    Deserializer::OpenX(OpenX::default())
}

fn hive() -> Deserializer {
    Deserializer::Hive(Hive::default())
}

/// The table that both deserializers were probed with on AWS.
const PROBED: [(&str, &str); 5] = [
    ("id", "string"),
    ("tags", "array<string>"),
    ("person", "struct<name:string,age:int>"),
    ("items", "array<struct<sku:string,qty:int>>"),
    ("attrs", "map<string,array<string>>"),
];

const PARSE: &str = "DataFormatConversion.ParseError";
const MALFORMED: &str = "DataFormatConversion.MalformedData";

#[test]
fn openx_takes_what_it_was_seen_to_take() {
    for (record, row) in [
        (
            r#"{"id":"r1","tags":["a","b"],"person":{"name":"Alice","age":30},"items":[{"sku":"s1","qty":2}],"attrs":{"k1":["v1","v2"]}}"#,
            "r1 [a b] (Alice 30) [(s1 2)] [k1]=[[v1 v2]]",
        ),
        (
            r#"{"id":"r6","tags":"solo","items":{"sku":"x","qty":1}}"#,
            "r6 [solo] - [(x 1)] -",
        ),
        (r#"{"person":["Zoe",9,"ignored"]}"#, "- - (Zoe 9) - -"),
        (r#"{"person":["Zoe"]}"#, "- - (Zoe -) - -"),
        (
            r#"{"PERSON":{"NAME":"Bob","AGE":41},"ITEMS":[{"SKU":"s","QTY":"3"}]}"#,
            "- - (Bob 41) [(s 3)] -",
        ),
        (
            r#"{"attrs":{"MixedKey":["v"]}}"#,
            "- - - - [mixedkey]=[[v]]",
        ),
        (
            r#"{"person":{"name":"Carol","extra":{"a":[1]}}}"#,
            "- - (Carol -) - -",
        ),
        (
            r#"{"person":{},"tags":[],"attrs":{}}"#,
            "- [] (- -) - []=[]",
        ),
        (
            r#"{"tags":["a",null],"items":[null],"attrs":{"k":null}}"#,
            "- [a -] - [-] [k]=[-]",
        ),
        (
            r#"{"id":{"Outer":{"Inner":1}},"tags":[{"MixedKey" : 1}]}"#,
            r#"{"outer":{"inner":1}} [{"mixedkey":1}] - - -"#,
        ),
        (r#"{"id":1.50,"tags":[1,true]}"#, "1.5 [1 true] - - -"),
        (
            r#"{"id":null,"tags":null,"person":null,"attrs":null}"#,
            "- - - - -",
        ),
        (r#"["x",["y"]]"#, "x [y] - - -"),
        (r#"{"id":"first","ID":"last"}"#, "last - - - -"),
    ] {
        assert_eq!(read(&PROBED, &openx(), record), row, "{record}");
    }
}

#[test]
fn openx_refuses_what_it_was_seen_to_refuse() {
    for (record, failure) in [
        (
            r#"{"person":42}"#,
            "Data is not JSONObject  but java.lang.Long with value 42",
        ),
        (
            r#"{"items":[{"sku":"s5","qty":"oops"}]}"#,
            r#"For input string: "oops""#,
        ),
        (
            r#"{"attrs":[["k",["v"]]]}"#,
            "Data is not JSONObject  but org.openx.data.jsonserde.json.JSONArray",
        ),
    ] {
        let text = format!("{MALFORMED}: Data does not match the schema. {failure}");
        assert_eq!(read(&PROBED, &openx(), record), text, "{record}");
    }
}

#[test]
fn hive_refuses_what_it_was_seen_to_refuse() {
    let array = "Data does not match the schema. java.io.IOException: Start of Array expected";
    let object = "Data does not match the schema. java.io.IOException: Start of Object expected";
    let root = "One or more fields have incorrect format. Exception when validating field (root)";
    let numeric = "Data does not match the schema. Current token (VALUE_STRING) not numeric, can not use numeric value accessors";
    for (record, failure) in [
        (r#"{"tags":"solo"}"#, array),
        (r#"{"items":{"sku":"x","qty":1}}"#, array),
        (r#"{"attrs":{"k":"notanarray"}}"#, array),
        (r#"{"person":["Bob",41]}"#, object),
        (r#"{"person":42}"#, object),
        (r#"{"person":{"name":"Eve","age":"7"}}"#, numeric),
        (r#"{"id":{"nested":1}}"#, root),
        (r#"{"tags":[{"MixedKey":1}]}"#, root),
    ] {
        assert_eq!(
            read(&PROBED, &hive(), record),
            format!("{MALFORMED}: {failure}"),
            "{record}"
        );
    }
}

#[test]
fn hive_takes_what_it_was_seen_to_take() {
    for (record, row) in [
        (
            r#"{"id":7,"tags":[1,2.5],"person":{"NAME":"Dan","extra":1}}"#,
            "7 [1 2.5] (Dan -) - -",
        ),
        (
            r#"{"ATTRS":{"MixedKey":["v"]}}"#,
            "- - - - [MixedKey]=[[v]]",
        ),
        (r#"{"person":{},"tags":["a",null]}"#, "- [a -] (- -) - -"),
    ] {
        assert_eq!(read(&PROBED, &hive(), record), row, "{record}");
    }
}

#[test]
fn a_record_is_one_or_more_objects_or_fails_whole() {
    let table = [("a", "int"), ("b", "int")];
    assert_eq!(
        read(&table, &openx(), "{\"a\":1}{\"b\":2}\n{\"a\":3}\n"),
        "1,-,3 -,2,-"
    );
    for (record, failure) in [
        ("", "The record was empty or contained only whitespace."),
        (
            " \n\t",
            "The record was empty or contained only whitespace.",
        ),
        ("42", PRIMITIVE),
        ("\"text\"", PRIMITIVE),
        ("null", PRIMITIVE),
        (
            r#"{"a":1}{"a":"x"}"#,
            r#"Data does not match the schema. For input string: "x""#,
        ),
    ] {
        assert_eq!(
            read(&table, &openx(), record),
            format!("{MALFORMED}: {failure}"),
            "{record:?}"
        );
    }
    for record in [
        "not json",
        "{\"a\":1} and more",
        "{\"a\":1",
        "{'a':1}",
        "{\"a\":\"x\"",
        "[{\"a\":1}",
    ] {
        let failure = read(&table, &openx(), record);
        assert!(
            failure.starts_with(&format!("{PARSE}: Encountered malformed JSON. ")),
            "{failure}"
        );
    }
}

#[test]
fn numbers_are_of_their_columns_width() {
    let of = |data_type: &str, deserializer: &Deserializer, value: &str| {
        let out = read(
            &[("v", data_type)],
            deserializer,
            &format!("{{\"v\":{value}}}"),
        );
        out.replace(
            &format!("{MALFORMED}: Data does not match the schema. "),
            "! ",
        )
    };
    for (data_type, value, lenient, strict) in [
        ("tinyint", "127", "127", "127"),
        (
            "tinyint",
            "128",
            r#"! Value out of range. Value:"128" Radix:10"#,
            "! Numeric value (128) out of range of Java byte",
        ),
        ("smallint", "-32768", "-32768", "-32768"),
        (
            "int",
            "2147483648",
            r#"! For input string: "2147483648""#,
            "! Numeric value (2147483648) out of range of int",
        ),
        ("int", "1.5", r#"! For input string: "1.5""#, "1"),
        (
            "bigint",
            "9223372036854775807",
            "9223372036854775807",
            "9223372036854775807",
        ),
        (
            "bigint",
            "9223372036854775808",
            r#"! For input string: "9.223372036854776E18""#,
            "! Numeric value (9.223372036854776E18) out of range of long",
        ),
        ("double", "1", "1.0", "1.0"),
        ("double", "1e300", "1e300", "1e300"),
        ("float", "0.1", "0.1", "0.1"),
        ("boolean", "true", "true", "true"),
        ("boolean", "\"TRUE\"", "true", "true"),
        ("boolean", "\"yes\"", "false", "false"),
        (
            "boolean",
            "1",
            "! java.lang.Long with value 1 is no boolean",
            "false",
        ),
        ("decimal(4,2)", "12.345", "1235", "1235"),
        ("decimal(4,2)", "\"12.3\"", "1230", "1230"),
        (
            "decimal(4,2)",
            "12345.67",
            "! 12345.67 is too large for decimal(4,2)",
            "! 12345.67 is too large for decimal(4,2)",
        ),
        (
            "decimal(22,2)",
            "12345678901234567890.12",
            "1234567890123456789012",
            "1234567890123456789012",
        ),
        (
            "decimal(4,2)",
            "true",
            "! java.lang.Boolean with value true is no number",
            "! java.lang.Boolean with value true is no number",
        ),
        ("char(3)", "\"ab \"", "ab", "ab"),
        ("varchar(2)", "\"äöü\"", "äö", "äö"),
        ("binary", "\"bytes\"", "bytes", "bytes"),
        ("date", "\"2026-9-7\"", "20703", "20703"),
    ] {
        assert_eq!(
            of(data_type, &openx(), value),
            lenient,
            "OpenX {data_type} {value}"
        );
        assert_eq!(
            of(data_type, &hive(), value),
            strict,
            "Hive {data_type} {value}"
        );
    }
    assert_eq!(of("double", &openx(), "\"-1.5e3\""), "-1500.0");
    assert_eq!(of("double", &openx(), "\"NaN\""), "NaN");
    assert_eq!(
        of("double", &openx(), "\"inf\""),
        r#"! For input string: "inf""#
    );
    assert_eq!(
        of("map<int,string>", &openx(), r#"{"1":"a","2":"b"}"#),
        "[1 2]=[a b]"
    );
    assert_eq!(
        of("map<int,string>", &hive(), r#"{"x":"a"}"#),
        r#"! For input string: "x""#
    );
}

#[test]
fn times_are_read_by_the_deserializers_own_forms() {
    let of = |deserializer: &Deserializer, value: &str| {
        read(
            &[("t", "timestamp")],
            deserializer,
            &format!("{{\"t\":{value}}}"),
        )
    };
    let wrong = format!(
        "{MALFORMED}: Data does not match the schema. Timestamp format must be yyyy-mm-dd hh:mm:ss[.fffffffff]"
    );
    assert_eq!(of(&openx(), "1518033528.123"), "1518033528.123000000");
    assert_eq!(of(&openx(), "\"1518033528123\""), "1518033528.123000000");
    assert_eq!(of(&openx(), r#""2018-02-07T19:58:48Z""#), "1518033528.0");
    assert_eq!(of(&openx(), "\"yesterday\""), wrong);
    assert_eq!(of(&openx(), "[]"), wrong);
    assert_eq!(
        of(&hive(), r#""2018-02-07 19:58:48.5""#),
        "1518033528.500000000"
    );
    assert_eq!(of(&hive(), "1518033528"), wrong);
    let formats = vec!["millis".to_owned(), "yyyy-MM-dd'T'HH:mm:ssZ".to_owned()];
    let formatted = Deserializer::Hive(Hive {
        timestamp_formats: formats,
    });
    assert_eq!(of(&formatted, "1518033528123"), "1518033528.123000000");
    assert_eq!(
        of(&formatted, r#""2018-02-07T20:58:48+0100""#),
        "1518033528.0"
    );
    assert_eq!(of(&formatted, r#""2018-02-07 19:58:48""#), "1518033528.0");
}

#[test]
fn keys_are_matched_as_the_settings_say() {
    let mapped = OpenX {
        column_to_json_key_mappings: [("ts".to_owned(), "Timestamp".to_owned())].into(),
        convert_dots_in_json_keys_to_underscores: true,
        ..OpenX::default()
    };
    let table = [
        ("ts", "string"),
        ("a_b", "string"),
        ("s", "struct<c_d:int>"),
    ];
    let record = r#"{"timestamp":"x","A.B":"y","s":{"c.d":3},"ts":"not this"}"#;
    assert_eq!(
        read(&table, &Deserializer::OpenX(mapped), record),
        "x y (3)"
    );
    let exact = Deserializer::OpenX(OpenX {
        case_insensitive: false,
        ..OpenX::default()
    });
    let record =
        r#"{"id":"s","person":{"NAME":"Bob","age":2},"attrs":{"MixedKey":["v"]},"TAGS":[]}"#;
    assert_eq!(
        read(&PROBED, &exact, record),
        "s - (- 2) - [MixedKey]=[[v]]"
    );
}

/// JSON, mostly of the probed table.
fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        any::<i64>().prop_map(|number| number.to_string()),
        "[0-9]{1,20}\\.[0-9]{1,5}(e[0-9]{1,4})?",
        "\"[a-zA-Z0-9 .:-]{0,12}\"",
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let key = prop_oneof![
            Just("id"),
            Just("TAGS"),
            Just("person"),
            Just("name"),
            Just("items"),
            Just("attrs")
        ];
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4)
                .prop_map(|all| format!("[{}]", all.join(","))),
            proptest::collection::vec((key, inner), 0..5).prop_map(|all| {
                let all: Vec<_> = all
                    .iter()
                    .map(|(key, value)| format!("\"{key}\":{value}"))
                    .collect();
                format!("{{{}}}", all.join(","))
            }),
        ]
    })
}

proptest! {
    #[test]
    fn all_columns_have_a_slot_a_row_whatever_comes(records in proptest::collection::vec(json(), 0..8), noise: Vec<u8>) {
        let schema = Schema::parse(PROBED).unwrap();
        for deserializer in [openx(), hive()] {
            let reader = Reader::new(&schema, &deserializer).unwrap();
            let mut columns = Column::of_members(&schema.columns);
            let mut rows = 0;
            for record in records.iter().map(|record| record.as_bytes()).chain([noise.as_slice()]) {
                rows += usize::from(reader.read(record, &mut columns).is_ok());
                for column in &columns {
                    sound(column, columns[0].slots());
                }
            }
            // No record here has more than one document but the noise, which is hardly ever JSON.
            prop_assert!(columns[0].slots() >= rows);
        }
    }
}

/// Each slot that is present has its value, at every depth.
fn sound(column: &Column, slots: usize) {
    assert_eq!(column.slots(), slots);
    let values = column.present.iter().filter(|present| **present).count();
    assert_eq!(column.values.len(), values);
    match &column.values {
        Values::List(ends, elements) => sound(elements, ends.last().copied().unwrap_or(0)),
        Values::Map(ends, keys, values) => {
            sound(keys, ends.last().copied().unwrap_or(0));
            sound(values, ends.last().copied().unwrap_or(0));
        }
        Values::Struct { members, .. } => members.iter().for_each(|member| sound(member, values)),
        _ => {}
    }
}
