//! Answers of AWS, restated: what matches, what does not, and how a text is refused.

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::Pattern;

fn matches(pattern: Value, event: Value) -> bool {
    Pattern::parse(&pattern.to_string())
        .unwrap()
        .matches(&event)
}

#[test]
fn a_value_matches_one_of_the_list() {
    assert!(matches(json!({"a": ["x", "y"]}), json!({"a": "y", "b": 1})));
    assert!(!matches(json!({"a": ["x", "y"]}), json!({"a": "z"})));
    assert!(!matches(json!({"A": ["x"]}), json!({"a": "x"})));
    assert!(!matches(json!({"a": [null]}), json!({"a": []})));
    assert!(matches(json!({"a": [null]}), json!({"a": null})));
    assert!(!matches(json!({"a": [null]}), json!({"a": "null"})));
    assert!(!matches(json!({"a": [false]}), json!({"a": true})));
    assert!(matches(json!({"a": [300]}), json!({"a": 300.0})));
    assert!(!matches(json!({"a": [300]}), json!({"a": "300"})));
    assert!(!matches(
        json!({"a": [9_007_199_254_740_993_u64]}),
        json!({"a": 9_007_199_254_740_992_u64})
    ));
    assert!(!matches(json!({"a": ["x"]}), json!(["x"])));
}

#[test]
fn levels_are_joined_by_dots() {
    let nested = json!({"a": {"b": {"c": ["x"]}}});
    assert!(matches(nested.clone(), json!({"a": {"b": {"c": "x"}}})));
    assert!(matches(nested.clone(), json!({"a": {"b.c": "x"}})));
    assert!(matches(
        json!({"a.b": {"c": ["x"]}}),
        json!({"a": {"b": {"c": "x"}}})
    ));
    assert!(!matches(nested.clone(), json!({"a": {"b.c": {"c": "x"}}})));
    assert!(!matches(nested, json!({"a": "{\"b\": {\"c\": \"x\"}}"})));
}

#[test]
fn lists_match_by_any_element_and_their_objects_keep_together() {
    assert!(matches(json!({"a": ["x", "y"]}), json!({"a": ["y", "z"]})));
    assert!(matches(
        json!({"a": {"id": [{"exists": true}]}}),
        json!({"a": [{"k": 1}, {"id": 2}]})
    ));
    let both = json!({"a": {"x": [1], "y": [2]}});
    assert!(matches(
        both.clone(),
        json!({"a": [{"x": 1, "y": 2}, {"x": 3}]})
    ));
    assert!(!matches(both.clone(), json!({"a": [{"x": 1}, {"y": 2}]})));
    assert!(!matches(both, json!({"a": [[{"x": 1}], {"y": 2}]})));
    let deep = json!({"a": {"x": [1], "b": {"y": [2], "z": [3]}}});
    let one = json!({"x": 1, "b": [{"y": 2, "z": 3}]});
    assert!(matches(deep.clone(), json!({"a": [one]})));
    assert!(!matches(
        deep,
        json!({"a": [{"x": 1, "b": [{"y": 2}, {"z": 3}]}]})
    ));
}

#[test]
fn operators_on_texts() {
    for (operator, yes, no) in [
        (json!({"prefix": "ab"}), "abc", "xab"),
        (
            json!({"prefix": {"equals-ignore-case": "AB"}}),
            "aBc",
            "xab",
        ),
        (json!({"suffix": ".png"}), "a.png", "a.PNG"),
        (
            json!({"suffix": {"equals-ignore-case": ".png"}}),
            "a.PNG",
            "a.jpg",
        ),
        (json!({"equals-ignore-case": "Ab"}), "aB", "abc"),
        (
            json!({"wildcard": "/a/*/c.txt"}),
            "/a/b/b/c.txt",
            "/a/b/nc.tx",
        ),
        (json!({"wildcard": "a*ab*b"}), "aabb", "abab b c"),
        (json!({"wildcard": "a\\*b"}), "a*b", "axb"),
        (json!({"wildcard": "*"}), "", "\u{0}"),
        (json!({"exactly": "x"}), "x", "X"),
        (json!({"cidr": "10.0.0.0/24"}), "10.0.0.255", "10.0.0.256"),
        (
            json!({"cidr": "2001:db8::/33"}),
            "2001:0db8:7fff::1",
            "2001:db8:8000::",
        ),
        (json!({"anything-but": "x"}), "y", "x"),
        (json!({"anything-but": ["x", "y"]}), "z", "y"),
        (json!({"anything-but": {"prefix": "in"}}), "out", "inner"),
        (
            json!({"anything-but": {"suffix": [".a", ".b"]}}),
            "x.c",
            "x.b",
        ),
        (
            json!({"anything-but": {"equals-ignore-case": ["A"]}}),
            "b",
            "a",
        ),
        (
            json!({"anything-but": {"wildcard": "*/in/*"}}),
            "a/b",
            "a/in/b",
        ),
    ] {
        if no != "\u{0}" {
            assert!(
                !matches(json!({"a": [operator]}), json!({"a": no})),
                "{operator}: {no}"
            );
        }
        assert!(
            matches(json!({"a": [operator]}), json!({"a": yes})),
            "{operator}: {yes}"
        );
    }
}

