//! Signatures as AWS published them, as this crate's own client makes them, and as nobody should.

use std::{sync::Arc, time::Duration};

use headwater_env::ManualClock;
use headwater_types::{Account, Millis};
use http::{Request, header, request::Builder};
use proptest::prelude::*;

use super::*;
use crate::sign::{CONTENT_SHA256 as HASH, Payload, Scope, sign};

const NOW: Millis = Millis(1_440_938_160_000);

fn key(id: &str, secret: &str, token: Option<&str>) -> Credentials {
    Credentials {
        access_key_id: id.into(),
        secret_access_key: secret.into(),
        session_token: token.map(str::to_owned),
    }
}

fn verifier_at(now: Millis, region: &str, keys: impl IntoIterator<Item = Credentials>) -> Verifier {
    let holder = Arc::new(Caller::root(Account("000000000000".into())));
    let keys = keys.into_iter().map(|credentials| Key {
        credentials,
        holder: holder.clone(),
    });
    Verifier::new(keys, Region(region.into()), Arc::new(ManualClock::at(now)))
}

fn verifier(now: Millis) -> Verifier {
    verifier_at(
        now,
        "eu-west-1",
        [
            key("AKID/EXAMPLE", "secret", None),
            key("TEMP", "secret", Some("token")),
        ],
    )
}

fn head(request: Builder) -> Parts {
    request.body(()).unwrap().into_parts().0
}

fn signed_by(service: &str, uri: &str, payload: Payload<'_>, key: &Credentials) -> Parts {
    let mut head = head(Request::post(uri).header("X-Amz-Target", "a.B"));
    sign(
        &mut head,
        payload,
        key,
        &Scope {
            service,
            region: "eu-west-1",
            at: NOW,
        },
    );
    head
}

fn signed(service: &str, body: &[u8]) -> Parts {
    let uri = "http://127.0.0.1:4566/b/a%20b?x=1&a=%2F&a=+";
    signed_by(
        service,
        uri,
        Payload::Bytes(body),
        &key("AKID/EXAMPLE", "secret", None),
    )
}

/// Code and text of the error.
fn json_error(verifier: &Verifier, head: &Parts) -> (String, String) {
    let error = verifier.check_json(head, "kinesis", b"{}").unwrap_err();
    assert_eq!(error.status(), 400);
    (error.code().to_owned(), error.message().to_owned())
}

fn s3_error(verifier: &Verifier, head: &Parts) -> ApiError {
    verifier
        .check_s3(head, head.uri.path())
        .map(|_| ())
        .unwrap_err()
}

