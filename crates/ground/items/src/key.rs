//! Keys as bytes: compared byte by byte they are ordered as their values are.

use crate::{Damaged, Value};

/// Appends a string, number or binary value to `out`, so that what follows it cannot disturb its order: no encoded value
/// is the beginning of another. False, and nothing appended, for a value of another kind.
pub fn encode(_value: &Value, _out: &mut Vec<u8>) -> bool {
    todo!()
}

/// The value at the start of `bytes`, and what follows it.
///
/// # Errors
/// [`Damaged`].
pub fn decode(_bytes: &[u8]) -> Result<(Value, &[u8]), Damaged> {
    todo!()
}
