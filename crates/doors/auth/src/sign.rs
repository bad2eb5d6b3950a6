//! Signature version 4: the `Authorization` header of a request to AWS.
//!
//! Owns credentials as a value, the canonical request and the signature. Where credentials come from is
//! the client's, whether a server believes a signature is a door's.

use std::fmt;

use headwater_types::Millis;
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, HeaderName, HeaderValue, header, request::Parts};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use sha2::{Digest, Sha256};

/// All but the unreserved characters of RFC 3986: what AWS escapes in paths (with `/` kept) and queries.
pub const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// As [`RESERVED`], but a `/` stays.
pub const RESERVED_IN_PATH: &AsciiSet = &RESERVED.remove(b'/');

/// The algorithm of version 4.
pub const ALGORITHM: &str = "AWS4-HMAC-SHA256";
/// Stands for the hash of a body that is not signed.
pub const UNSIGNED_PAYLOAD: &str = "UNSIGNED-PAYLOAD";
/// The header with the hash of the body.
pub const CONTENT_SHA256: HeaderName = HeaderName::from_static("x-amz-content-sha256");
/// The header with the time of the signature.
pub const DATE: HeaderName = HeaderName::from_static("x-amz-date");
/// The host's name in HTTP/2, which the SDK for JavaScript signs instead of `host`.
pub const AUTHORITY: &str = ":authority";
/// The header with the token of temporary credentials.
pub const SECURITY_TOKEN: HeaderName = HeaderName::from_static("x-amz-security-token");

/// Headers that proxies and HTTP libraries may change on the way.
const UNSIGNED_HEADERS: [HeaderName; 6] = [
    header::AUTHORIZATION,
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::EXPECT,
    header::TRANSFER_ENCODING,
    header::USER_AGENT,
];

/// A key pair, and a session's token where it is a temporary one.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The public half.
    pub access_key_id: String,
    /// The secret half.
    pub secret_access_key: String,
    /// The token of temporary credentials.
    pub session_token: Option<String>,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("access_key_id", &self.access_key_id)
            .finish_non_exhaustive()
    }
}

/// The day, the region and the service that a signature is valid for.
#[derive(Debug, Clone, Copy)]
pub struct Scope<'a> {
    /// The signing name of the service.
    pub service: &'a str,
    /// The region.
    pub region: &'a str,
    /// The time of the request.
    pub at: Millis,
}

/// The part of a signature that covers the body: its bytes, or that they are not signed.
#[derive(Debug, Clone, Copy)]
pub enum Payload<'a> {
    /// These bytes.
    Bytes(&'a [u8]),
    /// Nothing, for bodies that are streamed: S3 alone takes it.
    Unsigned,
}

/// Signs a request by adding `Host`, `X-Amz-Date`, `Authorization` and what else belongs to it. Headers added later
/// are not covered.
pub fn sign(
    request: &mut Parts,
    payload: Payload<'_>,
    credentials: &Credentials,
    scope: &Scope<'_>,
) {
    let time = amz_date(scope.at);
    let payload_hash = match payload {
        Payload::Bytes(bytes) => hex(&Sha256::digest(bytes)),
        Payload::Unsigned => UNSIGNED_PAYLOAD.to_owned(),
    };
    let headers = &mut request.headers;
    if let Some(host) = host_of(&request.uri) {
        headers.entry(header::HOST).or_insert(ascii(&host));
    }
    headers.insert(DATE, ascii(&time));
    if let Some(token) = &credentials.session_token {
        headers.insert(SECURITY_TOKEN, ascii(token));
    }
    if scope.service == "s3" {
        headers.insert(CONTENT_SHA256, ascii(&payload_hash));
    }
    let names = signed_headers(&request.headers);
    let canonical = canonical_request(request, &names, &payload_hash, scope.service);
    let day = &time[..8];
    let place = format!("{day}/{}/{}/aws4_request", scope.region, scope.service);
    let key = signing_key(
        &credentials.secret_access_key,
        day,
        scope.region,
        scope.service,
    );
    let signature = hex(&hmac(
        &key,
        text_to_sign(&time, &place, &canonical).as_bytes(),
    ));
    let authorization = format!(
        "{ALGORITHM} Credential={}/{place}, SignedHeaders={}, Signature={signature}",
        credentials.access_key_id,
        names.join(";")
    );
    request
        .headers
        .insert(header::AUTHORIZATION, ascii(&authorization));
}

/// The key of one day, region and service.
pub fn signing_key(secret: &str, day: &str, region: &str, service: &str) -> [u8; 32] {
    let first = hmac(format!("AWS4{secret}").as_bytes(), day.as_bytes());
    [region, service, "aws4_request"]
        .iter()
        .fold(first, |key, part| hmac(&key, part.as_bytes()))
}

/// The text that the key signs: the time, the place and the canonical request's hash.
pub fn text_to_sign(time: &str, place: &str, canonical: &str) -> String {
    format!(
        "{ALGORITHM}\n{time}\n{place}\n{}",
        hex(&Sha256::digest(canonical.as_bytes()))
    )
}

