//! MetadataExtraction: partition keys that a jq query finds in a record.
//!
//! A query sees one record and nothing of this machine: jq's `env` and `halt` are not there. It always ends, with
//! little memory: what may recurse or grow without bounds is refused by name, and for the rest steps and bytes are
//! counted (`bounds`), not time, so that a record meets the same fate whenever it is delivered again.

mod bounds;
mod scan;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use jaq_core::{
    Compiler, Native,
    compile::Filter,
    load::{
        Arena, File, Loader,
        lex::{Lexer, StrPart, Tok, Token},
        parse::{Def, Parser, Term},
    },
};
use jaq_json::{Val, read};

use self::{
    bounds::{Bounds, Counted, QueryBudget},
    scan::scan,
};
use super::pure::Pure;
use crate::{
    limits::{ERROR_TEXT_BYTES_MAX, KEY_BYTES_MAX, QUERY_TOKENS_MAX},
    records::{ErrorKind, Failure, Item},
};

/// AWS's code for a record whose partition keys were not found.
pub const NOT_FOUND: &str = "DynamicPartitioning.MetadataExtractionFailed";
/// AWS's text for a key that a record has not, or that is empty.
pub const NO_KEY: &str = "partitionKeys values must not be null or empty";

/// Functions of jq that reach out of a query.
const OUTSIDE: [&str; 6] = [
    "env",
    "halt",
    "halt_error",
    "debug",
    "stderr",
    "input_line_number",
];
/// Functions of jq that can recurse, or make much out of little: recursion is as deep as the stack, and a product of
/// a text and a number is as long as the number says. Paths that are made are as deep as a list in the record is
/// long.
const REFUSED: [&str; 15] = [
    "def",
    "reduce",
    "foreach",
    "range",
    "recurse",
    "repeat",
    "while",
    "until",
    "combinations",
    "getpath",
    "setpath",
    "delpaths",
    "pick",
    "*",
    "*=",
];
/// The name of the query as a definition.
const QUERY: &str = "@query";

/// A query, compiled.
pub struct Query(Filter<Native<Counted>>);

