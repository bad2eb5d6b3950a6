//! The `#names` and `:values` that a request's expressions use.

use std::{collections::BTreeMap, fmt::Display};

use headwater_expressions::{Invalid, Placeholders};
use headwater_wire::ApiError;

use crate::{
    errors::validation,
    items::values::{Attributes, name_fault},
};

const NAMES: &str = "ExpressionAttributeNames";
const VALUES: &str = "ExpressionAttributeValues";

/// Placeholders as they were sent.
#[derive(Debug, Default)]
pub(crate) struct Sent {
    /// `ExpressionAttributeNames`.
    pub names: Option<BTreeMap<String, String>>,
    /// `ExpressionAttributeValues`.
    pub values: Option<Attributes>,
}

impl Sent {
    /// The placeholders.
    ///
    /// # Errors
    /// There are none of a sort that was sent, or one cannot be, or they are too large together.
    pub fn read(self) -> Result<Placeholders, ApiError> {
        if let Some(names) = &self.names {
            check(NAMES, '#', names)?;
            let fault = |(key, name): (_, &String)| Some((key, name_fault(name)?));
            if let Some((key, fault)) = names.iter().find_map(fault) {
                return Err(invalid_value(NAMES, fault, key));
            }
        }
        let mut values = BTreeMap::new();
        if let Some(sent) = self.values {
            check(VALUES, ':', &sent)?;
            for (key, value) in sent {
                let value = value.into_value();
                let value = value.map_err(|fault| invalid_value(VALUES, fault, &key))?;
                values.insert(key, value);
            }
        }
        let placeholders = Placeholders::new(self.names.unwrap_or_default(), values);
        let checked = placeholders.check_size();
        checked.map_err(|invalid| validation(invalid.text))?;
        Ok(placeholders)
    }
}

/// Whether every placeholder was used.
///
/// # Errors
/// Those that were not, by their names.
pub(crate) fn check_used(placeholders: &Placeholders) -> Result<(), ApiError> {
    let check = |of: &str, unused: Vec<&str>| match unused.is_empty() {
        true => Ok(()),
        false => Err(validation(format!(
            "Value provided in {of} unused in expressions: keys: {{{}}}",
            unused.join(", ")
        ))),
    };
    check(NAMES, placeholders.unused_names())?;
    check(VALUES, placeholders.unused_values())
}

/// Why a parameter is refused, in AWS's words.
pub(crate) fn refused(parameter: &'static str) -> impl Fn(Invalid) -> ApiError {
    move |Invalid { text, prefixed }| match prefixed {
        true => validation(format!("Invalid {parameter}: {text}")),
        false => validation(text),
    }
}

/// Whether there are placeholders, and all are written as placeholders are.
fn check<T>(parameter: &str, sign: char, sent: &BTreeMap<String, T>) -> Result<(), ApiError> {
    if sent.is_empty() {
        return Err(validation(format!("{parameter} must not be empty")));
    }
    let is_written = |key: &str| {
        let rest = key.strip_prefix(sign).unwrap_or_default();
        !rest.is_empty() && rest.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    match sent.keys().find(|key| !is_written(key)) {
        None => Ok(()),
        Some(key) => Err(validation(format!(
            "{parameter} contains invalid key: Syntax error; key: \"{key}\""
        ))),
    }
}

fn invalid_value(parameter: &str, fault: impl Display, key: &str) -> ApiError {
    validation(format!(
        "{parameter} contains invalid value: {fault} for key {key}"
    ))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]

    use serde_json::json;

    use super::*;

    fn sent(names: serde_json::Value, values: serde_json::Value) -> Sent {
        Sent {
            names: serde_json::from_value(names).unwrap(),
            values: serde_json::from_value(values).unwrap(),
        }
    }

    #[test]
    fn placeholders_are_written_with_their_signs() {
        let null = json!(null);
        for (names, values, text) in [
            (
                json!({}),
                null.clone(),
                "ExpressionAttributeNames must not be empty",
            ),
            (
                json!({"a": "a"}),
                null.clone(),
                "ExpressionAttributeNames contains invalid key: Syntax error; key: \"a\"",
            ),
            (
                json!({"#a": ""}),
                null.clone(),
                "ExpressionAttributeNames contains invalid value: Empty attribute name for key #a",
            ),
            (
                null.clone(),
                json!({}),
                "ExpressionAttributeValues must not be empty",
            ),
            (
                null.clone(),
                json!({":": {"S": "a"}}),
                "ExpressionAttributeValues contains invalid key: Syntax error; key: \":\"",
            ),
            (
                null.clone(),
                json!({":a": {"SS": []}}),
                "ExpressionAttributeValues contains invalid value: One or more parameter values were invalid: An string \
                 set  may not be empty for key :a",
            ),
        ] {
            let error = sent(names, values).read().unwrap_err();
            assert_eq!(error.message(), text);
        }
    }

    #[test]
    fn all_placeholders_are_used() {
        let both = sent(json!({"#0": "a", "#b": "b"}), json!({":c": {"S": "c"}}));
        let mut both = both.read().unwrap();
        assert_eq!(
            check_used(&both).unwrap_err().message(),
            "Value provided in ExpressionAttributeNames unused in expressions: keys: {#0, #b}"
        );
        headwater_expressions::projection("#0, #b", &mut both).unwrap();
        assert_eq!(
            check_used(&both).unwrap_err().message(),
            "Value provided in ExpressionAttributeValues unused in expressions: keys: {:c}"
        );
    }
}
