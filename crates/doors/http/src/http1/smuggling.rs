//! Attempts to smuggle a request past a reader that sees other boundaries than this one, as they were published for other
//! servers, in words of our own. Each must end in one of two ways: the bytes mean what they say to every reader, or they
//! are refused and nothing behind them is read.

use crate::fuzzing::with_ours;

/// The request that must be taken, or must not.
const NEXT: &str = "GET /next HTTP/1.1\r\nHost: a\r\n\r\n";

/// The requests in `bytes` with their bodies, which break off where there is an ellipsis, and the statuses of the answers.
fn outcome(bytes: &str, step: usize) -> (Vec<String>, Vec<u16>) {
    let conversation = with_ours(bytes.as_bytes(), step);
    let requests = conversation.requests.iter().map(|seen| {
        let body = String::from_utf8_lossy(&seen.body);
        let end = if seen.is_whole { "" } else { "…" };
        let text = format!("{} {} {body}{end}", seen.method, seen.target);
        text.trim_end().to_owned()
    });
    let statuses = conversation
        .answers
        .lines()
        .filter_map(|line| line.strip_prefix("HTTP/1.")?.get(2..5)?.parse().ok());
    let final_ones = statuses.filter(|&status| status != 100);
    (requests.collect(), final_ones.collect())
}

fn check(bytes: &str, requests: &[&str], statuses: &[u16]) {
    for step in [1, 5, usize::MAX] {
        let (seen, answered) = outcome(bytes, step);
        assert_eq!(seen, requests, "{bytes:?} in pieces of {step}");
        assert_eq!(answered, statuses, "{bytes:?} in pieces of {step}");
    }
}

/// A request with these lines in its head, and behind it a body in chunks: a reader that goes by a length and one
/// that goes by chunks find other requests in it.
fn with_lines(lines: &str) -> String {
    format!("POST / HTTP/1.1\r\nHost: a\r\n{lines}\r\n5\r\nhello\r\n0\r\n\r\n{NEXT}")
}

#[test]
fn lengths_and_encodings_that_contradict_each_other_are_refused() {
    for lines in [
        // CL.TE and TE.CL, in either order, with lengths that fit one reading or the other, or none.
        "Content-Length: 15\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 15\r\n",
        "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 0\r\n",
        "Content-Length: 3\r\nTransfer-Encoding: identity\r\n",
        // CL.CL.
        "Content-Length: 15\r\nContent-Length: 0\r\n",
        "Content-Length: 0\r\nContent-Length: 15\r\n",
        "Content-Length: 3\r\nContent-Length: 03\r\n",
        "Content-Length: 3, 15\r\n",
        "Content-Length: 3,3\r\n",
        // TE.TE: one reader knows the encoding, another does not.
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
        "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding:\r\nTransfer-Encoding: chunked\r\n",
    ] {
        check(&with_lines(lines), &[], &[400]);
    }
}

#[test]
fn encodings_that_are_not_plainly_chunked_are_refused() {
    for lines in [
        "Transfer-Encoding: xchunked\r\n",
        "Transfer-Encoding: chunkedx\r\n",
        "Transfer-Encoding: chunk\r\n",
        "Transfer-Encoding: x chunked\r\n",
        "Transfer-Encoding: chunked;q=1\r\n",
        "Transfer-Encoding: chunked, chunked\r\n",
        "Transfer-Encoding: gzip, chunked\r\n",
        "Transfer-Encoding: chunked, identity\r\n",
        "Transfer-Encoding: ,chunked\r\n",
        "Transfer-Encoding: chunked,\r\n",
        "Transfer-Encoding: \"chunked\"\r\n",
        "Transfer-Encoding: 'chunked'\r\n",
        "Transfer-Encoding: \u{b}chunked\r\n",
        "Transfer-Encoding: chunked\u{c}\r\n",
        "Transfer-Encoding: \0chunked\r\n",
        "Transfer-Encoding: \u{a0}chunked\r\n",
        "Transfer-Encoding: identity\r\n",
        "Transfer-Encoding:\r\n",
        "Transfer-Encoding: chunked\r\r\n",
    ] {
        check(&with_lines(lines), &[], &[400]);
    }
    let old = format!("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{NEXT}");
    check(&old, &[], &[400]);
}

#[test]
fn lengths_that_are_not_plain_numbers_are_refused() {
    for length in [
        "+15",
        "-15",
        "-0",
        "15 ,",
        "1_5",
        "1 5",
        "0x0f",
        "15.0",
        "1e1",
        "15;",
        "",
        "\u{661}",
        "\"15\"",
        "15\u{b}",
        "\u{b}15",
        "1\t5",
        "18446744073709551616",
        "99999999999999999999999",
        "9223372036854775808",
    ] {
        check(
            &with_lines(&format!("Content-Length: {length}\r\n")),
            &[],
            &[400],
        );
    }
}