/// Why a text is no query, or none that is evaluated here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// It is not of jq.
    #[error("the query is not a query of jq: {0}")]
    Invalid(&'static str),
    /// It has this in it, which might never end.
    #[error("{0:?} in a query is not supported")]
    Refused(&'static str),
    /// It is so long that reading it could take more stack than there is.
    #[error("a query of more than {QUERY_TOKENS_MAX} words and symbols is not supported")]
    Long,
}

impl Query {
    /// Compiles a query.
    pub fn compile(text: &str) -> Result<Self, QueryError> {
        // Lexer, parser and interpreter recurse: the first for every bracket, the others for every token.
        if text.bytes().filter(|byte| b"([{".contains(byte)).count() > QUERY_TOKENS_MAX {
            return Err(QueryError::Long);
        }
        let tokens = Lexer::new(text)
            .lex()
            .map_err(|_| QueryError::Invalid("it cannot be read"))?;
        if count(&tokens) > QUERY_TOKENS_MAX {
            return Err(QueryError::Long);
        }
        if let Some(refused) = refused(&tokens) {
            return Err(QueryError::Refused(refused));
        }
        let term = Parser::new(&tokens).parse(|parser| parser.term());
        let body = term.map_err(|_| QueryError::Invalid("it cannot be read"))?;
        let funs = jaq_core::funs()
            .chain(jaq_std::funs())
            .chain(jaq_json::funs());
        let funs = funs.filter(|(name, ..)| !OUTSIDE.contains(name) && *name != "fromjson");
        let funs: Vec<_> = funs.chain(bounds::functions()).collect();
        let bounds = Bounds::of(funs.iter().map(|(name, ..)| *name));
        let defs = jaq_core::defs()
            .chain(jaq_std::defs())
            .chain(jaq_json::defs());
        let defs = defs
            .filter(|def| !OUTSIDE.contains(&def.name))
            .map(|def| bounds.definition(def));
        let query = bounds.definition(Def {
            name: QUERY,
            args: Vec::new(),
            body,
        });
        let arena = Arena::default();
        let modules = Loader::new(defs.chain([query])).load(
            &arena,
            File {
                code: QUERY,
                path: (),
            },
        );
        let modules = modules.map_err(|_| QueryError::Invalid("it cannot be read"))?;
        let compiled = Compiler::default().with_funs(funs).compile(modules);
        Ok(Self(compiled.map_err(|_| {
            QueryError::Invalid("it uses what there is not")
        })?))
    }

    /// The first thing that the query makes of a record.
    fn first(&self, data: &[u8]) -> Result<Val, Failure> {
        if let Some(why) = scan(data) {
            return Err(failed(why));
        }
        let input = read::parse_single(data).map_err(|_| failed("Non JSON record provided"))?;
        let left = QueryBudget::new();
        let evaluate = || {
            left.take(&input);
            self.0.id.run((left.context(&self.0.lut), input)).next()
        };
        let first = match catch_unwind(AssertUnwindSafe(evaluate)) {
            Ok(first) => first.ok_or_else(|| failed(NO_KEY))?,
            Err(panic) => return Err(failed(left.lacks().unwrap_or_else(|| resume_unwind(panic)))),
        };
        first.map_err(|exception| match exception.get_err() {
            Ok(error) => failed(&error.to_string()),
            Err(_) => failed("The query ended without an answer."),
        })
    }
}

/// How many tokens there are, those within others too.
fn count(tokens: &[Token<&str>]) -> usize {
    let within = |Token(_, kind): &Token<&str>| match kind {
        Tok::Block(inner) => count(inner),
        Tok::Str(parts) => {
            let of = |part: &StrPart<&str, Token<&str>>| match part {
                StrPart::Term(token) => count(std::slice::from_ref(token)),
                StrPart::Str(_) | StrPart::Char(_) => 0,
            };
            parts.iter().map(of).sum()
        }
        _ => 0,
    };
    tokens.iter().map(|token| 1 + within(token)).sum()
}

/// The first of [`REFUSED`] that a query uses; as the key of an object or a path all of it may stand there.
fn refused(tokens: &[Token<&str>]) -> Option<&'static str> {
    let here = |(i, Token(text, kind)): (usize, &Token<&str>)| match kind {
        Tok::Block(inner) => refused(inner),
        Tok::Str(parts) => parts.iter().find_map(|part| match part {
            StrPart::Term(token) => refused(std::slice::from_ref(token)),
            StrPart::Str(_) | StrPart::Char(_) => None,
        }),
        Tok::Word | Tok::Sym if tokens.get(i + 1).is_none_or(|next| next.0 != ":") => {
            REFUSED.into_iter().find(|name| name == text)
        }
        _ => None,
    };
    tokens.iter().enumerate().find_map(here)
}

/// The keys that a query makes, where it is an object that says so itself: `{a: .x, b: .y}`.
pub fn keys_of(text: &str) -> Option<Vec<String>> {
    let tokens = Lexer::new(text).lex().ok()?;
    let Term::Obj(members) = Parser::new(&tokens).parse(|parser| parser.term()).ok()? else {
        return None;
    };
    let name = |key: &Term<&str>| match key {
        Term::Str(None, parts) => match &parts[..] {
            [StrPart::Str(text)] => Some((*text).to_owned()),
            _ => None,
        },
        Term::Call(name, arguments) if arguments.is_empty() => Some((*name).to_owned()),
        _ => None,
    };
    members.iter().map(|(key, _)| name(key)).collect()
}

impl Pure for Query {
    fn apply(&self, mut item: Item, out: &mut Vec<Item>) -> Result<(), Failure> {
        let Val::Obj(members) = self.first(&item.data)? else {
            return Err(failed("The query has to make an object of partition keys."));
        };
        for (key, value) in members.iter() {
            let (Some(key), Some(value)) = (text(key), text(value)) else {
                return Err(failed(NO_KEY));
            };
            if key.len() + value.len() > KEY_BYTES_MAX {
                return Err(failed(
                    "A partition key is longer than the key of an object may be.",
                ));
            }
            item.keys.query.insert(key, value);
        }
        out.push(item);
        Ok(())
    }

    fn kind(&self) -> ErrorKind {
        ErrorKind::MetadataExtraction
    }
}

