//! Writing JSON straight into bytes.
//!
//! The same JSON as `serde_json` writes, to which all that is rare is left: numbers with a fraction, texts with
//! something to escape. The values that answers are full of are written here: base64 goes from a record to its place
//! in the answer in one step, and is not searched for characters to escape, of which it has none.

use headwater_env::buffers;
use headwater_shapes::Blob;
use serde::{Serialize, ser};
use serde_json::Error;

use crate::limits::ANSWER_AHEAD_BYTES;

/// Elements of a list are like each other: room is made for so large a part of them more than the first would take.
const LIKE_IT_MORE: usize = 16;

/// Writes to the end of `out`.
pub(super) struct Serializer<'a> {
    out: &'a mut Vec<u8>,
    /// Whether the bytes that come next are a blob's.
    is_blob: bool,
}

/// A list, map or structure that is being written.
pub(super) struct Members<'a> {
    out: &'a mut Vec<u8>,
    is_first: bool,
    /// How many more elements a list has, where it says so and has none yet.
    announced: usize,
    /// The byte that closes it: `]` or `}`.
    end: u8,
}

impl<'a> Serializer<'a> {
    pub(super) fn new(out: &'a mut Vec<u8>) -> Self {
        Self {
            out,
            is_blob: false,
        }
    }

    /// A value of a rare kind, which is left to `serde_json`.
    fn other(self, value: impl Serialize) -> Result<(), Error> {
        serde_json::to_writer(self.out, &value)
    }

    /// A text that [`is_plain`].
    fn plain(self, text: &str) {
        self.out.reserve(text.len() + 2);
        self.out.push(b'"');
        self.out.extend_from_slice(text.as_bytes());
        self.out.push(b'"');
    }

    fn members(self, start: u8, end: u8) -> Members<'a> {
        self.out.push(start);
        Members {
            out: self.out,
            is_first: true,
            announced: 0,
            end,
        }
    }
}

/// Whether a text stands in JSON as it is. Without a branch a byte, so that it is done many bytes at a time.
fn is_plain(text: &str) -> bool {
    let special =
        |byte: u8| u8::from(byte < b' ') | u8::from(byte == b'"') | u8::from(byte == b'\\');
    text.bytes().fold(0, |found, byte| found | special(byte)) == 0
}

/// Scalars that `serde_json` writes.
macro_rules! rarely {
    ($($method:ident: $type:ty),* $(,)?) => {
        $(fn $method(self, value: $type) -> Result<(), Error> {
            self.other(value)
        })*
    };
}

impl<'a> ser::Serializer for Serializer<'a> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Members<'a>;
    type SerializeTuple = Members<'a>;
    type SerializeTupleStruct = ser::Impossible<(), Error>;
    type SerializeTupleVariant = ser::Impossible<(), Error>;
    type SerializeMap = Members<'a>;
    type SerializeStruct = Members<'a>;
    type SerializeStructVariant = ser::Impossible<(), Error>;

    rarely! {
        serialize_bool: bool, serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64,
        serialize_i128: i128, serialize_u8: u8, serialize_u16: u16, serialize_u32: u32, serialize_u64: u64,
        serialize_u128: u128, serialize_f32: f32, serialize_f64: f64, serialize_char: char,
    }

    fn serialize_str(self, text: &str) -> Result<(), Error> {
        if !is_plain(text) {
            return self.other(text);
        }
        self.plain(text);
        Ok(())
    }

    fn serialize_bytes(self, bytes: &[u8]) -> Result<(), Error> {
        if !self.is_blob {
            return self.other(bytes);
        }
        self.out.push(b'"');
        Blob::write_base64(bytes, self.out);
        self.out.push(b'"');
        Ok(())
    }

    fn serialize_none(self) -> Result<(), Error> {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Error> {
        self.out.extend_from_slice(b"null");
        Ok(())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Error> {
        self.serialize_unit()
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<(), Error> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &str,
        value: &T,
    ) -> Result<(), Error> {
        value.serialize(Self {
            is_blob: name == Blob::TAG,
            ..self
        })
    }

    fn is_human_readable(&self) -> bool {
        !self.is_blob
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<(), Error> {
        Err(no_form(name))
    }

    fn serialize_seq(self, len: Option<usize>) -> Result<Members<'a>, Error> {
        Ok(Members {
            announced: len.unwrap_or(0),
            ..self.members(b'[', b']')
        })
    }

    fn serialize_tuple(self, _: usize) -> Result<Members<'a>, Error> {
        self.serialize_seq(None)
    }

    fn serialize_tuple_struct(
        self,
        name: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleStruct, Error> {
        Err(no_form(name))
    }

    fn serialize_tuple_variant(
        self,
        name: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, Error> {
        Err(no_form(name))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Members<'a>, Error> {
        Ok(self.members(b'{', b'}'))
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Members<'a>, Error> {
        Ok(self.members(b'{', b'}'))
    }

    fn serialize_struct_variant(
        self,
        name: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, Error> {
        Err(no_form(name))
    }
}

/// AWS has no enumerations with members, and no tuples with names.
fn no_form(name: &str) -> Error {
    ser::Error::custom(format_args!("{name} has no form in JSON"))
}

impl Members<'_> {
    fn member(&mut self) -> Serializer<'_> {
        if !std::mem::take(&mut self.is_first) {
            self.out.push(b',');
        }
        Serializer::new(self.out)
    }

    /// Behind the first element, which began at `at`: makes room for all others at once, if they are like it. To grow
    /// by doubling would copy a page of records once more.
    fn make_room(&mut self, at: usize) {
        let others = std::mem::take(&mut self.announced).saturating_sub(1);
        if others > 0 {
            let like_it = (self.out.len() - at).saturating_mul(others);
            let room = like_it
                .saturating_add(like_it / LIKE_IT_MORE)
                .min(ANSWER_AHEAD_BYTES);
            buffers::reserve(self.out, room);
        }
    }

    fn close(self) -> Result<(), Error> {
        self.out.push(self.end);
        Ok(())
    }
}

impl ser::SerializeSeq for Members<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        let at = self.out.len();
        value.serialize(self.member())?;
        self.make_room(at);
        Ok(())
    }

    fn end(self) -> Result<(), Error> {
        self.close()
    }
}

