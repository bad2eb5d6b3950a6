//! A record that cannot go on, and the line about it under the error prefix.

use base64::{display::Base64Display, engine::general_purpose::STANDARD};
use bytes::Bytes;
use headwater_types::Millis;
use serde_json::{Map, Value, json};

use super::{
    failure::{ErrorKind, Failure},
    user_record::SharedRecord,
};

/// A record that cannot go on, and why.
#[derive(Debug, Clone, PartialEq)]
pub struct Rejected {
    /// The record as it was read.
    pub origin: SharedRecord,
    /// The kind of error.
    pub kind: ErrorKind,
    /// The error that it met.
    pub failure: Failure,
    /// How often it was tried.
    pub attempts: u32,
    /// When the last attempt ended.
    pub ended: Millis,
    /// Further members of its line, as the kind has them (`lambdaARN`, `EsDocumentId` …).
    pub more: Vec<(&'static str, Value)>,
}

impl Rejected {
    /// Its line in the error object, with the newline.
    pub fn line(&self) -> Bytes {
        let (code, message) = match self.kind {
            ErrorKind::FormatConversion => ("lastErrorCode", "lastErrorMessage"),
            _ => ("errorCode", "errorMessage"),
        };
        let mut line = Map::from_iter([
            (
                "rawData".to_owned(),
                Base64Display::new(&self.origin.data, &STANDARD)
                    .to_string()
                    .into(),
            ),
            (code.to_owned(), self.failure.code.into()),
            (message.to_owned(), (&*self.failure.message).into()),
            ("attemptsMade".to_owned(), self.attempts.into()),
            ("arrivalTimestamp".to_owned(), json!(self.origin.arrival)),
            ("attemptEndingTimestamp".to_owned(), json!(self.ended)),
        ]);
        line.extend(
            self.more
                .iter()
                .map(|(name, value)| ((*name).to_owned(), value.clone())),
        );
        let mut line = serde_json::to_vec(&line).expect("a line of ours is always JSON");
        line.push(b'\n');
        line.into()
    }
}