#[test]
fn headers_with_blanks_folds_and_control_characters_are_refused() {
    for lines in [
        // Blanks before the colon, and names that are none.
        "Content-Length : 15\r\n",
        "Content-Length\t: 15\r\n",
        "Transfer-Encoding : chunked\r\n",
        "Content-Length\0: 15\r\n",
        "Content-Length\u{b}: 15\r\n",
        "Content Length: 15\r\n",
        "(Content-Length): 15\r\n",
        "Cont\u{e9}nt-Length: 15\r\n",
        ": 15\r\n",
        "Content-Length\r\n",
        // Folds: a line that goes on in the next one.
        "X: y\r\n Content-Length: 15\r\n",
        "X: y\r\n\tTransfer-Encoding: chunked\r\n",
        "Content-Length:\r\n 15\r\n",
        "Transfer-Encoding:\r\n chunked\r\n",
        "Content-Length: 1\r\n 5\r\n",
        // Ends of lines that not every reader knows.
        "X: y\nContent-Length: 15\r\n",
        "X: y\rContent-Length: 15\r\n",
        "X: y\r\rContent-Length: 15\r\n",
        "Content-Length: 15\n",
        "Content-Length: 15\r\n\n",
        "X: y\r\n\rContent-Length: 15\r\n",
        "X: y\n\n",
        "X: y\0z\r\n",
        "X: y\u{1}z\r\n",
        "X: y\u{7f}z\r\n",
    ] {
        check(&with_lines(lines), &[], &[400]);
    }
    // A fold before the first header.
    let folded = format!("POST / HTTP/1.1\r\n Host: a\r\nHost: a\r\n\r\n{NEXT}");
    check(&folded, &[], &[400]);
}

#[test]
fn headers_that_only_look_like_those_of_a_body_announce_none() {
    for lines in [
        "Content_Length: 15\r\n",
        "Transfer_Encoding: chunked\r\n",
        "X-Content-Length: 15\r\n",
        "Content-Length-: 15\r\n",
        "XTransfer-Encoding: chunked\r\n",
        "TE: chunked\r\n",
        "Content-Encoding: chunked\r\n",
        "X: Transfer-Encoding: chunked\r\n",
    ] {
        let bytes = format!("POST / HTTP/1.1\r\nHost: a\r\n{lines}\r\n{NEXT}");
        check(&bytes, &["POST /", "GET /next"], &[200, 200]);
    }
}

#[test]
fn a_length_holds_whatever_else_the_head_says() {
    let hidden = "GET /hidden HTTP/1.1\r\nHost: a\r\n\r\n";
    let length = hidden.len();
    for lines in [
        "",
        "Expect: y 100-continue\r\n",
        "Expect: 100-continue\r\nExpect: x\r\n",
        // Headers of one hop: none of them makes this one forget the length.
        "Connection: Content-Length\r\n",
        "Connection: Transfer-Encoding, Host\r\n",
        "Upgrade: websocket\r\nConnection: upgrade\r\n",
        "Upgrade: h2c\r\nConnection: upgrade, http2-settings\r\nHTTP2-Settings: AAAA\r\n",
        "X-HTTP-Method-Override: HEAD\r\n",
    ] {
        for method in ["POST", "GET", "HEAD", "OPTIONS", "DELETE", "TRACE", "X"] {
            let bytes = format!(
                "{method} / HTTP/1.1\r\nHost: a\r\n{lines}Content-Length: {length}\r\n\r\n{hidden}{NEXT}"
            );
            let seen = format!("{method} / {}", hidden.trim_end());
            let (requests, statuses) = outcome(&bytes, usize::MAX);
            assert_eq!(requests, [&seen[..], "GET /next"], "{bytes:?}");
            assert_eq!(statuses, [200, 200]);
        }
    }
    for same in [
        "Content-Length: 3\r\nContent-Length: 3\r\n",
        "Content-Length: 0003\r\n",
    ] {
        let bytes = format!("POST / HTTP/1.1\r\nHost: a\r\n{same}\r\nabc{NEXT}");
        check(&bytes, &["POST / abc", "GET /next"], &[200, 200]);
    }
}