/// Names as in AWS's published suite, whose requests are those that an HTTP parser lets through. Lines of a request
/// are parted by `|`. The key and the time are the suite's.
const SUITE: [(&str, &str, &str); 26] = [
    (
        "get-vanilla",
        "GET /",
        "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
    ),
    (
        "get-header-key-duplicate",
        "GET /|My-Header1:value2|My-Header1:value2|My-Header1:value1",
        "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea",
    ),
    (
        "get-header-value-multiline",
        "GET /|My-Header1:value1   value2      value3",
        "cfd34249e4b1c8d6b91ef74165d41a32e5fab3306300901bb65a51a73575eefd",
    ),
    (
        "get-header-value-order",
        "GET /|My-Header1:value4|My-Header1:value1|My-Header1:value3|My-Header1:value2",
        "08c7e5a9acfcfeb3ab6b2185e75ce8b1deb5e634ec47601a50643f830c755c01",
    ),
    (
        "get-header-value-trim",
        "GET /|My-Header1: value1|My-Header2: \"a   b   c\"",
        "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
    ),
    (
        "get-relative-normalized",
        "GET /example/..",
        "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
    ),
    (
        "get-relative-relative-normalized",
        "GET /example1/example2/../..",
        "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
    ),
    (
        "get-slash-dot-slash-normalized",
        "GET /./",
        "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
    ),
    (
        "get-slash-normalized",
        "GET //",
        "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
    ),
    (
        "get-slash-pointless-dot-normalized",
        "GET /./example",
        "ef75d96142cf21edca26f06005da7988e4f8dc83a165a80865db7089db637ec5",
    ),
    (
        "get-slashes-normalized",
        "GET //example//",
        "9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84",
    ),
    (
        "get-unreserved",
        "GET /-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
        "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f",
    ),
    (
        "get-utf8",
        "GET /ሴ",
        "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85",
    ),
    (
        "get-vanilla-empty-query-key",
        "GET /?Param1=value1",
        "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb",
    ),
    (
        "get-vanilla-query-order-encoded",
        "GET /?Param-3=Value3&Param=Value2&%E1%88%B4=Value1",
        "371d3713e185cc334048618a97f809c9ffe339c62934c032af5a0e595648fcac",
    ),
    (
        "get-vanilla-query-order-key-case",
        "GET /?Param2=value2&Param1=value1",
        "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
    ),
    (
        "get-vanilla-query-unreserved",
        "GET /?-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz=-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
        "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197",
    ),
    (
        "get-vanilla-utf8-query",
        "GET /?ሴ=bar",
        "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04",
    ),
    (
        "post-header-key-sort",
        "POST /|My-Header1:value1",
        "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c",
    ),
    (
        "post-header-value-case",
        "POST /|My-Header1:VALUE1",
        "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d",
    ),
    (
        "post-vanilla",
        "POST /",
        "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
    ),
    (
        "post-vanilla-query",
        "POST /?Param1=value1",
        "28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11",
    ),
    (
        "get-vanilla-with-session-token",
        "GET /|X-Amz-Security-Token:6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267",
        "07ec1639c89043aa0e3e2de82b96708f198cceab042d4a97044c66dd9f74e7f8",
    ),
    (
        "post-sts-header-before",
        "POST /|X-Amz-Security-Token:AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA==",
        "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead",
    ),
    (
        "post-x-www-form-urlencoded",
        "POST /|Content-Type:application/x-www-form-urlencoded|Content-Length:13|x-amz-content-sha256:9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106275f4c7b24d0b6e",
        "d3875051da38690788ef43de4db0d8f280229d82040bfac253562e56c3f20e0b",
    ),
    (
        "post-x-www-form-urlencoded-parameters",
        "POST /|Content-Type:application/x-www-form-urlencoded; charset=utf-8|Content-Length:13|x-amz-content-sha256:9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106275f4c7b24d0b6e",
        "328d1b9eaadca9f5818ef05e8392801e091653bafec24fcab71e7344e7f51422",
    ),
];

/// A request of the suite with its signature in a header.
fn suite_head(request: &str, signature: &str) -> Parts {
    let (line, headers) = request.split_once('|').unwrap_or((request, ""));
    let (method, uri) = line.split_once(' ').unwrap();
    let mut builder = Request::builder().method(method).uri(uri);
    let mut names = vec!["host".to_owned(), "x-amz-date".to_owned()];
    builder = builder
        .header("host", "example.amazonaws.com")
        .header("x-amz-date", "20150830T123600Z");
    for (name, value) in headers
        .split('|')
        .filter_map(|header| header.split_once(':'))
    {
        builder = builder.header(name, value);
        names.push(name.to_ascii_lowercase());
    }
    names.sort();
    names.dedup();
    let credential = "AKIDEXAMPLE/20150830/us-east-1/service/aws4_request";
    let names = names.join(";");
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={names}, Signature={signature}"
    );
    head(builder.header("authorization", authorization))
}

#[test]
fn the_published_suite() {
    for (name, request, signature) in SUITE {
        let token = request.split("X-Amz-Security-Token:").nth(1);
        let keys = [key(
            "AKIDEXAMPLE",
            "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
            token,
        )];
        let verifier = verifier_at(NOW, "us-east-1", keys);
        let body: &[u8] = if request.contains("urlencoded") {
            b"Param1=value1"
        } else {
            b""
        };
        let good = verifier
            .check_json(&suite_head(request, signature), "service", body)
            .map(drop);
        assert_eq!(good, Ok(()), "{name}");
        let bad = signature.replace(['0', '5'], "6");
        assert!(
            verifier
                .check_json(&suite_head(request, &bad), "service", body)
                .is_err(),
            "{name}"
        );
    }
}

