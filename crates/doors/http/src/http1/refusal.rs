//! The reasons for which bytes are refused that were to be a request, each with its answer.

use std::io;

use http::StatusCode;

/// Why something is no request, or not one that can be told from what follows it for sure.
///
/// A reader between the client and here that is less strict might end a request elsewhere and take a part of it for
/// another one. Each such doubt is a refusal, and ends the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("it is no request line with headers behind it")]
    Syntax,
    #[error("a line ends without a carriage return")]
    BareLineFeed,
    #[error("its head ends elsewhere than its lines say")]
    EndOfHead,
    #[error("its head is too long")]
    HeadTooLong,
    #[error("it has too many headers")]
    TooManyHeaders,
    #[error("its target is too long")]
    TargetTooLong,
    #[error("its target is neither a path nor an address of HTTP")]
    Target,
    #[error("it has no host, or more than one")]
    Host,
    #[error("its length is not one number")]
    Length,
    #[error("its transfer encoding is not \"chunked\" and nothing else")]
    TransferEncoding,
    #[error("its body is not in chunks")]
    Chunks,
    #[error("its chunks have too long extensions")]
    Extensions,
    #[error("the trailers behind its body are no headers, or too many")]
    Trailers,
}

impl Refusal {
    /// The answer's status.
    pub(crate) fn status(self) -> StatusCode {
        match self {
            Self::HeadTooLong | Self::TooManyHeaders => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Self::TargetTooLong => StatusCode::URI_TOO_LONG,
            _ => StatusCode::BAD_REQUEST,
        }
    }
}

impl From<Refusal> for io::Error {
    fn from(refusal: Refusal) -> Self {
        Self::new(io::ErrorKind::InvalidData, refusal)
    }
}
