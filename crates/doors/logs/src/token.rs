//! Tokens: where a page ends, as clients carry it back.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use headwater_loggroups::Place;
use headwater_wire::ApiError;

use crate::errors::bad_token;

/// Digits of a position in a token; AWS's have as many.
const DIGITS: usize = 56;

/// The token of a place in a stream: `f/…` for what comes after, `b/…` for what comes before.
pub(crate) fn of_place(place: Place) -> String {
    match place {
        Place::Before(offset) => format!("b/{offset:0DIGITS$}/s"),
        Place::From(offset) => format!("f/{offset:0DIGITS$}/s"),
        Place::Head => format!("f/{:0DIGITS$}/s", 0),
        Place::Tail => format!("b/{:0DIGITS$}/s", u64::MAX),
    }
}

/// The place that a token names.
pub(crate) fn place(token: &str) -> Result<Place, ApiError> {
    let digits = token
        .get(2..)
        .and_then(|rest| rest.strip_suffix("/s"))
        .ok_or_else(bad_token)?;
    let offset = number(digits)?;
    match token.get(..2) {
        Some("f/") => Ok(Place::From(offset)),
        Some("b/") => Ok(Place::Before(offset)),
        _ => Err(bad_token()),
    }
}

/// The token of a place in a search.
pub(crate) fn of_offset(offset: u64) -> String {
    format!("{offset:0DIGITS$}")
}

/// The place in a search that a token names.
pub(crate) fn offset(token: &str) -> Result<u64, ApiError> {
    number(token)
}

fn number(digits: &str) -> Result<u64, ApiError> {
    let plain = digits.len() == DIGITS && digits.bytes().all(|b| b.is_ascii_digit());
    Some(digits)
        .filter(|_| plain)
        .and_then(|d| d.parse().ok())
        .ok_or_else(bad_token)
}

/// The token of a place in a list that is ordered by a number and a name.
pub(crate) fn of_entry(number: u64, name: &str) -> String {
    URL_SAFE_NO_PAD.encode(format!("{number}:{name}"))
}

/// The number and the name that a token names.
pub(crate) fn entry(token: &str) -> Result<(u64, String), ApiError> {
    let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| bad_token())?;
    let text = String::from_utf8(bytes).map_err(|_| bad_token())?;
    let (number, name) = text.split_once(':').ok_or_else(bad_token)?;
    Ok((number.parse().map_err(|_| bad_token())?, name.to_owned()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn tokens_read_back(at: u64, name in "[^:*]{0,40}") {
            prop_assert_eq!(place(&of_place(Place::From(at))).unwrap(), Place::From(at));
            prop_assert_eq!(place(&of_place(Place::Before(at))).unwrap(), Place::Before(at));
            prop_assert_eq!(offset(&of_offset(at)).unwrap(), at);
            prop_assert_eq!(entry(&of_entry(at, &name)).unwrap(), (at, name));
        }

        #[test]
        fn any_text_is_a_token_or_an_error(text in "\\PC{0,70}", digits in "[fb/0-9s]{50,64}") {
            for text in [text, digits] {
                drop(place(&text));
                drop(offset(&text));
                drop(entry(&text));
            }
        }
    }
}
