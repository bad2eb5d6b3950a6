//! AWS's errors: a type, a status and a text.

use std::fmt;

use crate::ErrorShape;

/// An error as a client sees it. Boxed inside, so that a `Result` stays small.
#[derive(Debug, Clone, PartialEq)]
pub struct ApiError(Box<Parts>);

#[derive(Debug, Clone, PartialEq)]
struct Parts {
    code: String,
    status: u16,
    message: String,
    query_code: Option<&'static str>,
    fields: serde_json::Map<String, serde_json::Value>,
}

impl ApiError {
    /// An error that the service's model names.
    pub fn of(shape: &ErrorShape, message: impl Into<String>) -> Self {
        let mut error = Self::new(shape.status, shape.name, message);
        error.0.query_code = shape.query_code;
        error
    }

    /// An error of any type: those that AWS answers with but no model names.
    pub fn new(status: u16, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self(Box::new(Parts {
            code: code.into(),
            status,
            message: message.into(),
            query_code: None,
            fields: Default::default(),
        }))
    }

    /// Something of ours failed: the text goes to the client and the log, so nothing secret belongs in it.
    pub fn internal(message: impl fmt::Display) -> Self {
        Self::new(500, "InternalFailure", message.to_string())
    }

    /// An operation or setting that the model has and Headwater does not, yet; `what` names it.
    pub fn not_supported(what: impl fmt::Display) -> Self {
        Self::new(
            501,
            "NotImplemented",
            format!("Headwater does not support {what} yet."),
        )
    }

    /// Adds a further member, as some errors have (`Resource`, `Type` …).
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<serde_json::Value>) -> Self {
        self.0.fields.insert(name.to_owned(), value.into());
        self
    }

    /// The type, such as `ResourceNotFoundException`.
    pub fn code(&self) -> &str {
        &self.0.code
    }

    /// The code in the query protocol: that of the model, where it names one, else the type. What no model names has
    /// another code there than in AWS JSON.
    pub fn query_code(&self) -> &str {
        match (self.0.query_code, self.0.code.as_str()) {
            (Some(code), _) => code,
            (None, "ValidationException") => "ValidationError",
            (None, "AccessDeniedException") => "AccessDenied",
            (None, code) => code,
        }
    }

    /// The same with another status.
    #[must_use]
    pub fn with_status(mut self, status: u16) -> Self {
        self.0.status = status;
        self
    }

    /// The HTTP status.
    pub fn status(&self) -> u16 {
        self.0.status
    }

    /// The text.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Further members.
    pub fn fields(&self) -> &serde_json::Map<String, serde_json::Value> {
        &self.0.fields
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.code, self.0.message)
    }
}

impl std::error::Error for ApiError {}
