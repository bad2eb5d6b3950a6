//! The tokens of a text.

use std::ops::Range;

/// A token: what it is, and where it stands in the text.
#[derive(Debug, Clone)]
pub struct Token {
    pub kind: TokenKind,
    pub at: Range<usize>,
}

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// Letters, digits and underscores, a letter first.
    Word,
    /// `#name`
    Name,
    /// `:value`
    Value,
    /// Digits.
    Number,
    /// A sign, or a character that means nothing.
    Sign,
    /// The end of the text.
    End,
}

/// The token that begins at `from` or behind the blanks there.
pub fn next(text: &str, from: usize) -> Token {
    let rest = text.get(from..).unwrap_or_default();
    let start = text.len() - rest.trim_start_matches([' ', '\t', '\r', '\n']).len();
    let rest = text.get(start..).unwrap_or_default();
    let mut characters = rest.chars();
    let first = characters.next();
    let after_first = characters.as_str();
    let (kind, len) = match first {
        None => (TokenKind::End, 0),
        Some('a'..='z' | 'A'..='Z') => (TokenKind::Word, 1 + run(after_first, is_part)),
        Some('0'..='9') => (
            TokenKind::Number,
            1 + run(after_first, |byte: u8| byte.is_ascii_digit()),
        ),
        Some(sign @ ('#' | ':')) => match run(after_first, is_part) {
            0 => (TokenKind::Sign, 1),
            len if sign == '#' => (TokenKind::Name, 1 + len),
            len => (TokenKind::Value, 1 + len),
        },
        Some('<') if after_first.starts_with(['=', '>']) => (TokenKind::Sign, 2),
        Some('>') if after_first.starts_with('=') => (TokenKind::Sign, 2),
        Some(other) => (TokenKind::Sign, other.len_utf8()),
    };
    Token {
        kind,
        at: start..start + len,
    }
}

fn is_part(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// How many bytes at the start of a text are such.
fn run(text: &str, such: fn(u8) -> bool) -> usize {
    text.bytes().take_while(|&byte| such(byte)).count()
}
