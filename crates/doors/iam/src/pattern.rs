//! Texts with wildcards and variables, as they stand in resources and conditions.

use crate::{Keys, Malformed};

/// A text in which `*` stands for any characters and `?` for one, where the element that it is of has wildcards, and
/// `${key}` for a request's value, where the policy's version has variables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Token(Token),
    /// A request's value, or the default where it has none.
    Variable {
        key: String,
        default: Option<String>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token {
    Char(char),
    One,
    Any,
}

/// How the texts of an element are read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reading {
    /// Whether `*` and `?` are wildcards.
    pub wildcards: bool,
    /// Whether `${key}` is a variable.
    pub variables: bool,
}

impl Pattern {
    pub(crate) fn read(text: &str, reading: Reading) -> Result<Self, Malformed> {
        let malformed = || Malformed::Variable(text.to_owned());
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(next) = rest.chars().next() {
            if let Some(variable) = rest.strip_prefix("${").filter(|_| reading.variables) {
                let (name, after) = variable.split_once('}').ok_or_else(malformed)?;
                parts.push(Part::variable(name).ok_or_else(malformed)?);
                rest = after;
                continue;
            }
            parts.push(Part::Token(match next {
                '*' if reading.wildcards => Token::Any,
                '?' if reading.wildcards => Token::One,
                other => Token::Char(other),
            }));
            rest = &rest[next.len_utf8()..];
        }
        Ok(Self(parts))
    }

    /// Whether it is `text` itself, without wildcards and variables.
    pub fn is(&self, text: &str) -> bool {
        let mut parts = self.0.iter();
        text.chars()
            .all(|c| parts.next() == Some(&Part::Token(Token::Char(c))))
            && parts.next().is_none()
    }

    /// Whether it stands for all of `text`. A variable that the request has no value for stands for nothing.
    pub fn matches(&self, text: &str, keys: &Keys) -> bool {
        self.tokens(keys).is_some_and(|tokens| glob(&tokens, text))
    }

    /// The same with upper and lower case alike.
    pub(crate) fn matches_any_case(&self, text: &str, keys: &Keys) -> bool {
        let lower = |token| match token {
            Token::Char(c) => c.to_lowercase().map(Token::Char).collect(),
            wildcard => vec![wildcard],
        };
        let tokens = self.tokens(keys);
        tokens.is_some_and(|tokens| {
            glob(
                &tokens.into_iter().flat_map(lower).collect::<Vec<_>>(),
                &text.to_lowercase(),
            )
        })
    }

    /// Whether each of an ARN's six parts stands for that of `arn`, as the operators for ARNs compare them.
    pub(crate) fn matches_arn(&self, arn: &str, keys: &Keys) -> bool {
        let Some(tokens) = self.tokens(keys) else {
            return false;
        };
        let patterns = tokens.splitn(6, |token| *token == Token::Char(':'));
        let parts: Vec<&str> = arn.splitn(6, ':').collect();
        let patterns: Vec<&[Token]> = patterns.collect();
        patterns.len() == parts.len()
            && patterns
                .into_iter()
                .zip(parts)
                .all(|(pattern, part)| glob(pattern, part))
    }

    /// The wildcards and characters that it stands for in a request.
    fn tokens(&self, keys: &Keys) -> Option<Vec<Token>> {
        let mut tokens = Vec::with_capacity(self.0.len());
        for part in &self.0 {
            match part {
                Part::Token(token) => tokens.push(*token),
                Part::Variable { key, default } => {
                    let value = keys.one(key).or(default.as_deref())?;
                    tokens.extend(value.chars().map(Token::Char));
                }
            }
        }
        Some(tokens)
    }
}

impl Part {
    /// `aws:username`, `aws:username, 'nobody'`, or one of the characters `*`, `?` and `$` as itself.
    fn variable(text: &str) -> Option<Self> {
        if let "*" | "?" | "$" = text {
            return text.chars().next().map(|c| Part::Token(Token::Char(c)));
        }
        let (key, default) = match text.split_once(',') {
            Some((key, default)) => (
                key,
                Some(
                    default
                        .trim()
                        .strip_prefix('\'')?
                        .strip_suffix('\'')?
                        .to_owned(),
                ),
            ),
            None => (text, None),
        };
        let key = key.trim().to_ascii_lowercase();
        (!key.is_empty()).then_some(Part::Variable { key, default })
    }
}

