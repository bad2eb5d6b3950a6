//! The text of a pattern, read from left to right.

use regex::{Regex, RegexBuilder};

use super::{invalid, refused};
use crate::{
    Error,
    limits::{PATTERN_REGEXES_MAX, REGEX_BYTES_MAX},
};

/// The symbols that stand for themselves in AWS's regular expressions, and its operators. There are no parentheses.
const OF_REGEX: &[u8] = b":_#=@/;,- ^$?[]{}|\\*+.";

pub(super) struct Scan<'a> {
    rest: &'a str,
    /// The regular expressions that were read.
    regexes: usize,
}

impl<'a> Scan<'a> {
    pub fn new(text: &'a str) -> Self {
        Self {
            rest: text,
            regexes: 0,
        }
    }

    /// Passes over blanks.
    pub fn skip(&mut self) {
        self.rest = self.rest.trim_start();
    }

    /// Whether `token` comes next; it is passed over.
    pub fn take(&mut self, token: &str) -> bool {
        self.skip();
        match self.rest.strip_prefix(token) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// The same of a word, behind which the next one must be apart.
    pub fn take_word(&mut self, word: &str) -> bool {
        self.skip();
        let is_apart = |rest: &str| !rest.starts_with(|c: char| c.is_alphanumeric());
        match self.rest.strip_prefix(word) {
            Some(rest) if is_apart(rest) => {
                self.rest = rest;
                true
            }
            _ => false,
        }
    }

    /// Passes over `token`.
    ///
    /// # Errors
    /// Something else comes next.
    pub fn expect(&mut self, token: &str) -> Result<(), Error> {
        match self.take(token) {
            true => Ok(()),
            false => Err(invalid(&format!("expected {token:?} at {:?}", self.near()))),
        }
    }

    /// Whether `token` comes next.
    pub fn has(&mut self, token: &str) -> bool {
        self.skip();
        self.rest.starts_with(token)
    }

    /// The characters that `is_one` takes, at once where it stands; maybe none.
    pub fn run(&mut self, is_one: impl Fn(char) -> bool) -> &'a str {
        let end = self.rest.find(|c| !is_one(c)).unwrap_or(self.rest.len());
        let (run, rest) = self.rest.split_at(end);
        self.rest = rest;
        run
    }

    /// A text in quotation marks, whose first is the next character.
    pub fn quoted(&mut self) -> Result<String, Error> {
        self.expect("\"")?;
        let mut word = String::new();
        let mut chars = self.rest.char_indices();
        while let Some((at, c)) = chars.next() {
            match c {
                '"' => {
                    self.rest = &self.rest[at + 1..];
                    return Ok(word);
                }
                '\\' => word.extend(chars.next().map(|(_, escaped)| escaped)),
                c => word.push(c),
            }
        }
        Err(invalid("a quotation mark is not closed"))
    }

    /// A regular expression between two `%`, the first of which is the next character.
    pub fn regex(&mut self) -> Result<Regex, Error> {
        self.expect("%")?;
        let Some((regex, rest)) = self.rest.split_once('%') else {
            return Err(invalid("a regular expression is not closed"));
        };
        self.rest = rest;
        self.regexes += 1;
        if self.regexes > PATTERN_REGEXES_MAX {
            return Err(refused(
                "a filter pattern has at most 2 regular expressions",
            ));
        }
        let is_known = |byte: &u8| byte.is_ascii_alphanumeric() || OF_REGEX.contains(byte);
        if let Some(other) = regex.bytes().find(|byte| !is_known(byte)) {
            let other = other.escape_ascii();
            return Err(invalid(&format!(
                "'{other}' is not supported in a regular expression"
            )));
        }
        let built = RegexBuilder::new(regex).size_limit(REGEX_BYTES_MAX).build();
        built.map_err(|_| invalid(&format!("{regex:?} is no regular expression")))
    }

    /// That nothing comes any more.
    pub fn end(&mut self) -> Result<(), Error> {
        self.skip();
        match self.rest.is_empty() {
            true => Ok(()),
            false => Err(invalid(&format!("unexpected {:?}", self.near()))),
        }
    }

    /// A little of what comes next, for errors.
    pub fn near(&self) -> String {
        self.rest.chars().take(20).collect()
    }
}
