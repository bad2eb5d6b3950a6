//! Templates of whole object keys, as channels have them: `logs/!{channel-name}/!{yyyy}/!{MM}/!{dd}!{extension}`.
//!
//! Variables and default are those of AWS's page on the output key template; the time is the arrival of the oldest
//! record in the batch, UTC. AWS appends a unique suffix and does not say where: here it stands at the end, but before
//! an extension that ends the template, so that an object's name still ends in `.gz`.

use jiff::Zoned;

use super::{
    pattern::Pattern,
    prefix::{PrefixError, pattern},
};
use crate::limits::KEY_BYTES_MAX;

/// The template of a channel that names none.
pub const DEFAULT: &str = "kinesis-channel/!{channel-name}/!{channel-id}/!{yyyy}/!{MM}/!{dd}/!{HH}/\
                           !{channel-name}-!{channel-id}-!{yyyy}-!{MM}-!{dd}-!{HH}-!{mm}!{extension}";

/// A template that was read.
#[derive(Debug, Clone)]
pub struct KeyTemplate(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Literal(String),
    Name,
    Id,
    Time(Pattern),
    Extension,
}

/// The values of a template's variables.
#[derive(Debug, Clone, Copy)]
pub struct Values<'a> {
    /// The channel's name.
    pub name: &'a str,
    /// The channel's id.
    pub id: &'a str,
    /// The batch's time.
    pub time: &'a Zoned,
    /// `.gz` or the like, perhaps nothing.
    pub extension: &'a str,
    /// A text that no other object has.
    pub unique: &'a str,
}

impl KeyTemplate {
    /// Reads a template.
    pub fn parse(text: &str) -> Result<Self, PrefixError> {
        let wrong = |why: &str| PrefixError::Template(format!("{why}: {text}"));
        if text.starts_with('/')
            || text.ends_with('/')
            || text.contains("..")
            || text.contains("./")
        {
            return Err(wrong(
                "a key must not start or end with / nor contain .. or ./",
            ));
        }
        let (mut parts, mut rest) = (Vec::new(), text);
        while let Some((before, after)) = rest.split_once("!{") {
            let Some((variable, after)) = after.split_once('}') else {
                return Err(wrong("a variable has no end"));
            };
            if !before.is_empty() {
                parts.push(Part::Literal(before.to_owned()));
            }
            parts.push(match variable {
                "channel-name" => Part::Name,
                "channel-id" => Part::Id,
                "extension" => Part::Extension,
                "yyyy" | "MM" | "dd" | "HH" | "mm" => Part::Time(pattern(variable)),
                other => return Err(wrong(&format!("there is no variable {other}"))),
            });
            rest = after;
        }
        if !rest.is_empty() {
            parts.push(Part::Literal(rest.to_owned()));
        }
        if parts
            .iter()
            .any(|part| matches!(part, Part::Literal(text) if text.contains(['{', '}'])))
        {
            return Err(wrong("braces stand only around variables"));
        }
        Ok(Self(parts))
    }

    /// The key that `values` give; refused where it is longer than a key may be.
    pub fn key(&self, values: Values<'_>) -> Result<String, PrefixError> {
        let (last, front) = match self.0.split_last() {
            Some((Part::Extension, front)) => (values.extension, front),
            _ => ("", &self.0[..]),
        };
        let mut key: String = front.iter().map(|part| part.text(values)).collect();
        key.extend(["-", values.unique, last]);
        if key.len() > KEY_BYTES_MAX {
            return Err(PrefixError::Template(format!(
                "a key would be longer than {KEY_BYTES_MAX} bytes"
            )));
        }
        Ok(key)
    }
}

impl Part {
    fn text(&self, values: Values<'_>) -> String {
        match self {
            Self::Literal(text) => text.clone(),
            Self::Name => values.name.to_owned(),
            Self::Id => values.id.to_owned(),
            Self::Time(pattern) => pattern.format(values.time),
            Self::Extension => values.extension.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::{Timestamp, tz::TimeZone};
    use proptest::prelude::*;

    use super::*;

    fn key(template: &str) -> Result<String, PrefixError> {
        let time = Timestamp::from_second(1_535_364_672)
            .unwrap()
            .to_zoned(TimeZone::UTC);
        let values = Values {
            name: "c",
            id: "i",
            time: &time,
            extension: ".gz",
            unique: "u",
        };
        KeyTemplate::parse(template)?.key(values)
    }

    #[test]
    fn variables_are_filled_and_the_suffix_stands_before_the_extension() {
        assert_eq!(
            key(DEFAULT).unwrap(),
            "kinesis-channel/c/i/2018/08/27/10/c-i-2018-08-27-10-11-u.gz"
        );
        assert_eq!(key("a=!{mm}/x").unwrap(), "a=11/x-u");
        assert_eq!(key("!{extension}/x").unwrap(), ".gz/x-u");
    }

    #[test]
    fn what_is_no_template_is_refused() {
        for bad in [
            "/a",
            "a/",
            "a/../b",
            "a./b",
            "!{YYYY}",
            "!{channel-name",
            "a}b",
            "!{}",
            "{mm}",
        ] {
            assert!(matches!(key(bad), Err(PrefixError::Template(_))), "{bad}");
        }
        assert!(matches!(
            key(&"a".repeat(1024)),
            Err(PrefixError::Template(_))
        ));
    }

    proptest! {
        #[test]
        fn any_text_is_a_template_or_refused(text in "[a-zA-Z!{}/.=-]{0,60}") {
            drop(key(&text));
        }
    }
}