#[test]
fn a_body_that_its_service_leaves_alone_is_never_taken_for_a_request() {
    let hidden = "GET /hidden HTTP/1.1\r\nHost: a\r\n\r\n";
    for lines in ["", "Expect: 100-continue\r\n", "Connection: keep-alive\r\n"] {
        // CL.0: what of the body was there at once is passed over; where it was not, the connection ends.
        let length = format!("Content-Length: {}\r\n", hidden.len());
        let chunked = "Transfer-Encoding: chunked\r\n".to_owned();
        for (length, body) in [
            (length, hidden.to_owned()),
            (
                chunked,
                format!("{:x}\r\n{hidden}\r\n0\r\n\r\n", hidden.len()),
            ),
        ] {
            let head = format!("POST /unread HTTP/1.1\r\nHost: a\r\n{lines}{length}\r\n");
            for step in [1, 30, head.len(), usize::MAX] {
                let (requests, _) = outcome(&format!("{head}{body}{NEXT}"), step);
                assert_eq!(requests[0], "POST /unread");
                let rest: Vec<_> = requests[1..].iter().collect();
                assert!(
                    rest.is_empty() || rest == ["GET /next"],
                    "{head:?}: {rest:?}"
                );
            }
        }
    }
}

#[test]
fn chunks_that_are_not_as_they_should_be_end_the_connection() {
    for (chunks, came) in [
        // Lengths that are none, that are written otherwise, or that are too large for a number.
        ("x\r\nhello\r\n", ""),
        ("\r\nhello\r\n", ""),
        ("0x5\r\nhello\r\n", ""),
        ("+5\r\nhello\r\n", ""),
        ("-5\r\nhello\r\n", ""),
        (" 5\r\nhello\r\n", ""),
        ("5 \r\nhello\r\n", ""),
        ("5\t\r\nhello\r\n", ""),
        ("5_0\r\nhello\r\n", ""),
        ("5 5\r\nhello\r\n", ""),
        ("5,5\r\nhello\r\n", ""),
        ("5\0\r\nhello\r\n", ""),
        ("\u{ff15}\r\nhello\r\n", ""),
        ("ffffffffffffffff\r\nhello\r\n", ""),
        ("10000000000000005\r\nhello\r\n", ""),
        ("00000000000000000000000000005\r\nhello\r\n", ""),
        ("-0\r\n\r\n", ""),
        // Ends of lines that not every reader knows.
        ("5\nhello\r\n", ""),
        ("5\rhello\r\n", ""),
        ("5\r\r\nhello\r\n", ""),
        ("5\n\nhello\r\n", ""),
        ("5\r\nhello\n0\r\n\r\n", "hello"),
        ("5\r\nhello\r0\r\n\r\n", "hello"),
        ("5\r\nhello0\r\n\r\n", "hello"),
        ("5\r\nhelloXX0\r\n\r\n", "hello"),
        ("5\r\nhello world\r\n0\r\n\r\n", "hello"),
        ("5\r\nhello\r\n0\n\r\n", "hello"),
        ("5\r\nhello\r\n0\r\n\n", "hello"),
        ("5\r\nhello\r\n0\r\n\r\r\n", "hello"),
        // Extensions that some readers end at a line feed, and such as have no semicolon.
        ("5;x\nhello\r\n", ""),
        ("5;\nhello\r\n", ""),
        ("5;x\ry\r\nhello\r\n", ""),
        ("5;x\0y\r\nhello\r\n", ""),
        ("5x=y\r\nhello\r\n", ""),
        ("5 x=y\r\nhello\r\n", ""),
        ("5\r;x\r\nhello\r\n", ""),
        // Trailers that are no headers.
        ("0\r\nGET /hidden HTTP/1.1\r\n\r\n", ""),
        ("0\r\nx : y\r\n\r\n", ""),
        ("0\r\n x: y\r\n\r\n", ""),
        ("0\r\nx: y\r\n z\r\n\r\n", ""),
        ("0\r\nx: y\rz\r\n\r\n", ""),
        ("0\r\nx: y\nz: a\r\n\r\n", ""),
        ("0\r\n: y\r\n\r\n", ""),
        ("0\r\nx: \0\r\n\r\n", ""),
    ] {
        let head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
        let seen = format!("POST / {came}…");
        check(&format!("{head}{chunks}{NEXT}"), &[&seen], &[400]);
    }
}

#[test]
fn chunks_that_every_reader_understands_leave_what_follows() {
    for chunks in [
        "5\r\nhello\r\n0\r\n\r\n",
        "005\r\nhello\r\n000\r\n\r\n",
        "5;x\r\nhello\r\n0;y=z\r\n\r\n",
        "5 ; x=\"y;z\"\r\nhello\r\n0\r\n\r\n",
        "5\r\nhello\r\n0\r\nContent-Length: 100\r\nTransfer-Encoding: chunked\r\nHost: b\r\n\r\n",
        "5\r\nhello\r\n0\r\n\r\n\r\n",
    ] {
        let head = "POST / HTTP/1.1\r\nHost: a\r\ntransfer-encoding:\t CHUNKED \r\n\r\n";
        let bytes = format!("{head}{chunks}{NEXT}");
        check(&bytes, &["POST / hello", "GET /next"], &[200, 200]);
    }
}