#[test]
fn the_published_suite_in_addresses() {
    const SIGNED: &str = "X-Amz-Algorithm=AWS4-HMAC-SHA256&\
        X-Amz-Credential=AKIDEXAMPLE%2F20150830%2Fus-east-1%2Fservice%2Faws4_request&X-Amz-Date=20150830T123600Z&\
        X-Amz-SignedHeaders=host&X-Amz-Expires=3600";
    for (uri, token, signature) in [
        (
            "/?",
            "",
            "e93c787ed7f371d5c6b165c1b38ede9550f4dce4144713e844b25b7192d3865d",
        ),
        (
            "/./example?",
            "",
            "35034b1a0bdd969f346975386daf8aedfd4976573b8348cf4f67eaa41c5857de",
        ),
        (
            "/?Param1=value1&",
            "",
            "49096700cbbaa5753443850f40df10f904fc2fdb544dc9512203cc77c471a9de",
        ),
        (
            "/?Param-3=Value3&Param=Value2&%E1%88%B4=Value1&",
            "",
            "c5f1848ceec943ac2ca68ee720460c23aaae30a2300586597ada94c4a65e4787",
        ),
        (
            "/ሴ?",
            "",
            "10eae3f14a260bd3911cc6d008d3c576d143b05b62f09782a7a4b37f52178e44",
        ),
        (
            "/?",
            "6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267",
            "7ff2b50b376cb4d151970630573d6291dc128cc5c2a12ffb237f73cc53f67b6c",
        ),
    ] {
        let extra = if token.is_empty() {
            String::new()
        } else {
            format!("&X-Amz-Security-Token={token}")
        };
        let uri = format!("{uri}{SIGNED}{extra}&X-Amz-Signature={signature}");
        let get = head(Request::get(uri.as_str()).header("host", "example.amazonaws.com"));
        let token = (!token.is_empty()).then_some(token);
        let key = || {
            key(
                "AKIDEXAMPLE",
                "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
                token,
            )
        };
        let at = |now| {
            verifier_at(now, "us-east-1", [key()])
                .check_json(&get, "service", b"")
                .map(drop)
        };
        assert_eq!(at(NOW), Ok(()), "{uri}");
        assert_eq!(at(NOW.plus(Duration::from_secs(3600))), Ok(()));
        assert_eq!(
            at(NOW.plus(Duration::from_secs(3601)))
                .unwrap_err()
                .message(),
            "Signature expired: 20150830T123600Z is now earlier than 20150830T123601Z (20150830T133601Z - 60 min.)"
        );
    }
}

#[test]
fn what_was_signed_is_believed_and_nothing_else() {
    let verifier = verifier(NOW);
    assert!(
        verifier
            .check_json(&signed("kinesis", b"{}"), "kinesis", b"{}")
            .is_ok()
    );
    assert!(verifier.check_s3(&signed("s3", b"{}"), "/b").is_ok());
    let (code, text) = json_error(&verifier, &signed("kinesis", b"[]"));
    assert_eq!(code, "InvalidSignatureException");
    assert!(
        text.contains("have been\n'POST\n/b/a%2520b\na=%20&a=%2F&x=1\nhost:127.0.0.1:4566\n"),
        "{text}"
    );
    assert!(text.contains(
        "'AWS4-HMAC-SHA256\n20150830T123600Z\n20150830/eu-west-1/kinesis/aws4_request\n"
    ));
    let mut other = signed("kinesis", b"{}");
    other.headers.insert("X-Amz-Target", "a.C".parse().unwrap());
    assert_eq!(json_error(&verifier, &other).0, "InvalidSignatureException");
    let guess = key("AKID/EXAMPLE", "guess", None);
    let forged = signed_by("s3", "http://h/b", Payload::Unsigned, &guess);
    let error = s3_error(&verifier, &forged);
    assert_eq!(
        (error.status(), error.code()),
        (403, "SignatureDoesNotMatch")
    );
    let fields: Vec<&str> = error.fields().keys().map(String::as_str).collect();
    assert_eq!(fields.len(), 6, "{fields:?}");
    assert_eq!(error.fields()["AWSAccessKeyId"], "AKID/EXAMPLE");
    assert!(
        error.fields()["CanonicalRequestBytes"]
            .as_str()
            .unwrap()
            .starts_with("50 4f 53 54 0a 2f 62")
    );
}

