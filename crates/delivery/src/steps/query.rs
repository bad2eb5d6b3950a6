//! MetadataExtraction: partition keys that a jq query finds in a record.
//!
//! A query sees one record and nothing of this machine: jq's `env` and `halt` are not there.

use jaq_core::{
    Compiler, Ctx, Native, Vars,
    compile::Filter,
    data::JustLut,
    load::{Arena, File, Loader, lex::Lexer, parse::Parser, parse::Term},
};
use jaq_json::{Val, read};

use super::Pure;
use crate::item::{ErrorKind, Failure, Item};

/// AWS's code for a record whose partition keys were not found.
pub const NOT_FOUND: &str = "DynamicPartitioning.MetadataExtractionFailed";
/// AWS's text for a key that a record has not, or that is empty.
pub const NO_KEY: &str = "partitionKeys values must not be null or empty";

/// What of jq reaches out of a query.
const OUTSIDE: [&str; 3] = ["env", "halt", "halt_error"];

/// A query, compiled.
pub struct Query(Filter<Native<JustLut<Val>>>);

/// What is no query.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the query is not a query of jq: {0}")]
pub struct QueryError(String);

impl Query {
    /// Compiles a query.
    pub fn compile(text: &str) -> Result<Self, QueryError> {
        let defs = jaq_core::defs().chain(jaq_std::defs()).chain(jaq_json::defs());
        let defs = defs.filter(|def| !OUTSIDE.contains(&def.name));
        let funs = jaq_core::funs().chain(jaq_std::funs()).chain(jaq_json::funs());
        let funs = funs.filter(|(name, ..)| !OUTSIDE.contains(name));
        let arena = Arena::default();
        let modules = Loader::new(defs).load(&arena, File { code: text, path: () });
        let modules = modules.map_err(|_| QueryError("it cannot be read".into()))?;
        let compiled = Compiler::default().with_funs(funs).compile(modules);
        Ok(Self(compiled.map_err(|_| QueryError("it uses what there is not".into()))?))
    }

    /// The first thing that the query makes of a record.
    fn first(&self, data: &[u8]) -> Result<Val, Failure> {
        let input = read::parse_single(data).map_err(|_| failed("Non JSON record provided"))?;
        let ctx = Ctx::<JustLut<Val>>::new(&self.0.lut, Vars::new([]));
        match self.0.id.run((ctx, input)).next() {
            Some(Ok(found)) => Ok(found),
            Some(Err(exception)) => Err(match exception.get_err() {
                Ok(error) => failed(&error.to_string()),
                Err(_) => failed("The query ended without an answer."),
            }),
            None => Err(failed(NO_KEY)),
        }
    }
}

/// The keys that a query makes, where it is an object that says so itself: `{a: .x, b: .y}`.
pub fn keys_of(text: &str) -> Option<Vec<String>> {
    let tokens = Lexer::new(text).lex().ok()?;
    let Term::Obj(members) = Parser::new(&tokens).parse(|parser| parser.term()).ok()? else { return None };
    let name = |key: &Term<&str>| match key {
        Term::Str(None, parts) => match &parts[..] {
            [jaq_core::load::lex::StrPart::Str(text)] => Some((*text).to_owned()),
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
