//! MetadataExtraction: partition keys that a jq query finds in a record.
//!
//! A query sees one record and nothing of this machine: jq's `env` and `halt` are not there. It always ends: what may
//! recurse or grow without bounds is refused by name, and for the rest steps are counted, not time, so that a record
//! meets the same fate whenever it is delivered again.

use std::{
    cell::Cell,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
};

use jaq_core::{
    Compiler, Ctx, DataT, Lut, Native, Vars,
    compile::Filter,
    data::HasLut,
    load::{
        Arena, File, Loader,
        lex::{Lexer, StrPart, Tok, Token},
        parse::{Parser, Term},
    },
};
use jaq_json::{Val, read};

use super::Pure;
use crate::{
    item::{ErrorKind, Failure, Item},
    limits::{KEY_BYTES_MAX, QUERY_DEPTH_MAX, QUERY_STEPS_MAX, QUERY_TOKENS_MAX},
};

/// AWS's code for a record whose partition keys were not found.
pub const NOT_FOUND: &str = "DynamicPartitioning.MetadataExtractionFailed";
/// AWS's text for a key that a record has not, or that is empty.
pub const NO_KEY: &str = "partitionKeys values must not be null or empty";

/// What of jq reaches out of a query.
const OUTSIDE: [&str; 6] = ["env", "halt", "halt_error", "debug", "stderr", "input_line_number"];
/// What of jq can recurse, or make much out of little: recursion is as deep as the stack, and a product of a text and
/// a number is as long as the number says.
const REFUSED: [&str; 11] =
    ["def", "reduce", "foreach", "range", "recurse", "repeat", "while", "until", "combinations", "*", "*="];

/// A query, compiled.
pub struct Query(Filter<Native<Counted>>);

/// What is no query, or none that is evaluated here.
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

/// A query's evaluation whose steps are counted.
struct Counted;

/// What is left of a query's steps. The interpreter looks its terms up before each step.
#[derive(Clone)]
struct Steps<'a> {
    lut: &'a Lut<Counted>,
    left: &'a Cell<u32>,
}

impl DataT for Counted {
    type V<'a> = Val;
    type Data<'a> = Steps<'a>;
}

impl<'a> HasLut<'a, Counted> for Steps<'a> {
    fn lut(&self) -> &'a Lut<Counted> {
        match self.left.get().checked_sub(1) {
            Some(left) => self.left.set(left),
            // The only way out of the interpreter; `first` catches it.
            None => resume_unwind(Box::new(())),
        }
        self.lut
    }
}

impl Query {
    /// Compiles a query.
    pub fn compile(text: &str) -> Result<Self, QueryError> {
        // Lexer, parser and interpreter recurse: the first for every bracket, the others for every token.
        if text.bytes().filter(|byte| b"([{".contains(byte)).count() > QUERY_TOKENS_MAX {
            return Err(QueryError::Long);
        }
        let tokens = Lexer::new(text).lex().map_err(|_| QueryError::Invalid("it cannot be read"))?;
        if count(&tokens) > QUERY_TOKENS_MAX {
            return Err(QueryError::Long);
        }
        if let Some(refused) = refused(&tokens) {
            return Err(QueryError::Refused(refused));
        }
        let defs = jaq_core::defs().chain(jaq_std::defs()).chain(jaq_json::defs());
        let defs = defs.filter(|def| !OUTSIDE.contains(&def.name));
        let funs = jaq_core::funs().chain(jaq_std::funs()).chain(jaq_json::funs());
        let funs = funs.filter(|(name, ..)| !OUTSIDE.contains(name));
        let arena = Arena::default();
        let modules = Loader::new(defs).load(&arena, File { code: text, path: () });
        let modules = modules.map_err(|_| QueryError::Invalid("it cannot be read"))?;
        let compiled = Compiler::default().with_funs(funs).compile(modules);
        Ok(Self(compiled.map_err(|_| QueryError::Invalid("it uses what there is not"))?))
    }