#[test]
fn a_request_names_one_host() {
    for head in [
        "GET / HTTP/1.1\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nX: y\r\nhost: a\r\n",
        "GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n",
        "GET / HTTP/1.1\r\nHost: a, b\r\n",
        "GET / HTTP/1.1\r\nHost: a b\r\n",
        "GET / HTTP/1.1\r\nHost: a/b\r\n",
        "GET / HTTP/1.1\r\nHost: a@b\r\n",
        "GET / HTTP/1.1\r\nHost: a?b\r\n",
        "GET / HTTP/1.1\r\nHost: a#b\r\n",
        "GET / HTTP/1.1\r\nHost: a\\b\r\n",
        "GET / HTTP/1.1\r\nHost: \u{e9}\r\n",
        "GET / HTTP/1.1\r\nHost : a\r\n",
        "GET / HTTP/1.1\r\n Host: a\r\n",
        "GET http://a/ HTTP/1.1\r\n",
        "GET http://a/ HTTP/1.1\r\nHost: b\r\n",
        "GET http://a/ HTTP/1.1\r\nHost: a:80\r\n",
        "GET http://b@a/ HTTP/1.1\r\nHost: a\r\n",
        "GET http://a/ HTTP/1.1\r\nHost:\r\n",
        "GET https://a/ HTTP/1.0\r\nHost: b\r\n",
    ] {
        check(&format!("{head}\r\n{NEXT}"), &[], &[400]);
    }
    for (head, seen) in [
        ("GET / HTTP/1.1\r\nHost:\r\n", "GET /"),
        ("GET / HTTP/1.1\r\nHost: [::1]:80\r\n", "GET /"),
        ("GET / HTTP/1.1\r\nHost: b_c.a:80\r\n", "GET /"),
        (
            "GET http://A:80/b HTTP/1.1\r\nHost: a:80\r\n",
            "GET http://A:80/b",
        ),
        ("GET / HTTP/1.0\r\nConnection: keep-alive\r\n", "GET /"),
        ("OPTIONS * HTTP/1.1\r\nHost: a\r\n", "OPTIONS *"),
    ] {
        check(
            &format!("{head}\r\n{NEXT}"),
            &[seen, "GET /next"],
            &[200, 200],
        );
    }
}

#[test]
fn request_lines_that_readers_might_split_elsewhere_are_refused() {
    for line in [
        "GET /a#b HTTP/1.1",
        "GET a HTTP/1.1",
        "GET a:80 HTTP/1.1",
        "CONNECT a:80 HTTP/1.1",
        "GET * HTTP/1.1",
        "GET ftp://a/ HTTP/1.1",
        "GET file:///a HTTP/1.1",
        "GET /  HTTP/1.1",
        "GET  / HTTP/1.1",
        "GET\t/ HTTP/1.1",
        "GET /\tHTTP/1.1",
        "GET /a b HTTP/1.1",
        "GET /a\0b HTTP/1.1",
        "GET /a\rb HTTP/1.1",
        "GET / HTTP/1.1 ",
        "GET / HTTP/1.10",
        "GET / HTTP/1.2",
        "GET / HTTP/01.1",
        "GET / HTTP/2.0",
        "GET / http/1.1",
        "GET / HTTP/1.1\r",
        "GET / HTTP/1.1\0",
        "GET / HTTP/1.1 HTTP/1.1",
        "GET /",
        " GET / HTTP/1.1",
        "GET: / HTTP/1.1",
        "G(T / HTTP/1.1",
        "\0GET / HTTP/1.1",
        "\rGET / HTTP/1.1",
        "\nGET / HTTP/1.1",
        "\r\n\nGET / HTTP/1.1",
        "\u{feff}GET / HTTP/1.1",
    ] {
        check(&format!("{line}\r\nHost: a\r\n\r\n{NEXT}"), &[], &[400]);
    }
    for blank in ["\r\n", "\r\n\r\n\r\n"] {
        check(
            &format!("{blank}{NEXT}{blank}{NEXT}"),
            &["GET /next"; 2],
            &[200, 200],
        );
    }
}

#[test]
fn a_connection_that_ends_takes_no_other_request() {
    for (head, seen) in [
        (
            "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n",
            "GET /",
        ),
        (
            "GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, CLOSE\r\n",
            "GET /",
        ),
        (
            "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nConnection: keep-alive\r\n",
            "GET /",
        ),
        ("GET / HTTP/1.0\r\n", "GET /"),
        (
            "GET / HTTP/1.0\r\nConnection: keep-alive\r\nConnection: close\r\n",
            "GET /",
        ),
    ] {
        check(&format!("{head}\r\n{NEXT}"), &[seen], &[200]);
    }
    // Neither does one whose body broke off.
    let short = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 50\r\n\r\nabc";
    check(short, &["POST / abc…"], &[400]);
}
