//! Whether values have the types of their shapes.

use base64::{Engine, engine::general_purpose::STANDARD};
use headwater_shapes::{Member, Shape, Structure, Tree};
use serde_json::{Map, Number, Value};

use crate::validate::{
    Raw,
    words::{Place, Words},
};

impl Words {
    /// A structure's members as the decoder takes them: unknown ones and nulls left out, numbers in the range of their
    /// types, blobs as base64, times as seconds. Fails with AWS's text.
    pub fn structure(
        self,
        raw: Raw,
        structure: &'static Structure,
        place: Place,
    ) -> Result<Map<String, Value>, String> {
        let Raw::Map(entries) = raw else {
            return Err(self.unfit(&raw, &Shape::Structure(structure), place));
        };
        let mut members = Map::new();
        for (key, raw) in entries {
            let member: Option<&Member> = structure.members.iter().find(|m| m.wire_name == key);
            if let Some(member) = member
                && raw != Raw::Null
            {
                members.insert(key, self.value(raw, member.shape, Place::Member)?);
            }
        }
        Ok(members)
    }

    fn value(self, raw: Raw, shape: &'static Shape, place: Place) -> Result<Value, String> {
        match (shape, raw) {
            (_, Raw::Null) => Ok(Value::Null),
            (Shape::String { .. }, Raw::Text(text)) => Ok(Value::String(text)),
            (Shape::Blob { .. }, Raw::Bytes(bytes)) => Ok(STANDARD.encode(bytes).into()),
            (Shape::Blob { .. }, Raw::Text(text)) => self.blob(text),
            (Shape::Integer { .. }, raw) if is_number(&raw) => {
                Ok(integer(&raw, i64::from(i32::MIN), i64::from(i32::MAX)))
            }
            (Shape::Long { .. }, raw) if is_number(&raw) => Ok(integer(&raw, i64::MIN, i64::MAX)),
            (
                Shape::Float { .. } | Shape::Double { .. } | Shape::Timestamp { .. },
                Raw::Integer(n),
            ) => Ok(n.into()),
            (Shape::Float { .. } | Shape::Double { .. }, Raw::Real(n)) => Ok(n.to_value()),
            (Shape::Float { .. } | Shape::Double { .. }, Raw::Text(text))
                if matches!(&*text, "NaN" | "Infinity" | "-Infinity") =>
            {
                Ok(text.into())
            }
            (Shape::Timestamp { .. }, Raw::Real(n)) => Ok(number(n)),
            (Shape::Timestamp { .. }, Raw::Millis(millis)) => Ok(number(millis / 1000.0)),
            (Shape::Boolean, Raw::Bool(b)) => Ok(b.into()),
            (Shape::Boolean, raw) => self.truth(&raw, shape, place),
            (Shape::List { member, .. }, Raw::List(values)) => {
                let values = values.into_iter();
                let values = values.map(|raw| self.value(raw, member, Place::Element));
                values.collect::<Result<_, _>>().map(Value::Array)
            }
            (Shape::Map { value, .. }, Raw::Map(entries)) => {
                let entries = entries
                    .into_iter()
                    .map(|(key, raw)| Ok((key, self.value(raw, value, Place::Element)?)));
                entries.collect::<Result<_, String>>().map(Value::Object)
            }
            (Shape::Document, raw) => Ok(document(raw)),
            (Shape::Structure(inner), raw) => self.structure(raw, inner, place).map(Value::Object),
            (shape, raw) => Err(self.unfit(&raw, shape, place)),
        }
    }

    fn truth(self, raw: &Raw, shape: &Shape, place: Place) -> Result<Value, String> {
        let text = match raw {
            Raw::Text(text) => text.to_uppercase(),
            _ => String::new(),
        };
        match text.as_str() {
            "TRUE" | "YES" | "1" => Ok(true.into()),
            "FALSE" | "NO" | "0" => Ok(false.into()),
            _ => Err(self.unfit(raw, shape, place)),
        }
    }

    fn blob(self, text: String) -> Result<Value, String> {
        let wrong = |why: &str| Err(self.no_blob(&text, why));
        if !text.len().is_multiple_of(4) {
            let len = text.len();
            return wrong(&format!(
                "Base64 encoded length is expected a multiple of 4 bytes but found: {len}"
            ));
        }
        let body = text.trim_end_matches('=');
        if let Some(c) = body.chars().find(|c| self.is_alien(*c)) {
            return wrong(&format!("Invalid Base64 character: '{c}'"));
        }
        if STANDARD.decode(&text).is_err() {
            // The word is AWS's.
            return wrong("Invalid last non-pad Base64 character dectected");
        }
        Ok(text.into())
    }
}

fn is_number(raw: &Raw) -> bool {
    matches!(raw, Raw::Integer(_) | Raw::Real(_))
}

/// A whole number in the range of its type.
fn integer(raw: &Raw, min: i64, max: i64) -> Value {
    let n = match raw {
        Raw::Integer(n) => *n,
        // A cast from float to integer cuts the fraction off and stops at the ends.
        Raw::Real(n) => *n as i64,
        _ => 0,
    };
    n.clamp(min, max).into()
}

fn document(raw: Raw) -> Value {
    match raw {
        Raw::Null => Value::Null,
        Raw::Bool(b) => b.into(),
        Raw::Integer(n) => n.into(),
        Raw::Real(n) | Raw::Millis(n) => number(n),
        Raw::Text(text) => text.into(),
        Raw::Bytes(bytes) => STANDARD.encode(bytes).into(),
        Raw::List(values) => values.into_iter().map(document).collect(),
        Raw::Map(entries) => {
            Value::Object(entries.into_iter().map(|(k, v)| (k, document(v))).collect())
        }
    }
}

/// A number; JSON has no infinities, so those of CBOR become the largest there is.
fn number(n: f64) -> Value {
    let n = if n.is_nan() {
        0.0
    } else {
        n.clamp(f64::MIN, f64::MAX)
    };
    Number::from_f64(n).map_or(Value::Null, Value::Number)
}
