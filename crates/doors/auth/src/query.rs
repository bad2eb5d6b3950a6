//! The query of an address, and a form, which is written the same way.

use percent_encoding::percent_decode_str;

/// The parameters of a query in their order, not escaped; a parameter without `=` has an empty value.
pub fn parse_query(query: &str) -> Vec<(String, String)> {
    let plain = |text: &str| {
        let spaced = text.replace('+', " ");
        percent_decode_str(&spaced).decode_utf8_lossy().into_owned()
    };
    query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (plain(name), plain(value)))
        .collect()
}
