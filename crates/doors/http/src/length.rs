//! The length of an answer, and how its end is told.

use std::io;

use http::{HeaderValue, Method, Version, header, response::Parts};
use http_body::Body as _;

use crate::Body;

/// How an answer's end is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Length {
    /// There is no body, and the length among the headers is that of another answer.
    None,
    Known(u64),
    /// The end comes behind the body: as the last chunk, or the last frame.
    Unknown,
    /// The connection ends with it.
    Close,
}

/// How the end of this answer to a request of `method` is told.
pub(crate) fn of(head: &Parts, body: &Body, method: &Method) -> Length {
    let status = head.status;
    let has_none = status.is_informational() || matches!(status.as_u16(), 204 | 304);
    let said = || {
        HeaderValue::to_str(head.headers.get(header::CONTENT_LENGTH)?)
            .ok()?
            .parse()
            .ok()
    };
    match body.size_hint().exact().or_else(said) {
        _ if has_none => Length::None,
        // The length of GET's answer is the service's to know; where it says nothing, nothing is said.
        _ if *method == Method::HEAD => Length::None,
        Some(length) => Length::Known(length),
        None if head.version == Version::HTTP_10 => Length::Close,
        None => Length::Unknown,
    }
}

/// The error of a body that is shorter or longer than was announced.
pub(crate) fn is_another(length: u64) -> io::Error {
    io::Error::other(format!(
        "an answer of {length} bytes was announced and another made"
    ))
}
