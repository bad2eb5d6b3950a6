//! What a message may hold: sizes, characters, attributes, group and id.

use std::time::Duration;

use crate::{
    limits,
    message::{Attribute, NewMessage, Value},
    record::Settings,
};

/// Characters of groups and ids, and of attributes' names and types.
const NAME_MAX: usize = 128;
/// See [`NAME_MAX`].
const ATTRIBUTE_NAME_MAX: usize = 256;
/// Digits of a number on either side of its point: "can have up to 38 digits of precision, and it can be between
/// 10^-128 and 10^+126" (SQS developer guide).
const NUMBER_DIGITS: usize = 38;
/// See [`NUMBER_DIGITS`].
const NUMBER_EXPONENTS: std::ops::RangeInclusive<i32> = -128..=126;

/// Why a message cannot be sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// There is no text.
    #[error("the message has no text")]
    Empty,
    /// It has more bytes than the queue takes.
    #[error("the message must be shorter than {0} bytes")]
    TooLong(u32),
    /// Its text has characters that XML has not.
    #[error("the message has characters that cannot be sent")]
    Characters,
    /// It has too many attributes.
    #[error("the message has {0} attributes")]
    Attributes(usize),
    /// The name of an attribute has characters that it cannot have.
    #[error("{0:?} cannot be the name of an attribute")]
    AttributeName(String),
    /// The name of an attribute is too long.
    #[error("the name of an attribute is too long")]
    AttributeNameTooLong,
    /// The name of an attribute is one that is kept for AWS, or begins or ends with a dot.
    #[error("{0:?} is reserved")]
    AttributeReserved(String),
    /// The type of an attribute is none of the three; name and type.
    #[error("the attribute {0:?} cannot have the type {1:?}")]
    AttributeType(String, String),
    /// The type of an attribute is too long.
    #[error("the type of an attribute is too long")]
    AttributeTypeTooLong,
    /// An attribute has no value, or one of another kind than its type; name and type.
    #[error("the attribute {0:?} has no value of type {1:?}")]
    AttributeEmpty(String, &'static str),
    /// An attribute is no number; its name.
    #[error("the attribute {0:?} is no number")]
    AttributeNumber(String),
    /// An attribute has characters that cannot be sent; its name.
    #[error("the attribute {0:?} has characters that cannot be sent")]
    AttributeCharacters(String),
    /// A FIFO queue needs a group.
    #[error("the message has no group")]
    NoGroup,
    /// The group is none.
    #[error("{0:?} cannot be a group")]
    Group(String),
    /// A FIFO queue needs an id.
    #[error("the message has no deduplication id")]
    NoDedup,
    /// The id is none.
    #[error("{0:?} cannot be a deduplication id")]
    Dedup(String),
    /// A queue without order takes no id.
    #[error("the queue takes no deduplication id, which was {0:?}")]
    DedupNotTaken(String),
    /// A FIFO queue takes no delay of a single message.
    #[error("the queue takes no delays of single messages, which was {0:?}")]
    DelayNotTaken(Duration),
    /// The delay is too long.
    #[error("a delay of {0:?} is too long")]
    Delay(Duration),
}

impl NewMessage {
    /// Its bytes as the limit counts them: its text and the names, types and values of its attributes.
    pub fn size(&self) -> usize {
        let attributes = self.attributes.iter();
        let attributes = attributes.map(|(name, attribute)| {
            name.len() + attribute.data_type.len() + attribute.value.bytes().len()
        });
        self.body.len() + attributes.sum::<usize>()
    }
}

/// Whether a queue with these settings takes a message.
pub(crate) fn check(message: &NewMessage, settings: &Settings) -> Result<(), Fault> {
    if message.body.is_empty() {
        return Err(Fault::Empty);
    }
    if message.size() > settings.max_bytes as usize {
        return Err(Fault::TooLong(settings.max_bytes));
    }
    if !message.body.chars().all(is_sendable) {
        return Err(Fault::Characters);
    }
    check_attributes(message)?;
    check_order(message, settings)
}

/// The characters that XML 1.0 has, which are those that a message may have.
fn is_sendable(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..)
}

fn check_attributes(message: &NewMessage) -> Result<(), Fault> {
    if message.attributes.len() > limits::ATTRIBUTES {
        return Err(Fault::Attributes(message.attributes.len()));
    }
    for (name, attribute) in &message.attributes {
        check_name(name)?;
        check_value(name, attribute)?;
    }
    Ok(())
}

fn check_name(name: &str) -> Result<(), Fault> {
    // AWS takes letters of other alphabets, which its reference does not say (as LocalStack recorded).
    let is_allowed = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
    let lower = name.to_ascii_lowercase();
    if name.len() > ATTRIBUTE_NAME_MAX {
        Err(Fault::AttributeNameTooLong)
    } else if name.is_empty() || !name.chars().all(is_allowed) {
        Err(Fault::AttributeName(name.to_owned()))
    } else if lower.starts_with("aws.")
        || lower.starts_with("amazon.")
        || name.starts_with('.')
        || name.ends_with('.')
        || name.contains("..")
    {
        Err(Fault::AttributeReserved(name.to_owned()))
    } else {
        Ok(())
    }
}

