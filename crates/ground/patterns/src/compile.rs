//! A pattern's text made into conditions.
//!
//! Checks and their order are those of AWS's parser, which stops at the first fault: the texts are in the recorded answers
//! of TestEventPattern, and where these are silent in the rules library that AWS publishes.

use std::sync::Arc;

use serde_json::{Number, Value};

use crate::{
    PatternError,
    matcher::{Block, Bound, Bounds, Matcher, TextMatcher},
    pattern::{Condition, Flavor, Way},
    tokens::{Token, Tokens},
    wildcard::Wildcard,
};

/// The member that joins objects of which one must match.
const OR: &str = "$or";
/// How many ways to match all `$or` together may make (EventBridge's guide on `$or`).
const WAYS_MAX: usize = 1_000;
/// How many conditions all ways together may have.
const CONDITIONS_MAX: usize = 20_000;
/// Names that mean operators, which no field inside `$or` may have.
const RESERVED: [&str; 9] = [
    "exactly",
    "equals-ignore-case",
    "prefix",
    "suffix",
    "anything-but",
    "exists",
    "wildcard",
    "numeric",
    "cidr",
];
const ONE_KEY: &str = "Only one key allowed in match expression";
const NO_CASE_WANTS_TEXT: &str = "equals-ignore-case match pattern must be a string";
const TOO_MANY: &str = "Too many elements in numeric expression";

/// The ways in which an event may match `text`.
pub(crate) fn compile(text: &str, flavor: Flavor) -> Result<Vec<Way>, PatternError> {
    let mut compiler = Compiler {
        tokens: Tokens::of(text),
        flavor,
        ways: vec![Way::new()],
    };
    if compiler.tokens.next()? != Token::StartObject {
        return compiler.no("Filter is not an object");
    }
    compiler.object("", false)?;
    Ok(compiler.ways)
}

struct Compiler<'t> {
    tokens: Tokens<'t>,
    flavor: Flavor,
    ways: Vec<Way>,
}

/// What an `anything-but` is about.
#[derive(Clone, Copy, PartialEq)]
enum But {
    Values,
    IgnoringCase,
    Prefix,
    Suffix,
    Wildcard,
}

