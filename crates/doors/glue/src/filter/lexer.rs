//! The words, literals and signs of an expression.

/// A part of an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Token {
    /// A name or a key word.
    Word(String),
    /// A number as it is written.
    Number(String),
    /// A text, without its quotes.
    Text(String),
    /// A sign, without the blanks that may stand within.
    Sign(&'static str),
}

/// The signs, the longer before those that they begin with.
const SIGNS: [&str; 13] = [
    "<>", "!=", "<=", ">=", "<", ">", "=", "(", ")", ",", "+", "*", "/",
];

/// The parts of an expression, or none where something is none.
pub(crate) fn tokens(expression: &str) -> Option<Vec<Token>> {
    let mut rest = expression.trim_start();
    let mut tokens = Vec::new();
    while let Some(first) = rest.chars().next() {
        let (token, left) = match first {
            '\'' => text(&rest[1..])?,
            '0'..='9' | '.' | '-' => number(rest)?,
            _ if first.is_alphabetic() || first == '_' => word(rest),
            _ => sign(rest)?,
        };
        tokens.push(token);
        rest = left.trim_start();
    }
    Some(tokens)
}

/// A text up to its closing quote. Two quotes in it stand for one.
fn text(rest: &str) -> Option<(Token, &str)> {
    let mut found = String::new();
    let mut parts = rest;
    loop {
        let (before, after) = parts.split_once('\'')?;
        found.push_str(before);
        match after.strip_prefix('\'') {
            Some(more) => {
                found.push('\'');
                parts = more;
            }
            None => return Some((Token::Text(found), after)),
        }
    }
}

/// A number, with its sign and its exponent.
fn number(rest: &str) -> Option<(Token, &str)> {
    let digits = |from: usize| {
        let bytes = rest.as_bytes()[from..].iter();
        from + bytes.take_while(|byte| byte.is_ascii_digit()).count()
    };
    let start = usize::from(rest.starts_with('-'));
    let mut end = digits(start);
    if rest[end..].starts_with('.') {
        end = digits(end + 1);
    }
    if !rest[start..end].contains(|c: char| c.is_ascii_digit()) {
        return None;
    }
    if rest[end..].starts_with(['e', 'E']) {
        let signed = end + 1 + usize::from(rest[end + 1..].starts_with(['+', '-']));
        // What follows a number without an exponent's digits is a word by itself.
        end = Some(digits(signed))
            .filter(|&to| to > signed)
            .unwrap_or(end);
    }
    Some((Token::Number(rest[..end].to_owned()), &rest[end..]))
}

fn word(rest: &str) -> (Token, &str) {
    let part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '$');
    let end = rest.find(|c| !part(c)).unwrap_or(rest.len());
    (Token::Word(rest[..end].to_owned()), &rest[end..])
}

/// A sign. Blanks may stand within, as in `< >`.
fn sign(rest: &str) -> Option<(Token, &str)> {
    SIGNS.into_iter().find_map(|sign| {
        let left = sign
            .chars()
            .try_fold(rest, |left, part| left.trim_start().strip_prefix(part))?;
        Some((Token::Sign(sign), left))
    })
}
