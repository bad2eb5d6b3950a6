//! Why a statement is refused.

use std::ops::Range;

use headwater_expressions::Invalid;

/// Why a statement is refused, in AWS's words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Refused(pub String);

impl Refused {
    /// A text that is no statement.
    pub(crate) fn malformed(why: &str) -> Self {
        Self(format!(
            "Statement wasn't well formed, can't be processed: {why}"
        ))
    }

    /// What is wrong at a place in a text: told with its line, its column and its length, in characters.
    pub(crate) fn at(what: impl std::fmt::Display, text: &str, at: &Range<usize>) -> Self {
        let before = text.get(..at.start).unwrap_or_default();
        let line = 1 + before.matches('\n').count();
        let column = 1 + before.chars().rev().take_while(|c| *c != '\n').count();
        let length = text.get(at.clone()).unwrap_or_default().chars().count();
        Self(format!("{what} at {line}:{column}:{length}"))
    }

    /// A text of its own.
    pub(crate) fn told<T>(what: impl Into<String>) -> Result<T, Self> {
        Err(Self(what.into()))
    }
}

impl From<Invalid> for Refused {
    fn from(invalid: Invalid) -> Self {
        Self(invalid.text)
    }
}
