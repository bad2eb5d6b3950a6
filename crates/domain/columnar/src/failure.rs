//! Why a record was not converted, in AWS's words.

/// A record that was not converted, and why: what the error output says of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct Failure {
    /// AWS's error code: `DataFormatConversion.ParseError` or `DataFormatConversion.MalformedData`.
    pub code: &'static str,
    /// Its meaning.
    pub message: String,
}

impl Failure {
    /// A record that is no JSON.
    pub(crate) fn parse(message: impl Into<String>) -> Self {
        Self {
            code: "DataFormatConversion.ParseError",
            message: message.into(),
        }
    }

    /// A record that does not fit the table.
    pub(crate) fn malformed(message: impl Into<String>) -> Self {
        Self {
            code: "DataFormatConversion.MalformedData",
            message: message.into(),
        }
    }
}
