//! Why a call failed.

/// A call that failed: the service's error, or that it could not be reached.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct CallError {
    /// The service's error type, such as `ResourceNotFoundException`; [`CallError::TRANSPORT`], [`CallError::TIMEOUT`]
    /// … for failures on this side.
    pub code: String,
    /// The HTTP status; none where there was no answer.
    pub status: Option<u16>,
    /// The text for people.
    pub message: String,
    /// Whether the same call may succeed later.
    pub retryable: bool,
    /// Whether the service may have done what it was asked although the call failed.
    pub unclear: bool,
}

/// Errors that ask the caller to slow down, whatever their status.
const THROTTLING: [&str; 13] = [
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "RequestThrottled",
    "RequestThrottledException",
    "TooManyRequestsException",
    "ProvisionedThroughputExceededException",
    "LimitExceededException",
    "RequestLimitExceeded",
    "SlowDown",
    "PriorRequestNotComplete",
    "RequestTimeout",
    "RequestTimeoutException",
];

impl CallError {
    /// The code of a connection that could not be made or broke.
    pub const TRANSPORT: &str = "ConnectionError";
    /// The code of a call that took too long.
    pub const TIMEOUT: &str = "TimeoutError";
    /// The code of a call that could not be made at all: no credentials, an input that cannot be written.
    pub const REQUEST: &str = "InvalidRequest";
    /// The code of an answer that is not what the model says.
    pub const RESPONSE: &str = "InvalidResponse";

    /// An error that the service answered with.
    pub fn answered(status: u16, code: impl Into<String>, message: impl Into<String>) -> Self {
        let code = code.into();
        let retryable =
            matches!(status, 429 | 500 | 502 | 503 | 504) || THROTTLING.contains(&code.as_str());
        Self {
            code,
            status: Some(status),
            message: message.into(),
            retryable,
            unclear: false,
        }
    }

    /// An answer that was understood, but does not say what it must.
    pub fn unreadable(message: impl ToString) -> Self {
        Self::local(Self::RESPONSE, message, false, true)
    }

    /// The call was never made.
    pub(crate) fn request(message: impl ToString) -> Self {
        Self::local(Self::REQUEST, message, false, false)
    }

    /// The connection could not be made (`unclear` is false) or broke with the request on its way.
    pub(crate) fn transport(message: impl ToString, unclear: bool) -> Self {
        Self::local(Self::TRANSPORT, message, true, unclear)
    }

    /// No answer in time.
    pub(crate) fn timeout(message: impl ToString) -> Self {
        Self::local(Self::TIMEOUT, message, true, true)
    }

    /// The answer cannot be read.
    pub(crate) fn response(status: u16, message: impl ToString) -> Self {
        Self {
            status: Some(status),
            ..Self::local(Self::RESPONSE, message, false, true)
        }
    }

    fn local(code: &str, message: impl ToString, retryable: bool, unclear: bool) -> Self {
        Self {
            code: code.to_owned(),
            status: None,
            message: message.to_string(),
            retryable,
            unclear,
        }
    }
}
