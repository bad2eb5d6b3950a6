//! Bodies as SDKs send them, and as nobody should.

use base64::{Engine, engine::general_purpose::STANDARD};
use futures_util::TryStreamExt;
use http::HeaderValue;
use md5::{Digest, Md5};
use proptest::prelude::*;

use super::*;
use headwater_auth::sign::hex;

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    pairs
        .iter()
        .map(|(n, v)| {
            (
                http::HeaderName::from_static(n),
                HeaderValue::from_str(v).unwrap(),
            )
        })
        .collect()
}

/// The body in pieces of `size` bytes.
fn pieces(body: &[u8], size: usize) -> ByteStream {
    let pieces: Vec<_> = body
        .chunks(size.max(1))
        .map(|piece| Ok(Bytes::copy_from_slice(piece)))
        .collect();
    ByteStream {
        chunks: Box::pin(stream::iter(pieces)),
        len: Some(body.len() as u64),
    }
}

/// The bytes that arrive, or the error at the end.
fn received(
    body: &[u8],
    size: usize,
    headers: &HeaderMap,
    depth: Depth,
) -> Result<Vec<u8>, ApiError> {
    let stream = receive(pieces(body, size), headers, depth, Seal::None)
        .map_err(|error| ApiError::from(&error))?;
    let whole = stream
        .chunks
        .try_fold(Vec::new(), |mut all, piece| async move {
            all.extend_from_slice(&piece);
            Ok(all)
        });
    futures_util::FutureExt::now_or_never(whole)
        .expect("nothing here waits")
        .map_err(|error| body_error(&error).unwrap())
}

const TRAILER_BODY: &[u8] =
    b"6\r\nhello \r\n5\r\nworld\r\n0\r\nx-amz-checksum-crc32:DUoRhQ==\r\n\r\n";

fn trailer_headers() -> HeaderMap {
    headers(&[
        ("content-encoding", "gzip, aws-chunked"),
        ("x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"),
        ("x-amz-decoded-content-length", "11"),
        ("x-amz-trailer", "x-amz-checksum-crc32"),
    ])
}

#[test]
fn frames_with_a_checksum_trailer_are_taken_apart_in_pieces_of_any_size() {
    for size in 1..=TRAILER_BODY.len() {
        let body = received(TRAILER_BODY, size, &trailer_headers(), Depth::Transport);
        assert_eq!(body.unwrap(), b"hello world", "{size}");
    }
    assert_eq!(
        trailer_algorithm(&trailer_headers()),
        Some(Algorithm::Crc32)
    );
}

/// The example of the S3 reference: 65 KiB of `a` in signed chunks.
#[test]
fn signed_chunks_are_taken_apart() {
    let mut body = Vec::new();
    for len in [65_536usize, 1024, 0] {
        let signature = "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648";
        body.extend_from_slice(format!("{len:x};chunk-signature={signature}\r\n").as_bytes());
        body.extend(std::iter::repeat_n(b'a', len));
        body.extend_from_slice(b"\r\n");
    }
    let headers = headers(&[
        ("x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"),
        ("x-amz-decoded-content-length", "66560"),
    ]);
    assert_eq!(
        received(&body, 1000, &headers, Depth::Transport).unwrap(),
        vec![b'a'; 66_560]
    );
}

#[test]
fn all_algorithms_are_checked_in_trailers_and_headers() {
    for (algorithm, value) in [
        ("crc32", "DUoRhQ=="),
        ("crc32c", "yZRlqg=="),
        ("crc64nvme", "jSnVw/bqjr4="),
        ("sha1", "Kq5sNclPz7QV2+lfQIuc6R7oRu0="),
        ("sha256", "uU0nuZNNPgilLlLX2n2r+sSE7+N6U4DukIj3rOLvzek="),
    ] {
        let name: &'static str = format!("x-amz-checksum-{algorithm}").leak();
        let mut trailing = trailer_headers();
        trailing.insert("x-amz-trailer", HeaderValue::from_static(name));
        let framed = |value: &str| format!("b\r\nhello world\r\n0\r\n{name}:{value}\r\n\r\n");
        assert!(
            received(framed(value).as_bytes(), 7, &trailing, Depth::Transport).is_ok(),
            "{name}"
        );
        let plain = headers(&[(name, value)]);
        assert!(
            received(b"hello world", 7, &plain, Depth::Everything).is_ok(),
            "{name}"
        );
        let error = received(b"hello World", 7, &plain, Depth::Everything).unwrap_err();
        assert_eq!(error.code(), "BadDigest", "{error:?}");
        assert!(
            received(b"hello World", 7, &plain, Depth::Transport).is_ok(),
            "left to the store"
        );
    }
}

