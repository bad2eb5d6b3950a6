//! CloudWatch's filter patterns: words, conditions on JSON `{ … }`, conditions on fields `[ … ]`, and regular expressions
//! `% … %`. (Source: the CloudWatch Logs User Guide, "Filter pattern syntax".)
//!
//! A pattern is understood once and matched against any number of messages. What of AWS's language is not understood here
//! is refused with a text that says so.

mod compare;
mod expression;
mod fields;
mod json;
mod path;
mod scan;
mod select;
mod terms;
#[cfg(test)]
mod tests;

use regex::Regex;

use crate::{Error, limits};
use fields::Fields;
use json::Json;
use scan::Scan;
pub use select::Select;
use terms::Terms;

/// A filter pattern, understood.
#[derive(Debug, Clone)]
pub struct Pattern(Kind);

#[derive(Debug, Clone)]
enum Kind {
    Terms(Terms),
    Json(Json),
    Fields(Fields),
    Regex(Regex),
}

impl Default for Pattern {
    /// Matches everything.
    fn default() -> Self {
        Self(Kind::Terms(Terms::default()))
    }
}

impl Pattern {
    /// Understands a pattern; an empty one matches everything.
    ///
    /// # Errors
    /// [`Error::Pattern`] says what is wrong with it or not supported.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let text = text.trim();
        if text.chars().count() > limits::PATTERN_CHARS_MAX {
            return Err(refused("a filter pattern has at most 1024 characters"));
        }
        let mut scan = Scan::new(text);
        let kind = match text.as_bytes().first() {
            Some(b'{') => Kind::Json(Json::parse(&mut scan)?),
            Some(b'[') => Kind::Fields(Fields::parse(&mut scan)?),
            Some(b'%') => Kind::Regex(scan.regex()?),
            _ => return Terms::parse(text).map(|terms| Self(Kind::Terms(terms))),
        };
        scan.end()?;
        Ok(Self(kind))
    }

    /// Whether a message is what the pattern asks for.
    pub fn matches(&self, message: &str) -> bool {
        match &self.0 {
            Kind::Terms(terms) => terms.match_message(message),
            Kind::Json(json) => json.match_message(message),
            Kind::Fields(fields) => fields.match_message(message),
            Kind::Regex(regex) => regex.is_match(message),
        }
    }
}

impl Pattern {
    /// What a message that matches has at the places that the pattern names: `$.latency` or `$status`, in order.
    pub fn named_values(&self, message: &str) -> Vec<(String, String)> {
        match &self.0 {
            Kind::Json(json) => json.named_values(message),
            Kind::Fields(fields) => fields.named_values(message),
            Kind::Terms(_) | Kind::Regex(_) => Vec::new(),
        }
    }
}

fn refused(why: &str) -> Error {
    Error::Pattern(why.to_owned())
}

/// A pattern that is none.
fn invalid(why: &str) -> Error {
    Error::Pattern(format!("Invalid filter pattern: {why}"))
}
