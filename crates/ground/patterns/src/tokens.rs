//! JSON as a sequence of tokens with their places.
//!
//! AWS's parser tells where it was when it gave up, and it reads ahead in its own way: with the name of a field goes the
//! token behind it, and a string is read to its end only when somebody asks for its text. The places here follow that
//! (recorded answers of TestEventPattern), so that an error's column is AWS's.

use std::{iter::Peekable, str::CharIndices};

use crate::error::{PatternError, Place};

/// How deep a pattern may be nested. AWS's parser takes 1,000 levels; a pattern of 4,096 characters has no use for more.
const DEPTH_MAX: usize = 1_000;
/// What AWS's parser says that it wants where a value begins.
const A_VALUE: &str = "JSON String, Number, Array, Object or token 'null', 'true' or 'false'";

/// One token.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Token {
    StartObject,
    EndObject,
    StartArray,
    EndArray,
    Field(String),
    String(String),
    Number(String),
    True,
    False,
    Null,
}

/// Why a text is no JSON, in the words of AWS's parser; nothing where it is some. What comes behind it is not looked at.
pub fn json_fault(text: &str) -> Option<PatternError> {
    let mut tokens = Tokens::of(text);
    loop {
        match tokens.next() {
            Err(error) => return Some(error),
            Ok(_) if tokens.open.is_empty() && tokens.ahead.is_none() => return None,
            Ok(_) => {}
        }
    }
}

/// Reads tokens.
pub(crate) struct Tokens<'t> {
    text: &'t str,
    chars: Peekable<CharIndices<'t>>,
    /// The place of the next character.
    next: Place,
    /// The place that an error is told for.
    told: Place,
    /// The end of the last string, while nobody has asked for its text.
    unread: Option<Place>,
    /// The token that was read ahead with a field's name, its place, and its end if it is a string.
    ahead: Option<(Token, Place, Option<Place>)>,
    open: Vec<Open>,
}

/// An object or array that is not closed yet.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Open {
    is_object: bool,
    is_empty: bool,
    began: Place,
}

impl<'t> Tokens<'t> {
    pub fn of(text: &'t str) -> Self {
        let start = Place { line: 1, column: 1 };
        Self {
            text,
            chars: text.char_indices().peekable(),
            next: start,
            told: start,
            unread: None,
            ahead: None,
            open: Vec::new(),
        }
    }

    /// The next token. Behind the last closing bracket there is none to ask for.
    pub fn next(&mut self) -> Result<Token, PatternError> {
        if let Some((token, told, unread)) = self.ahead.take() {
            (self.told, self.unread) = (told, unread);
            return Ok(token);
        }
        self.blanks();
        let in_object = self.open.last().is_some_and(|open| open.is_object);
        if let Some(token) = self.end()? {
            return Ok(token);
        }
        self.comma()?;
        if !in_object {
            return self.value();
        }
        let name = self.name()?;
        let token = self.value()?;
        self.ahead = Some((token, self.told, self.unread.take()));
        Ok(Token::Field(name))
    }

    /// Says that the text of the last string was asked for.
    pub fn asked(&mut self) {
        if let Some(end) = self.unread.take() {
            self.told = end;
        }
    }

    /// An error at the present place.
    pub fn error(&self, reason: impl AsRef<str>) -> PatternError {
        PatternError::at(reason, self.text, self.told)
    }

    /// `error`, with the present place told once more.
    pub fn twice(&self, error: PatternError) -> PatternError {
        error.inside_a_list(self.text, self.told)
    }

    /// A closing bracket, if that is next.
    fn end(&mut self) -> Result<Option<Token>, PatternError> {
        let Some(open) = self.open.last().copied() else {
            return Ok(None);
        };
        let (close, token) = match open.is_object {
            true => ('}', Token::EndObject),
            false => (']', Token::EndArray),
        };
        match self.peek() {
            Some(c) if c == close => {
                self.step();
                self.open.pop();
                self.here();
                Ok(Some(token))
            }
            None => Err(self.ended_inside(open)),
            _ => Ok(None),
        }
    }

    /// The comma before all members of an object or array but the first.
    fn comma(&mut self) -> Result<(), PatternError> {
        let Some(open) = self.open.last_mut() else {
            return Ok(());
        };
        let kind = if open.is_object { "Object" } else { "Array" };
        if std::mem::replace(&mut open.is_empty, false) {
            return Ok(());
        }
        match self.peek() {
            Some(',') => self.step(),
            Some(c) => {
                let wanted = format!("was expecting comma to separate {kind} entries");
                return Err(self.unexpected(c, &wanted));
            }
            None => return Err(self.ended()),
        }
        self.blanks();
        Ok(())
    }

    /// The name of a field, and the colon behind it.
    fn name(&mut self) -> Result<String, PatternError> {
        match self.peek() {
            Some('"') => self.step(),
            Some(c) => {
                return Err(self.unexpected(c, "was expecting double-quote to start field name"));
            }
            None => return Err(self.ended()),
        }
        let name = self.string()?;
        self.blanks();
        match self.peek() {
            Some(':') => self.step(),
            Some(c) => {
                return Err(
                    self.unexpected(c, "was expecting a colon to separate field name and value")
                );
            }
            None => return Err(self.ended()),
        }
        self.blanks();
        Ok(name)
    }