fn check_value(name: &str, attribute: &Attribute) -> Result<(), Fault> {
    let kind = attribute.data_type.split('.').next().unwrap_or_default();
    let empty = |kind| Err(Fault::AttributeEmpty(name.to_owned(), kind));
    if attribute.data_type.len() > ATTRIBUTE_NAME_MAX {
        return Err(Fault::AttributeTypeTooLong);
    }
    match (kind, &attribute.value) {
        ("String", Value::Text(text)) if !text.is_empty() => check_text(name, text),
        ("Number", Value::Text(text)) if !text.is_empty() => match is_number(text) {
            true => Ok(()),
            false => Err(Fault::AttributeNumber(name.to_owned())),
        },
        ("Binary", Value::Binary(bytes)) if !bytes.is_empty() => Ok(()),
        ("String", _) => empty("String"),
        ("Number", _) => empty("Number"),
        ("Binary", _) => empty("Binary"),
        _ => Err(Fault::AttributeType(
            name.to_owned(),
            attribute.data_type.clone(),
        )),
    }
}

fn check_text(name: &str, text: &str) -> Result<(), Fault> {
    if text.chars().all(is_sendable) {
        Ok(())
    } else {
        Err(Fault::AttributeCharacters(name.to_owned()))
    }
}

/// Whether a text is a decimal number of at most 38 digits between 10^-128 and 10^126.
fn is_number(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()),
        None => (unsigned, Some(0)),
    };
    let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let is_digits = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
    if whole.len() + part.len() == 0 || !is_digits(whole) || !is_digits(part) {
        return false;
    }
    let digits = format!("{whole}{part}");
    let significant = digits.trim_start_matches('0');
    let is_precise = significant.trim_end_matches('0').len() <= NUMBER_DIGITS;
    let length = |digits: usize| i32::try_from(digits).unwrap_or(i32::MAX);
    let fits = |exponent: i32| {
        let highest = exponent
            .saturating_sub(length(part.len()))
            .saturating_add(length(significant.len()) - 1);
        significant.is_empty() || NUMBER_EXPONENTS.contains(&highest)
    };
    is_precise && exponent.is_some_and(fits)
}

/// Whether a text may name a group, a message or an attempt to receive.
pub fn is_name(text: &str) -> bool {
    (1..=NAME_MAX).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

fn check_order(message: &NewMessage, settings: &Settings) -> Result<(), Fault> {
    if let Some(delay) = message.delay.filter(|delay| *delay > limits::DELAY_MAX) {
        return Err(Fault::Delay(delay));
    }
    if let Some(group) = message.group.as_ref().filter(|group| !is_name(group)) {
        return Err(Fault::Group(group.clone()));
    }
    if let Some(dedup) = message.dedup.as_ref().filter(|dedup| !is_name(dedup)) {
        return Err(Fault::Dedup(dedup.clone()));
    }
    let Some(fifo) = &settings.fifo else {
        return match &message.dedup {
            Some(dedup) => Err(Fault::DedupNotTaken(dedup.clone())),
            None => Ok(()),
        };
    };
    match message.delay {
        Some(delay) if !delay.is_zero() => return Err(Fault::DelayNotTaken(delay)),
        _ => {}
    }
    if message.group.is_none() {
        return Err(Fault::NoGroup);
    }
    if message.dedup.is_none() && !fifo.by_content {
        return Err(Fault::NoDedup);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_told_from_other_texts() {
        for number in ["0", "-1.5", "+3", ".5", "5.", "1e10", "1E-128", "0e999"] {
            assert!(is_number(number), "{number}");
        }
        let long = "1".repeat(39);
        for other in [
            "", "NaN", "Infinity", "1e", "e1", ".", "1e127", "1e-129", "0x1", &long, " 1",
        ] {
            assert!(!is_number(other), "{other}");
        }
    }

    fn with(name: &str, data_type: &str, value: Value) -> Result<(), Fault> {
        let data_type = data_type.to_owned();
        let message = NewMessage {
            body: "b".into(),
            attributes: [(name.to_owned(), Attribute { data_type, value })].into(),
            ..NewMessage::default()
        };
        check(&message, &Settings::default())
    }

    #[test]
    fn attributes_have_names_types_and_values_that_fit() {
        let text = |text: &str| Value::Text(text.to_owned());
        assert_eq!(with("a_b-c.D1ä", "String.x", text("v")), Ok(()));
        assert_eq!(with("n", "Number", text("1")), Ok(()));
        for name in ["", "a b", "§", "a/b", "!", "a?"] {
            let refused = with(name, "String", text("v"));
            assert_eq!(refused, Err(Fault::AttributeName(name.into())));
        }
        for name in ["AWS.x", "amazon.x", ".a", "a.", "a..b"] {
            let refused = with(name, "String", text("v"));
            assert_eq!(refused, Err(Fault::AttributeReserved(name.into())));
        }
        let refused = with("a", "String", text(""));
        assert_eq!(refused, Err(Fault::AttributeEmpty("a".into(), "String")));
        let refused = with("a", "String", text("\u{1}"));
        assert_eq!(refused, Err(Fault::AttributeCharacters("a".into())));
        let refused = with("a", "Number", text("NaN"));
        assert_eq!(refused, Err(Fault::AttributeNumber("a".into())));
        let refused = with("a", "Text", text("x"));
        let fault = Fault::AttributeType("a".into(), "Text".into());
        assert_eq!(refused, Err(fault));
    }

    #[test]
    fn texts_have_only_characters_of_xml() {
        for (body, fits) in [
            ("a\t\n\r z\u{d7ff}\u{e000}\u{fffd}\u{10ffff}", true),
            ("\u{0}", false),
            ("\u{b}", false),
            ("\u{1f}", false),
            ("\u{fffe}", false),
        ] {
            let message = NewMessage {
                body: body.into(),
                ..NewMessage::default()
            };
            assert_eq!(
                check(&message, &Settings::default()).is_ok(),
                fits,
                "{body:?}"
            );
        }
    }
}