/// Whether the tokens stand for the text. Takes at most the product of their lengths.
fn glob(mut tokens: &[Token], mut text: &str) -> bool {
    // Where to go on when what follows the last `*` does not fit: there, and in the text one character later.
    let mut retry: Option<(&[Token], &str)> = None;
    loop {
        match (tokens.split_first(), text.chars().next()) {
            (None, None) => return true,
            (Some((Token::Any, after)), _) => {
                retry = Some((after, text));
                tokens = after;
            }
            (Some((token, after)), Some(next))
                if *token == Token::One || *token == Token::Char(next) =>
            {
                tokens = after;
                text = &text[next.len_utf8()..];
            }
            _ => {
                let Some((after, from)) = retry else {
                    return false;
                };
                let Some(skipped) = from.chars().next() else {
                    return false;
                };
                text = &from[skipped.len_utf8()..];
                tokens = after;
                retry = Some((after, text));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LIKE: Reading = Reading {
        wildcards: true,
        variables: true,
    };

    fn matches(pattern: &str, text: &str) -> bool {
        Pattern::read(pattern, LIKE)
            .unwrap()
            .matches(text, &Keys::default())
    }

    #[test]
    fn wildcards_stand_for_characters() {
        for (pattern, text) in [
            ("*", ""),
            ("a*", "a"),
            ("a*c", "abcbc"),
            ("a?c", "aüc"),
            ("*a*b*", "xaxbx"),
            ("", ""),
        ] {
            assert!(matches(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [
            ("", "a"),
            ("a?", "a"),
            ("a*c", "abcb"),
            ("A", "a"),
            ("a", "ab"),
        ] {
            assert!(!matches(pattern, text), "{pattern} {text}");
        }
    }

    /// The guide's examples: "IAM policy elements: Variables and tags".
    #[test]
    fn variables_stand_for_the_requests_values() {
        let keys = Keys::default().with("aws:username", "ann*");
        let read = |text| Pattern::read(text, LIKE).unwrap();
        let home = read("arn:aws:s3:::bucket/${AWS:UserName}/*");
        assert!(home.matches("arn:aws:s3:::bucket/ann*/x", &keys));
        assert!(
            !home.matches("arn:aws:s3:::bucket/anna/x", &keys),
            "a value's wildcards are characters"
        );
        assert!(!home.matches("arn:aws:s3:::bucket//x", &Keys::default()));
        let team = read("${aws:PrincipalTag/team, 'company-wide'}/*");
        assert!(team.matches("company-wide/x", &keys));
        assert!(read("a${*}b${?}${$}").matches("a*b?$", &keys));
        let plain = Reading {
            wildcards: true,
            variables: false,
        };
        assert!(
            Pattern::read("${aws:username}", plain)
                .unwrap()
                .matches("${aws:username}", &keys)
        );
        for bad in ["${", "${}", "${a, b}", "${,'x'}"] {
            assert_eq!(
                Pattern::read(bad, LIKE),
                Err(Malformed::Variable(bad.to_owned()))
            );
        }
    }

    #[test]
    fn arns_are_compared_part_by_part() {
        let matches = |pattern, arn| {
            Pattern::read(pattern, LIKE)
                .unwrap()
                .matches_arn(arn, &Keys::default())
        };
        assert!(matches(
            "arn:aws:kinesis:*:111111111111:stream/*",
            "arn:aws:kinesis:r:111111111111:stream/a:b"
        ));
        assert!(!matches(
            "arn:aws:*:stream/s",
            "arn:aws:kinesis:r:111111111111:stream/s"
        ));
        assert!(!matches("*", "arn:aws:s3:::b"));
    }

    proptest! {
        #[test]
        fn whatever_is_read_is_compared(pattern in any::<String>(), text in any::<String>()) {
            if let Ok(read) = Pattern::read(&pattern, LIKE) {
                let keys = Keys::default().with("a", &text);
                read.matches(&text, &keys);
                read.matches_any_case(&text, &keys);
                read.matches_arn(&text, &keys);
            }
        }

        #[test]
        fn a_text_is_its_own_pattern(text in "[^*?$]*", more in "[^*?$]*") {
            prop_assert!(matches(&text, &text));
            let around = format!("*{text}*");
            let longer = format!("{more}{text}{more}");
            prop_assert!(matches(&around, &longer));
        }
    }
}