/// A scalar as text; nothing where it is none, or empty.
fn text(value: &Val) -> Option<String> {
    match value {
        Val::TStr(bytes) | Val::BStr(bytes) => {
            Some(String::from_utf8_lossy(bytes).into_owned()).filter(|text| !text.is_empty())
        }
        Val::Num(_) | Val::Bool(_) => Some(value.to_string()),
        Val::Null | Val::Arr(_) | Val::Obj(_) => None,
    }
}

fn failed(text: &str) -> Failure {
    Failure::new(
        NOT_FOUND,
        &text[..text.floor_char_boundary(ERROR_TEXT_BYTES_MAX)],
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{limits::QUERY_DEPTH_MAX, testing::item};

    fn run(query: &str, data: &str) -> Result<Vec<(String, String)>, Failure> {
        let mut out = Vec::new();
        Query::compile(query)
            .unwrap()
            .apply(item(data.to_owned()), &mut out)?;
        Ok(out.remove(0).keys.query.into_iter().collect())
    }

    /// The example of AWS's page on partitioning keys.
    #[test]
    fn the_example_of_aws() {
        let query = r#"{customer_id: .customer_id, device: .type.device, year: .event_timestamp|strftime("%Y"),
            month: .event_timestamp|strftime("%m"), n: .n, b: (.n > 1)}"#;
        let data = r#"{"type": {"device": "mobile", "event": "user_clicked_submit_button"},
            "customer_id": "1234567890", "event_timestamp": 1565382027, "region": "sample_region", "n": 7}"#;
        let keys = run(query, data).unwrap();
        let keys: Vec<_> = keys.iter().map(|(key, value)| (&**key, &**value)).collect();
        assert_eq!(
            keys,
            [
                ("b", "true"),
                ("customer_id", "1234567890"),
                ("device", "mobile"),
                ("month", "08"),
                ("n", "7"),
                ("year", "2019")
            ]
        );
    }

    #[test]
    fn what_has_no_keys_is_refused_in_the_words_of_aws() {
        for (query, data, text) in [
            ("{a: .a}", "no", "Non JSON record provided"),
            ("{a: .a}", "{\"a\":1}{\"a\":2}", "Non JSON record provided"),
            ("{a: .a}", "{}", NO_KEY),
            ("{a: .a}", "{\"a\":\"\"}", NO_KEY),
            ("{a: .a}", "{\"a\":[1]}", NO_KEY),
            ("empty", "{}", NO_KEY),
            (
                ".a",
                "{\"a\":1}",
                "The query has to make an object of partition keys.",
            ),
        ] {
            let failure = run(query, data).unwrap_err();
            assert_eq!(
                (failure.code, &*failure.message),
                (NOT_FOUND, text),
                "{query} {data}"
            );
        }
        assert_eq!(
            run("{a: (.a | error)}", "{\"a\":\"why\"}")
                .unwrap_err()
                .code,
            NOT_FOUND
        );
    }

    #[test]
    fn a_query_sees_nothing_of_the_machine() {
        for bad in ["{a: env.HOME}", "{a: halt}", "{a: nothing}", "{", "$ENV"] {
            assert!(Query::compile(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_query_always_ends() {
        for (refused, query) in [
            ("def", "def f: f; f"),
            ("repeat", "{a: [repeat(1)]}"),
            ("range", "{a: \"\\([range(infinite)])\"}"),
            ("recurse", "[recurse(.)]"),
            ("until", "until(false; .)"),
            ("*", "{a: (.a * .b)}"),
            ("reduce", "reduce .[] as $x (.; . + .)"),
        ] {
            assert_eq!(
                Query::compile(query).err(),
                Some(QueryError::Refused(refused)),
                "{query}"
            );
        }
        let data = format!("[{}]", vec!["1"; 1000].join(","));
        let slow = "[.[] as $a | .[] as $b | .[] as $c | $a] | {a: length}";
        assert_eq!(
            run(slow, &data).unwrap_err().message,
            "The query takes too many steps."
        );
        assert_eq!(
            run("[.[] | . + 1] | {a: length}", &data).unwrap(),
            [("a".to_owned(), "1000".to_owned())]
        );
        let keys = run("{range: .range, a: .def}", r#"{"range": 1, "def": 2}"#).unwrap();
        assert_eq!(keys.len(), 2, "they are names as others are");
    }

    /// Each would take gigabytes, or longer than anybody waits.
    #[test]
    fn a_query_makes_only_so_much_of_a_record() {
        let of_text =
            |step: &str, n: usize| format!("{{a: (.a{}|tostring|length)}}", step.repeat(n));
        let list = format!("[{}]", vec!["1"; 20_000].join(","));
        let text = format!("{{\"a\":\"{}\"}}", "x".repeat(60_000));
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(200), "]".repeat(200));
        let members = format!("{{\"a\":\"{}\",\"l\":{list}}}", "x".repeat(60_000));
        for (query, data) in [
            (&*of_text("|.+.", 30), &*text),
            (&of_text("|[.,.]", 30), &text),
            (&of_text("|{a:.,b:.}", 16), &text),
            (&of_text("|\"\\(.)\\(.)\"", 20), &text),
            (&of_text("|(.|=[.,.])", 16), &text),
            ("{a: (.a | walk([., .]) | tojson | length)}", &deep),
            (". as $r | [.[] as $x | $r[]] | {a: length}", &list),
            (". as $r | [.[] as $x | $r[0:]] | {a: length}", &list),
            (". as $r | .[] = $r | {a: (tojson | length)}", &list),
            (
                "{a: (.a as $x | .l | map([.]) | (.[] += [$x, $x]) | tojson)}",
                &members,
            ),
            ("{a: (.a as $x | .l | join($x))}", &members),
            ("{a: (.a as $x | .l | map($x) | add | length)}", &members),
            ("{a: (. as $r | .l | sort_by($r.l[]) | length)}", &members),
            ("{a: ([..] | map(..) | map(..) | length)}", &deep),
        ] {
            let text = run(query, data).unwrap_err().message;
            assert!(
                text.starts_with("The query makes too much")
                    || text.starts_with("The query takes too"),
                "{query}: {text}"
            );
        }
        let long = format!("{{\"a\":\"{}\"}}", "x".repeat(100_000));
        for query in [
            "{a: (.a | [match(\".\"; \"g\")] | length)}",
            "{a: (.a | explode | length)}",
            "{a: (.a / \"\")}",
        ] {
            assert!(
                run(query, &long).unwrap_err().message.contains("too long"),
                "{query}"
            );
        }
    }

    #[test]
    fn bounds_change_nothing_that_is_small() {
        let data = r#"{"n": 7, "s": "A-b,c", "l": [3, 1, 2], "o": {"x": 1, "y": "2"}, "j": "{\"k\": [5]}", "t": "1.5"}"#;
        for (query, keys) in [
            (
                r#"{a: (.n += 1 | .n), b: (.l[] -= 1 | .l | tojson), c: (.n //= 2 | .n)}"#,
                "8 [2,0,1] 7",
            ),
            (
                r#"{a: (.l | sort | tojson), b: (.l | map(. * 1 | . + 1) | add)}"#,
                "",
            ),
            (
                r#"{a: (.l | sort | map(. + 1) | join("-")), b: (.l | max), c: (.l | add)}"#,
                "2-3-4 3 6",
            ),
            (
                r#"{a: (.s | ascii_downcase | split(",")[1]), b: (.s | test("^A")), c: (.s | sub("-"; "+"))}"#,
                "c true A+b,c",
            ),
            (
                r#"{a: (.o | with_entries(.value |= tostring) | tojson), b: (.o | to_entries[1].key)}"#,
                r#"{"x":"1","y":"2"} y"#,
            ),
            (
                r#"{a: (.j | fromjson.k[0]), b: (.t | tonumber), c: (.t | tonumber? // "no")}"#,
                "5 1.5 1.5",
            ),
            (
                r#"{a: (.l[0] |= 9 | .l[0]), b: (del(.o.x) | .o | keys[0]), c: ([paths] | length)}"#,
                "9 y 11",
            ),
            (
                r#"{a: "\(.n)-\(.l[0:2])", b: (.s | @base64), c: ([limit(2; .l[])] | length)}"#,
                "7-[3,1] QS1iLGM= 2",
            ),
            (
                r#"{a: (.l | group_by(. > 1) | length), b: (.l as [$x, $y] | $x - $y), c: ([.l[] | select(. > 1)] | length)}"#,
                "2 2 2",
            ),
            (
                r#"{a: (if .n > 5 then "big" else "small" end), b: (.missing // "none"), c: (.o | walk(.) | .y)}"#,
                "big none 2",
            ),
        ] {
            let found = Query::compile(query).map(|_| run(query, data));
            let found = found.map(|found| {
                found
                    .unwrap()
                    .into_iter()
                    .map(|(_, value)| value)
                    .collect::<Vec<_>>()
                    .join(" ")
            });
            assert_eq!(found.unwrap_or_default(), keys, "{query}");
        }
    }

    #[test]
    fn what_the_parser_could_not_bear_is_refused_before() {
        let brackets = "[".repeat(500_000);
        let refused = |query: &str, data: &str| run(query, data).unwrap_err().message;
        assert_eq!(
            refused("{a: .a}", &format!("#\"\n{brackets}")),
            "Non JSON record provided"
        );
        assert_eq!(
            refused("{a: .a}", "{\"a\": 1} # a comment"),
            "Non JSON record provided"
        );
        for query in ["{a: (.a | fromjson)}", "{a: (.a | tonumber)}"] {
            for text in [&brackets[..60_000], "#\\\"\\n[[[[", "1 2", ""] {
                assert!(
                    refused(query, &format!("{{\"a\": \"{text}\"}}")).contains("cannot parse"),
                    "{query}"
                );
            }
        }
        let digits = |n: usize| format!("{{\"a\": {}}}", "7".repeat(n));
        assert_eq!(run("{a: .a}", &digits(400)).unwrap().len(), 1);
        assert_eq!(
            refused("{a: 1}", &digits(401)),
            "A number in the record has too many digits."
        );
    }

    #[test]
    fn a_query_has_the_stack_it_needs() {
        let n = QUERY_TOKENS_MAX / 2 - 1;
        for (before, after) in [
            ("[", "]"),
            ("(", ")"),
            (".|", ""),
            (".,", ""),
            ("1+", ""),
            ("- -", ""),
            ("try ", ""),
            ("{a:", "}"),
        ] {
            let nested = |n: usize| format!("{}1{}", before.repeat(n), after.repeat(n));
            if let Ok(query) = Query::compile(&nested(n)) {
                drop(query.first(b"{}"));
            }
            assert_eq!(
                Query::compile(&nested(100_000)).err(),
                Some(QueryError::Long),
                "{before}"
            );
        }
    }

    #[test]
    fn a_record_has_bounds() {
        let deep = |n: usize| format!("{{\"a\":1,\"[\\\"\":{}{}}}", "[".repeat(n), "]".repeat(n));
        assert!(run("{a: .a}", &deep(QUERY_DEPTH_MAX - 1)).is_ok());
        for n in [QUERY_DEPTH_MAX, 500_000] {
            assert_eq!(
                run("{a: .a}", &deep(n)).unwrap_err().message,
                "Exceeds depth limit for parsing"
            );
        }
        let long = |n: usize| format!("{{\"a\":\"{}\"}}", "x".repeat(n));
        assert!(run("{a: .a}", &long(KEY_BYTES_MAX - 1)).is_ok());
        assert!(run("{a: .a}", &long(KEY_BYTES_MAX)).is_err());
    }

    #[test]
    fn keys_are_known_where_the_query_says_them() {
        assert_eq!(
            keys_of("{a: .x, \"b\": .y | tostring, c}").unwrap(),
            ["a", "b", "c"]
        );
        assert_eq!(keys_of("{(.a): .b}"), None);
        assert_eq!(keys_of(".a"), None);
    }

    proptest! {
        #[test]
        fn any_text_is_a_query_or_none(query in r#"[{}:.a|\[\],"() ]{0,20}"#) {
            drop(Query::compile(&query));
            drop(keys_of(&query));
        }

        #[test]
        fn any_record_is_taken_or_refused(data in r#"[{}:.a\[\],"0-9 ]{0,30}"#) {
            drop(run("{a: .a}", &data));
        }
    }
}
