//! AWS query and EC2's dialect of it: a form with the operation in `Action`, answers in XML.
//!
//! Members of lists and maps are numbered (`Tags.member.1.Key`), flattened ones without the word between; EC2 flattens
//! all of them and begins names with a capital. (Source: botocore's serializers and the query APIs' references.)

mod answer;
mod form;
mod spelling;

pub(crate) use answer::{refuse, success};
pub(crate) use form::{Fields, read};
pub(crate) use spelling::VALUE;
pub use spelling::{Spelled, Spelling};

use crate::ApiError;

/// Which dialect it is, and the namespace of its documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Form {
    namespace: Option<&'static str>,
    is_ec2: bool,
    spelling: Option<&'static Spelling>,
}

impl Form {
    pub(crate) fn new(namespace: Option<&'static str>, is_ec2: bool) -> Self {
        Self {
            namespace,
            is_ec2,
            spelling: None,
        }
    }

    /// The dialect of a service that spells its members otherwise here.
    pub(crate) fn spelled(self, spelling: Option<&'static Spelling>) -> Self {
        Self { spelling, ..self }
    }
}

/// The error of an operation that an address of a service does not take.
pub(crate) fn not_here(action: &str) -> ApiError {
    let text = format!("The action {action} is not valid for this endpoint.");
    ApiError::new(400, "InvalidAction", text)
}

/// The error of an operation that the service does not have in that version.
pub(crate) fn no_operation(action: &str, version: &str) -> ApiError {
    let text = format!("Could not find operation {action} for version {version}");
    ApiError::new(400, "InvalidAction", text)
}

#[cfg(test)]
mod tests;
