use proptest::prelude::*;

use super::*;

/// A pattern, messages that it matches, and others.
type Case = (
    &'static str,
    &'static [&'static str],
    &'static [&'static str],
);

fn check(cases: &[Case]) {
    for (pattern, yes, no) in cases {
        let parsed = Pattern::parse(pattern).unwrap_or_else(|error| panic!("{pattern}: {error}"));
        yes.iter()
            .for_each(|m| assert!(parsed.matches(m), "{pattern}: {m}"));
        no.iter()
            .for_each(|m| assert!(!parsed.matches(m), "{pattern}: {m}"));
    }
}

#[test]
fn terms_are_required_excluded_or_one_of_several() {
    check(&[
        ("", &["anything", ""], &[]),
        ("ERROR", &["an ERROR", "ERRORS"], &["error", ""]),
        ("ERROR disk", &["disk ERROR"], &["disk", "ERROR"]),
        ("ERROR -disk", &["ERROR"], &["disk ERROR", "fine"]),
        ("-debug", &["fine"], &["a debug line"]),
        ("?ERROR ?WARN", &["WARN", "ERROR"], &["INFO"]),
        ("\"exit code 1\"", &["the exit code 1."], &["exit 1 code"]),
        (
            "\"say \\\"hi\\\"\" -\"a b\"",
            &["say \"hi\""],
            &["say \"hi\" a b", "say hi"],
        ),
    ]);
}

