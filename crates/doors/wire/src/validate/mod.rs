//! The slow half of validation: why an input is not valid, in AWS's words.
//!
//! Inputs are decoded straight into their types. Only when that fails, or a constraint does not hold, this walks over
//! the raw body with the operation's tables. It may also find nothing wrong, because AWS reads some values leniently
//! (fractions for integers, numbers out of range); then it gives the input as AWS would have read it.

mod constraints;
mod raw;
mod render;
mod types;

use headwater_shapes::{Operation, Valid};
use serde::Deserialize;

use crate::ApiError;
pub(crate) use raw::Raw;

/// The input as AWS would read it, or AWS's error.
pub(crate) fn repair<Op: Operation>(raw: Raw) -> Result<Op::Input, ApiError> {
    let structure = Op::SHAPE.input;
    let members = types::structure(raw, structure).map_err(serialization)?;
    let broken = constraints::check(&members, structure, Op::SERVICE.protocol);
    if !broken.is_empty() {
        let (count, plural) = (broken.len(), if broken.len() == 1 { "" } else { "s" });
        let broken = broken.join("; ");
        return Err(validation(format!(
            "{count} validation error{plural} detected: {broken}"
        )));
    }
    match Op::Input::deserialize(serde_json::Value::Object(members)) {
        Ok(input) if input.valid() => Ok(input),
        _ => Err(validation(format!(
            "The input of {} does not satisfy its constraints.",
            Op::SHAPE.name
        ))),
    }
}

/// AWS's answer to a body that cannot be read; the text may be empty.
pub(crate) fn serialization(message: impl Into<String>) -> ApiError {
    ApiError::new(400, "SerializationException", message)
}

fn validation(message: String) -> ApiError {
    ApiError::new(400, "ValidationException", message)
}

#[cfg(test)]
mod tests;
