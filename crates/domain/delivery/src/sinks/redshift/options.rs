//! The options of Redshift's COPY that a plain PostgreSQL is given the meaning of; the others are refused by name.

/// How staged objects are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// The form of a row.
    pub rows: Rows,
    /// Whether the objects are compressed with gzip.
    pub gzip: bool,
}

/// The form of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rows {
    /// A line with fields between delimiters; `\N` is NULL. Redshift's default, with `|`.
    Delimited(char),
    /// A line of CSV.
    Csv(char),
    /// A JSON object; its members are columns by their names.
    Json,
}

/// Why options are refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the COPY option {0} is not supported for PostgreSQL: JSON 'auto', CSV, DELIMITER and GZIP are"
)]
pub struct OptionError(String);

/// A word or a quoted text.
#[derive(Debug, PartialEq, Eq)]
enum Token {
    Word(String),
    Quoted(String),
}

impl Options {
    /// The options that `text` names; those that say what is the case anyway are fine.
    pub fn parse(text: &str) -> Result<Self, OptionError> {
        let mut tokens = tokens(text)?.into_iter().peekable();
        let (mut csv, mut json, mut gzip, mut delimiter) = (false, false, false, None);
        while let Some(token) = tokens.next() {
            let word = match token {
                Token::Word(word) => word,
                Token::Quoted(text) => return Err(OptionError(format!("'{text}'"))),
            };
            let mut value = || {
                tokens.next_if_eq(&Token::Word("AS".into()));
                tokens.next_if(|token| matches!(token, Token::Quoted(_)))
            };
            match word.as_str() {
                "CSV" => csv = true,
                "GZIP" => gzip = true,
                // The word may stand before the format itself.
                "FORMAT" => drop(tokens.next_if_eq(&Token::Word("AS".into()))),
                "JSON" => match value() {
                    Some(Token::Quoted(how)) if how != "auto" => {
                        return Err(OptionError(format!("JSON '{how}'")));
                    }
                    _ => json = true,
                },
                "DELIMITER" => delimiter = Some(one_character(value()).ok_or(OptionError(word))?),
                // PostgreSQL reads what Redshift's 'auto' reads.
                "TIMEFORMAT" | "DATEFORMAT" => match value() {
                    Some(Token::Quoted(how)) if how == "auto" => {}
                    _ => return Err(OptionError(format!("{word} other than 'auto'"))),
                },
                _ => return Err(OptionError(word)),
            }
        }
        let rows = match (json, csv, delimiter) {
            (true, false, None) => Rows::Json,
            (true, ..) => {
                return Err(OptionError(
                    "JSON together with CSV or DELIMITER".to_owned(),
                ));
            }
            (false, true, delimiter) => Rows::Csv(delimiter.unwrap_or(',')),
            (false, false, delimiter) => Rows::Delimited(delimiter.unwrap_or('|')),
        };
        Ok(Self { rows, gzip })
    }
}

/// The one byte that a delimiter is, written plainly or as `\t`.
fn one_character(token: Option<Token>) -> Option<char> {
    let Some(Token::Quoted(text)) = token else {
        return None;
    };
    let mut characters = text.chars();
    match (characters.next(), characters.next(), characters.next()) {
        (Some('\\'), Some('t'), None) => Some('\t'),
        // PostgreSQL allows no delimiters that its own escapes and ends of lines could be taken for.
        (Some(one), None, None) if one.is_ascii() && !one.is_ascii_alphanumeric() => {
            Some(one).filter(|one| !"\\\r\n.\"".contains(*one))
        }
        _ => None,
    }
}

fn tokens(text: &str) -> Result<Vec<Token>, OptionError> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_matches(|c: char| c.is_whitespace() || c == ';');
    while !rest.is_empty() {
        if let Some(quoted) = rest.strip_prefix('\'') {
            let (inside, after) = quoted
                .split_once('\'')
                .ok_or_else(|| OptionError(rest.to_owned()))?;
            tokens.push(Token::Quoted(inside.to_owned()));
            rest = after;
        } else {
            let end = rest
                .find(|c: char| c.is_whitespace() || c == '\'')
                .unwrap_or(rest.len());
            tokens.push(Token::Word(rest[..end].to_ascii_uppercase()));
            rest = &rest[end..];
        }
        rest = rest.trim_start();
    }
    Ok(tokens)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_understood_is_read() {
        for (text, rows, gzip) in [
            ("", Rows::Delimited('|'), false),
            ("json 'auto' gzip;", Rows::Json, true),
            ("FORMAT AS JSON 'auto' timeformat 'auto'", Rows::Json, false),
            ("JSON AS 'auto'", Rows::Json, false),
            ("csv", Rows::Csv(','), false),
            ("FORMAT CSV DELIMITER AS ';'", Rows::Csv(';'), false),
            ("delimiter '\\t' GZIP", Rows::Delimited('\t'), true),
            ("delimiter','", Rows::Delimited(','), false),
        ] {
            assert_eq!(Options::parse(text), Ok(Options { rows, gzip }), "{text}");
        }
    }

    #[test]
    fn what_is_not_is_named() {
        for (text, named) in [
            ("lzop", "LZOP"),
            ("json 's3://bucket/paths'", "JSON 's3://bucket/paths'"),
            ("delimiter '||'", "DELIMITER"),
            ("delimiter", "DELIMITER"),
            ("csv ignoreheader 1", "IGNOREHEADER"),
            ("json csv", "JSON together"),
            ("timeformat 'epochsecs'", "TIMEFORMAT"),
            ("'odd", "'odd"),
        ] {
            let error = Options::parse(text).unwrap_err().to_string();
            assert!(error.contains(named), "{text}: {error}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_options_or_an_error(text in "\\PC*") {
            drop(Options::parse(&text));
        }
    }
}
