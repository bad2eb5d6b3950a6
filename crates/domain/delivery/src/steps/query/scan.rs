//! A look at JSON before it is parsed: the parser recurses as deep as it goes, and reads more than JSON.

use crate::limits::{QUERY_DEPTH_MAX, QUERY_DIGITS_MAX};

/// Why JSON is not to be parsed; what else is wrong with it, the parser says.
pub fn scan(json: &[u8]) -> Option<&'static str> {
    let (mut depth, mut digits, mut in_text) = (0usize, 0, false);
    let mut bytes = json.iter();
    while let Some(byte) = bytes.next() {
        digits = if byte.is_ascii_digit() && !in_text {
            digits + 1
        } else {
            0
        };
        match byte {
            b'\\' if in_text => drop(bytes.next()),
            b'"' => in_text = !in_text,
            b'[' | b'{' if !in_text => depth += 1,
            b']' | b'}' if !in_text => depth = depth.saturating_sub(1),
            // A comment, in which quotes are none.
            b'#' if !in_text => return Some("Non JSON record provided"),
            _ => {}
        }
        if depth > QUERY_DEPTH_MAX {
            return Some("Exceeds depth limit for parsing");
        }
        if digits > QUERY_DIGITS_MAX {
            return Some("A number in the record has too many digits.");
        }
    }
    None
}
