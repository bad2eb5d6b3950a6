//! CloudWatch's filter patterns, as far as they are words: `error "not found" -debug`, `?error ?warning`.
//!
//! Matching respects case and finds a term anywhere in a message. Patterns of other kinds (JSON `{ … }`, fields
//! `[ … ]`, regular expressions `% … %`) are refused with a text that says so.

use crate::{Error, limits};

/// A filter pattern, understood.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pattern {
    /// Every one of these is in the message.
    all: Vec<String>,
    /// One of these is in the message, if there are any.
    any: Vec<String>,
    /// None of these is in the message.
    none: Vec<String>,
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
        if text.starts_with(['{', '[', '%']) {
            return Err(refused(
                "Headwater supports filter patterns of terms only; JSON, field and regular expression patterns are not supported yet",
            ));
        }
        let mut pattern = Self::default();
        let mut rest = text;
        while !rest.is_empty() {
            let (term, after) = term(rest)?;
            match term {
                Term::All(text) => pattern.all.push(text),
                Term::Any(text) => pattern.any.push(text),
                Term::None(text) => pattern.none.push(text),
            }
            rest = after.trim_start();
        }
        let others = pattern.all.len() + pattern.none.len();
        if !pattern.any.is_empty() && others > 0 {
            return Err(refused(
                "Headwater does not support optional terms (?) together with other terms",
            ));
        }
        Ok(pattern)
    }

    /// Whether a message is what the pattern asks for.
    pub fn matches(&self, message: &str) -> bool {
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

fn refused(why: &str) -> Error {
    Error::Pattern(why.to_owned())
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn terms_are_required_excluded_or_one_of_several() {
        for (pattern, yes, no) in [
            ("", vec!["anything", ""], vec![]),
            ("ERROR", vec!["an ERROR", "ERRORS"], vec!["error", ""]),
            ("ERROR disk", vec!["disk ERROR"], vec!["disk", "ERROR"]),
            ("ERROR -disk", vec!["ERROR"], vec!["disk ERROR", "fine"]),
            ("-debug", vec!["fine"], vec!["a debug line"]),
            ("?ERROR ?WARN", vec!["WARN", "ERROR"], vec!["INFO"]),
            (
                "\"exit code 1\"",
                vec!["the exit code 1."],
                vec!["exit 1 code"],
            ),
            (
                "\"say \\\"hi\\\"\" -\"a b\"",
                vec!["say \"hi\""],
                vec!["say \"hi\" a b", "say hi"],
            ),
        ] {
            let parsed = Pattern::parse(pattern).unwrap();
            yes.iter()
                .for_each(|m| assert!(parsed.matches(m), "{pattern}: {m}"));
            no.iter()
                .for_each(|m| assert!(!parsed.matches(m), "{pattern}: {m}"));
        }
    }

    #[test]
    fn other_kinds_and_broken_ones_are_refused() {
        for bad in [
            "{ $.a = 1 }",
            "[a, b]",
            "%x%",
            "a:b",
            "\"open",
            "-",
            "?",
            "\"\"",
            "?a b",
            "- a",
            &"a".repeat(1025),
        ] {
            assert!(
                matches!(Pattern::parse(bad), Err(Error::Pattern(_))),
                "{bad}"
            );
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_pattern_or_an_error(text in "\\PC{0,60}", message in "\\PC{0,60}") {
            if let Ok(pattern) = Pattern::parse(&text) {
                pattern.matches(&message);
            }
        }
    }
}