#[test]
fn operators_on_other_values() {
    let numeric = |bounds: Value| json!({"a": [{"numeric": bounds}]});
    assert!(matches(
        numeric(json!([">", 0, "<=", 5])),
        json!({"a": 5.0})
    ));
    assert!(!matches(numeric(json!([">", 0, "<=", 5])), json!({"a": 0})));
    assert!(matches(numeric(json!(["=", 3.018e2])), json!({"a": 301.8})));
    assert!(!matches(numeric(json!([">", 100])), json!({"a": "300"})));
    assert!(!matches(numeric(json!(["<", 100])), json!({"a": null})));
    for but in [
        json!("x"),
        json!(["x"]),
        json!(7),
        json!([7, 8]),
        json!({"prefix": "x"}),
        json!({"wildcard": ["x*"]}),
    ] {
        let pattern = json!({"a": [{"anything-but": but}]});
        assert!(matches(pattern.clone(), json!({"a": null})));
        assert!(matches(pattern.clone(), json!({"a": 12})));
        assert!(!matches(pattern, json!({"b": 12})));
    }
    assert!(!matches(
        json!({"a": [{"anything-but": [1, 2]}]}),
        json!({"a": 2.0})
    ));
}

#[test]
fn what_is_there_and_what_is_not() {
    let exists = json!({"a": [{"exists": true}]});
    assert!(matches(exists.clone(), json!({"a": null})));
    assert!(!matches(exists.clone(), json!({"a": []})));
    assert!(!matches(exists, json!({"a": {"b": 1}})));
    let absent = json!({"a": {"b": [{"exists": false}, {"anything-but": ["x"]}]}});
    assert!(matches(absent.clone(), json!({})));
    assert!(matches(absent.clone(), json!({"a": {"c": "x"}})));
    assert!(matches(absent.clone(), json!({"a": {"b": "y"}})));
    assert!(!matches(absent, json!({"a": {"b": "x"}})));
}

#[test]
fn one_of_several_objects() {
    let or = json!({"k": ["v"], "$or": [{"a": [1]}, {"b": {"$or": [{"c": [2]}, {"d": [3]}]}}]});
    assert!(matches(or.clone(), json!({"k": "v", "a": 1})));
    assert!(matches(or.clone(), json!({"k": "v", "b": {"d": 3}})));
    assert!(!matches(or.clone(), json!({"k": "w", "a": 1})));
    assert!(!matches(or, json!({"k": "v", "b": {"c": 3}})));
}

#[test]
fn products_of_objects_are_bounded() {
    let or = |names: [&str; 10]| {
        let objects = names.iter().map(|name| json!({(*name): [1]}));
        json!(objects.collect::<Vec<_>>())
    };
    let ten = |start: &str| {
        ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"].map(|n| format!("{start}{n}"))
    };
    let of = |start: &str| or(ten(start).each_ref().map(String::as_str));
    let thousand = json!({"$or": of("a"), "x": {"$or": of("b"), "y": {"$or": of("c")}}});
    assert!(matches(
        thousand.clone(),
        json!({"a1": 1, "x": {"b2": 1, "y": {"c3": 1}}})
    ));
    let mut more = thousand.as_object().unwrap().clone();
    more.insert("z".into(), json!({"$or": [{"a": [1]}, {"b": [1]}]}));
    let (reason, _) = refused(&Value::from(more).to_string());
    assert!(reason.starts_with("Rule is too complex"), "{reason}");
}

