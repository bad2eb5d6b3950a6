//! Reading the JSON that clients write, straight out of a body.
//!
//! It takes only what well-made requests consist of and gives up at everything else: escapes in texts, numbers with a
//! fraction, structures written as lists. Then `serde_json` reads the body, and knows the reason where there is an
//! error; so this reader says none. The values that it takes it understands as `serde_json` does.

use std::fmt;

use headwater_shapes::Blob;
use memchr::memchr2;
use serde::de::{self, DeserializeSeed, Visitor};

use crate::limits::PLAIN_JSON_DEPTH;

/// The body is not for this reader, or no JSON at all.
#[derive(Debug)]
pub(super) struct NotPlain;

/// Reads values one behind the other.
pub(super) struct Reader<'de> {
    rest: &'de [u8],
    depth: usize,
    /// Whether the next text is a blob's: it is handed on as bytes, and its decoder sees whether it is base64.
    is_blob: bool,
}

/// Reads one value that is all of `body`.
pub(super) fn from_slice<'de, T: de::Deserialize<'de>>(body: &'de [u8]) -> Result<T, NotPlain> {
    let mut reader = Reader {
        rest: body,
        depth: 0,
        is_blob: false,
    };
    let value = T::deserialize(&mut reader)?;
    reader.skip_blanks();
    if reader.rest.is_empty() {
        Ok(value)
    } else {
        Err(NotPlain)
    }
}

impl<'de> Reader<'de> {
    fn skip_blanks(&mut self) {
        while let [b' ' | b'\n' | b'\t' | b'\r', rest @ ..] = self.rest {
            self.rest = rest;
        }
    }

    /// The first byte of what comes; it stays.
    fn peek(&mut self) -> Result<u8, NotPlain> {
        self.skip_blanks();
        self.rest.first().copied().ok_or(NotPlain)
    }

    fn take(&mut self, expected: u8) -> Result<(), NotPlain> {
        if self.peek()? != expected {
            return Err(NotPlain);
        }
        self.rest = &self.rest[1..];
        Ok(())
    }

    fn word(&mut self, word: &str) -> Result<(), NotPlain> {
        self.rest = self.rest.strip_prefix(word.as_bytes()).ok_or(NotPlain)?;
        Ok(())
    }

    /// The bytes of a text without escapes.
    fn text(&mut self) -> Result<&'de [u8], NotPlain> {
        self.take(b'"')?;
        let end = memchr2(b'"', b'\\', self.rest)
            .filter(|&end| self.rest[end] == b'"')
            .ok_or(NotPlain)?;
        let (text, rest) = self.rest.split_at(end);
        self.rest = &rest[1..];
        Ok(text)
    }

    /// An integer that is far from any bound, as `serde_json` gives it.
    fn integer<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, NotPlain> {
        const DIGITS_MAX: usize = 18;
        let is_negative = self.rest.first() == Some(&b'-');
        let unsigned = &self.rest[usize::from(is_negative)..];
        let len = unsigned
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        let (digits, rest) = unsigned.split_at(len);
        let has_fraction = matches!(rest.first(), Some(b'.' | b'e' | b'E'));
        if !(1..=DIGITS_MAX).contains(&len) || (len > 1 && digits[0] == b'0') || has_fraction {
            return Err(NotPlain);
        }
        self.rest = rest;
        let n = digits
            .iter()
            .fold(0, |n, digit| n * 10 + i64::from(digit - b'0'));
        match (is_negative, n) {
            // It is a fraction's zero, which has a sign.
            (true, 0) => Err(NotPlain),
            (true, n) => visitor.visit_i64(-n),
            (false, n) => visitor.visit_u64(n.unsigned_abs()),
        }
    }

    /// The members of a list, map or structure: all between its brackets.
    fn members<V>(
        &mut self,
        start: u8,
        end: u8,
        read: impl FnOnce(Members<'_, 'de>) -> Result<V, NotPlain>,
    ) -> Result<V, NotPlain> {
        self.take(start)?;
        self.depth += 1;
        if self.depth > PLAIN_JSON_DEPTH {
            return Err(NotPlain);
        }
        let value = read(Members {
            from: self,
            end,
            is_first: true,
        })?;
        self.depth -= 1;
        self.take(end)?;
        Ok(value)
    }
}

/// Texts and keys hold no control characters.
fn utf8(bytes: &[u8]) -> Result<&str, NotPlain> {
    let is_plain = bytes
        .iter()
        .fold(true, |plain, &byte| plain & (byte >= b' '));
    str::from_utf8(bytes)
        .ok()
        .filter(|_| is_plain)
        .ok_or(NotPlain)
}