impl Compiler<'_> {
    fn no<T>(&self, reason: impl AsRef<str>) -> Result<T, PatternError> {
        Err(self.tokens.error(reason))
    }

    /// The fields of an object at `path` whose brace was read.
    fn object(&mut self, path: &str, inside_or: bool) -> Result<(), PatternError> {
        let mut is_empty = true;
        loop {
            let name = match self.tokens.next()? {
                Token::Field(name) => name,
                _ if is_empty => return self.no("Empty objects are not allowed"),
                _ => return Ok(()),
            };
            is_empty = false;
            if name == OR {
                self.or(path)?;
                continue;
            }
            if inside_or && RESERVED.contains(&&*name) {
                return self.no(format!(
                    "{name} is Ruler reserved fieldName which cannot be used inside {OR}."
                ));
            }
            let path = match path {
                "" => name.clone(),
                path => format!("{path}.{name}"),
            };
            match self.tokens.next()? {
                Token::StartObject => self.object(&path, inside_or)?,
                Token::StartArray => self.condition(path)?,
                _ => return self.no(format!("\"{name}\" must be an object or an array")),
            }
        }
    }

    /// The objects of an `$or`: each goes on from the ways that there were before it.
    fn or(&mut self, path: &str) -> Result<(), PatternError> {
        if self.tokens.next()? != Token::StartArray {
            return self.no(format!("It must be an Array followed with {OR}."));
        }
        let before = std::mem::take(&mut self.ways);
        let (mut all, mut objects) = (Vec::new(), 0);
        loop {
            match self.tokens.next()? {
                Token::EndArray => break,
                Token::StartObject => {
                    self.ways.clone_from(&before);
                    self.object(path, true)?;
                    all.append(&mut self.ways);
                    objects += 1;
                }
                _ => {
                    return self.no(format!(
                        "Only JSON object is allowed in array of {OR} relationship."
                    ));
                }
            }
            self.is_bounded(&all)?;
        }
        if objects < 2 {
            return self.no(format!(
                "There must have at least 2 Objects in {OR} relationship."
            ));
        }
        self.ways = all;
        Ok(())
    }

    /// Refuses ways of which there are too many, or too many conditions in all of them.
    fn is_bounded(&self, ways: &[Way]) -> Result<(), PatternError> {
        let conditions: usize = ways.iter().map(Vec::len).sum();
        match ways.len() > WAYS_MAX || conditions > CONDITIONS_MAX {
            true => self.no("Rule is too complex - try using fewer conditions in $or"),
            false => Ok(()),
        }
    }

    /// The values of a list whose bracket was read. A path that is named twice means what it means last.
    fn condition(&mut self, path: String) -> Result<(), PatternError> {
        let mut any_of = Vec::new();
        loop {
            let matcher = match self.tokens.next()? {
                Token::EndArray => break,
                Token::StartObject => self.expression()?,
                Token::String(text) => {
                    self.tokens.asked();
                    let address = text.parse().map(Matcher::Address).ok();
                    address.unwrap_or(Matcher::Exact(Value::String(text)))
                }
                Token::Number(text) => Matcher::Exact(Value::Number(self.number(&text)?)),
                Token::True => Matcher::Exact(Value::Bool(true)),
                Token::False => Matcher::Exact(Value::Bool(false)),
                Token::Null => Matcher::Exact(Value::Null),
                _ => return self.no("Match value must be String, number, true, false, or null"),
            };
            any_of.push(matcher);
        }
        if any_of.is_empty() {
            return self.no("Empty arrays are not allowed");
        }
        let condition = Arc::new(Condition { path, any_of });
        for way in &mut self.ways {
            way.retain(|other| other.path != condition.path);
            way.push(condition.clone());
        }
        self.is_bounded(&self.ways)
    }

    /// An operator and its operand, in an object whose brace was read.
    fn expression(&mut self) -> Result<Matcher, PatternError> {
        let Token::Field(name) = self.tokens.next()? else {
            return self.no("Match expression name not found");
        };
        let matcher = match &*name {
            "exactly" => {
                let text = self.text("exact match pattern must be a string")?;
                Matcher::Exact(Value::String(text))
            }
            "prefix" => Matcher::Text(self.prefix()?),
            "suffix" => Matcher::Text(self.suffix()?),
            "equals-ignore-case" => {
                let text = self.text(NO_CASE_WANTS_TEXT)?;
                Matcher::Text(TextMatcher::EqualIgnoringCase(text.to_lowercase()))
            }
            "wildcard" if self.flavor == Flavor::Events => {
                let text = self.text("wildcard match pattern must be a string")?;
                Matcher::Text(TextMatcher::Wildcard(self.wildcard(&text)?))
            }
            "cidr" => {
                // AWS's own text, though it is about no prefix.
                let text = self.text("prefix match pattern must be a string")?;
                Matcher::Cidr(Block::parse(&text).map_err(PatternError)?)
            }
            "exists" => match self.tokens.next()? {
                Token::True => Matcher::Exists,
                Token::False => Matcher::Absent,
                _ => return self.no("exists match pattern must be either true or false."),
            },
            "numeric" => return self.numeric(),
            "anything-but" => return self.anything_but(),
            _ => return self.no(format!("Unrecognized match type {name}")),
        };
        self.close(ONE_KEY)?;
        Ok(matcher)
    }

    fn prefix(&mut self) -> Result<TextMatcher, PatternError> {
        match self.tokens.next()? {
            Token::StartObject => {
                let text = self.ignoring_case("prefix", "Prefix")?;
                Ok(TextMatcher::PrefixIgnoringCase(text))
            }
            Token::String(text) => {
                self.tokens.asked();
                Ok(TextMatcher::Prefix(text))
            }
            _ => self.no("prefix match pattern must be a string"),
        }
    }

    fn suffix(&mut self) -> Result<TextMatcher, PatternError> {
        match self.tokens.next()? {
            Token::StartObject => {
                let text = self.ignoring_case("suffix", "Suffix")?;
                Ok(TextMatcher::SuffixIgnoringCase(text))
            }
            Token::String(text) => {
                self.tokens.asked();
                Ok(TextMatcher::Suffix(text))
            }
            _ => self.no("suffix match pattern must be a string"),
        }
    }

    /// The text of `{"equals-ignore-case": …}` within another operator, in lower case.
    fn ignoring_case(&mut self, within: &str, title: &str) -> Result<String, PatternError> {
        let Token::Field(name) = self.tokens.next()? else {
            return self.no(format!("{title} expression name not found"));
        };
        if name != "equals-ignore-case" {
            return self.no(format!("Unsupported {within} pattern: {name}"));
        }
        let text = self.text(NO_CASE_WANTS_TEXT)?;
        self.close(ONE_KEY)?;
        Ok(text.to_lowercase())
    }

    fn numeric(&mut self) -> Result<Matcher, PatternError> {
        if self.tokens.next()? != Token::StartArray {
            return self.no("Value of numeric must be an array.");
        }
        let operator = match self.tokens.next()? {
            Token::String(operator) => operator,
            other => {
                return self.no(format!(
                    "Invalid member in numeric match: {}",
                    written(&other)
                ));
            }
        };
        self.tokens.asked();
        let name = if operator == "=" { "equals" } else { &operator };
        let value = match self.tokens.next()? {
            _ if !["=", "<", "<=", ">", ">="].contains(&&*operator) => {
                return self.no(format!("Unrecognized numeric range operator: {operator}"));
            }
            Token::Number(text) => self.comparable(&text)?,
            _ => return self.no(format!("Value of {name} must be numeric")),
        };
        let bound = Bound {
            value,
            is_inclusive: operator.ends_with('='),
        };
        let (bottom, top) = match &*operator {
            "=" => (Some(bound), Some(bound)),
            "<" | "<=" => (None, Some(bound)),
            _ => match self.tokens.next()? {
                Token::EndArray => (Some(bound), None),
                token => (Some(bound), Some(self.top(token, value)?)),
            },
        };
        let is_closed = operator.starts_with('>');
        if !is_closed && self.tokens.next()? != Token::EndArray {
            return self.no(TOO_MANY);
        }
        self.close(TOO_MANY)?;
        Ok(Matcher::Numeric(Bounds { bottom, top }))
    }

    /// The second bound of a range above `bottom`, with the bracket behind it.
    fn top(&mut self, token: Token, bottom: f64) -> Result<Bound, PatternError> {
        let operator = match token {
            Token::String(operator) => operator,
            other => return self.no(format!("Bad value in numeric range: {}", written(&other))),
        };
        self.tokens.asked();
        if !["<", "<="].contains(&&*operator) {
            return self.no(format!("Bad numeric range operator: {operator}"));
        }
        let value = match self.tokens.next()? {
            Token::Number(text) => self.comparable(&text)?,
            _ => return self.no(format!("Value of {operator} must be numeric")),
        };
        if self.tokens.next()? != Token::EndArray {
            return self.no("Too many terms in numeric range expression");
        }
        if bottom >= value {
            return self.no("Bottom must be less than top");
        }
        Ok(Bound {
            value,
            is_inclusive: operator == "<=",
        })
    }

    fn anything_but(&mut self) -> Result<Matcher, PatternError> {
        let mut kind = But::Values;
        let mut token = self.tokens.next()?;
        if token == Token::StartObject {
            let Token::Field(name) = self.tokens.next()? else {
                return self.no("Anything-But expression name not found");
            };
            kind = match &*name {
                "prefix" => But::Prefix,
                "equals-ignore-case" if self.flavor == Flavor::Events => But::IgnoringCase,
                "suffix" if self.flavor == Flavor::Events => But::Suffix,
                "wildcard" if self.flavor == Flavor::Events => But::Wildcard,
                _ => return self.no(format!("Unsupported anything-but pattern: {name}")),
            };
            token = self.tokens.next()?;
        }
        let matcher = match (kind, token) {
            (But::Values, Token::StartArray) => self.but_values()?,
            (kind, Token::StartArray) => self.but_texts(kind)?,
            (But::Values, Token::Number(text)) => {
                Matcher::AnythingButNumbers(vec![self.number(&text)?])
            }
            (kind, Token::String(text)) => {
                self.tokens.asked();
                Matcher::AnythingBut(vec![self.but_text(kind, text)?])
            }
            // Recorded on AWS; EventBridge has other words for it.
            (But::Prefix, _) if self.flavor == Flavor::Subscriptions => {
                return self.no("prefix match pattern must be a string");
            }
            (kind, Token::Number(_)) => return self.no(wants_text(kind)),
            _ => {
                return self
                    .no("Value of anything-but must be an array or single string/number value.");
            }
        };
        self.close(TOO_MANY)?;
        if kind != But::Values {
            self.close(TOO_MANY)?;
        }
        Ok(matcher)
    }

    /// The values of an `anything-but` list whose bracket was read: texts or numbers, not both.
    fn but_values(&mut self) -> Result<Matcher, PatternError> {
        let (mut texts, mut numbers) = (Vec::new(), Vec::new());
        loop {
            match self.tokens.next()? {
                Token::EndArray => break,
                Token::String(text) => {
                    self.tokens.asked();
                    texts.push(TextMatcher::Equal(text));
                }
                Token::Number(text) => numbers.push(self.number(&text)?),
                _ => {
                    let error = self
                        .tokens
                        .error("Inside anything but list, start|null|boolean is not supported.");
                    return Err(self.tokens.twice(error));
                }
            }
        }
        match (texts.is_empty(), numbers.is_empty()) {
            (false, true) => Ok(Matcher::AnythingBut(texts)),
            (true, false) => Ok(Matcher::AnythingButNumbers(numbers)),
            _ => self.no(
                "Inside anything but list, either all values are number or string, mixed type is not supported",
            ),
        }
    }

    /// The texts of a list whose bracket was read.
    fn but_texts(&mut self, kind: But) -> Result<Matcher, PatternError> {
        let mut texts = Vec::new();
        loop {
            let read = match self.tokens.next()? {
                Token::EndArray => return Ok(Matcher::AnythingBut(texts)),
                Token::String(text) => {
                    self.tokens.asked();
                    self.but_text(kind, text)
                }
                _ => self.no(wants_text(kind)),
            };
            texts.push(read.map_err(|error| self.tokens.twice(error))?);
        }
    }

    fn but_text(&mut self, kind: But, text: String) -> Result<TextMatcher, PatternError> {
        Ok(match kind {
            But::Values => TextMatcher::Equal(text),
            But::IgnoringCase => TextMatcher::EqualIgnoringCase(text.to_lowercase()),
            But::Prefix | But::Suffix if text.is_empty() => {
                return self.no("Null prefix/suffix not allowed");
            }
            But::Prefix => TextMatcher::Prefix(text),
            But::Suffix => TextMatcher::Suffix(text),
            But::Wildcard => TextMatcher::Wildcard(self.wildcard(&text)?),
        })
    }

    fn wildcard(&self, text: &str) -> Result<Wildcard, PatternError> {
        Wildcard::parse(text).or_else(|reason| self.no(reason))
    }

    /// The text that is next; `otherwise` is the error where something else is.
    fn text(&mut self, otherwise: &str) -> Result<String, PatternError> {
        match self.tokens.next()? {
            Token::String(text) => {
                self.tokens.asked();
                Ok(text)
            }
            _ => self.no(otherwise),
        }
    }

    /// The end of an object.
    fn close(&mut self, otherwise: &str) -> Result<(), PatternError> {
        match self.tokens.next()? {
            Token::EndObject => Ok(()),
            _ => self.no(otherwise),
        }
    }

    fn number(&self, text: &str) -> Result<Number, PatternError> {
        match serde_json::from_str(text) {
            Ok(number) => Ok(number),
            Err(_) => self.no(format!("Cannot compare number : {text}")),
        }
    }

    fn comparable(&self, text: &str) -> Result<f64, PatternError> {
        match self.number(text)?.as_f64() {
            Some(value) => Ok(value),
            None => self.no(format!("Cannot compare number : {text}")),
        }
    }
}

/// AWS's text for something else than a text in an `anything-but` of this kind.
fn wants_text(kind: But) -> &'static str {
    match kind {
        But::IgnoringCase => {
            "Inside anything-but/equals-ignore-case list, number|start|null|boolean is not supported."
        }
        But::Wildcard => "wildcard match pattern must be a string",
        But::Values | But::Prefix | But::Suffix => "prefix/suffix match pattern must be a string",
    }
}

/// A token as it stands in the text.
fn written(token: &Token) -> &str {
    match token {
        Token::StartObject => "{",
        Token::EndObject => "}",
        Token::StartArray => "[",
        Token::EndArray => "]",
        Token::Field(text) | Token::String(text) | Token::Number(text) => text,
        Token::True => "true",
        Token::False => "false",
        Token::Null => "null",
    }
}