impl ser::SerializeTuple for Members<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        value.serialize(self.member())
    }

    fn end(self) -> Result<(), Error> {
        self.close()
    }
}

impl ser::SerializeMap for Members<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Error> {
        let to = self.member();
        let at = to.out.len();
        key.serialize(Serializer::new(&mut *to.out))?;
        if to.out.get(at) == Some(&b'"') {
            Ok(())
        } else {
            Err(no_form("a key that is not text"))
        }
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.out.push(b':');
        value.serialize(Serializer::new(self.out))
    }

    fn end(self) -> Result<(), Error> {
        self.close()
    }
}

impl ser::SerializeStruct for Members<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        debug_assert!(is_plain(name), "names come from the models: {name}");
        self.member().plain(name);
        self.out.push(b':');
        value.serialize(Serializer::new(self.out))
    }

    fn end(self) -> Result<(), Error> {
        self.close()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use headwater_shapes::Timestamp;
    use headwater_shapes_kinesis::Record;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn written(value: &impl Serialize) -> String {
        let mut out = Vec::new();
        value.serialize(Serializer::new(&mut out)).unwrap();
        String::from_utf8(out).unwrap()
    }

    /// Any tree of JSON, `levels` deep.
    fn tree() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::btree_map(any::<String>(), inner, 0..5)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn trees_are_written_as_serde_json_writes_them(tree in tree()) {
            prop_assert_eq!(written(&tree), serde_json::to_string(&tree).unwrap());
        }

        #[test]
        fn records_are_written_as_serde_json_writes_them(
            data: Vec<u8>,
            key: Option<String>,
            sequence_number: String,
            millis: Option<i64>,
        ) {
            let record = Record {
                sequence_number,
                approximate_arrival_timestamp: millis.map(Timestamp),
                data: data.into(),
                partition_key: key,
                encryption_type: None,
            };
            let records = vec![record.clone(), record];
            prop_assert_eq!(written(&records), serde_json::to_string(&records).unwrap());
        }
    }

    #[test]
    fn room_for_a_list_is_made_at_its_first_element() {
        let mut out = Vec::with_capacity(512);
        vec!["a".repeat(1000); 1300]
            .serialize(Serializer::new(&mut out))
            .unwrap();
        assert!(
            out.capacity() < out.len() + out.len() / 8,
            "{} for {}",
            out.capacity(),
            out.len()
        );
        let mut out = Vec::new();
        let uneven: Vec<String> = (0..1000)
            .map(|i| "a".repeat(if i % 2 == 0 { 100_000 } else { 0 }))
            .collect();
        uneven.serialize(Serializer::new(&mut out)).unwrap();
        assert!(
            out.capacity() <= 2 * out.len(),
            "{} for {}",
            out.capacity(),
            out.len()
        );
    }

    #[test]
    fn what_has_no_form_is_refused() {
        #[derive(Serialize)]
        enum Either {
            One(u8),
        }
        let mut out = Vec::new();
        assert!(Either::One(1).serialize(Serializer::new(&mut out)).is_err());
        assert!(
            BTreeMap::from([(1, 2)])
                .serialize(Serializer::new(&mut out))
                .is_err()
        );
        assert_eq!(written(&(1, "a", ())), json!([1, "a", null]).to_string());
    }
}