#[test]
fn conditions_look_into_json() {
    check(&[
        (
            "{ $.eventType = \"UpdateTrail\" }",
            &[
                r#"{"eventType":"UpdateTrail"}"#,
                r#" {"a":1,"eventType":"UpdateTrail"} "#,
            ],
            &[
                r#"{"eventType":"UpdateTrails"}"#,
                r#"{"a":"UpdateTrail"}"#,
                "UpdateTrail",
                "{",
                "[]",
            ],
        ),
        (
            "{$.sourceIPAddress != 123.123.*}",
            &[r#"{"sourceIPAddress":"10.0.0.1"}"#],
            &[
                r#"{"sourceIPAddress":"123.123.0.1"}"#,
                "{}",
                r#"{"sourceIPAddress":{}}"#,
            ],
        ),
        (
            "{ $.a-b.list[1].c = *x* }",
            &[r#"{"a-b":{"list":[0,{"c":"axb"}]}}"#],
            &[
                r#"{"a-b":{"list":[{"c":"x"}]}}"#,
                r#"{"a-b":{"list":{"1":{"c":"x"}}}}"#,
            ],
        ),
        (
            "{ $.latency >= 1e2 }",
            &[r#"{"latency":100}"#, r#"{"latency":100.5}"#],
            &[
                r#"{"latency":99.9}"#,
                r#"{"latency":"fast"}"#,
                r#"{"latency":true}"#,
            ],
        ),
        (
            "{ $.n = 5 }",
            &[r#"{"n":5}"#, r#"{"n":5.0}"#],
            &[r#"{"n":6}"#, r#"{"n":null}"#],
        ),
        (
            "{ $.code = 4* }",
            &[r#"{"code":404}"#],
            &[r#"{"code":500}"#],
        ),
        (
            "{ $.x = \"*\" }",
            &[r#"{"x":"a"}"#, r#"{"x":1}"#, r#"{"x":false}"#],
            &["{}"],
        ),
        ("{ $.x IS NULL }", &[r#"{"x":null}"#], &["{}", r#"{"x":0}"#]),
        ("{ $.x IS TRUE }", &[r#"{"x":true}"#], &[r#"{"x":"true"}"#]),
        ("{ $.x NOT EXISTS }", &["{}"], &[r#"{"x":null}"#]),
        (
            "{ $.x = %^a+b$% }",
            &[r#"{"x":"aab"}"#],
            &[r#"{"x":"aabc"}"#],
        ),
        (
            "{ $.a = 1 || $.b = 1 && $.c = 1 }",
            &[r#"{"a":1}"#, r#"{"b":1,"c":1}"#],
            &[r#"{"b":1}"#],
        ),
        (
            "{ ($.a = 1 || $.b = 1) && $.c = 1 }",
            &[r#"{"a":1,"c":1}"#],
            &[r#"{"a":1}"#],
        ),
    ]);
}

#[test]
fn conditions_look_at_fields() {
    let line =
        r#"127.0.0.1 - frank [10/Oct/2000:13:25:15 -0700] "GET /index.html HTTP/1.0" 404 1534"#;
    let fine =
        r#"127.0.0.1 - frank [10/Oct/2000:13:25:15 -0700] "GET /index.html HTTP/1.0" 200 50"#;
    let cases: &[(&str, bool, bool)] = &[
        (
            "[ip, user, username, timestamp, request, status_code, bytes]",
            true,
            true,
        ),
        (
            "[ip, user, username, timestamp, request =*.html*, status_code = 4*, bytes]",
            true,
            false,
        ),
        ("[..., status_code=4*, bytes>1000]", true, false),
        ("[ip=%127\\.0\\.0\\.[12]%, user=-, ...]", true, true),
        ("[ip, ..., bytes]", true, true),
        ("[..., code = 404 || code = 200, bytes]", true, true),
        ("[..., code != 404 && code != 500, bytes]", false, true),
        ("[a, b]", false, false),
        ("[a, b, c, d, e, f, g, h, ...]", false, false),
    ];
    for (pattern, is_line, is_fine) in cases {
        let parsed = Pattern::parse(pattern).unwrap_or_else(|error| panic!("{pattern}: {error}"));
        assert_eq!(
            (parsed.matches(line), parsed.matches(fine)),
            (*is_line, *is_fine),
            "{pattern}"
        );
    }
}

#[test]
fn signs_that_nothing_closes_are_looked_for_once() {
    let pattern = Pattern::parse("[a, ...]").unwrap();
    assert!(pattern.matches(&"[ ".repeat(1 << 19)) && pattern.matches(&"\" ".repeat(1 << 19)));
    assert_eq!(fields::split("[a b \"c d\" [e"), ["[a", "b", "c d", "[e"]);
    assert_eq!(fields::split("\"a \"b"), ["a ", "b"]);
}

#[test]
fn a_regular_expression_is_found_anywhere() {
    check(&[
        (
            "%AUTHORIZED%",
            &["[ERROR 401] UNAUTHORIZED REQUEST"],
            &["authorized"],
        ),
        ("%^gr[ae]y|x{2}$%", &["grey", "an xx"], &["a grey", "xxy"]),
        ("%10\\.10\\.0\\.1%", &["at 10.10.0.1"], &["10a10.0.1"]),
    ]);
}

#[test]
fn what_is_no_pattern_is_refused() {
    let deep = format!("{{ {}$.a = 1{} }}", "(".repeat(33), ")".repeat(33));
    for bad in [
        "a:b",
        "\"open",
        "-",
        "?",
        "\"\"",
        "?a b",
        "- a",
        "{ $.a }",
        "{ a = 1 }",
        "{ $ = 1 }",
        "{ $.a = }",
        "{ $.a = 1",
        "{ $.a = 1 } x",
        "{ $.a > x }",
        "{ $.a IS 1 }",
        "{ $.a NOT HERE }",
        "{ $.a[x] = 1 }",
        "{ $..a = 1 }",
        "{ $.a = 1 && }",
        "{}",
        "[a b]",
        "[a = 1 || b = 1]",
        "[..., a, ...]",
        "[a",
        "%open",
        "%(a)%",
        "%a!%",
        "%ä%",
        "%a{2,1}%",
        "%[01]{10000}[xy]%",
        "{ $.a = %x% || $.a = %y% || $.a = %z% }",
        &deep,
        &"a".repeat(1025),
    ] {
        assert!(
            matches!(Pattern::parse(bad), Err(Error::Pattern(_))),
            "{bad}"
        );
    }
}

proptest! {
    #[test]
    fn any_text_is_a_pattern_or_an_error(
        text in "\\PC{0,60}|[{\\[%][ $.a=\"<>!&|()\\[\\]{}%*,0-9]{0,40}[}\\]%]",
        message in "\\PC{0,60}",
    ) {
        if let Ok(pattern) = Pattern::parse(&text) {
            pattern.matches(&message);
        }
    }
}
