//! AWS's words for values that have not the types of their shapes. Those of most services are as recorded by kinesalite's
//! tests, DynamoDB's by dynalite's.

use headwater_shapes::{Service, Shape};

use crate::{dynamo, validate::Raw};

const LIST_HERE: &str = "Start of list found where not expected";
const MAP_HERE: &str = "Start of structure or map found where not expected.";

/// Whose words they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Words {
    Common,
    Dynamo,
}

/// The place of a value: DynamoDB has other words for what stands in lists and maps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Member,
    Element,
}

impl Words {
    pub fn of(service: &Service) -> Self {
        match dynamo::is_meant(service) {
            true => Self::Dynamo,
            false => Self::Common,
        }
    }

    /// The words for a value of another type than its shape has.
    pub fn unfit(self, raw: &Raw, shape: &Shape, place: Place) -> String {
        match self {
            Self::Common => common(raw, shape),
            Self::Dynamo => dynamos(raw, shape, place),
        }
    }

    /// Whether a character has no place in base64. DynamoDB tells of padding that stands elsewhere in other words.
    pub fn is_alien(self, c: char) -> bool {
        let is_padding = self == Self::Dynamo && c == '=';
        !c.is_ascii_alphanumeric() && !matches!(c, '+' | '/') && !is_padding
    }

    /// The words for a text that is no base64.
    pub fn no_blob(self, text: &str, why: &str) -> String {
        match self {
            Self::Common => format!("'{text}' can not be converted to a Blob: {why}"),
            Self::Dynamo => why.to_owned(),
        }
    }
}

fn common(raw: &Raw, shape: &Shape) -> String {
    match shape {
        Shape::String { .. } => not_a(raw, "an String"),
        Shape::Integer { .. } => not_a(raw, "an Integer"),
        Shape::Long { .. } => not_a(raw, "an Long"),
        Shape::Float { .. } => not_a(raw, "an Float"),
        Shape::Double { .. } => not_a(raw, "an Double"),
        Shape::Timestamp { .. } => not_a(raw, "milliseconds since epoch"),
        Shape::Blob { .. } => not_a(raw, "a Blob"),
        Shape::Boolean => match raw {
            Raw::Text(text) => {
                format!(
                    "'{}' can not be converted to an Boolean",
                    text.to_uppercase()
                )
            }
            _ => not_a(raw, "an Boolean"),
        },
        Shape::List { .. } if matches!(raw, Raw::Map(_)) => MAP_HERE.to_owned(),
        Shape::List { .. } => "Expected list or null".to_owned(),
        _ if matches!(raw, Raw::List(_)) => LIST_HERE.to_owned(),
        Shape::Map { .. } => "Expected map or null".to_owned(),
        Shape::Document | Shape::Structure(_) => "Expected null".to_owned(),
    }
}

/// The text for a value of another type than `kind`, which has its article with it.
fn not_a(raw: &Raw, kind: &str) -> String {
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

fn dynamos(raw: &Raw, shape: &Shape, place: Place) -> String {
    match (raw, shape) {
        (Raw::Map(_), _) => MAP_HERE.trim_end_matches('.').to_owned(),
        (Raw::List(_), Shape::Map { .. }) => {
            format!("Unrecognized collection type {}", class(shape))
        }
        (Raw::List(_), _) => format!("Unrecognized collection type class {}", class(shape)),
        (_, Shape::List { .. } | Shape::Map { .. }) if place == Place::Element => {
            let (generic, plain) = (
                "sun.reflect.generics.reflectiveObjects.ParameterizedTypeImpl",
                "java.lang.Class",
            );
            format!(
                "class {generic} cannot be cast to class {plain} ({generic} and {plain} are in module java.base of loader \
                 'bootstrap')"
            )
        }
        (_, Shape::Structure(_)) if place == Place::Element => {
            "Unexpected value type in payload".to_owned()
        }
        (_, Shape::List { .. } | Shape::Map { .. } | Shape::Structure(_)) => {
            "Unexpected field type".to_owned()
        }
        (_, Shape::Blob { .. }) => {
            "only base-64-encoded strings are convertible to bytes".to_owned()
        }
        (Raw::Text(_), Shape::Boolean) => "Unexpected token received from parser".to_owned(),
        (raw, shape) => {
            let class = class(shape);
            let kind = class.rsplit('.').next().unwrap_or_default();
            format!("{} cannot be converted to {kind}", token(raw))
        }
    }
}

/// What Java's parser calls a scalar.
fn token(raw: &Raw) -> &'static str {
    match raw {
        Raw::Bool(true) => "TRUE_VALUE",
        Raw::Bool(false) => "FALSE_VALUE",
        Raw::Integer(_) => "NUMBER_VALUE",
        // A whole number beyond an `i64` is no fraction.
        Raw::Real(n) | Raw::Millis(n) if n.fract() == 0.0 => "NUMBER_VALUE",
        Raw::Real(_) | Raw::Millis(_) => "DECIMAL_VALUE",
        Raw::Null | Raw::Text(_) | Raw::Bytes(_) | Raw::List(_) | Raw::Map(_) => "STRING_VALUE",
    }
}

/// The class that Java has for a shape.
fn class(shape: &Shape) -> String {
    match shape {
        Shape::String { .. } => "java.lang.String".to_owned(),
        Shape::Integer { .. } => "java.lang.Integer".to_owned(),
        Shape::Long { .. } => "java.lang.Long".to_owned(),
        Shape::Float { .. } => "java.lang.Float".to_owned(),
        Shape::Double { .. } => "java.lang.Double".to_owned(),
        Shape::Boolean => "java.lang.Boolean".to_owned(),
        Shape::Timestamp { .. } => "java.util.Date".to_owned(),
        Shape::Blob { .. } => "java.nio.ByteBuffer".to_owned(),
        Shape::Document => "java.lang.Object".to_owned(),
        Shape::List { member, .. } => format!("java.util.List<{}>", class(member)),
        Shape::Map { value, .. } => {
            format!("java.util.Map<java.lang.String, {}>", class(value))
        }
        Shape::Structure(structure) => format!("{}.{}", dynamo::OWN, structure.name),
    }
}