/// The request in the one form that both sides hash.
pub fn canonical_request(
    request: &Parts,
    names: &[&str],
    payload_hash: &str,
    service: &str,
) -> String {
    let path = canonical_path(request.uri.path(), service);
    let query = canonical_query(request.uri.query().unwrap_or_default());
    let mut text = format!("{}\n{path}\n{query}\n", request.method);
    for name in names {
        let mut values: Vec<String> = request
            .headers
            .get_all(*name)
            .iter()
            .map(canonical_value)
            .collect();
        if let ([], "host" | AUTHORITY, Some(authority)) =
            (&values[..], *name, request.uri.authority())
        {
            // HTTP/2 has the host in the address.
            values.push(authority.to_string());
        }
        text += &format!("{name}:{}\n", values.join(","));
    }
    text + &format!("\n{}\n{payload_hash}", names.join(";"))
}

/// S3 signs the path as it is sent; all others without what means nothing in it, and escaped once more.
fn canonical_path(path: &str, service: &str) -> String {
    match (path, service) {
        ("" | "/", _) => "/".to_owned(),
        (path, "s3") => path.to_owned(),
        (path, _) => utf8_percent_encode(&normal_path(path), RESERVED_IN_PATH).to_string(),
    }
}

/// The path without empty segments, `.` and `..`.
fn normal_path(path: &str) -> String {
    let mut segments = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => drop(segments.pop()),
            segment => segments.push(segment),
        }
    }
    let end = if path.ends_with('/') && !segments.is_empty() {
        "/"
    } else {
        ""
    };
    format!("/{}{end}", segments.join("/"))
}

/// The parameters escaped in one way and sorted, without a presigned address's own signature. A `+` is a blank, as it
/// is where they are read.
fn canonical_query(query: &str) -> String {
    let escape = |text: &str| {
        let plain: Vec<u8> = percent_decode_str(&text.replace('+', " ")).collect();
        percent_encoding::percent_encode(&plain, RESERVED).to_string()
    };
    let mut pairs: Vec<(String, String)> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .filter(|(name, _)| *name != "X-Amz-Signature")
        .map(|(name, value)| (escape(name), escape(value)))
        .collect();
    pairs.sort();
    pairs
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect::<Vec<_>>()
        .join("&")
}

/// A header's value with runs of blanks made one.
fn canonical_value(value: &HeaderValue) -> String {
    String::from_utf8_lossy(value.as_bytes())
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}

fn signed_headers(headers: &HeaderMap) -> Vec<&str> {
    let mut names: Vec<&str> = headers
        .keys()
        .filter(|name| !UNSIGNED_HEADERS.contains(name))
        .map(HeaderName::as_str)
        .collect();
    names.sort_unstable();
    names
}

/// The `Host` of an address: without the port where the scheme implies it.
fn host_of(uri: &http::Uri) -> Option<String> {
    let host = uri.host()?;
    match (uri.port_u16(), uri.scheme_str()) {
        (None, _) | (Some(443), Some("https")) | (Some(80), Some("http")) => Some(host.to_owned()),
        (Some(port), _) => Some(format!("{host}:{port}")),
    }
}

/// `20150830T123600Z`.
pub fn amz_date(at: Millis) -> String {
    date(at, "%Y%m%dT%H%M%SZ")
}

/// `2015-08-30T12:36:00Z`.
pub fn iso_date(at: Millis) -> String {
    date(at, "%Y-%m-%dT%H:%M:%SZ")
}

fn date(at: Millis, form: &str) -> String {
    let at = i64::try_from(at.0)
        .ok()
        .and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    at.unwrap_or(jiff::Timestamp::UNIX_EPOCH)
        .strftime(form)
        .to_string()
}

/// The time in a text such as `20150830T123600Z`.
pub fn parse_amz_date(text: &str) -> Option<Millis> {
    let time = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", text).ok()?;
    let at = time.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp();
    u64::try_from(at.as_millisecond()).ok().map(Millis)
}

/// A value that was checked or made here; what cannot be a header is sent empty and fails the signature instead.
fn ascii(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or_else(|_| HeaderValue::from_static(""))
}

/// The HMAC of data under a key, with SHA-256.
pub fn hmac(key: &[u8], data: &[u8]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(data);
    mac.finalize().into_bytes().into()
}

/// Whether `signature` is the HMAC of `data` in lower-case hexadecimal digits. The time it takes does not tell how
/// much of it is right.
pub fn hmac_matches(key: &[u8], data: &[u8], signature: &str) -> bool {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(data);
    unhex(signature).is_some_and(|bytes| mac.verify_slice(&bytes).is_ok())
}

/// Lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits
        .map(|digit| char::from(DIGITS[usize::from(digit)]))
        .collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: &u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let pairs = text.as_bytes().chunks(2);
    pairs
        .map(|pair| Some(digit(pair.first()?)? << 4 | digit(pair.get(1)?)?))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUITE_DAY: Millis = Millis(1_440_938_160_000);
    const S3_DAY: Millis = Millis(1_369_353_600_000);

    fn credentials(id: &str, secret: &str) -> Credentials {
        Credentials {
            access_key_id: id.into(),
            secret_access_key: secret.into(),
            session_token: None,
        }
    }

    fn signature(
        request: http::request::Builder,
        payload: Payload<'_>,
        scope: &Scope<'_>,
    ) -> String {
        let credentials = match scope.service {
            "s3" => credentials(
                "AKIAIOSFODNN7EXAMPLE",
                "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            ),
            _ => credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
        };
        let (mut parts, ()) = request.body(()).unwrap().into_parts();
        sign(&mut parts, payload, &credentials, scope);
        let text = parts.headers[header::AUTHORIZATION].to_str().unwrap();
        text.rsplit_once("Signature=").unwrap().1.to_owned()
    }

    /// From AWS's published test suite for signature version 4.
    #[test]
    fn the_vectors_of_the_published_suite() {
        let scope = Scope {
            service: "service",
            region: "us-east-1",
            at: SUITE_DAY,
        };
        let get = |uri: &str| http::Request::get(format!("https://example.amazonaws.com{uri}"));
        for (request, expected) in [
            (
                get("/"),
                "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
            ),
            (
                get("/?Param2=value2&Param1=value1"),
                "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
            ),
            (
                http::Request::post("https://example.amazonaws.com/"),
                "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
            ),
        ] {
            assert_eq!(signature(request, Payload::Bytes(b""), &scope), expected);
        }
    }

    /// From the examples of the S3 API reference.
    #[test]
    fn the_examples_of_the_s3_reference() {
        let scope = Scope {
            service: "s3",
            region: "us-east-1",
            at: S3_DAY,
        };
        let get =
            |uri: &str| http::Request::get(format!("https://examplebucket.s3.amazonaws.com{uri}"));
        for (request, body, expected) in [
            (
                get("/test.txt").header("range", "bytes=0-9"),
                "",
                "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
            ),
            (
                http::Request::put("https://examplebucket.s3.amazonaws.com/test%24file.text")
                    .header("date", "Fri, 24 May 2013 00:00:00 GMT")
                    .header("x-amz-storage-class", "REDUCED_REDUNDANCY"),
                "Welcome to Amazon S3.",
                "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
            ),
            (
                get("/?lifecycle"),
                "",
                "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
            ),
            (
                get("/?max-keys=2&prefix=J"),
                "",
                "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
            ),
        ] {
            assert_eq!(
                signature(request, Payload::Bytes(body.as_bytes()), &scope),
                expected
            );
        }
    }

    /// Computed once with botocore 1.44.5.
    #[test]
    fn paths_are_escaped_once_for_s3_and_twice_for_others_as_botocore_does() {
        let mut credentials =
            credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
        credentials.session_token = Some("token+/=".into());
        let arn = "arn%3Aaws%3Alambda%3Aus-east-1%3A000000000000%3Afunction%3Af";
        for (service, method, path, expected) in [
            (
                "lambda",
                "DELETE",
                format!("/2017-03-31/tags/{arn}?tagKeys=a%20b&tagKeys=a%2Fa"),
                "0c2283f76529c8a9f85218734784dddc2a7418bb1e60e79298c8f80539a28a69",
            ),
            (
                "s3",
                "GET",
                "/bucket/a%20b/c%2Bd?list-type=2&prefix=x%2Fy".into(),
                "bb66d3b97e5065c96bd340e28d25908a9665478b4493c9730c4574f03d2b59f1",
            ),
        ] {
            let request = http::Request::builder()
                .method(method)
                .uri(format!("http://127.0.0.1:4566{path}"));
            let (mut parts, ()) = request.body(()).unwrap().into_parts();
            let scope = Scope {
                service,
                region: "us-east-1",
                at: SUITE_DAY,
            };
            sign(&mut parts, Payload::Bytes(b""), &credentials, &scope);
            let authorization = parts.headers[header::AUTHORIZATION].to_str().unwrap();
            assert!(
                authorization.ends_with(expected),
                "{service}: {authorization}"
            );
        }
    }

    #[test]
    fn the_host_of_http_2_is_in_the_address_under_both_its_names() {
        let (request, ()) = http::Request::post("http://127.0.0.1:4566/")
            .body(())
            .unwrap()
            .into_parts();
        for name in ["host", AUTHORITY] {
            let canonical = canonical_request(&request, &[name], "hash", "kinesis");
            assert!(
                canonical.contains(&format!("\n{name}:127.0.0.1:4566\n")),
                "{canonical}"
            );
        }
    }

    #[test]
    fn a_port_that_the_scheme_implies_is_not_part_of_the_host() {
        let host = |uri: &'static str| host_of(&http::Uri::from_static(uri));
        assert_eq!(host("https://a.example:443/").as_deref(), Some("a.example"));
        assert_eq!(
            host("http://127.0.0.1:4566/").as_deref(),
            Some("127.0.0.1:4566")
        );
        assert_eq!(host("/only/a/path"), None);
    }

    #[test]
    fn no_secret_is_shown() {
        let shown = format!("{:?}", credentials("id", "very-secret"));
        assert!(
            shown.contains("id") && !shown.contains("very-secret"),
            "{shown}"
        );
    }
}
