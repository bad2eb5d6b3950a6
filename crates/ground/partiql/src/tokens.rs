//! The tokens of a text.

use std::ops::Range;

use crate::Refused;

/// A token: what it is, and where it stands in the text.
#[derive(Debug, Clone)]
pub(crate) struct Token {
    pub kind: TokenKind,
    pub at: Range<usize>,
}

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenKind {
    /// Letters, digits, `_` and `$`, no digit first.
    Word,
    /// A name in double quotes.
    Quoted,
    /// A text in single quotes.
    Text,
    /// A number without its sign.
    Number,
    /// A sign, or a character that means nothing.
    Sign,
    /// The end of the text.
    End,
}

/// Signs of two characters.
const PAIRS: [&str; 7] = ["<=", "<>", ">=", "!=", "<<", ">>", "||"];

/// The token that begins at `from`, or behind the blanks and comments there.
///
/// # Errors
/// There is none: AWS says no more than that.
pub(crate) fn next(text: &str, from: usize) -> Result<Token, Refused> {
    let nothing = || Refused::malformed("");
    let start = skip(text, from).ok_or_else(nothing)?;
    let rest = text.get(start..).unwrap_or_default();
    let (kind, len) = match rest.chars().next() {
        None => (TokenKind::End, 0),
        Some('a'..='z' | 'A'..='Z' | '_' | '$') => (TokenKind::Word, run(rest, is_part)),
        Some('0'..='9') => (TokenKind::Number, number(rest)),
        Some('\'') => (TokenKind::Text, quoted(rest, '\'').ok_or_else(nothing)?),
        Some('"') => (TokenKind::Quoted, quoted(rest, '"').ok_or_else(nothing)?),
        Some('`') => return Refused::told("Ion Literals are not supported"),
        Some(_) if PAIRS.iter().any(|pair| rest.starts_with(pair)) => (TokenKind::Sign, 2),
        Some('(' | ')' | '[' | ']' | '{' | '}' | ',' | '.' | ':' | ';' | '?') => {
            (TokenKind::Sign, 1)
        }
        Some('=' | '<' | '>' | '+' | '-' | '*' | '/' | '%') => (TokenKind::Sign, 1),
        Some(_) => return Err(nothing()),
    };
    let at = start..start + len;
    Ok(Token { kind, at })
}

/// What a name or a text in quotes says: a quote that is doubled is one.
pub(crate) fn unquoted(written: &str) -> String {
    let quote = written.get(..1).unwrap_or_default();
    let inner = written.get(1..written.len().saturating_sub(1));
    inner.unwrap_or_default().replace(&quote.repeat(2), quote)
}

/// Where the blanks and comments at `from` end; none where a comment does not.
fn skip(text: &str, from: usize) -> Option<usize> {
    let mut rest = text.get(from..)?;
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '\u{b}');
        if let Some(comment) = rest.strip_prefix("--") {
            rest = comment.trim_start_matches(|c| c != '\n' && c != '\r');
        } else if let Some(comment) = rest.strip_prefix("/*") {
            rest = comment.split_once("*/")?.1;
        } else {
            return Some(text.len() - rest.len());
        }
    }
}

fn is_part(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$'
}

/// How many bytes at the start of a text are such.
fn run(text: &str, such: fn(u8) -> bool) -> usize {
    text.bytes().take_while(|&byte| such(byte)).count()
}

/// The bytes of the number at the start of a text: digits, a fraction, an exponent.
fn number(text: &str) -> usize {
    let digits = |from: usize| {
        let rest = text.get(from..).unwrap_or_default();
        run(rest, |byte| byte.is_ascii_digit())
    };
    let mut len = digits(0);
    if text.get(len..).is_some_and(|rest| rest.starts_with('.')) {
        len += 1 + digits(len + 1);
    }
    let exponent = text.get(len..).unwrap_or_default();
    if let Some(rest) = exponent.strip_prefix(['e', 'E']) {
        let sign = usize::from(rest.starts_with(['+', '-']));
        if digits(len + 1 + sign) > 0 {
            len += 1 + sign + digits(len + 1 + sign);
        }
    }
    len
}

/// The bytes of what stands in quotes at the start of a text, with its quotes; none where it does not end.
fn quoted(text: &str, quote: char) -> Option<usize> {
    let mut from = 1;
    loop {
        let end = from + text.get(from..)?.find(quote)? + 1;
        match text.get(end..)?.starts_with(quote) {
            true => from = end + 1,
            false => return Some(end),
        }
    }
}
