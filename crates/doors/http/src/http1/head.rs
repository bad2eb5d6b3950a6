//! Heads: a request's, out of the bytes that came, and an answer's, into those that go.

use std::mem::MaybeUninit;

use bytes::{Buf, Bytes, BytesMut};
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, Uri, Version, header, request::Parts,
    response,
};
use memchr::{memchr, memchr_iter};

use crate::{
    headers::has_token,
    http1::{body_state::BodyState, refusal::Refusal},
    length::Length,
    limits::{HEADERS, URI_BYTES},
};

/// A request's head, and what it says of the connection.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) parts: Parts,
    /// The body that follows.
    pub(crate) body: BodyState,
    /// Whether the client would send another request behind this one.
    pub(crate) stays: bool,
}

/// Takes the head at the beginning of `input`, once it is there as a whole; of `input`, `seen` bytes were looked at
/// before.
///
/// # Errors
/// When it is no head, or longer than `limit`.
pub(crate) fn take(
    input: &mut BytesMut,
    seen: &mut usize,
    limit: usize,
) -> Result<Option<Head>, Refusal> {
    while input.starts_with(b"\r\n") {
        // Some clients end a body with a line more than they announced.
        input.advance(2);
        *seen = 0;
    }
    let within = input.len().min(limit);
    let Some(end) = end_of_head(&input[..within], *seen)? else {
        *seen = within;
        return if input.len() > limit {
            Err(Refusal::HeadTooLong)
        } else {
            Ok(None)
        };
    };
    *seen = 0;
    parse(input.split_to(end).freeze()).map(Some)
}

/// Where the first empty line ends, in lines that end as they must: a line feed alone would be an end to some readers and
/// none to others (RFC 9112, section 2.2).
fn end_of_head(input: &[u8], seen: usize) -> Result<Option<usize>, Refusal> {
    for at in memchr_iter(b'\n', &input[seen..]) {
        let lines = &input[..=seen + at];
        if lines.ends_with(b"\r\n\r\n") {
            return Ok(Some(lines.len()));
        }
        if !lines.ends_with(b"\r\n") {
            return Err(Refusal::BareLineFeed);
        }
    }
    Ok(None)
}

/// A head's names and values stay where they are: they share its bytes.
fn parse(bytes: Bytes) -> Result<Head, Refusal> {
    let mut room = [const { MaybeUninit::uninit() }; HEADERS];
    let mut parsed = httparse::Request::new(&mut []);
    match parsed.parse_with_uninit_headers(&bytes, &mut room) {
        Ok(httparse::Status::Complete(end)) if end == bytes.len() => {}
        Ok(_) => return Err(Refusal::EndOfHead),
        Err(httparse::Error::TooManyHeaders) => return Err(Refusal::TooManyHeaders),
        Err(_) => return Err(Refusal::Syntax),
    }
    let (Some(method), Some(path), Some(version)) = (parsed.method, parsed.path, parsed.version)
    else {
        return Err(Refusal::Syntax);
    };
    let (mut parts, ()) = Request::new(()).into_parts();
    parts.method = Method::from_bytes(method.as_bytes()).map_err(|_| Refusal::Syntax)?;
    parts.uri = target(&bytes, path, &parts.method)?;
    parts.version = match version {
        0 => Version::HTTP_10,
        _ => Version::HTTP_11,
    };
    parts.headers = headers(&bytes, parsed.headers)?;
    check_host(&parts)?;
    let body = body(&parts)?;
    let stays = !has_token(&parts.headers, &header::CONNECTION, "close")
        && (parts.version == Version::HTTP_11
            || has_token(&parts.headers, &header::CONNECTION, "keep-alive"));
    Ok(Head { parts, body, stays })
}

/// A request's target: a path, an address of HTTP, or the asterisk of OPTIONS (RFC 9112, section 3.2). Behind a `#` would
/// be what is not part of a target, and what a URI forgets.
fn target(head: &Bytes, text: &str, method: &Method) -> Result<Uri, Refusal> {
    if text.len() > URI_BYTES {
        return Err(Refusal::TargetTooLong);
    }
    let uri = Uri::from_maybe_shared(head.slice_ref(text.as_bytes()));
    let uri = uri.map_err(|_| Refusal::Target)?;
    let is_path = text.starts_with('/');
    let is_address = matches!(uri.scheme_str(), Some("http" | "https"));
    let is_all = text == "*" && *method == Method::OPTIONS;
    if (is_path || is_address || is_all) && memchr(b'#', text.as_bytes()).is_none() {
        Ok(uri)
    } else {
        Err(Refusal::Target)
    }
}

