//! Patterns of words: `error "not found" -debug`, `?error ?warning`. Matching respects case and finds a term anywhere in
//! a message.

use super::refused;
use crate::Error;

/// Words that are in a message, or are not.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Terms {
    /// Every one of these is in the message.
    all: Vec<String>,
    /// One of these is in the message, if there are any.
    any: Vec<String>,
    /// None of these is in the message.
    none: Vec<String>,
}

impl Terms {
    pub fn parse(text: &str) -> Result<Self, Error> {
        let mut terms = Self::default();
        let mut rest = text;
        while !rest.is_empty() {
            let (term, after) = term(rest)?;
            match term {
                Term::All(text) => terms.all.push(text),
                Term::Any(text) => terms.any.push(text),
                Term::None(text) => terms.none.push(text),
            }
            rest = after.trim_start();
        }
        let others = terms.all.len() + terms.none.len();
        if !terms.any.is_empty() && others > 0 {
            return Err(refused(
                "Headwater does not support optional terms (?) together with other terms",
            ));
        }
        Ok(terms)
    }

    pub fn match_message(&self, message: &str) -> bool {
        let has = |term: &String| message.contains(term.as_str());
        self.all.iter().all(has)
            && (self.any.is_empty() || self.any.iter().any(has))
            && !self.none.iter().any(has)
    }
}

enum Term {
    All(String),
    Any(String),
    None(String),
}

/// The first term of `text`, which is not empty, and what follows it.
fn term(text: &str) -> Result<(Term, &str), Error> {
    let (kind, text): (fn(String) -> Term, &str) = match text.as_bytes()[0] {
        b'-' => (Term::None, &text[1..]),
        b'?' => (Term::Any, &text[1..]),
        _ => (Term::All, text),
    };
    let (word, rest) = match text.strip_prefix('"') {
        Some(quoted) => quoted_word(quoted)?,
        None => bare_word(text)?,
    };
    if word.is_empty() {
        return Err(refused("Invalid filter pattern: a term is empty"));
    }
    Ok((kind(word), rest))
}

fn quoted_word(text: &str) -> Result<(String, &str), Error> {
    let mut word = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Ok((word, &text[at + 1..])),
            '\\' => word.extend(chars.next().map(|(_, escaped)| escaped)),
            c => word.push(c),
        }
    }
    Err(refused(
        "Invalid filter pattern: a quotation mark is not closed",
    ))
}

/// AWS wants terms with other characters than letters, digits and underscores in quotation marks.
fn bare_word(text: &str) -> Result<(String, &str), Error> {
    let end = text.find(char::is_whitespace).unwrap_or(text.len());
    let (word, rest) = text.split_at(end);
    if let Some(c) = word.chars().find(|c| !c.is_alphanumeric() && *c != '_') {
        return Err(refused(&format!(
            "Invalid character(s) in term '{word}': put a term that holds {c:?} in quotation marks"
        )));
    }
    Ok((word.to_owned(), rest))
}
