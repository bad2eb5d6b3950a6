//! Parsers that only this crate uses, for the fuzz targets.

use bytes::BytesMut;
use http::request::Parts;

use crate::http1::{
    head::{self, Head},
    incoming::Coming,
};

/// The longest head that is taken here: short enough for a fuzzer to come across it.
const HEAD_BYTES: usize = 512;

/// The requests of HTTP/1.1 in bytes that come in these pieces: the head of each in words and its body, as far as they
/// came, and at the end why there is no other, if that is known.
pub fn requests(pieces: &[&[u8]]) -> (Vec<(String, Vec<u8>)>, Option<String>) {
    let (mut input, mut seen, mut found) = (BytesMut::new(), 0, Vec::<(String, Vec<u8>)>::new());
    let mut coming = Coming::Nothing;
    for piece in pieces {
        input.extend_from_slice(piece);
        loop {
            if let (Some((_, body)), true) = (found.last_mut(), coming != Coming::Nothing) {
                match coming.take(&mut input) {
                    Ok(Some(piece)) => body.extend_from_slice(&piece),
                    Ok(None) => break,
                    Err(error) => return (found, Some(error.to_string())),
                }
                continue;
            }
            match head::take(&mut input, &mut seen, HEAD_BYTES) {
                Ok(Some(Head {
                    parts,
                    coming: what,
                    stays,
                })) => {
                    coming = what;
                    let Parts {
                        method,
                        uri,
                        version,
                        headers,
                        ..
                    } = parts;
                    found.push((
                        format!("{method} {uri} {version:?} {headers:?} {what:?} {stays}"),
                        Vec::new(),
                    ));
                }
                Ok(None) => break,
                Err(status) => return (found, Some(status.to_string())),
            }
        }
    }
    (found, None)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const WORDS: [&str; 12] = [
        "GET / HTTP/1.1\r\n",
        "POST /a?b=c HTTP/1.0\r\n",
        "Content-Length: 3\r\n",
        "Content-Length: 0\r\n",
        "Transfer-Encoding: chunked\r\n",
        "Connection: close\r\n",
        "\r\n",
        "\n",
        "abc",
        "3\r\nabc\r\n",
        "0\r\n\r\n",
        "x: y\r\n",
    ];

    proptest! {
        #[test]
        fn it_does_not_matter_where_what_comes_is_cut(
            words in prop::collection::vec(0..WORDS.len(), 0..24), cuts in prop::collection::vec(0..200usize, 2),
        ) {
            let text: String = words.into_iter().map(|word| WORDS[word]).collect();
            let text = text.as_bytes();
            let (one, two) = text.split_at(cuts[0].min(text.len()));
            let (two, three) = two.split_at(cuts[1].min(two.len()));
            prop_assert_eq!(requests(&[text]), requests(&[one, two, three]));
        }
    }
}