#[test]
fn a_rest_json_body_is_believed_at_its_end() {
    let verifier = verifier(NOW);
    let mut lambda = signed("lambda", b"{}");
    let end = |head: &Parts, body: &[u8]| match verifier.check_rest_json(head, "lambda")?.1 {
        Seal::Whole(_, check) => check(Sha256::digest(body).into()),
        Seal::Chunks(_) | Seal::None => panic!("its seal is whole"),
    };
    assert_eq!(end(&lambda, b"{}"), Ok(()));
    let error = end(&lambda, b"[]").unwrap_err();
    assert_eq!(
        (error.status(), error.code()),
        (403, "InvalidSignatureException")
    );
    // Whether the key is known is told before the body comes.
    lambda.headers.remove("authorization");
    let error = verifier
        .check_rest_json(&lambda, "lambda")
        .map(drop)
        .unwrap_err();
    assert_eq!(
        (error.code(), error.message()),
        (
            "MissingAuthenticationTokenException",
            "Missing Authentication Token"
        )
    );
}

#[test]
fn a_session_needs_its_token() {
    let verifier = verifier(NOW);
    let uri = "http://h/";
    let with = |token| {
        signed_by(
            "kinesis",
            uri,
            Payload::Bytes(b"{}"),
            &key("TEMP", "secret", token),
        )
    };
    assert!(
        verifier
            .check_json(&with(Some("token")), "kinesis", b"{}")
            .is_ok()
    );
    for token in [None, Some("tokem"), Some("")] {
        let (code, text) = json_error(&verifier, &with(token));
        assert_eq!(code, "UnrecognizedClientException");
        assert_eq!(
            text,
            "The security token included in the request is invalid"
        );
    }
    let s3 = signed_by("s3", uri, Payload::Unsigned, &key("TEMP", "secret", None));
    assert_eq!(s3_error(&verifier, &s3).code(), "InvalidToken");
}

#[test]
fn clocks_may_be_five_minutes_off_and_fifteen_for_s3() {
    let (second, five, fifteen) = (
        Duration::from_secs(1),
        Duration::from_secs(300),
        Duration::from_secs(900),
    );
    let json = |now| {
        let done = verifier(now).check_json(&signed("kinesis", b"{}"), "kinesis", b"{}");
        done.map(drop).map_err(|error| error.message().to_owned())
    };
    let s3 = |now| verifier(now).check_s3(&signed("s3", b"{}"), "/b").map(drop);
    assert_eq!(
        (json(NOW.plus(five)), json(NOW.minus(five))),
        (Ok(()), Ok(()))
    );
    assert_eq!(
        (s3(NOW.plus(fifteen)), s3(NOW.minus(fifteen))),
        (Ok(()), Ok(()))
    );
    assert_eq!(
        json(NOW.plus(five + second)).unwrap_err(),
        "Signature expired: 20150830T123600Z is now earlier than 20150830T123601Z (20150830T124101Z - 5 min.)"
    );
    assert_eq!(
        json(NOW.minus(five + second)).unwrap_err(),
        "Signature not yet current: 20150830T123600Z is still later than 20150830T123559Z (20150830T123059Z + 5 min.)"
    );
    let error = s3(NOW.plus(fifteen + second)).unwrap_err();
    assert_eq!(
        (error.status(), error.code()),
        (403, "RequestTimeTooSkewed")
    );
    assert_eq!(error.fields()["RequestTime"], "20150830T123600Z");
    assert_eq!(error.fields()["ServerTime"], "2015-08-30T12:51:01Z");
    assert_eq!(error.fields()["MaxAllowedSkewMilliseconds"], "900000");
    assert!(s3(NOW.minus(fifteen + second)).is_err());
}