/// The reason, and the column where AWS tells one.
fn refused(text: &str) -> (String, Option<usize>) {
    let error = Pattern::parse(text).unwrap_err().to_string();
    let Some((reason, place)) = error.split_once("\n at [Source: (String)\"") else {
        return (error, None);
    };
    let column = place.rsplit_once("column: ").unwrap().1;
    (reason.to_owned(), column.trim_end_matches(']').parse().ok())
}

/// Recorded answers of TestEventPattern.
#[test]
fn errors_are_those_of_aws() {
    let but = "Value of anything-but must be an array or single string/number value.";
    let but_case =
        "Inside anything-but/equals-ignore-case list, number|start|null|boolean is not supported.";
    let affix = "prefix/suffix match pattern must be a string";
    let no_case = "equals-ignore-case match pattern must be a string";
    for (text, reason, column) in [
        (
            r#"{"int": 42}"#,
            r#""int" must be an object or an array"#,
            11,
        ),
        (
            r#"{"string": "my-value"}"#,
            r#""string" must be an object or an array"#,
            13,
        ),
        (
            r#"{"detail": {"equal": [{"NUMERIC": ["=", 5]}]}}"#,
            "Unrecognized match type NUMERIC",
            36,
        ),
        (r#"{"resources": []}"#, "Empty arrays are not allowed", 17),
        (
            r#"{"my_key": [{"EXISTS": true}]}"#,
            "Unrecognized match type EXISTS",
            28,
        ),
        (
            r#"{"detail": {"c-count": [{"numeric": [">", 0, ">", 0]}]}}"#,
            "Bad numeric range operator: >",
            49,
        ),
        (
            r#"{"detail": {"c-count": [{"numeric": [">", 0, "<"]}]}}"#,
            "Value of < must be numeric",
            50,
        ),
        (
            r#"{"EventBusArn": [{"wildcard": "arn:aws:events:us-east-1:**:event-bus/*"}]}"#,
            "Consecutive wildcard characters at pos 26",
            72,
        ),
        (
            r#"{"detail-type": [{"equals-ignore-case": ["x"]}]}"#,
            no_case,
            42,
        ),
        (
            r#"{"detail-type": [{"equals-ignore-case": {"prefix": "ec2"}}]}"#,
            no_case,
            42,
        ),
        (
            r#"{"detail": {"state": [{"anything-but": {"equals-ignore-case": 123}}]}}"#,
            but_case,
            66,
        ),
        (
            r#"{"detail": {"state": [{"anything-but": {"equals-ignore-case": [123, 456]}}]}}"#,
            but_case,
            67,
        ),
        (
            r#"{"EventBusArn": [{"wildcard": 123}]}"#,
            "wildcard match pattern must be a string",
            34,
        ),
        (
            r#"{"detail": {"state": [{"anything-but": {"wildcard": [123, "*/dir/*"]}}]}}"#,
            "wildcard match pattern must be a string",
            57,
        ),
        (
            r#"{"detail": {"FileName": [{"anything-but": {"suffix": 123}}]}}"#,
            affix,
            57,
        ),
        (
            r#"{"detail": {"FileName": [{"anything-but": {"suffix": [null, ".txt"]}}]}}"#,
            affix,
            59,
        ),
        (
            r#"{"time": [{"prefix": ["2022-07-13"]}]}"#,
            "prefix match pattern must be a string",
            23,
        ),
        (
            r#"{"FileName": [{"suffix": 123}]}"#,
            "suffix match pattern must be a string",
            29,
        ),
        (
            r#"{"detail": {"FileName": [{"anything-but": {"prefix": {"equals-ignore-case": "file"}}}]}}"#,
            but,
            55,
        ),
        (
            r#"{"detail": {"state": [{"anything-but": null}]}}"#,
            but,
            44,
        ),
        (
            r#"{"detail": {"state": [{"anything-but": ["stopped", null]}]}}"#,
            "Inside anything but list, start|null|boolean is not supported.",
            56,
        ),
        (
            r#"{"detail": {"sourceIPAddress": [{"cidr": ["bad-type"]}]}}"#,
            "prefix match pattern must be a string",
            43,
        ),
        (
            r#"{"detail": {"FileName": [{"anything-but": {"prefix": ""}}]}}"#,
            "Null prefix/suffix not allowed",
            56,
        ),
        (
            r#"{"detail": {"c-count": [{"numeric": 10}]}}"#,
            "Value of numeric must be an array.",
            39,
        ),
        (
            "this is valid json but not a dict",
            "Unrecognized token 'this': was expecting (JSON String, Number, Array, Object or token 'null', 'true' or 'false')",
            5,
        ),
        (
            "{'bad': 'quotation'}",
            "Unexpected character (''' (code 39)): was expecting double-quote to start field name",
            2,
        ),
        (
            r#"{"not": closed mark""#,
            "Unrecognized token 'closed': was expecting (JSON String, Number, Array, Object or token 'null', 'true' or 'false')",
            15,
        ),
        (r#"["not", "a", "dict"]"#, "Filter is not an object", 2),
    ] {
        assert_eq!(refused(text), (reason.to_owned(), Some(column)), "{text}");
    }
    for (cidr, reason) in [
        ("10.0.0.0", "Malformed CIDR, one '/' required"),
        (
            "10.0.0.0/xx",
            "Malformed CIDR, mask bits must be an integer",
        ),
        ("xx.11.xx/8", "Nonstandard IP address: xx.11.xx"),
        (
            "xxxx:db8:1234:1a00::/64",
            "Nonstandard IP address: xxxx:db8:1234:1a00::",
        ),
        ("10.0.0.0/32", "IPv4 mask bits must be < 32"),
    ] {
        let text = json!({"a": [{"cidr": cidr}]}).to_string();
        assert_eq!(refused(&text), (reason.to_owned(), None));
    }
}

#[test]
fn a_fault_in_a_list_tells_its_place_twice() {
    let text = r#"{"detail": {"state": [{"anything-but": {"prefix": [123, "test"]}}]}}"#;
    let at = format!("\n at [Source: (String)\"{text}\"; line: 1, column: 55]");
    let error = Pattern::parse(text).unwrap_err().to_string();
    assert_eq!(
        error,
        format!("prefix/suffix match pattern must be a string{at}{at}")
    );
}

#[test]
fn lines_are_counted() {
    let error = Pattern::parse("{\n  \"a\": 1\n}").unwrap_err().to_string();
    assert!(error.ends_with("line: 2, column: 9]"), "{error}");
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-3..3_i32).prop_map(Value::from),
        "[ab*]{0,3}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 3, |inner| {
        let names =
            prop::sample::select(vec!["a", "b", "a.b", "prefix", "numeric", "exists", "$or"]);
        let members =
            prop::collection::hash_map(names.prop_map(str::to_owned), inner.clone(), 0..3);
        prop_oneof![
            prop::collection::vec(inner, 0..3).prop_map(Value::from),
            members.prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// The conditions that an event without lists makes for itself: each of its values, exactly.
fn its_own_pattern(event: &Value) -> Value {
    match event {
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| (name.clone(), its_own_pattern(value)))
            .collect(),
        value => json!([value]),
    }
}

/// Objects of objects and single values.
fn plain_event() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<i32>().prop_map(Value::from),
        "[ab]{0,3}".prop_map(Value::from),
    ];
    let value = leaf.prop_recursive(3, 12, 3, |inner| {
        let members = prop::collection::hash_map("[a-c]", inner, 1..3);
        members.prop_map(|members| Value::Object(members.into_iter().collect()))
    });
    value.prop_map(|value| json!({"top": value}))
}

proptest! {
    #[test]
    fn any_text_is_a_pattern_or_refused(text in ".{0,40}") {
        let _ = Pattern::parse(&text);
    }

    #[test]
    fn any_json_is_a_pattern_or_refused_and_matching_ends(pattern in json_value(), event in json_value()) {
        if let Ok(pattern) = Pattern::parse(&pattern.to_string()) {
            let _ = pattern.matches(&event);
        }
    }

    #[test]
    fn an_event_of_single_values_matches_itself(event in plain_event()) {
        let pattern = its_own_pattern(&event).to_string();
        prop_assert!(Pattern::parse(&pattern).unwrap().matches(&event));
    }
}