impl<'de> de::Deserializer<'de> for &mut Reader<'de> {
    type Error = NotPlain;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, NotPlain> {
        match self.peek()? {
            b'"' if self.is_blob => visitor.visit_borrowed_bytes(self.text()?),
            b'"' => visitor.visit_borrowed_str(utf8(self.text()?)?),
            b'{' => self.members(b'{', b'}', |members| visitor.visit_map(members)),
            b'[' => self.members(b'[', b']', |members| visitor.visit_seq(members)),
            b't' => self.word("true").and_then(|()| visitor.visit_bool(true)),
            b'f' => self.word("false").and_then(|()| visitor.visit_bool(false)),
            b'n' => self.word("null").and_then(|()| visitor.visit_unit()),
            _ => self.integer(visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, NotPlain> {
        if self.peek()? == b'n' {
            self.word("null")?;
            return visitor.visit_none();
        }
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, NotPlain> {
        self.is_blob = name == Blob::TAG;
        let value = visitor.visit_newtype_struct(&mut *self);
        self.is_blob = false;
        value
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, NotPlain> {
        self.members(b'{', b'}', |members| visitor.visit_map(members))
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        seq tuple tuple_struct map enum identifier ignored_any
    }
}

/// The members of a list, map or structure that are yet to be read.
struct Members<'a, 'de> {
    from: &'a mut Reader<'de>,
    end: u8,
    is_first: bool,
}

impl Members<'_, '_> {
    fn more(&mut self) -> Result<bool, NotPlain> {
        if self.from.peek()? == self.end {
            return Ok(false);
        }
        if !std::mem::take(&mut self.is_first) {
            self.from.take(b',')?;
        }
        Ok(true)
    }
}

impl<'de> de::SeqAccess<'de> for Members<'_, 'de> {
    type Error = NotPlain;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, NotPlain> {
        if self.more()? {
            seed.deserialize(&mut *self.from).map(Some)
        } else {
            Ok(None)
        }
    }
}

impl<'de> de::MapAccess<'de> for Members<'_, 'de> {
    type Error = NotPlain;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, NotPlain> {
        if !self.more()? {
            return Ok(None);
        }
        if self.from.peek()? != b'"' {
            return Err(NotPlain);
        }
        seed.deserialize(&mut *self.from).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, NotPlain> {
        self.from.take(b':')?;
        seed.deserialize(&mut *self.from)
    }
}

impl fmt::Display for NotPlain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not plain JSON")
    }
}

impl std::error::Error for NotPlain {}

impl de::Error for NotPlain {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

#[cfg(test)]
mod tests {
    use headwater_shapes_kinesis::{GetRecordsInput, PutRecordsInput};
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    /// Whatever is taken here is taken by `serde_json`, and means the same there.
    fn agrees<T: de::DeserializeOwned + PartialEq + fmt::Debug>(body: &[u8]) -> bool {
        let Ok(plain) = from_slice::<T>(body) else {
            return false;
        };
        assert_eq!(
            Some(plain),
            serde_json::from_slice(body).ok(),
            "{}",
            String::from_utf8_lossy(body)
        );
        true
    }

    /// Pieces of JSON, put together without sense.
    fn shards_of_json() -> impl Strategy<Value = String> {
        let piece = prop::sample::select(vec![
            "{",
            "}",
            "[",
            "]",
            ",",
            ":",
            "\"",
            " ",
            "\n",
            "\\",
            "\\n",
            "\\u0041",
            "null",
            "true",
            "false",
            "0",
            "-",
            "1",
            "-0",
            "01",
            "9223372036854775807",
            "123456789012345678",
            "1.5",
            "1e3",
            "\"a\"",
            "\"\"",
            "\"ä\"",
            "\"\t\"",
            "\"Records\":",
            "\"Data\":",
            "\"YQ==\"",
            "\"YQ=\"",
            "\"PartitionKey\":",
            "\"StreamName\":",
            "\"DryRun\":",
        ]);
        prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn any_bytes_are_taken(body: Vec<u8>) {
            agrees::<Value>(&body);
            agrees::<PutRecordsInput>(&body);
        }

        #[test]
        fn what_resembles_json_means_what_it_means_to_serde_json(text in shards_of_json()) {
            agrees::<Value>(text.as_bytes());
            agrees::<PutRecordsInput>(text.as_bytes());
            agrees::<PutRecordsInput>(format!("{{\"Records\":[{text}]}}").as_bytes());
            agrees::<PutRecordsInput>(format!("{{\"Records\":[{{{text}}}]}}").as_bytes());
        }

        #[test]
        fn a_put_with_a_byte_changed_means_what_it_means_to_serde_json(at: prop::sample::Index, byte: u8) {
            let mut body = put().to_string().into_bytes();
            let at = at.index(body.len());
            body[at] = byte;
            agrees::<PutRecordsInput>(&body);
            agrees::<Value>(&body);
        }
    }

    fn put() -> Value {
        let record = json!({"Data": "QUJD", "PartitionKey": "ä", "ExplicitHashKey": "1"});
        json!({"Records": [record, record], "StreamName": "s", "DryRun": false, "Unknown": [1, null, {"a": -7}]})
    }

    #[test]
    fn what_clients_write_is_read_here() {
        assert!(agrees::<PutRecordsInput>(put().to_string().as_bytes()));
        assert!(agrees::<PutRecordsInput>(
            serde_json::to_string_pretty(&put()).unwrap().as_bytes()
        ));
        assert!(agrees::<GetRecordsInput>(
            br#"{"ShardIterator": "s", "Limit": 4, "Other": {"a": "b"}}"#
        ));
    }

    #[test]
    fn what_is_odd_is_left_to_others() {
        for odd in [
            r#"{"ShardIterator": "\u0073"}"#,
            r#"{"ShardIterator": "s", "Limit": 4.0}"#,
            r#"{"ShardIterator": "s"} x"#,
            r#"{"ShardIterator": "s",}"#,
            r#"["s"]"#,
            "{\"ShardIterator\": \"\u{1}\"}",
            "",
        ] {
            assert!(
                from_slice::<GetRecordsInput>(odd.as_bytes()).is_err(),
                "{odd}"
            );
        }
        let deep = format!(
            "{}{}",
            "[".repeat(PLAIN_JSON_DEPTH + 1),
            "]".repeat(PLAIN_JSON_DEPTH + 1)
        );
        assert!(from_slice::<Value>(deep.as_bytes()).is_err());
    }
}
