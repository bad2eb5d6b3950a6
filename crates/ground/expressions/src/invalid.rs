//! Why an expression is refused.

/// Why an expression is refused, in AWS's words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct Invalid {
    /// The words, without what stands before them.
    pub text: String,
    /// Whether AWS puts "Invalid …Expression: " before them.
    pub prefixed: bool,
}

impl Invalid {
    /// Words that stand behind "Invalid …Expression: ".
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            prefixed: true,
        }
    }

    /// Words that stand alone.
    pub(crate) fn bare(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            prefixed: false,
        }
    }

    /// A function or an operator that has a value of a kind that it does not take.
    pub(crate) fn operand_type(operator: &str, kind: &str) -> Self {
        Self::new(format!(
            "Incorrect operand type for operator or function; operator or function: {operator}, \
             operand type: {kind}"
        ))
    }

    /// A function at a place where it cannot be.
    pub(crate) fn misplaced(function: &str) -> Self {
        Self::new(format!(
            "The function is not allowed to be used this way in an expression; function: {function}"
        ))
    }

    /// A function that takes a path and has something else.
    pub(crate) fn wants_path(function: &str) -> Self {
        Self::new(format!(
            "Operator or function requires a document path; operator or function: {function}"
        ))
    }
}
