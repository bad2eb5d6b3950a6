//! Whether values have the types of their shapes. AWS's words for what has not are as recorded by kinesalite's tests.

use base64::{Engine, engine::general_purpose::STANDARD};
use headwater_shapes::{Member, Shape, Structure};
use serde_json::{Map, Number, Value};

use crate::validate::Raw;

const LIST_HERE: &str = "Start of list found where not expected";
const MAP_HERE: &str = "Start of structure or map found where not expected.";

/// A structure's members as the decoder takes them: unknown ones and nulls left out, numbers in the range of their
/// types, blobs as base64, times as seconds. Fails with AWS's text.
pub(super) fn structure(raw: Raw, structure: &Structure) -> Result<Map<String, Value>, String> {
    let entries = match raw {
        Raw::Map(entries) => entries,
        Raw::List(_) => return Err(LIST_HERE.to_owned()),
        _ => return Err("Expected null".to_owned()),
    };
    let mut members = Map::new();
    for (key, raw) in entries {
        let member: Option<&Member> = structure.members.iter().find(|m| m.wire_name == key);
        if let Some(member) = member
            && raw != Raw::Null
        {
            members.insert(key, value(raw, member.shape)?);
        }
    }
    Ok(members)
}

fn value(raw: Raw, shape: &Shape) -> Result<Value, String> {
    match shape {
        _ if raw == Raw::Null => Ok(Value::Null),
        Shape::String { .. } => string(raw),
        Shape::Blob { .. } => blob(raw),
        Shape::Integer { .. } => integer(raw, "Integer", i64::from(i32::MIN), i64::from(i32::MAX)),
        Shape::Long { .. } => integer(raw, "Long", i64::MIN, i64::MAX),
        Shape::Float { .. } => real(raw, "Float"),
        Shape::Double { .. } => real(raw, "Double"),
        Shape::Boolean => boolean(raw),
        Shape::Timestamp { .. } => timestamp(raw),
        Shape::List { member, .. } => list(raw, member),
        Shape::Map { value, .. } => map(raw, value),
        Shape::Document => Ok(document(raw)),
        Shape::Structure(inner) => structure(raw, inner).map(Value::Object),
    }
}

fn string(raw: Raw) -> Result<Value, String> {
    match raw {
        Raw::Text(text) => Ok(Value::String(text)),
        other => Err(not_a(other, "an String")),
    }
}

fn integer(raw: Raw, name: &str, min: i64, max: i64) -> Result<Value, String> {
    match raw {
        Raw::Integer(n) => Ok(n.clamp(min, max).into()),
        // A cast from float to integer cuts the fraction off and stops at the ends.
        Raw::Real(n) => Ok((n as i64).clamp(min, max).into()),
        other => Err(not_a(other, &format!("an {name}"))),
    }
}

fn real(raw: Raw, name: &str) -> Result<Value, String> {
    match raw {
        Raw::Integer(n) => Ok(n.into()),
        Raw::Real(n) => Ok(number(n)),
        other => Err(not_a(other, &format!("an {name}"))),
    }
}

fn boolean(raw: Raw) -> Result<Value, String> {
    match raw {
        Raw::Bool(b) => Ok(b.into()),
        Raw::Text(text) => match text.to_uppercase().as_str() {
            "TRUE" | "YES" | "1" => Ok(true.into()),
            "FALSE" | "NO" | "0" => Ok(false.into()),
            text => Err(format!("'{text}' can not be converted to an Boolean")),
        },
        other => Err(not_a(other, "an Boolean")),
    }
}

fn timestamp(raw: Raw) -> Result<Value, String> {
    match raw {
        Raw::Integer(seconds) => Ok(seconds.into()),
        Raw::Real(seconds) => Ok(number(seconds)),
        Raw::Millis(millis) => Ok(number(millis / 1000.0)),
        other => Err(not_a(other, "milliseconds since epoch")),
    }
}

fn blob(raw: Raw) -> Result<Value, String> {
    let text = match raw {
        Raw::Bytes(bytes) => return Ok(STANDARD.encode(bytes).into()),
        Raw::Text(text) => text,
        other => return Err(not_a(other, "a Blob")),
    };
    let wrong = |why: String| Err(format!("'{text}' can not be converted to a Blob: {why}"));
    if text.len() % 4 != 0 {
        let len = text.len();
        return wrong(format!(
            "Base64 encoded length is expected a multiple of 4 bytes but found: {len}"
        ));
    }
    let body = text.trim_end_matches('=');
    let alien = |c: &char| !c.is_ascii_alphanumeric() && *c != '+' && *c != '/';
    if let Some(c) = body.chars().find(alien) {
        return wrong(format!("Invalid Base64 character: '{c}'"));
    }
    if STANDARD.decode(&text).is_err() {
        // The word is AWS's.
        return wrong("Invalid last non-pad Base64 character dectected".to_owned());
    }
    Ok(text.into())
}

fn list(raw: Raw, member: &Shape) -> Result<Value, String> {
    match raw {
        Raw::List(values) => values
            .into_iter()
            .map(|raw| value(raw, member))
            .collect::<Result<_, _>>()
            .map(Value::Array),
        Raw::Map(_) => Err(MAP_HERE.to_owned()),
        _ => Err("Expected list or null".to_owned()),
    }
}

fn map(raw: Raw, shape: &Shape) -> Result<Value, String> {
    match raw {
        Raw::Map(entries) => {
            let entries = entries
                .into_iter()
                .map(|(key, raw)| Ok((key, value(raw, shape)?)));
            entries.collect::<Result<_, String>>().map(Value::Object)
        }
        Raw::List(_) => Err(LIST_HERE.to_owned()),
        _ => Err("Expected map or null".to_owned()),
    }
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

/// AWS's text for a value of another type than `kind`, which has its article with it.
fn not_a(raw: Raw, kind: &str) -> String {
    let class = match raw {
        Raw::List(_) => return LIST_HERE.to_owned(),
        Raw::Map(_) => return MAP_HERE.to_owned(),
        Raw::Bool(_) => "java.lang.Boolean",
        Raw::Text(_) => "java.lang.String",
        Raw::Bytes(_) => "java.nio.HeapByteBuffer",
        Raw::Null | Raw::Integer(_) | Raw::Real(_) | Raw::Millis(_) => {
            "com.amazon.coral.value.json.numbers.TruncatingBigNumber"
        }
    };

    format!("class {class} can not be converted to {kind}")
}
