//! Values as AWS's messages show them: as Java prints them.

use headwater_shapes::{Shape, Structure};
use serde_json::{Map, Value};

use crate::limits::SHOWN_BYTES;

/// `value` as Java prints it, or the beginning of that when it is very long.
pub(super) fn show(value: &Value, shape: &Shape) -> String {
    let mut text = render(value, shape);
    text.truncate(text.floor_char_boundary(SHOWN_BYTES));
    text
}

fn render(value: &Value, shape: &Shape) -> String {
    match (shape, value) {
        (_, Value::Null) => "null".to_owned(),
        (Shape::Blob { .. }, value) => {
            let len = blob_len(value);
            format!("java.nio.HeapByteBuffer[pos=0 lim={len} cap={len}]")
        }
        (_, Value::String(text)) => text.clone(),
        (Shape::List { member, .. }, Value::Array(values)) => {
            let values: Vec<String> = values.iter().map(|value| render(value, member)).collect();
            format!("[{}]", values.join(", "))
        }
        (Shape::Map { value: inner, .. }, Value::Object(entries)) => {
            let entries: Vec<String> = entries
                .iter()
                .map(|(k, v)| format!("{k}={}", render(v, inner)))
                .collect();
            format!("{{{}}}", entries.join(", "))
        }
        (Shape::Structure(structure), Value::Object(members)) => {
            render_structure(members, structure)
        }
        (_, value) => value.to_string(),
    }
}

/// `PutRecordsRequestEntry(data=…, explicitHashKey=null, partitionKey=a)`: all members, by name.
fn render_structure(members: &Map<String, Value>, structure: &Structure) -> String {
    let mut parts: Vec<(String, String)> = structure
        .members
        .iter()
        .map(|m| {
            (
                lower_first(m.name),
                render(members.get(m.wire_name).unwrap_or(&Value::Null), m.shape),
            )
        })
        .collect();
    parts.sort();
    let parts: Vec<String> = parts
        .into_iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    format!("{}({})", structure.name, parts.join(", "))
}

/// The number of bytes behind a base64 text that is known to be valid.
pub(super) fn blob_len(value: &Value) -> usize {
    let text = value.as_str().unwrap_or_default();
    text.trim_end_matches('=').len() * 3 / 4
}

/// `StreamName` → `streamName`, as messages name members.
pub(super) fn lower_first(name: &str) -> String {
    let mut chars = name.chars();
    chars.next().map_or_else(String::new, |first| {
        first.to_ascii_lowercase().to_string() + chars.as_str()
    })
}
