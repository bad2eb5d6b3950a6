//! Conditions on messages that are JSON: `{ ($.level = "ERROR" || $.latency > 100) && $.user.id NOT EXISTS }`.

use std::borrow::Cow;

use serde_json::Value;

use super::{compare::Comparison, expression::Expression, invalid, scan::Scan};
use crate::Error;

#[derive(Debug, Clone)]
pub(super) struct Json(Expression<Condition>);

/// A condition on the value at a path.
#[derive(Debug, Clone)]
struct Condition {
    path: Vec<Step>,
    test: Test,
}

#[derive(Debug, Clone)]
enum Step {
    Member(String),
    Element(usize),
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
        // Most messages are none, which their first character tells.
        let is_object = message.trim_start().starts_with('{');
        let value = is_object.then(|| serde_json::from_str(message));
        match value {
            Some(Ok(value)) => self.0.holds(&|condition| condition.holds(&value)),
            _ => false,
        }
    }
}

impl Condition {
    fn parse(scan: &mut Scan<'_>) -> Result<Self, Error> {
        let path = path(scan)?;
        let is_end = |c: char| "()&|{}\"".contains(c);
        let test = match Comparison::parse(scan, is_end)? {
            Some(comparison) => Test::Compares(comparison),
            None => test(scan)?,
        };
        Ok(Self { path, test })
    }

    fn holds(&self, message: &Value) -> bool {
        let found = self
            .path
            .iter()
            .try_fold(message, |value, step| match step {
                Step::Member(name) => value.get(name),
                Step::Element(index) => value.get(index),
            });
        match (&self.test, found) {
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

/// A path such as `$.users[0].name`.
fn path(scan: &mut Scan<'_>) -> Result<Vec<Step>, Error> {
    let none = |scan: &Scan<'_>| invalid(&format!("expected a property at {:?}", scan.near()));
    if !scan.take("$") {
        return Err(none(scan));
    }
    let mut path = Vec::new();
    loop {
        let separator = scan.run(|c| c == '.');
        if separator == "." {
            let name = scan.run(|c| c.is_alphanumeric() || c == '_' || c == '-');
            if name.is_empty() {
                return Err(none(scan));
            }
            path.push(Step::Member(name.to_owned()));
        } else if !separator.is_empty() {
            return Err(none(scan));
        } else if scan.run(|c| c == '[') == "[" {
            let index = scan.run(|c| c.is_ascii_digit()).parse();
            let index = index.map_err(|_| invalid("an index of an array is a number"))?;
            path.push(Step::Element(index));
            if scan.run(|c| c == ']') != "]" {
                return Err(none(scan));
            }
        } else {
            break;
        }
    }
    match path.is_empty() {
        true => Err(none(scan)),
        false => Ok(path),
    }
}

/// A value as it is compared; none of a null, a list or an object.
fn text(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::String(text) => Some(text.into()),
        Value::Number(number) => Some(number.to_string().into()),
        Value::Bool(truth) => Some(truth.to_string().into()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}
