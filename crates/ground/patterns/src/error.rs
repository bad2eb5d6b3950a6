//! Why a text is no event pattern.

/// Why a text is no event pattern, in the words of AWS's parser: what is wrong and, where AWS tells it, where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct PatternError(pub(crate) String);

/// A place in a text, both from 1 on and counted in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub line: usize,
    pub column: usize,
}

impl PatternError {
    /// What is wrong with `text`, and where.
    pub(crate) fn at(reason: impl AsRef<str>, text: &str, place: Place) -> Self {
        let Place { line, column } = place;
        let reason = reason.as_ref();
        Self(format!(
            "{reason}\n at [Source: (String)\"{text}\"; line: {line}, column: {column}]"
        ))
    }

    /// The same error with its place told once more: AWS's parser does so for what is wrong inside a list.
    pub(crate) fn inside_a_list(self, text: &str, place: Place) -> Self {
        Self::at(self.0, text, place)
    }
}
