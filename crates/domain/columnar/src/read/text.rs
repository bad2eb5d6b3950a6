//! JSON that is taken as text: scalars as they are written, and what is nested as compact JSON.

use std::{borrow::Cow, fmt};

use serde::de::{DeserializeSeed, MapAccess, SeqAccess, Visitor};

use super::{Rules, double::of_double, scalar::Token};

/// A JSON scalar as its text.
pub(super) enum Scalar<'a> {
    Null,
    Boolean(bool),
    Number(&'a str),
    Text(Cow<'a, str>),
}

impl Scalar<'_> {
    pub fn token(&self) -> Token<'_> {
        match self {
            Self::Null => Token::Null,
            Self::Boolean(value) => Token::Boolean(*value),
            Self::Number(text) => Token::Number(text),
            Self::Text(text) => Token::Text(text),
        }
    }
}

/// The scalar that this valid JSON is, if it is one.
pub(super) fn of_scalar(json: &str) -> Option<Scalar<'_>> {
    Some(match json.as_bytes().first()? {
        b'n' => Scalar::Null,
        b't' => Scalar::Boolean(true),
        b'f' => Scalar::Boolean(false),
        b'"' if !json.contains('\\') => Scalar::Text(Cow::Borrowed(json.get(1..json.len() - 1)?)),
        b'"' => Scalar::Text(Cow::Owned(serde_json::from_str(json).ok()?)),
        b'[' | b'{' => return None,
        _ => Scalar::Number(json),
    })
}

/// Writes JSON without spaces, and with the keys that the deserializer sees.
pub(super) struct Compact<'a> {
    pub out: &'a mut String,
    pub rules: &'a Rules,
}

impl Compact<'_> {
    fn again(&mut self) -> Compact<'_> {
        Compact {
            out: self.out,
            rules: self.rules,
        }
    }

    fn quoted(&mut self, text: &str) {
        self.out.push('"');
        for c in text.chars() {
            match c {
                '"' | '\\' => self.out.extend(['\\', c]),
                '\n' => self.out.push_str("\\n"),
                '\r' => self.out.push_str("\\r"),
                '\t' => self.out.push_str("\\t"),
                c if c.is_control() => self.out.push_str(&format!("\\u{:04x}", u32::from(c))),
                c => self.out.push(c),
            }
        }
        self.out.push('"');
    }
}

impl<'de> DeserializeSeed<'de> for Compact<'_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Compact<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.out.push_str("null");
        Ok(())
    }

    fn visit_bool<E>(self, value: bool) -> Result<(), E> {
        self.out.push_str(if value { "true" } else { "false" });
        Ok(())
    }

    fn visit_i64<E>(self, value: i64) -> Result<(), E> {
        self.out.push_str(&value.to_string());
        Ok(())
    }

    fn visit_u64<E>(self, value: u64) -> Result<(), E> {
        self.out.push_str(&value.to_string());
        Ok(())
    }

    fn visit_f64<E>(self, value: f64) -> Result<(), E> {
        self.out.push_str(&of_double(value));
        Ok(())
    }

    fn visit_str<E>(mut self, value: &str) -> Result<(), E> {
        self.quoted(value);
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut array: A) -> Result<(), A::Error> {
        self.out.push('[');
        let mut some = false;
        while array
            .next_element_seed(Separated {
                some,
                to: self.again(),
            })?
            .is_some()
        {
            some = true;
        }
        self.out.push(']');
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        self.out.push('{');
        let mut some = false;
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            if some {
                self.out.push(',');
            }
            some = true;
            let key = self.rules.kept_key(&key).into_owned();
            self.quoted(&key);
            self.out.push(':');
            map.next_value_seed(self.again())?;
        }
        self.out.push('}');
        Ok(())
    }
}

/// An element of an array, with a comma before it if it is not the first.
struct Separated<'a> {
    some: bool,
    to: Compact<'a>,
}

impl<'de> DeserializeSeed<'de> for Separated<'_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        if self.some {
            self.to.out.push(',');
        }
        self.to.deserialize(json)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scalars_are_taken_as_they_are_written() {
        let text = |json| match of_scalar(json) {
            Some(Scalar::Text(text)) => text.into_owned(),
            _ => panic!("a text"),
        };
        assert_eq!(text(r#""plain""#), "plain");
        assert_eq!(text(r#""a\n\u00e9""#), "a\né");
        assert!(matches!(of_scalar("1.50"), Some(Scalar::Number("1.50"))));
        assert!(of_scalar("{}").is_none());
    }
}