fn headers(head: &Bytes, parsed: &[httparse::Header<'_>]) -> Result<HeaderMap, Refusal> {
    let mut headers = HeaderMap::with_capacity(parsed.len());
    for header in parsed {
        let name = HeaderName::from_bytes(header.name.as_bytes()).map_err(|_| Refusal::Syntax)?;
        let value = HeaderValue::from_maybe_shared(head.slice_ref(header.value));
        headers.append(name, value.map_err(|_| Refusal::Syntax)?);
    }
    Ok(headers)
}

/// A request names one host, in HTTP/1.0 at most one (RFC 9112, section 3.2), and the same as its target does, if that
/// names one: a reader before this one may have gone by either.
fn check_host(head: &Parts) -> Result<(), Refusal> {
    let mut hosts = head.headers.get_all(header::HOST).iter();
    let is_fine = match (hosts.next(), hosts.next()) {
        (None, _) => head.version == Version::HTTP_10,
        (Some(host), None) => {
            let host = host.as_bytes();
            let of_target = head.uri.authority();
            host.iter().all(is_of_host)
                && of_target.is_none_or(|name| name.as_str().as_bytes().eq_ignore_ascii_case(host))
        }
        (Some(_), Some(_)) => false,
    };
    if is_fine { Ok(()) } else { Err(Refusal::Host) }
}

/// Whether a byte may stand in a host and its port (RFC 3986, section 3.2.2).
fn is_of_host(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=%:[]".contains(byte)
}

/// The body that a head announces; a refusal where it cannot be told for sure, since a reader between the client and here
/// might tell otherwise (RFC 9112, section 6.3).
fn body(head: &Parts) -> Result<BodyState, Refusal> {
    let mut lengths = head.headers.get_all(header::CONTENT_LENGTH).iter();
    let mut encodings = head.headers.get_all(header::TRANSFER_ENCODING).iter();
    match (lengths.next(), encodings.next()) {
        (None, None) => Ok(BodyState::Nothing),
        (Some(first), None) => {
            let length = decimal(first.as_bytes()).filter(|_| lengths.all(|other| other == first));
            Ok(BodyState::of_length(length.ok_or(Refusal::Length)?))
        }
        (None, Some(encoding))
            if encoding.as_bytes().eq_ignore_ascii_case(b"chunked")
                && encodings.next().is_none()
                && head.version == Version::HTTP_11 =>
        {
            Ok(BodyState::chunked())
        }
        (_, Some(_)) => Err(Refusal::TransferEncoding),
    }
}

/// A number of digits and nothing else, small enough for readers that count with a sign.
fn decimal(text: &[u8]) -> Option<u64> {
    let digits = !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    let number: i64 = digits.then(|| std::str::from_utf8(text).ok()?.parse().ok())??;
    u64::try_from(number).ok()
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
        Length::Unknown => field(out, "transfer-encoding", b"chunked"),
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

    fn head(text: &str) -> Result<Option<Head>, Refusal> {
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
        assert_eq!((head.body, head.stays), (BodyState::Length(3), true));
        assert_eq!(input, "abcGET");
    }

    #[test]
    fn heads_say_what_follows_them() {
        for (version, headers, body, stays) in [
            ("1.1", "", BodyState::Nothing, true),
            ("1.0", "", BodyState::Nothing, false),
            (
                "1.0",
                "Connection: Keep-Alive\r\n",
                BodyState::Nothing,
                true,
            ),
            (
                "1.0",
                "Connection: keep-alive, close\r\n",
                BodyState::Nothing,
                false,
            ),
            (
                "1.1",
                "Connection: a, close\r\nContent-Length: 0\r\n",
                BodyState::Nothing,
                false,
            ),
            (
                "1.1",
                "Content-Length: 7\r\nContent-Length: 7\r\n",
                BodyState::Length(7),
                true,
            ),
            (
                "1.1",
                "Transfer-Encoding: Chunked\r\n",
                BodyState::chunked(),
                true,
            ),
        ] {
            let head = head(&format!("PUT / HTTP/{version}\r\nHost: a\r\n{headers}\r\n"))
                .unwrap()
                .unwrap();
            assert_eq!((head.body, head.stays), (body, stays), "{headers}");
        }
    }

    #[test]
    fn a_head_that_is_none_is_refused() {
        for (bad, refusal) in [
            ("hello\r\n\r\n", Refusal::Syntax),
            ("GET / HTTP/2.0\r\n\r\n", Refusal::Syntax),
            ("GET / HTTP/1.1\r\nno colon\r\n\r\n", Refusal::Syntax),
            ("GET / HTTP/1.1\nHost: a\r\n\r\n", Refusal::BareLineFeed),
            ("\nGET / HTTP/1.1\r\n", Refusal::BareLineFeed),
        ] {
            assert_eq!(head(bad).unwrap_err(), refusal, "{bad}");
        }
        let long = format!("GET / HTTP/1.1\r\na: {}", "b".repeat(1024));
        assert_eq!(head(&long).unwrap_err(), Refusal::HeadTooLong);
        let many = format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(HEADERS + 1));
        assert_eq!(head(&many).unwrap_err(), Refusal::TooManyHeaders);
        let far = format!("GET /{} HTTP/1.1\r\n\r\n", "a".repeat(URI_BYTES));
        let taken = take(&mut BytesMut::from(&far[..]), &mut 0, 2 * URI_BYTES);
        assert_eq!(taken.unwrap_err(), Refusal::TargetTooLong);
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
                Length::Unknown,
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
