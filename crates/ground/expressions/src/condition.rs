//! Conditions and filters.

use headwater_items::{Item, Kind, Value};

use crate::Path;

/// A condition on an item. One that does not exist is an item without attributes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// Both hold.
    And(Box<Condition>, Box<Condition>),
    /// One holds.
    Or(Box<Condition>, Box<Condition>),
    /// It does not hold.
    Not(Box<Condition>),
    /// Two values compare so.
    Compare(Comparison, Operand, Operand),
    /// The first is not less than the second and not greater than the third.
    Between(Operand, Operand, Operand),
    /// The first equals one of the others.
    In(Operand, Vec<Operand>),
    /// There is a value.
    Exists(Path),
    /// There is none.
    NotExists(Path),
    /// The value is of this kind.
    IsKind(Path, Kind),
    /// A string or binary value begins with another.
    BeginsWith(Operand, Operand),
    /// A string has another in it, or a set or list has an element.
    Contains(Operand, Operand),
}

/// How two values compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `=`
    Equal,
    /// `<>`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

/// A value that is compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operand {
    /// That of the item.
    Path(Path),
    /// This one.
    Value(Value),
    /// The size of another.
    Size(Box<Operand>),
}

impl Condition {
    /// Whether it holds.
    pub fn holds(&self, _item: &Item) -> bool {
        todo!()
    }
}