    fn value(&mut self) -> Result<Token, PatternError> {
        self.unread = None;
        let Some(c) = self.peek() else {
            return Err(self.ended());
        };
        let began = self.next;
        let token = match c {
            '{' | '[' => {
                self.step();
                self.open(c == '{', began)?
            }
            '"' => {
                self.step();
                self.here();
                let start = self.told;
                let text = self.string()?;
                self.unread = Some(self.next);
                self.told = start;
                return Ok(Token::String(text));
            }
            '-' | '0'..='9' => self.number()?,
            _ => self.word()?,
        };
        self.here();
        Ok(token)
    }

    fn open(&mut self, is_object: bool, began: Place) -> Result<Token, PatternError> {
        if self.open.len() == DEPTH_MAX {
            self.here();
            return Err(self.error(format!(
                "Document nesting depth ({}) exceeds the maximum allowed ({DEPTH_MAX}, from `StreamReadConstraints.getMaxNestingDepth()`)",
                DEPTH_MAX + 1
            )));
        }
        self.open.push(Open {
            is_object,
            is_empty: true,
            began,
        });
        Ok(if is_object {
            Token::StartObject
        } else {
            Token::StartArray
        })
    }

    /// A number, in JSON's grammar.
    fn number(&mut self) -> Result<Token, PatternError> {
        let mut number = String::new();
        while let Some(c @ ('-' | '+' | '.' | 'e' | 'E' | '0'..='9')) = self.peek() {
            number.push(c);
            self.step();
        }
        if serde_json::from_str::<serde_json::Number>(&number).is_err() {
            self.here();
            return Err(self.error(format!("Invalid numeric value: {number}")));
        }
        Ok(Token::Number(number))
    }

    /// `true`, `false` or `null`.
    fn word(&mut self) -> Result<Token, PatternError> {
        let mut word = String::new();
        while let Some(c) = self.peek().filter(|c| c.is_alphanumeric() || *c == '_') {
            word.push(c);
            self.step();
        }
        match (&*word, self.peek()) {
            ("true", _) => Ok(Token::True),
            ("false", _) => Ok(Token::False),
            ("null", _) => Ok(Token::Null),
            ("", Some(c)) => {
                Err(self.unexpected(c, &format!("expected a valid value ({A_VALUE})")))
            }
            _ => {
                self.here();
                Err(self.error(format!(
                    "Unrecognized token '{word}': was expecting ({A_VALUE})"
                )))
            }
        }
    }

    /// The rest of a string whose opening quote was read, with its closing one.
    fn string(&mut self) -> Result<String, PatternError> {
        let Some(&(start, _)) = self.chars.peek() else {
            return Err(self.ended_in_a_string());
        };
        loop {
            match self.peek() {
                Some('"') => break,
                Some('\\') => {
                    self.step();
                    self.step();
                }
                Some(c) if c < ' ' => {
                    let code = u32::from(c);
                    self.here();
                    return Err(self.error(format!(
                        "Illegal unquoted character ((CTRL-CHAR, code {code})): has to be escaped using backslash to be included in string value"
                    )));
                }
                Some(_) => self.step(),
                None => return Err(self.ended_in_a_string()),
            }
        }
        let end = self.chars.peek().map_or(self.text.len(), |(at, _)| *at);
        self.step();
        let quoted = format!("\"{}\"", &self.text[start..end]);
        serde_json::from_str(&quoted).map_err(|_| {
            self.here();
            self.error("Unrecognized character escape")
        })
    }

    fn blanks(&mut self) {
        while let Some(' ' | '\t' | '\r' | '\n') = self.peek() {
            self.step();
        }
    }

    fn peek(&mut self) -> Option<char> {
        self.chars.peek().map(|(_, c)| *c)
    }

    fn step(&mut self) {
        match self.chars.next() {
            Some((_, '\n')) => {
                self.next = Place {
                    line: self.next.line + 1,
                    column: 1,
                }
            }
            Some((_, c)) => self.next.column += c.len_utf16(),
            None => {}
        }
    }

    fn here(&mut self) {
        self.told = self.next;
    }

    fn unexpected(&mut self, c: char, wanted: &str) -> PatternError {
        self.here();
        let code = u32::from(c);
        self.error(format!(
            "Unexpected character ('{c}' (code {code})): {wanted}"
        ))
    }

    fn ended(&mut self) -> PatternError {
        match self.open.last().copied() {
            Some(open) => self.ended_inside(open),
            None => {
                self.here();
                self.error("No content to map due to end-of-input")
            }
        }
    }

    fn ended_inside(&mut self, open: Open) -> PatternError {
        self.here();
        let kind = if open.is_object { "Object" } else { "Array" };
        let Place { line, column } = open.began;
        self.error(format!(
            "Unexpected end-of-input: expected close marker for {kind} (start marker at [Source: (String)\"{}\"; line: {line}, column: {column}])",
            self.text
        ))
    }

    fn ended_in_a_string(&mut self) -> PatternError {
        self.here();
        self.error("Unexpected end-of-input: was expecting closing quote for a string value")
    }
}