#[test]
fn what_is_wrong_with_a_body_ends_it_in_the_words_of_s3() {
    let code = |body: &[u8], headers: &HeaderMap, depth| {
        received(body, 8, headers, depth)
            .unwrap_err()
            .code()
            .to_owned()
    };
    let framed = |body: &str| code(body.as_bytes(), &trailer_headers(), Depth::Transport);
    assert_eq!(
        framed("b\r\nhello worlD\r\n0\r\nx-amz-checksum-crc32:DUoRhQ==\r\n\r\n"),
        "BadDigest"
    );
    assert_eq!(
        framed("b\r\nhello world\r\n0\r\n\r\n"),
        "MalformedTrailerError"
    );
    assert_eq!(
        framed("b\r\nhello world\r\n0\r\nx-amz-checksum-crc32:AA==\r\n\r\n"),
        "InvalidRequest"
    );
    assert_eq!(
        framed("a\r\nhello worl\r\n0\r\nx-amz-checksum-crc32:DUoRhQ==\r\n\r\n"),
        "IncompleteBody"
    );
    assert_eq!(framed("c\r\nhello world!\r\n0\r\n\r\n"), "IncompleteBody");
    assert_eq!(framed("b\r\nhello wor"), "IncompleteBody");
    assert_eq!(framed("b\r\nhello world\r\n"), "IncompleteBody");
    assert_eq!(framed("a\r\nhello world\r\n0\r\n\r\n"), "InvalidRequest");
    assert_eq!(framed("hello world"), "IncompleteBody");
    assert_eq!(framed("+b\r\nhello world\r\n"), "InvalidRequest");
    assert_eq!(framed(&"1".repeat(5000)), "InvalidRequest");
    let md5 = STANDARD.encode(Md5::digest(b"hello"));
    assert_eq!(
        code(
            b"hullo",
            &headers(&[("content-md5", &md5)]),
            Depth::Everything
        ),
        "BadDigest"
    );
    assert_eq!(
        code(
            b"hello",
            &headers(&[("content-md5", "x")]),
            Depth::Everything
        ),
        "InvalidDigest"
    );
    let signed = headers(&[("x-amz-content-sha256", &hex(&[0; 32]))]);
    assert_eq!(
        code(b"hello", &signed, Depth::Transport),
        "XAmzContentSHA256Mismatch"
    );
}

#[test]
fn an_error_survives_its_way_through_the_stream() {
    let error = broken(BodyError::Cut);
    assert_eq!(body_error(&error).unwrap().code(), "IncompleteBody");
    assert_eq!(body_error(&io::Error::other("else")), None);
}

proptest! {
    #[test]
    fn any_frames_read_back(
        parts in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..50), 0..6),
        size in 1usize..80,
    ) {
        let mut body = Vec::new();
        for part in &parts {
            body.extend_from_slice(format!("{:X}\r\n", part.len()).as_bytes());
            body.extend_from_slice(part);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(b"0\r\n\r\n");
        let headers = headers(&[("content-encoding", "aws-chunked")]);
        prop_assert_eq!(received(&body, size, &headers, Depth::Transport).unwrap(), parts.concat());
    }

    #[test]
    fn any_bytes_end_without_a_panic(body: Vec<u8>, size in 1usize..40) {
        let _ = received(&body, size, &trailer_headers(), Depth::Everything);
    }

    #[test]
    fn any_framing_like_text_ends_without_a_panic(body in "[0-9a-f;\r\n:x-]{0,60}", size in 1usize..40) {
        let _ = received(body.as_bytes(), size, &trailer_headers(), Depth::Everything);
    }
}
