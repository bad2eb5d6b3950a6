//! Reading the JSON that clients write, straight out of a body.
//!
//! It takes what well-made requests consist of; the rare forms of texts and numbers `serde_json` reads for it, one by
//! one, so that all values mean what they mean to that. Structures written as lists it refuses, as AWS does, though the
//! derived readers would take them. It says no reason: what it refuses is read anew as a tree, which knows it.

use std::fmt;

use headwater_shapes::Blob;
use memchr::memchr2;
use serde::de::{self, DeserializeSeed, Visitor};

use crate::limits::JSON_DEPTH;

/// The body is no JSON, or none of this type.
#[derive(Debug)]
pub(super) struct Refused;

/// Reads values one behind the other.
pub(super) struct Reader<'de> {
    rest: &'de [u8],
    depth: usize,
    /// Whether the next text is a blob's: it is handed on as bytes, and its decoder sees whether it is base64.
    is_blob: bool,
}

/// Reads one value that is all of `body`.
pub(super) fn from_slice<'de, T: de::Deserialize<'de>>(body: &'de [u8]) -> Result<T, Refused> {
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
        Err(Refused)
    }
}

impl<'de> Reader<'de> {
    fn skip_blanks(&mut self) {
        while let [b' ' | b'\n' | b'\t' | b'\r', rest @ ..] = self.rest {
            self.rest = rest;
        }
    }

    /// The first byte of what comes; it stays.
    fn peek(&mut self) -> Result<u8, Refused> {
        self.skip_blanks();
        self.rest.first().copied().ok_or(Refused)
    }

    fn take(&mut self, expected: u8) -> Result<(), Refused> {
        if self.peek()? != expected {
            return Err(Refused);
        }
        self.rest = &self.rest[1..];
        Ok(())
    }

    fn word(&mut self, word: &str) -> Result<(), Refused> {
        self.rest = self.rest.strip_prefix(word.as_bytes()).ok_or(Refused)?;
        Ok(())
    }

    /// A text.
    fn text<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, Refused> {
        let quoted = self.rest;
        self.take(b'"')?;
        let end = memchr2(b'"', b'\\', self.rest).ok_or(Refused)?;
        if self.rest[end] == b'\\' {
            return self.text_with_escapes(quoted, end, visitor);
        }
        let (text, rest) = self.rest.split_at(end);
        self.rest = &rest[1..];
        match self.is_blob {
            true => visitor.visit_borrowed_bytes(text),
            false => visitor.visit_borrowed_str(utf8(text)?),
        }
    }

