//! The fuzz targets' questions, asked of bytes put together from words of HTTP.

use proptest::prelude::*;

use super::*;

/// How requests begin; some readers refuse some of them.
const LINES: &[&str] = &[
    "GET / HTTP/1.1\r\nHost: a\r\n",
    "POST /a?b=c HTTP/1.1\r\nHost: a\r\n",
    "POST /b HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n",
    "POST /c HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n",
    "POST /a?b=c HTTP/1.0\r\n",
    "POST /d HTTP/1.0\r\nConnection: keep-alive\r\n",
    "GET http://a/ HTTP/1.1\r\nHost: a\r\n",
    "OPTIONS * HTTP/1.1\r\nHost: a\r\n",
    "GET /a#b HTTP/1.1\r\nHost: a\r\n",
    "GET a HTTP/1.1\r\nHost: a\r\n",
    "GET / HTTP/1.1\r\n",
];

const HEADERS: &[&str] = &[
    "Host: a\r\n",
    "Host: b\r\n",
    "Content-Length: 3\r\n",
    "Content-Length: 03\r\n",
    "Content-Length: +3\r\n",
    "Content-Length: 3, 3\r\n",
    "Content-Length: 0\r\n",
    "Content_Length: 3\r\n",
    "Transfer-Encoding: chunked\r\n",
    "Transfer-Encoding:\tchunked\r\n",
    "Transfer-Encoding : chunked\r\n",
    "Transfer-Encoding: xchunked\r\n",
    "Transfer-Encoding: gzip, chunked\r\n",
    "Transfer-Encoding: chunked, identity\r\n",
    "Connection: close\r\n",
    "Connection: keep-alive\r\n",
    "Connection: a, b\r\n",
    "Expect: 100-continue\r\n",
    "Upgrade: h2c\r\nConnection: upgrade, http2-settings\r\nHTTP2-Settings: AAAA\r\n",
    "x: y\r\n",
    "x\u{e9}: y\r\n",
    "x: \u{e9}\r\n",
    "x: y\r\n folded\r\n",
];

/// Pieces of bodies, and of what some readers take for one.
const BODIES: &[&str] = &[
    "abc",
    "3\r\nabc\r\n",
    "3\r\nabc\r\n0\r\n\r\n",
    "0\r\n\r\n",
    "3 \r\nabc\r\n",
    "3;x=y\r\nabc\r\n",
    "3;x\ry\r\nabc\r\n",
    "3\nabc\r\n",
    "0000000000000000003\r\nabc\r\n",
    "0x3\r\nabc\r\n",
    "ffffffffffffffff\r\n",
    "0\r\nx: y\r\n\r\n",
    "0\r\nx y\r\n\r\n",
    "0\r\nx: y\r\n z\r\n\r\n",
    "0\r\nx : y\r\n\r\n",
    "0\r\n",
    "x: y\r\n",
    "\r\n",
];

const NOISE: &[&str] = &[
    "\r\n", "\n", "\r", " ", "\t", "\0", ":", ";", ",", "0", "\u{e9}",
];

fn one_of(words: &'static [&'static str]) -> impl Strategy<Value = Vec<u8>> {
    (0..words.len()).prop_map(|word| words[word].as_bytes().to_vec())
}

fn several(words: &'static [&'static str], most: usize) -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(one_of(words), 0..=most).prop_map(|words| words.concat())
}

/// Something that is a request, or nearly.
fn request() -> impl Strategy<Value = Vec<u8>> {
    let end = prop_oneof![9 => Just(b"\r\n".to_vec()), 1 => one_of(NOISE)];
    let parts = (one_of(LINES), several(HEADERS, 2), end, several(BODIES, 3));
    parts.prop_map(|(line, headers, end, body)| [line, headers, end, body].concat())
}

/// A few requests, in places with something else put in.
fn text() -> impl Strategy<Value = Vec<u8>> {
    let noise = prop_oneof![
        4 => one_of(NOISE),
        1 => prop::collection::vec(any::<u8>(), 1..4),
    ];
    let puts = prop::collection::vec((any::<prop::sample::Index>(), noise), 0..2);
    let requests = prop::collection::vec(request(), 1..4);
    (requests, puts).prop_map(|(requests, puts)| {
        let mut text = requests.concat();
        for (at, noise) in puts {
            let at = at.index(text.len());
            text.splice(at..at, noise);
        }
        text
    })
}

proptest! {
    #[test]
    fn it_does_not_matter_where_what_comes_is_cut(
        text in text(), cuts in prop::collection::vec(0..200usize, 2),
    ) {
        let (one, two) = text.split_at(cuts[0].min(text.len()));
        let (two, three) = two.split_at(cuts[1].min(two.len()));
        prop_assert_eq!(requests(&[&text]), requests(&[one, two, three]));
    }

    #[test]
    fn the_requests_are_those_that_hyper_takes_or_they_are_refused(
        text in text(), step in 1..64usize,
    ) {
        prop_assert_eq!(differs_from_hyper(&text, step), None);
        prop_assert_eq!(differs_from_hyper(&text, usize::MAX), None);
    }
}

#[test]
fn trailers_that_hyper_takes_may_be_refused() {
    let bytes = b"POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nx: y\n\r\n\
                  GET /b HTTP/1.1\r\nHost: a\r\n\r\n";
    assert_eq!(differs_from_hyper(bytes, usize::MAX), None);
}

#[test]
fn hyper_takes_the_requests_that_are_compared() {
    let bytes = b"GET /a HTTP/1.1\r\nHost: a\r\n\r\nPOST /b HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc\
                  POST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
    for step in [1, 7, usize::MAX] {
        let both = [
            conversation::with_ours(bytes, step),
            conversation::with_hyper(bytes, step),
        ];
        for conversation in both {
            let seen = conversation.requests;
            let targets: Vec<_> = seen.iter().map(|seen| &seen.target[..]).collect();
            let bodies: Vec<_> = seen.iter().map(|seen| &seen.body[..]).collect();
            assert_eq!(targets, ["/a", "/b", "/c"]);
            assert_eq!(bodies, [&b""[..], b"abc", b"abc"]);
        }
    }
}
