//! Writing a tree as CBOR after its shape: base64 becomes bytes, seconds become tagged times.

use base64::{Engine, engine::general_purpose::STANDARD};
use headwater_shapes::{Shape, Structure, Value};
use minicbor::{data::Tag, encode::Encoder};
use serde_json::Map;

use crate::cbor::Times;

/// The tag of times.
const TIME: u64 = 1;

/// The reason that writing cannot fail.
const TAKES_ALL: &str = "a Vec takes all bytes";

/// A structure as CBOR.
pub(crate) fn write_tree(tree: &Value, structure: &Structure, times: Times) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut writer = Writer {
        to: Encoder::new(&mut bytes),
        times,
    };
    match tree {
        Value::Object(members) => writer.structure(members, structure),
        _ => writer.structure(&Map::new(), structure),
    }
    .expect(TAKES_ALL);
    bytes
}

struct Writer<'a> {
    to: Encoder<&'a mut Vec<u8>>,
    times: Times,
}

type Written = Result<(), minicbor::encode::Error<std::convert::Infallible>>;

impl Writer<'_> {
    fn structure(&mut self, members: &Map<String, Value>, structure: &Structure) -> Written {
        self.to.map(members.len() as u64)?;
        for (name, value) in members {
            self.to.str(name)?;
            let member = structure.members.iter().find(|m| m.wire_name == name);
            self.value(
                value,
                member.map_or(&Shape::Document, |member| member.shape),
            )?;
        }
        Ok(())
    }

    fn value(&mut self, value: &Value, shape: &Shape) -> Written {
        match (shape, value) {
            (Shape::Structure(structure), Value::Object(members)) => {
                self.structure(members, structure)
            }
            (Shape::List { member, .. }, Value::Array(values)) => self.list(values, member),
            (Shape::Map { value, .. }, Value::Object(entries)) => self.map(entries, value),
            (Shape::Blob { .. }, Value::String(text)) => self
                .to
                .bytes(&STANDARD.decode(text).unwrap_or_default())
                .map(drop),
            (Shape::Timestamp { .. }, Value::Number(seconds)) => {
                self.time(seconds.as_f64().unwrap_or_default())
            }
            (Shape::Float { .. } | Shape::Double { .. }, Value::Number(number)) => {
                self.to.f64(number.as_f64().unwrap_or_default()).map(drop)
            }
            (Shape::Float { .. } | Shape::Double { .. }, Value::String(text)) => {
                self.to.f64(text.parse().unwrap_or(f64::NAN)).map(drop)
            }
            (_, value) => self.plain(value),
        }
    }

    fn time(&mut self, seconds: f64) -> Written {
        self.to.tag(Tag::new(TIME))?;
        match self.times {
            Times::Seconds => self.to.f64(seconds).map(drop),
            Times::Milliseconds => self.to.i64((seconds * 1000.0).round() as i64).map(drop),
        }
    }

    fn list(&mut self, values: &[Value], shape: &Shape) -> Written {
        self.to.array(values.len() as u64)?;
        values.iter().try_for_each(|value| self.value(value, shape))
    }

    fn map(&mut self, entries: &Map<String, Value>, shape: &Shape) -> Written {
        self.to.map(entries.len() as u64)?;
        entries.iter().try_for_each(|(key, value)| {
            self.to.str(key)?;
            self.value(value, shape)
        })
    }

    /// A value that looks the same whatever its shape.
    fn plain(&mut self, value: &Value) -> Written {
        match value {
            Value::Null => self.to.null().map(drop),
            Value::Bool(value) => self.to.bool(*value).map(drop),
            Value::Number(number) => match (number.as_i64(), number.as_u64()) {
                (Some(number), _) => self.to.i64(number).map(drop),
                (None, Some(number)) => self.to.u64(number).map(drop),
                (None, None) => self.to.f64(number.as_f64().unwrap_or_default()).map(drop),
            },
            Value::String(text) => self.to.str(text).map(drop),
            Value::Array(values) => self.list(values, &Shape::Document),
            Value::Object(entries) => self.map(entries, &Shape::Document),
        }
    }
}

#[cfg(test)]
mod tests {
    use headwater_shapes::{Member, Timestamp, Tree, optional};
    use serde_json::json;

    use super::*;
    use crate::{cbor, validate::Raw};

    static TIME: Shape = Shape::Timestamp { format: None };
    static BLOB: Shape = Shape::Blob {
        min: None,
        max: None,
        streaming: false,
    };
    static BLOBS: Shape = Shape::List {
        member: &BLOB,
        member_name: "member",
        flattened: false,
        min: None,
        max: None,
    };
    static MEMBERS: [Member; 2] = [optional("At", &TIME), optional("Blobs", &BLOBS)];
    static STRUCTURE: Structure = Structure {
        name: "S",
        members: &MEMBERS,
        payload: None,
        union: false,
    };

    #[test]
    fn times_and_bytes_are_written_as_such() {
        let tree = json!({"At": Timestamp(1500).to_value(), "Blobs": ["YQ=="], "More": [1, null]});
        for times in [Times::Milliseconds, Times::Seconds] {
            let bytes = write_tree(&tree, &STRUCTURE, times);
            let expected = Raw::Map(vec![
                ("At".to_owned(), Raw::Millis(1500.0)),
                (
                    "Blobs".to_owned(),
                    Raw::List(vec![Raw::Bytes(b"a".to_vec())]),
                ),
                (
                    "More".to_owned(),
                    Raw::List(vec![Raw::Integer(1), Raw::Null]),
                ),
            ]);
            assert_eq!(
                cbor::read_raw(&bytes, times).unwrap(),
                expected,
                "{times:?}"
            );
        }
    }

    #[test]
    fn whole_seconds_of_rpc_v2_are_seconds() {
        // {"At": 1(2)}
        let bytes = b"\xbf\x62At\xc1\x02\xff";
        let read = |times| cbor::read_raw(bytes, times).unwrap();
        let at = |millis| Raw::Map(vec![("At".to_owned(), Raw::Millis(millis))]);
        assert_eq!(
            (read(Times::Seconds), read(Times::Milliseconds)),
            (at(2000.0), at(2.0))
        );
    }
}