/// From the S3 API reference, "Authenticating Requests: Using Query Parameters".
#[test]
fn the_presigned_example_of_the_s3_reference() {
    let uri = "https://examplebucket.s3.amazonaws.com/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&\
               X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request&\
               X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host&\
               X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404";
    let day = Millis(1_369_353_600_000);
    let example = || {
        key(
            "AKIAIOSFODNN7EXAMPLE",
            "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            None,
        )
    };
    let check = |now, uri: &str| {
        let get = head(Request::get(uri).header("host", "examplebucket.s3.amazonaws.com"));
        verifier_at(now, "us-east-1", [example()])
            .check_s3(&get, "/test.txt")
            .map(drop)
    };
    let seconds = Duration::from_secs;
    assert_eq!(check(day.plus(seconds(86_400)), uri), Ok(()));
    let late = check(day.plus(seconds(86_401)), uri).unwrap_err();
    assert_eq!(
        (late.code(), late.message()),
        ("AccessDenied", "Request has expired")
    );
    assert_eq!(late.fields()["Expires"], "2013-05-25T00:00:00Z");
    assert_eq!(late.fields()["X-Amz-Expires"], "86400");
    let early = check(day.minus(seconds(901)), uri).unwrap_err();
    assert_eq!(
        (early.code(), early.message()),
        ("AccessDenied", "Request is not valid yet")
    );
    for (from, to, text) in [
        (
            "=86400",
            "=604801",
            "X-Amz-Expires must be less than a week (in seconds)",
        ),
        ("=86400", "=-1", "X-Amz-Expires must be non-negative"),
        ("=86400", "=soon", "X-Amz-Expires should be a number"),
        (
            "X-Amz-Expires",
            "X-Amz-Expired",
            "Query-string authentication version 4 requires the X-Amz-Algorithm,",
        ),
        (
            "us-east-1",
            "us-west-2",
            "Error parsing the X-Amz-Credential parameter; the region 'us-west-2' is wrong",
        ),
        (
            "HMAC-SHA256",
            "HMAC-SHA1",
            "X-Amz-Algorithm only supports \"AWS4-HMAC-SHA256\"",
        ),
        (
            "20130524T",
            "today",
            "X-Amz-Date must be in the ISO8601 Long Format",
        ),
    ] {
        let error = check(day, &uri.replace(from, to)).unwrap_err();
        assert_eq!(
            (error.status(), error.code()),
            (400, "AuthorizationQueryParametersError"),
            "{to}"
        );
        assert!(error.message().starts_with(text), "{}", error.message());
    }
}

/// The example of the S3 reference, "Signature Calculations: Transferring Payload in Multiple Chunks".
#[test]
fn the_chunks_of_the_s3_reference() {
    let put = Request::put("https://s3.amazonaws.com/examplebucket/chunkObject.txt")
        .header("host", "s3.amazonaws.com")
        .header("x-amz-date", "20130524T000000Z")
        .header("x-amz-storage-class", "REDUCED_REDUNDANCY")
        .header("x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD")
        .header("content-encoding", "aws-chunked")
        .header("x-amz-decoded-content-length", "66560")
        .header("content-length", "66824")
        .header(
            "authorization",
            "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,\
             SignedHeaders=content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;\
             x-amz-decoded-content-length;x-amz-storage-class,\
             Signature=4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
        );
    let put = head(put);
    let example = key(
        "AKIAIOSFODNN7EXAMPLE",
        "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        None,
    );
    let verifier = verifier_at(Millis(1_369_353_600_000), "us-east-1", [example]);
    let chunks = [
        (
            65_536,
            "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648",
        ),
        (
            1024,
            "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497",
        ),
        (
            0,
            "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9",
        ),
    ];
    for tampered in [None, Some(0), Some(1), Some(2)] {
        let Ok((_, Seal::Chunks(mut chain))) = verifier.check_s3(&put, "/") else {
            panic!("the head is signed")
        };
        for (index, (len, signature)) in chunks.into_iter().enumerate() {
            let here = tampered == Some(index);
            chain.update(&vec![b'a'; len + usize::from(here)]);
            assert_eq!(chain.ends_chunk(signature), !here, "chunk {index}");
            if here {
                break;
            }
        }
    }
}

/// From the S3 API reference, "Signing and authenticating REST requests": its example of an address.
#[test]
fn the_example_of_version_2() {
    let uri = "http://johnsmith.s3.us-west-1.amazonaws.com/photos/puppy.jpg?\
               AWSAccessKeyId=AKIAIOSFODNN7EXAMPLE&Signature=NpgCjnDzrM%2BWFzoENXmpNDUsSn8%3D&Expires=1175139620";
    let example = || {
        key(
            "AKIAIOSFODNN7EXAMPLE",
            "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            None,
        )
    };
    let at = |seconds: u64, uri: &str, path: &str| {
        let verifier = verifier_at(Millis(seconds * 1000), "us-west-1", [example()]);
        verifier.check_s3(&head(Request::get(uri)), path).map(drop)
    };
    let path = "/johnsmith/photos/puppy.jpg";
    assert_eq!(at(1_175_139_620, uri, path), Ok(()));
    assert_eq!(
        at(1_175_139_621, uri, path).unwrap_err().message(),
        "Request has expired"
    );
    for changed in [
        uri.replace("9620", "9621"),
        uri.replace("?", "?acl&"),
        uri.replace("?", "?x-amz-acl=x&"),
    ] {
        assert_eq!(
            at(1_175_139_000, &changed, path).unwrap_err().code(),
            "SignatureDoesNotMatch",
            "{changed}"
        );
    }
    assert_eq!(
        at(0, uri, "/other/photos/puppy.jpg").unwrap_err().code(),
        "SignatureDoesNotMatch"
    );
    assert_eq!(
        at(0, &uri.replace("Expires", "E"), path)
            .unwrap_err()
            .code(),
        "AccessDenied"
    );
    assert_eq!(
        at(0, &uri.replace("AKIA", "B"), path).unwrap_err().code(),
        "InvalidAccessKeyId"
    );
}

