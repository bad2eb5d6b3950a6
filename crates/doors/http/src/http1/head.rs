//! Heads: a request's, out of the bytes that came, and an answer's, into those that go.

use std::mem::MaybeUninit;

use bytes::{Bytes, BytesMut};
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, Uri, Version, header,
    request::Parts, response,
};
use memchr::memchr_iter;

use crate::{
    h2c::has_token,
    http1::incoming::Coming,
    limits::{HEADERS, URI_BYTES},
};

/// A request's head, and what it says of the connection.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) parts: Parts,
    /// What body follows.
    pub(crate) coming: Coming,
    /// Whether the client would send another request behind this one.
    pub(crate) stays: bool,
}

/// Takes the head at the beginning of `input`, once it is there as a whole; of `input`, `seen` bytes were looked at
/// before.
///
/// # Errors
/// What to answer when it is no head, or longer than `limit`.
pub(crate) fn take(
    input: &mut BytesMut,
    seen: &mut usize,
    limit: usize,
) -> Result<Option<Head>, StatusCode> {
    let blank = input
        .iter()
        .take_while(|byte| matches!(byte, b'\r' | b'\n'))
        .count();
    if blank > 0 {
        // Some clients end a body with a line more than they announced.
        drop(input.split_to(blank));
        *seen = 0;
    }
    let Some(end) = end_of_head(input, *seen) else {
        *seen = input.len();
        return if input.len() > limit {
            Err(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE)
        } else {
            Ok(None)
        };
    };
    *seen = 0;
    if end > limit {
        return Err(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
    }
    parse(input.split_to(end).freeze()).map(Some)
}

/// Where the first empty line ends.
fn end_of_head(input: &[u8], seen: usize) -> Option<usize> {
    // The end may have begun in what was seen before.
    let from = seen.saturating_sub(2);
    memchr_iter(b'\n', &input[from..]).find_map(|at| match &input[from + at + 1..] {
        [b'\n', ..] => Some(from + at + 2),
        [b'\r', b'\n', ..] => Some(from + at + 3),
        _ => None,
    })
}

/// A head's names and values stay where they are: they share its bytes.
fn parse(bytes: Bytes) -> Result<Head, StatusCode> {
    let mut room = [const { MaybeUninit::uninit() }; HEADERS];
    let mut parsed = httparse::Request::new(&mut []);
    match parsed.parse_with_uninit_headers(&bytes, &mut room) {
        Ok(httparse::Status::Complete(_)) => {}
        Err(httparse::Error::TooManyHeaders) => {
            return Err(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
        }
        Ok(httparse::Status::Partial) | Err(_) => return Err(StatusCode::BAD_REQUEST),
    }
    let (Some(method), Some(path), Some(version)) = (parsed.method, parsed.path, parsed.version)
    else {
        return Err(StatusCode::BAD_REQUEST);
    };
    if path.len() > URI_BYTES {
        return Err(StatusCode::URI_TOO_LONG);
    }
    let (mut parts, ()) = Request::new(()).into_parts();
    parts.method = Method::from_bytes(method.as_bytes()).map_err(|_| StatusCode::BAD_REQUEST)?;
    parts.uri = Uri::from_maybe_shared(bytes.slice_ref(path.as_bytes()))
        .map_err(|_| StatusCode::BAD_REQUEST)?;
    parts.version = if version == 0 {
        Version::HTTP_10
    } else {
        Version::HTTP_11
    };
    parts.headers = HeaderMap::with_capacity(parsed.headers.len());
    for header in parsed.headers.iter() {
        let name =
            HeaderName::from_bytes(header.name.as_bytes()).map_err(|_| StatusCode::BAD_REQUEST)?;
        let value = HeaderValue::from_maybe_shared(bytes.slice_ref(header.value));
        parts
            .headers
            .append(name, value.map_err(|_| StatusCode::BAD_REQUEST)?);
    }
    let coming = coming(&parts).ok_or(StatusCode::BAD_REQUEST)?;
    let stays = match parts.version {
        Version::HTTP_10 => has_token(&parts.headers, &header::CONNECTION, "keep-alive"),
        _ => !has_token(&parts.headers, &header::CONNECTION, "close"),
    };
    Ok(Head {
        parts,
        coming,
        stays,
    })
}

/// What body a head announces; none where it cannot be told for sure, since whoever stands between the client and here
/// might tell otherwise (RFC 9112, section 6.3).
fn coming(head: &Parts) -> Option<Coming> {
    let mut lengths = head.headers.get_all(header::CONTENT_LENGTH).iter();
    let mut encodings = head.headers.get_all(header::TRANSFER_ENCODING).iter();
    match (lengths.next(), encodings.next()) {
        (None, None) => Some(Coming::Nothing),
        (Some(first), None) => {
            let length = lengths
                .all(|other| other == first)
                .then(|| decimal(first.as_bytes()))??;
            Some(Coming::of_length(length))
        }
        (None, Some(encoding)) => {
            let chunked =
                encoding.as_bytes().eq_ignore_ascii_case(b"chunked") && encodings.next().is_none();
            (chunked && head.version == Version::HTTP_11).then(Coming::chunked)
        }
        (Some(_), Some(_)) => None,
    }
}

/// A number of digits and nothing else.
fn decimal(text: &[u8]) -> Option<u64> {
    let digits = !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    digits.then(|| std::str::from_utf8(text).ok()?.parse().ok())?
}

/// How an answer's end is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Length {
    /// There is no body, and what the headers say of one holds for another answer.
    None,
    Known(u64),
    Chunked,
    /// The connection ends with it.
    Close,
}

/// Appends an answer's head.
pub(crate) fn write(
    out: &mut BytesMut,
    head: &response::Parts,
    date: &[u8],
    length: Length,
    connection: &str,
) {
    let version: &[u8] = if head.version == Version::HTTP_10 {
        b"HTTP/1.0 "
    } else {
        b"HTTP/1.1 "
    };
    let reason = head.status.canonical_reason().unwrap_or_default();
    for part in [
        version,
        head.status.as_str().as_bytes(),
        b" ",
        reason.as_bytes(),
        b"\r\n",
    ] {
        out.extend_from_slice(part);
    }
    for (name, value) in &head.headers {
        let ours = match *name {
            header::CONTENT_LENGTH => length != Length::None,
            header::CONNECTION => !connection.is_empty(),
            header::TRANSFER_ENCODING => true,
            _ => false,
        };
        if !ours {
            field(out, name.as_str(), value.as_bytes());
        }
    }
    if !head.headers.contains_key(header::DATE) {
        field(out, "date", date);
    }
    match length {
        Length::None | Length::Close => {}
        Length::Known(length) => field(out, "content-length", length.to_string().as_bytes()),
        Length::Chunked => field(out, "transfer-encoding", b"chunked"),
    }
    if !connection.is_empty() {
        field(out, "connection", connection.as_bytes());
    }
    out.extend_from_slice(b"\r\n");
}

fn field(out: &mut BytesMut, name: &str, value: &[u8]) {
    for part in [name.as_bytes(), b": ", value, b"\r\n"] {
        out.extend_from_slice(part);
    }
}

#[cfg(test)]
mod tests {
    use http::Response;
    use proptest::prelude::*;

    use super::*;

    fn head(text: &str) -> Result<Option<Head>, StatusCode> {
        take(&mut BytesMut::from(text), &mut 0, 1024)
    }

    #[test]
    fn a_head_is_taken_once_it_is_whole_and_leaves_what_follows() {
        let text = "\r\nPOST /a?b HTTP/1.1\r\nHost: a\r\nX-A: 1\r\nx-a:  2 \r\nContent-Length: 3\r\n\r\nabcGET";
        let (mut input, mut seen) = (BytesMut::new(), 0);
        let whole = text.find("abc").unwrap();
        for byte in &text.as_bytes()[..whole - 1] {
            input.extend_from_slice(&[*byte]);
            assert!(take(&mut input, &mut seen, 1024).unwrap().is_none());
        }
        input.extend_from_slice(&text.as_bytes()[whole - 1..]);
        let head = take(&mut input, &mut seen, 1024).unwrap().unwrap();
        assert_eq!(
            (head.parts.method, head.parts.uri.to_string()),
            (Method::POST, "/a?b".to_owned())
        );
        assert_eq!(
            head.parts.headers.get_all("x-a").iter().collect::<Vec<_>>(),
            ["1", "2"]
        );
        assert_eq!((head.coming, head.stays), (Coming::Length(3), true));
        assert_eq!(input, "abcGET");
    }

    #[test]
    fn heads_say_what_follows_them() {
        for (version, headers, coming, stays) in [
            ("1.1", "", Coming::Nothing, true),
            ("1.0", "", Coming::Nothing, false),
            ("1.0", "Connection: Keep-Alive\r\n", Coming::Nothing, true),
            (
                "1.1",
                "Connection: a, close\r\nContent-Length: 0\r\n",
                Coming::Nothing,
                false,
            ),
            (
                "1.1",
                "Content-Length: 7\r\nContent-Length: 7\r\n",
                Coming::Length(7),
                true,
            ),
            (
                "1.1",
                "Transfer-Encoding: Chunked\r\n",
                Coming::chunked(),
                true,
            ),
        ] {
            let head = head(&format!("PUT / HTTP/{version}\r\n{headers}\r\n"))
                .unwrap()
                .unwrap();
            assert_eq!((head.coming, head.stays), (coming, stays), "{headers}");
        }
    }

    #[test]
    fn what_is_no_head_is_refused() {
        for bad in [
            "hello\r\n\r\n",
            "GET / HTTP/2.0\r\n\r\n",
            "GET / HTTP/1.1\r\nno colon\r\n\r\n",
            "GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
            "GET / HTTP/1.1\r\nContent-Length: +1\r\n\r\n",
            "GET / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
            "GET / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
            "GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
            "GET / HTTP/1.1\r\nContent-Length : 1\r\n\r\n",
        ] {
            assert_eq!(head(bad).unwrap_err(), 400, "{bad}");
        }
        assert_eq!(
            head(&format!("GET / HTTP/1.1\r\na: {}", "b".repeat(1024))).unwrap_err(),
            431
        );
        assert_eq!(
            head(&format!(
                "GET / HTTP/1.1\r\n{}\r\n",
                "a: b\r\n".repeat(HEADERS + 1)
            ))
            .unwrap_err(),
            431
        );
    }

    #[test]
    fn an_answers_head_tells_how_long_it_is() {
        let response = Response::builder()
            .status(404)
            .header("content-length", "9")
            .header("a", "b");
        let (head, ()) = response.body(()).unwrap().into_parts();
        for (length, connection, expected) in [
            (
                Length::Known(3),
                "",
                "date: now\r\ncontent-length: 3\r\n\r\n",
            ),
            (
                Length::Chunked,
                "close",
                "date: now\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n",
            ),
            (
                Length::None,
                "",
                "content-length: 9\r\na: b\r\ndate: now\r\n\r\n",
            ),
        ] {
            let mut out = BytesMut::new();
            write(&mut out, &head, b"now", length, connection);
            let out = String::from_utf8(out.into()).unwrap();
            assert!(
                out.starts_with("HTTP/1.1 404 Not Found\r\n") && out.ends_with(expected),
                "{out}"
            );
        }
    }

    proptest! {
        #[test]
        fn nothing_that_comes_does_harm(bytes: Vec<u8>, valid in any::<bool>(), cut in 0..64usize) {
            let head = b"PUT /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n";
            let mut input = BytesMut::new();
            if valid {
                input.extend_from_slice(&head[..cut.min(head.len())]);
            }
            input.extend_from_slice(&bytes);
            let len = input.len();
            let taken = take(&mut input, &mut 0, 1024);
            prop_assert!(input.len() <= len);
            prop_assert!(!matches!(taken, Ok(Some(_))) || input.len() < len);
        }
    }
}
