//! Which keys a query wants.

use headwater_items::Value;

/// The keys that a query wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyCondition {
    /// The attribute that must be equal, and to what.
    pub partition: (String, Value),
    /// What is wanted of the attribute that sorts.
    pub sort: Option<(String, SortCondition)>,
}

/// What is wanted of the attribute that sorts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SortCondition {
    /// `=`
    Equal(Value),
    /// `<`
    Less(Value),
    /// `<=`
    LessOrEqual(Value),
    /// `>`
    Greater(Value),
    /// `>=`
    GreaterOrEqual(Value),
    /// Between both, or equal to one.
    Between(Value, Value),
    /// Begins with; strings and binaries only.
    BeginsWith(Value),
}