#[test]
fn what_is_missing_is_named() {
    let verifier = verifier(NOW);
    let refused = |request: Builder| json_error(&verifier, &head(request));
    let with = |authorization: &str, date: &str| {
        refused(
            Request::post("http://h/")
                .header("authorization", authorization)
                .header("date", date),
        )
    };
    let incomplete = |text: &str| ("IncompleteSignatureException".to_owned(), text.to_owned());
    assert_eq!(
        refused(Request::post("http://h/?X-Amz-Algorith").header("authorization", "X")),
        incomplete(
            "Authorization header requires 'Credential' parameter. Authorization header requires 'Signature' \
             parameter. Authorization header requires 'SignedHeaders' parameter. Authorization header requires \
             existence of either a 'X-Amz-Date' or a 'Date' header. Authorization=X"
        )
    );
    for parts in [
        "Signature=b Credential=a",
        "Signature=b,Credential=a",
        "Signature=b, Credential=a",
    ] {
        let authorization = format!("AWS4- {parts}");
        let text = "Authorization header requires 'SignedHeaders' parameter. Authorization=";
        assert_eq!(
            with(&authorization, "a"),
            incomplete(&format!("{text}{authorization}"))
        );
    }
    let parts = "Credential=a/b/c/d, SignedHeaders=host, Signature=e";
    assert!(
        with(&format!("AWS4-HMAC-SHA256 {parts}"), "a")
            .1
            .starts_with("Date must be in ISO-8601")
    );
    let date = "20150830T123600Z";
    assert_eq!(
        with(&format!("AWS4-HMAC-SHA1 {parts}"), date),
        incomplete(
            "Unsupported AWS 'algorithm': 'AWS4-HMAC-SHA1' (only AWS4-HMAC-SHA256 for now). "
        )
    );
    assert!(
        with(&format!("AWS4-HMAC-SHA256 {parts}"), date)
            .1
            .ends_with("got 'a/b/c/d'")
    );
    assert_eq!(
        refused(Request::post("http://h/")).0,
        "MissingAuthenticationTokenException"
    );
    let both = refused(Request::post("http://h/?X-Amz-Algorithm").header("authorization", "X"));
    assert_eq!(both.0, "InvalidSignatureException");
    assert_eq!(
        refused(Request::post(
            "http://h/?X-Amz-Algorithm=a&X-Amz-Credential=b&X-Amz-Signature=c&X-Amz-Date=d"
        )),
        incomplete(
            "AWS query-string parameters must include 'X-Amz-SignedHeaders'. Re-examine the query-string parameters."
        )
    );
}

#[test]
fn a_scope_must_be_ours() {
    let verifier = verifier(NOW);
    let refused = |credential: &str, names: &str| {
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={names}, Signature=00"
        );
        let date = "Sun, 30 Aug 2015 12:36:00 GMT";
        json_error(
            &verifier,
            &head(
                Request::post("http://h/")
                    .header("date", date)
                    .header("authorization", authorization),
            ),
        )
    };
    let invalid = |text: &str| ("InvalidSignatureException".to_owned(), text.to_owned());
    assert_eq!(
        refused("a/b/c/d/e", "host"),
        invalid(
            "Credential should be scoped to a valid region, not 'c'. Credential should be scoped to correct service: \
             'kinesis'. Credential should be scoped with a valid terminator: 'aws4_request', not 'e'. Date in \
             Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: 'b' != '20150830', \
             from '20150830T123600Z'."
        )
    );
    let ours = "a/20150830/eu-west-1/kinesis/aws4_request";
    assert_eq!(
        refused(ours, "date"),
        invalid("'Host' must be a 'SignedHeader' in the AWS Authorization.")
    );
    let unknown = refused(ours, "Host;date");
    assert_eq!(unknown.0, "UnrecognizedClientException");
    assert_eq!(
        unknown.1,
        "The security token included in the request is invalid."
    );
}

