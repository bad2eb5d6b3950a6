//! Conditions on messages that are JSON: `{ ($.level = "ERROR" || $.latency > 100) && $.user.id NOT EXISTS }`.

use serde_json::Value;

use super::{
    compare::Comparison,
    expression::Expression,
    invalid,
    path::{Path, text},
    scan::Scan,
};
use crate::Error;

#[derive(Debug, Clone)]
pub(super) struct Json(Expression<Condition>);

/// A condition on the value at a path.
#[derive(Debug, Clone)]
struct Condition {
    path: Path,
    test: Test,
}

#[derive(Debug, Clone)]
enum Test {
    /// A text, a number or a truth value is there and compares so.
    Compares(Comparison),
    Is(Value),
    NotExists,
}

impl Json {
    pub fn parse(scan: &mut Scan<'_>) -> Result<Self, Error> {
        scan.expect("{")?;
        let expression = Expression::parse(scan, &Condition::parse)?;
        scan.expect("}")?;
        Ok(Self(expression))
    }

    pub fn match_message(&self, message: &str) -> bool {
        object(message).is_some_and(|value| self.0.holds(&|condition| condition.holds(&value)))
    }

    /// The paths that the conditions name, each once, and what the message has there.
    pub fn named_values(&self, message: &str) -> Vec<(String, String)> {
        let Some(object) = object(message) else {
            return Vec::new();
        };
        let mut named: Vec<(String, String)> = Vec::new();
        for condition in self.0.parts() {
            let path = condition.path.to_string();
            let found = condition.path.find(&object).and_then(text);
            if let Some(found) = found.filter(|_| !named.iter().any(|(name, _)| *name == path)) {
                named.push((path, found.into_owned()));
            }
        }
        named
    }
}

impl Condition {
    fn parse(scan: &mut Scan<'_>) -> Result<Self, Error> {
        let path = Path::parse(scan)?;
        let is_end = |c: char| "()&|{}\"".contains(c);
        let test = match Comparison::parse(scan, is_end)? {
            Some(comparison) => Test::Compares(comparison),
            None => test(scan)?,
        };
        Ok(Self { path, test })
    }

    fn holds(&self, message: &Value) -> bool {
        match (&self.test, self.path.find(message)) {
            (Test::NotExists, found) => found.is_none(),
            (Test::Is(value), found) => found == Some(value),
            (Test::Compares(comparison), Some(found)) => {
                text(found).is_some_and(|text| comparison.holds(&text))
            }
            (Test::Compares(_), None) => false,
        }
    }
}

/// A test in words.
fn test(scan: &mut Scan<'_>) -> Result<Test, Error> {
    if scan.take_word("NOT") {
        return match scan.take_word("EXISTS") {
            true => Ok(Test::NotExists),
            false => Err(invalid(&format!("expected EXISTS at {:?}", scan.near()))),
        };
    }
    if scan.take_word("IS") {
        let values = [
            ("TRUE", Value::Bool(true)),
            ("FALSE", Value::Bool(false)),
            ("NULL", Value::Null),
        ];
        let found = values.into_iter().find(|(word, _)| scan.take_word(word));
        if let Some((_, value)) = found {
            return Ok(Test::Is(value));
        }
    }
    Err(invalid(&format!(
        "expected a comparison at {:?}",
        scan.near()
    )))
}

/// The object that a message is.
pub(super) fn object(message: &str) -> Option<Value> {
    // Most messages are none, which their first character tells.
    let may_be = message.trim_start().starts_with('{');
    may_be.then(|| serde_json::from_str(message).ok())?
}