    /// A text in quotes whose first escape stands at `at` behind the first quote.
    #[cold]
    fn text_with_escapes<V: Visitor<'de>>(
        &mut self,
        quoted: &'de [u8],
        mut at: usize,
        visitor: V,
    ) -> Result<V::Value, Refused> {
        while self.rest[at] == b'\\' {
            let behind = at + 2;
            let more = self.rest.get(behind..).ok_or(Refused)?;
            at = behind + memchr2(b'"', b'\\', more).ok_or(Refused)?;
        }
        self.rest = &self.rest[at + 1..];
        let quoted = &quoted[..quoted.len() - self.rest.len()];
        let text: String = serde_json::from_slice(quoted).map_err(|_| Refused)?;
        visitor.visit_string(text)
    }

    /// A number in any form.
    #[cold]
    fn rare_number<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, Refused> {
        let in_number = |byte: &u8| matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E');
        let len = self.rest.iter().take_while(|byte| in_number(byte)).count();
        let (number, rest) = self.rest.split_at(len);
        let number: serde_json::Number = serde_json::from_slice(number).map_err(|_| Refused)?;
        self.rest = rest;
        match (number.as_u64(), number.as_i64(), number.as_f64()) {
            (Some(n), _, _) => visitor.visit_u64(n),
            (None, Some(n), _) => visitor.visit_i64(n),
            (None, None, Some(n)) => visitor.visit_f64(n),
            (None, None, None) => Err(Refused),
        }
    }

    /// A number; an integer that is far from any bound is read here.
    fn number<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, Refused> {
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
            return self.rare_number(visitor);
        }
        let n = digits
            .iter()
            .fold(0, |n, digit| n * 10 + i64::from(digit - b'0'));
        if is_negative && n == 0 {
            // It is a fraction's zero, which has a sign.
            return self.rare_number(visitor);
        }
        self.rest = rest;
        match (is_negative, n) {
            (true, n) => visitor.visit_i64(-n),
            (false, n) => visitor.visit_u64(n.unsigned_abs()),
        }
    }

    /// The members of a list, map or structure: all between its brackets.
    fn members<V>(
        &mut self,
        start: u8,
        end: u8,
        read: impl FnOnce(Members<'_, 'de>) -> Result<V, Refused>,
    ) -> Result<V, Refused> {
        self.take(start)?;
        self.depth += 1;
        if self.depth > JSON_DEPTH {
            return Err(Refused);
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
fn utf8(bytes: &[u8]) -> Result<&str, Refused> {
    let is_plain = bytes
        .iter()
        .fold(true, |plain, &byte| plain & (byte >= b' '));
    str::from_utf8(bytes)
        .ok()
        .filter(|_| is_plain)
        .ok_or(Refused)
}

impl<'de> de::Deserializer<'de> for &mut Reader<'de> {
    type Error = Refused;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        match self.peek()? {
            b'"' => self.text(visitor),
            b'{' => self.members(b'{', b'}', |members| visitor.visit_map(members)),
            b'[' => self.members(b'[', b']', |members| visitor.visit_seq(members)),
            b't' => self.word("true").and_then(|()| visitor.visit_bool(true)),
            b'f' => self.word("false").and_then(|()| visitor.visit_bool(false)),
            b'n' => self.word("null").and_then(|()| visitor.visit_unit()),
            _ => self.number(visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
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
    ) -> Result<V::Value, Refused> {
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
    ) -> Result<V::Value, Refused> {
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
    fn more(&mut self) -> Result<bool, Refused> {
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
    type Error = Refused;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Refused> {
        if self.more()? {
            seed.deserialize(&mut *self.from).map(Some)
        } else {
            Ok(None)
        }
    }
}

impl<'de> de::MapAccess<'de> for Members<'_, 'de> {
    type Error = Refused;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Refused> {
        if !self.more()? {
            return Ok(None);
        }
        if self.from.peek()? != b'"' {
            return Err(Refused);
        }
        seed.deserialize(&mut *self.from).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Refused> {
        self.from.take(b':')?;
        seed.deserialize(&mut *self.from)
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no JSON of this type")
    }
}

impl std::error::Error for Refused {}

impl de::Error for Refused {
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

    /// Whatever is taken here is taken by `serde_json`, and means the same there. Gives whether it was taken.
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
            "1e999",
            "-1.5",
            "18446744073709551616",
            "\"\\u0041\"",
            "\"\\ud83d\\ude00\"",
            "\"\\",
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
    fn rare_forms_of_texts_and_numbers_are_read_too() {
        assert!(agrees::<GetRecordsInput>(
            br#"{"Shard\u0049terator": "\u0073\\\"\ud83d\ude00", "Other": "\n"}"#
        ));
        assert!(agrees::<PutRecordsInput>(
            br#"{"Records": [{"Data": "Q\u0055I=", "PartitionKey": "\/"}]}"#
        ));
        assert!(agrees::<Value>(
            b"[-0, 0.5, 1e3, -1.25E-2, 18446744073709551615, -9223372036854775808]"
        ));
        assert!(!agrees::<Value>(b"[1e999]"));
        for structure in [r#"["s"]"#, r#"{"Records": [["YQ==", null, "k"]]}"#] {
            assert!(from_slice::<PutRecordsInput>(structure.as_bytes()).is_err());
        }
    }

    #[test]
    fn what_is_no_json_of_the_type_is_refused() {
        for odd in [
            r#"{"ShardIterator": "s"} x"#,
            r#"{"ShardIterator": "s",}"#,
            r#"["s"]"#,
            "{\"ShardIterator\": \"\u{1}\"}",
            r#"{"ShardIterator": "\ud800"}"#,
            r#"{"ShardIterator": "\q"}"#,
            r#"{"ShardIterator": "\""#,
            r#"{"ShardIterator": "\"#,
            r#"{"ShardIterator": "s", "Limit": 1.}"#,
            r#"{"ShardIterator": "s", "Limit": 1-1}"#,
            "",
        ] {
            assert!(
                from_slice::<GetRecordsInput>(odd.as_bytes()).is_err(),
                "{odd}"
            );
        }
        let deep = format!(
            "{}{}",
            "[".repeat(JSON_DEPTH + 1),
            "]".repeat(JSON_DEPTH + 1)
        );
        assert!(from_slice::<Value>(deep.as_bytes()).is_err());
    }
}