#[test]
fn s3_says_it_otherwise() {
    let verifier = verifier(NOW);
    let refused = |head: &Parts| {
        let error = s3_error(&verifier, head);
        (
            error.status(),
            error.code().to_owned(),
            error.message().to_owned(),
        )
    };
    let plain = || Request::get("http://h/b").header("x-amz-date", "20150830T123600Z");
    let auth = |text: &str| refused(&head(plain().header("authorization", text)));
    assert_eq!(
        refused(&head(plain())),
        (403, "AccessDenied".into(), "Access Denied".into())
    );
    assert_eq!(auth("Basic abc").2, "Unsupported Authorization Type");
    assert!(
        auth("AWS AKID:abc")
            .2
            .ends_with("Please use AWS4-HMAC-SHA256.")
    );
    let credential = |credential: &str| {
        auth(&format!(
            "AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host;x-amz-date, Signature=00"
        ))
    };
    for (given, text) in [
        (
            "a/b",
            "the Credential is mal-formed; expecting \"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\".",
        ),
        (
            "a/20150830/x/s3/aws4_request",
            "the region 'x' is wrong; expecting 'eu-west-1'",
        ),
        (
            "a/20150830/eu-west-1/ec2/aws4_request",
            "incorrect service \"ec2\". This endpoint belongs to \"s3\".",
        ),
    ] {
        let text = format!("The authorization header is malformed; {text}");
        assert_eq!(
            credential(given),
            (400, "AuthorizationHeaderMalformed".into(), text)
        );
    }
    assert_eq!(
        credential("a/20150830/eu-west-1/s3/aws4_request").1,
        "InvalidAccessKeyId"
    );
    let mut bare = signed("s3", b"");
    bare.headers
        .insert("x-amz-copy-source", "/b/secret".parse().unwrap());
    let error = s3_error(&verifier, &bare);
    assert_eq!(
        (error.code(), &error.fields()["HeadersNotSigned"]),
        ("AccessDenied", &"x-amz-copy-source".into())
    );
    let mut hashless = signed("s3", b"");
    hashless.headers.remove(HASH);
    assert_eq!(
        refused(&hashless).2,
        "Missing required header for this request: x-amz-content-sha256"
    );
    hashless
        .headers
        .insert(HASH, "STREAMING-SOMETHING".parse().unwrap());
    assert_eq!(refused(&hashless).1, "InvalidArgument");
}

#[test]
fn http2_has_the_host_in_the_address() {
    let mut two = signed("kinesis", b"{}");
    two.headers.remove(header::HOST);
    assert!(verifier(NOW).check_json(&two, "kinesis", b"{}").is_ok());
}

#[test]
fn signing_keys_are_made_once_a_day() {
    let verifier = verifier(NOW);
    for _ in 0..3 {
        assert!(verifier.check_s3(&signed("s3", b""), "/b").is_ok());
    }
    assert_eq!(verifier.0.made.lock().len(), 1);
}

proptest! {
    #[test]
    fn any_header_and_query_is_answered(
        authorization in "[ -~]{0,80}",
        date in "[0-9TZ]{0,20}",
        query in "[a-zA-Z0-9=&%-]{0,80}",
    ) {
        let request = Request::get(format!("http://h/?X-Amz-Algorithm=AWS4-HMAC-SHA256&{query}"));
        let mut head = head(request.header("x-amz-date", date));
        let verifier = verifier(NOW);
        prop_assert!(verifier.check_json(&head, "kinesis", b"").is_err());
        prop_assert!(verifier.check_s3(&head, "/").is_err());
        let whole = format!("AWS4-HMAC-SHA256 Credential=a/20150830/b/c/aws4_request, SignedHeaders=host, {authorization}");
        head.headers.insert(header::AUTHORIZATION, whole.parse().unwrap());
        head.uri = "/".parse().unwrap();
        prop_assert!(verifier.check_json(&head, "kinesis", b"").is_err());
        prop_assert!(verifier.check_s3(&head, "/").is_err());
    }
}
