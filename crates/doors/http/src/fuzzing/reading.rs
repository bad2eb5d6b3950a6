//! The requests in bytes that come in pieces, read without a connection.

use bytes::BytesMut;
use http::request::Parts;

use crate::http1::{
    body_state::BodyState,
    head::{self, Head},
    refusal::Refusal,
};

/// The longest head that is taken here: short enough for a fuzzer to come across it.
const HEAD_BYTES: usize = 512;

/// The requests of HTTP/1.1 in bytes that come in these pieces: the head of each in words and its body, as far as they
/// came, and at the end why there is no other, if that is known.
pub fn requests(pieces: &[&[u8]]) -> (Vec<(String, Vec<u8>)>, Option<String>) {
    let (found, refusal) = read(pieces, HEAD_BYTES, false);
    let found = found.into_iter().map(|(head, body)| (in_words(head), body));
    (found.collect(), refusal.map(|refusal| refusal.to_string()))
}

/// The same with the heads as they are; only up to the first whose client goes then, if it is to be `as_served`.
pub(super) fn read(
    pieces: &[&[u8]],
    limit: usize,
    as_served: bool,
) -> (Vec<(Head, Vec<u8>)>, Option<Refusal>) {
    let (mut input, mut seen, mut found) = (BytesMut::new(), 0, Vec::<(Head, Vec<u8>)>::new());
    let mut state = BodyState::Nothing;
    for piece in pieces {
        input.extend_from_slice(piece);
        loop {
            if let (Some((_, body)), true) = (found.last_mut(), state != BodyState::Nothing) {
                match state.take(&mut input) {
                    Ok(Some(piece)) => body.extend_from_slice(&piece),
                    Ok(None) => break,
                    Err(_) => return (found, broken(state)),
                }
                continue;
            }
            if as_served && found.last().is_some_and(|(head, _)| !head.stays) {
                return (found, None);
            }
            match head::take(&mut input, &mut seen, limit) {
                Ok(Some(head)) => {
                    state = head.body;
                    found.push((head, Vec::new()));
                }
                Ok(None) => break,
                Err(refusal) => return (found, Some(refusal)),
            }
        }
    }
    (found, None)
}

fn broken(state: BodyState) -> Option<Refusal> {
    match state {
        BodyState::Broken(refusal) => Some(refusal),
        _ => None,
    }
}

fn in_words(head: Head) -> String {
    let Head { parts, body, stays } = head;
    let Parts {
        method,
        uri,
        version,
        headers,
        ..
    } = parts;
    format!("{method} {uri} {version:?} {headers:?} {body:?} {stays}")
}