    /// The first thing that the query makes of a record.
    fn first(&self, data: &[u8]) -> Result<Val, Failure> {
        // The parser recurses.
        if depth(data) > QUERY_DEPTH_MAX {
            return Err(failed("Exceeds depth limit for parsing"));
        }
        let input = read::parse_single(data).map_err(|_| failed("Non JSON record provided"))?;
        let left = Cell::new(QUERY_STEPS_MAX);
        let evaluate = || {
            let ctx = Ctx::<Counted>::new(Steps { lut: &self.0.lut, left: &left }, Vars::new([]));
            self.0.id.run((ctx, input)).next()
        };
        let first = match catch_unwind(AssertUnwindSafe(evaluate)) {
            Ok(first) => first.ok_or_else(|| failed(NO_KEY))?,
            Err(_) if left.get() == 0 => return Err(failed("The query takes too many steps.")),
            Err(panic) => resume_unwind(panic),
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

/// What of [`REFUSED`] a query uses; as the key of an object or a path all of it may stand there.
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

/// How deep arrays and objects lie in each other, at the most.
fn depth(json: &[u8]) -> usize {
    let (mut depth, mut most, mut in_text) = (0usize, 0, false);
    let mut bytes = json.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' if in_text => drop(bytes.next()),
            b'"' => in_text = !in_text,
            b'[' | b'{' if !in_text => depth += 1,
            b']' | b'}' if !in_text => depth = depth.saturating_sub(1),
            _ => {}
        }
        most = most.max(depth);
    }
    most
}

/// The keys that a query makes, where it is an object that says so itself: `{a: .x, b: .y}`.
pub fn keys_of(text: &str) -> Option<Vec<String>> {
    let tokens = Lexer::new(text).lex().ok()?;
    let Term::Obj(members) = Parser::new(&tokens).parse(|parser| parser.term()).ok()? else { return None };
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
            let (Some(key), Some(value)) = (text(key), text(value)) else { return Err(failed(NO_KEY)) };
            if key.len() + value.len() > KEY_BYTES_MAX {
                return Err(failed("A partition key is longer than the key of an object may be."));
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
    Failure::new(NOT_FOUND, text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::item;

    fn run(query: &str, data: &str) -> Result<Vec<(String, String)>, Failure> {
        let mut out = Vec::new();
        Query::compile(query).unwrap().apply(item(data.to_owned()), &mut out)?;
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
            (".a", "{\"a\":1}", "The query has to make an object of partition keys."),
        ] {
            let failure = run(query, data).unwrap_err();
            assert_eq!((failure.code, &*failure.message), (NOT_FOUND, text), "{query} {data}");
        }
        assert_eq!(run("{a: (.a | error)}", "{\"a\":\"why\"}").unwrap_err().code, NOT_FOUND);
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
            assert_eq!(Query::compile(query).err(), Some(QueryError::Refused(refused)), "{query}");
        }
        let data = format!("[{}]", vec!["1"; 1000].join(","));
        let slow = "[.[] as $a | .[] as $b | .[] as $c | $a] | {a: length}";
        assert_eq!(run(slow, &data).unwrap_err().message, "The query takes too many steps.");
        assert_eq!(run("[.[] | . + 1] | {a: length}", &data).unwrap(), [("a".to_owned(), "1000".to_owned())]);
        let keys = run("{range: .range, a: .def}", r#"{"range": 1, "def": 2}"#).unwrap();
        assert_eq!(keys.len(), 2, "they are names as others are");
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
            assert_eq!(Query::compile(&nested(100_000)).err(), Some(QueryError::Long), "{before}");
        }
    }

    #[test]
    fn a_record_has_bounds() {
        let deep = |n: usize| format!("{{\"a\":1,\"[\\\"\":{}{}}}", "[".repeat(n), "]".repeat(n));
        assert!(run("{a: .a}", &deep(QUERY_DEPTH_MAX - 1)).is_ok());
        for n in [QUERY_DEPTH_MAX, 500_000] {
            assert_eq!(run("{a: .a}", &deep(n)).unwrap_err().message, "Exceeds depth limit for parsing");
        }
        let long = |n: usize| format!("{{\"a\":\"{}\"}}", "x".repeat(n));
        assert!(run("{a: .a}", &long(KEY_BYTES_MAX - 1)).is_ok());
        assert!(run("{a: .a}", &long(KEY_BYTES_MAX)).is_err());
    }

    #[test]
    fn keys_are_known_where_the_query_says_them() {
        assert_eq!(keys_of("{a: .x, \"b\": .y | tostring, c}").unwrap(), ["a", "b", "c"]);
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
