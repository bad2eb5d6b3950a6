//! This crate's server beside hyper's: both must take the same requests out of the same bytes, or ours refuses.

use super::{
    conversation::{Conversation, Seen, with_hyper, with_ours},
    reading,
};
use crate::{http1::refusal::Refusal, limits::HEAD_BYTES};

/// The reasons for which ours may refuse bytes that hyper takes for a request; each is a doubt that another reader might
/// see otherwise.
const STRICTER: [Refusal; 10] = [
    // hyper ends lines at a line feed alone.
    Refusal::BareLineFeed,
    // hyper has a bound for all that was read.
    Refusal::HeadTooLong,
    Refusal::TargetTooLong,
    // hyper takes names of hosts, and any scheme.
    Refusal::Target,
    // hyper leaves hosts to its service.
    Refusal::Host,
    // hyper takes lengths that are equal though written differently.
    Refusal::Length,
    // hyper takes several encodings if the last is "chunked", also beside a length.
    Refusal::TransferEncoding,
    // hyper takes blanks behind a chunk's length, control characters in its extensions, and more digits.
    Refusal::Chunks,
    Refusal::Extensions,
    // hyper ends trailers at a line feed alone, and passes over what stands behind an empty line that ends so.
    Refusal::Trailers,
];

/// How this crate's server differs from hyper's on `bytes` that come in pieces of `step`, otherwise than by being stricter
/// for a reason that is known.
pub fn differs_from_hyper(bytes: &[u8], step: usize) -> Option<String> {
    let (ours, hypers) = (with_ours(bytes, step), with_hyper(bytes, step));
    let (_, refusal) = reading::read(&[bytes], HEAD_BYTES, true);
    let may_refuse = refusal.is_some_and(|refusal| STRICTER.contains(&refusal));
    let difference = difference(&ours.requests, &hypers.requests, may_refuse)?;
    let in_words = |talk: Conversation| format!("{:#?}\n{}", talk.requests, talk.answers);
    Some(format!(
        "{difference} (refused: {refusal:?})\nours: {}\nhyper's: {}",
        in_words(ours),
        in_words(hypers)
    ))
}

fn difference(ours: &[Seen], hypers: &[Seen], may_refuse: bool) -> Option<String> {
    for (nth, (one, other)) in ours.iter().zip(hypers).enumerate() {
        let heads = |seen: &Seen| {
            let head = (seen.method.clone(), seen.target.clone());
            (head, seen.headers.clone())
        };
        if heads(one) != heads(other) {
            return Some(format!("request {nth} has another head"));
        }
        match (one.is_whole, other.is_whole) {
            (true, true) if one.body != other.body => {
                return Some(format!("request {nth} has another body"));
            }
            (true, false) => return Some(format!("request {nth} is whole only here")),
            (false, true) if !may_refuse => {
                return Some(format!("request {nth} is whole only at hyper"));
            }
            _ => {}
        }
    }
    match ours.len().cmp(&hypers.len()) {
        std::cmp::Ordering::Greater => Some("there are more requests here".to_owned()),
        std::cmp::Ordering::Less if !may_refuse => Some("there are fewer requests here".to_owned()),
        _ => None,
    }
}
