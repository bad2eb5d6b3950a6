//! An expression's words.

use super::MathError;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    Number(f64),
    Text(String),
    /// The name of a function or a value.
    Name(String),
    /// An operator, bracket or comma.
    Sign(&'static str),
}

/// Longer signs stand before those that they begin with.
const SIGNS: &[&str] = &[
    "<=", ">=", "==", "!=", "&&", "||", "<", ">", "+", "-", "*", "/", "^", "(", ")", "[", "]", ",",
];

/// The words, each with its place.
pub(super) fn tokens(text: &str) -> Result<Vec<(usize, Token)>, MathError> {
    let (mut tokens, mut at) = (Vec::new(), 0);
    loop {
        at += text[at..].len() - text[at..].trim_start().len();
        let rest = &text[at..];
        if rest.is_empty() {
            return Ok(tokens);
        }
        let (token, len) = token(rest).map_err(|what| MathError::Syntax { at: at + 1, what })?;
        tokens.push((at + 1, token));
        at += len;
    }
}

/// The first word and its length.
fn token(rest: &str) -> Result<(Token, usize), &'static str> {
    if let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
        return Ok((Token::Sign(sign), sign.len()));
    }
    let first = rest.as_bytes()[0];
    if first == b'"' || first == b'\'' {
        let text = &rest[1..];
        let end = text.find(char::from(first)).ok_or("the text has no end")?;
        return Ok((Token::Text(text[..end].to_owned()), end + 2));
    }
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if first.is_ascii_alphabetic() {
        let len = rest.bytes().take_while(|byte| is_word(*byte)).count();
        return Ok((Token::Name(rest[..len].to_owned()), len));
    }
    number(rest)
}

/// Digits with at most one point, and an exponent if need be.
fn number(rest: &str) -> Result<(Token, usize), &'static str> {
    let digits = |from: usize| rest[from..].bytes().take_while(u8::is_ascii_digit).count();
    let mut len = digits(0);
    if rest[len..].starts_with('.') {
        len += 1 + digits(len + 1);
    }
    if rest[len..].starts_with(['e', 'E']) {
        let sign = usize::from(rest[len + 1..].starts_with(['+', '-']));
        let exponent = digits(len + 1 + sign);
        if exponent > 0 {
            len += 1 + sign + exponent;
        }
    }
    let number: Result<f64, _> = rest[..len].parse();
    match number {
        Ok(number) if number.is_finite() => Ok((Token::Number(number), len)),
        Ok(_) => Err("the number is too large"),
        Err(_) => Err("an expression has no such character"),
    }
}
