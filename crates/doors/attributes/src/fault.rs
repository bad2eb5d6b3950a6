//! Why what was sent is no value, in AWS's words.

use headwater_items::NumberError;

/// Why what was sent is no value. Its text is AWS's. (Source: the tests of dynalite and of Alternator.)
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// It says none.
    #[error(
        "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"
    )]
    Empty,
    /// It says more than one.
    #[error(
        "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes"
    )]
    Several,
    /// `NULL` is not true.
    #[error(
        "One or more parameter values were invalid: Null attribute value types must have the value of true"
    )]
    NotNull,
    /// A number that is empty.
    #[error("The parameter cannot be converted to a numeric value")]
    NoNumber,
    /// A text that is no number.
    #[error("The parameter cannot be converted to a numeric value: {0}")]
    NotANumber(String),
    /// A number with too many digits.
    #[error("Attempting to store more than 38 significant digits in a Number")]
    TooManyDigits,
    /// A number that is too far from zero.
    #[error(
        "Number overflow. Attempting to store a number with magnitude larger than supported range"
    )]
    Overflow,
    /// A number that is too near to zero.
    #[error(
        "Number underflow. Attempting to store a number with magnitude smaller than supported range"
    )]
    Underflow,
    /// A set of texts without members.
    #[error("One or more parameter values were invalid: An string set  may not be empty")]
    NoStrings,
    /// A set of numbers without members.
    #[error("One or more parameter values were invalid: An number set  may not be empty")]
    NoNumbers,
    /// A set of bytes without members.
    #[error("One or more parameter values were invalid: Binary sets should not be empty")]
    NoBinaries,
    /// A text that is in a set twice; the set as Java prints it.
    #[error("One or more parameter values were invalid: Input collection {0} contains duplicates.")]
    SameStrings(String),
    /// A number that is in a set twice.
    #[error("Input collection contains duplicates")]
    SameNumbers,
    /// Bytes that are in a set twice; the set in base64, as Java prints it.
    #[error(
        "One or more parameter values were invalid: Input collection {0}of type BS contains duplicates."
    )]
    SameBinaries(String),
    /// A part of it stands too deep.
    #[error(
        "Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported limit"
    )]
    TooDeep,
}

impl Fault {
    /// Why `text` is no number.
    pub(crate) fn of_number(text: String, error: NumberError) -> Self {
        match error {
            NumberError::NotANumber if text.is_empty() => Self::NoNumber,
            NumberError::NotANumber => Self::NotANumber(text),
            NumberError::TooManyDigits => Self::TooManyDigits,
            NumberError::Overflow => Self::Overflow,
            NumberError::Underflow => Self::Underflow,
        }
    }
}
