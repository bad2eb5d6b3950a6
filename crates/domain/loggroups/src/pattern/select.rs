//! Values taken out of messages that match: `$.latency` of JSON, `$bytes` of fields.

use super::{
    Kind, Pattern, invalid,
    json::object,
    path::{Path, text},
    scan::Scan,
};
use crate::Error;

/// A place in the messages of a pattern.
#[derive(Debug, Clone)]
pub struct Select(Place);

#[derive(Debug, Clone)]
enum Place {
    Path(Path),
    Field(String),
}

impl Select {
    /// Understands a place that begins with `$`.
    ///
    /// # Errors
    /// [`Error::Pattern`]: it is none, or the pattern has no field of that name.
    pub fn parse(text: &str, pattern: &Pattern) -> Result<Self, Error> {
        if text.starts_with("$.") {
            let mut scan = Scan::new(text);
            let path = Path::parse(&mut scan)?;
            scan.end()?;
            return Ok(Self(Place::Path(path)));
        }
        let name = text.strip_prefix('$').unwrap_or_default();
        match &pattern.0 {
            Kind::Fields(fields) if fields.has(name) => Ok(Self(Place::Field(name.to_owned()))),
            _ => Err(invalid(&format!("it has no field {text:?}"))),
        }
    }

    /// The text there, if there is one.
    pub fn text(&self, pattern: &Pattern, message: &str) -> Option<String> {
        match (&self.0, &pattern.0) {
            (Place::Path(path), _) => {
                let object = object(message)?;
                path.find(&object).and_then(text).map(Into::into)
            }
            (Place::Field(name), Kind::Fields(fields)) => {
                fields.value(name, message).map(str::to_owned)
            }
            (Place::Field(_), _) => None,
        }
    }
}
