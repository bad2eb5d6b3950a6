//! Tokens and pages: where a listing goes on.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use headwater_wire::ApiError;
use serde_json::Value;

use crate::errors::invalid_input;

/// Entries in one answer (AWS: 100).
const PAGE: usize = 100;

/// How many entries a request asks for.
pub(crate) fn page(max_results: Option<i32>) -> usize {
    max_results.map_or(PAGE, |most| PAGE.min(most.unsigned_abs() as usize))
}

/// The token of a listing that goes on after this name.
pub(crate) fn after(name: &str) -> String {
    URL_SAFE_NO_PAD.encode(name)
}

/// The name that a token names.
pub(crate) fn name(token: &str) -> Result<String, ApiError> {
    let bytes = URL_SAFE_NO_PAD.decode(token).ok();
    let name = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    name.ok_or_else(invalid_token)
}

/// The token of a listing that goes on after the partition of these values.
pub(crate) fn after_values(values: &[String]) -> String {
    after(&Value::from(values).to_string())
}

/// The values that a token names.
pub(crate) fn values(token: &str) -> Result<Vec<String>, ApiError> {
    serde_json::from_str(&name(token)?).map_err(|_| invalid_token())
}

/// The error of a token that no answer gave.
pub(crate) fn invalid_token() -> ApiError {
    invalid_input("The continuation token is invalid.")
}

/// Cuts `found` to a page, if there is more than that; the token that `key` of its last entry makes.
pub(crate) fn cut<T>(
    found: &mut Vec<T>,
    page: usize,
    key: impl Fn(&T) -> String,
) -> Option<String> {
    let more = found.len() > page;
    found.truncate(page);
    found.last().filter(|_| more).map(|last| after(&key(last)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn tokens_read_back_and_any_text_is_one_or_an_error(text in "\\PC{0,40}") {
            prop_assert_eq!(name(&after(&text)).unwrap(), text.clone());
            drop(name(&text));
            let both = vec![text.clone(), String::new()];
            prop_assert_eq!(values(&after_values(&both)).unwrap(), both);
            drop(values(&after(&text)));
        }
    }
}
