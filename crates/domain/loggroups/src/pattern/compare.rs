//! Comparisons of one value: `= "text*"`, `!= 4*`, `>= 500`, `= %regex%`.

use headwater_patterns::Wildcard;
use regex::Regex;

use super::{invalid, scan::Scan};
use crate::Error;

/// A comparison with what the pattern says.
#[derive(Debug, Clone)]
pub(super) enum Comparison {
    /// It is like this, or it is not.
    Like(Like, bool),
    /// It is a number, and stands so to this one.
    Number(Order, f64),
}

/// Texts, or numbers that are written in other ways.
#[derive(Debug, Clone)]
pub(super) enum Like {
    Text(Wildcard),
    Number(f64, Wildcard),
    Regex(Regex),
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Order {
    Less,
    LessOrSame,
    More,
    MoreOrSame,
}

impl Comparison {
    /// The comparison that comes next, whose text without quotation marks ends where `is_end` says; none where no operator
    /// comes.
    pub fn parse(
        scan: &mut Scan<'_>,
        is_end: impl Fn(char) -> bool,
    ) -> Result<Option<Self>, Error> {
        for (operator, is_like) in [("!=", false), ("=", true)] {
            if scan.take(operator) {
                return Ok(Some(Self::Like(Like::parse(scan, is_end)?, is_like)));
            }
        }
        for (operator, order) in [
            (">=", Order::MoreOrSame),
            (">", Order::More),
            ("<=", Order::LessOrSame),
            ("<", Order::Less),
        ] {
            if scan.take(operator) {
                let text = bare(scan, is_end);
                let number = number(text);
                let number = number.ok_or_else(|| invalid(&format!("{text:?} is no number")))?;
                return Ok(Some(Self::Number(order, number)));
            }
        }
        Ok(None)
    }

    /// Whether a value that is written so is what it asks for.
    pub fn holds(&self, text: &str) -> bool {
        match self {
            Self::Like(like, is_like) => like.is(text) == *is_like,
            Self::Number(order, than) => number(text).is_some_and(|number| match order {
                Order::Less => number < *than,
                Order::LessOrSame => number <= *than,
                Order::More => number > *than,
                Order::MoreOrSame => number >= *than,
            }),
        }
    }
}

impl Like {
    fn parse(scan: &mut Scan<'_>, is_end: impl Fn(char) -> bool) -> Result<Self, Error> {
        if scan.has("%") {
            return Ok(Self::Regex(scan.regex()?));
        }
        if scan.has("\"") {
            return Ok(Self::Text(Wildcard::without_escapes(&scan.quoted()?)));
        }
        let text = bare(scan, is_end);
        if text.is_empty() {
            return Err(invalid(&format!("expected a value at {:?}", scan.near())));
        }
        let wildcard = Wildcard::without_escapes(text);
        Ok(match number(text) {
            Some(number) => Self::Number(number, wildcard),
            None => Self::Text(wildcard),
        })
    }

    fn is(&self, text: &str) -> bool {
        match self {
            Self::Text(wildcard) => wildcard.matches(text),
            Self::Number(same, wildcard) => number(text) == Some(*same) || wildcard.matches(text),
            Self::Regex(regex) => regex.is_match(text),
        }
    }
}

fn bare<'a>(scan: &mut Scan<'a>, is_end: impl Fn(char) -> bool) -> &'a str {
    scan.skip();
    scan.run(|c| !c.is_whitespace() && !is_end(c))
}

/// A number as AWS writes it: `50`, `-1.5`, `1e-3`.
fn number(text: &str) -> Option<f64> {
    let is_of_number = |c: char| c.is_ascii_digit() || "+-.eE".contains(c);
    let number = text
        .chars()
        .all(is_of_number)
        .then(|| text.parse().ok())??;
    f64::is_finite(number).then_some(number)
}
