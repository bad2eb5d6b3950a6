//! What a text says, as it says it: names and values are not looked up yet.

use crate::{Comparison, Invalid, Path, Placeholders, Step, limits};

/// A path as it is written.
#[derive(Debug, Clone)]
pub struct RawPath<'a> {
    pub root: &'a str,
    pub steps: Vec<RawStep<'a>>,
}

/// A step as it is written.
#[derive(Debug, Clone, Copy)]
pub enum RawStep<'a> {
    Field(&'a str),
    Index(usize),
}

/// A value as it is written.
#[derive(Debug, Clone)]
pub enum RawOperand<'a> {
    Path(RawPath<'a>),
    Value(&'a str),
    Call(Call<'a>),
}

/// A function and what it is given.
#[derive(Debug, Clone)]
pub struct Call<'a> {
    pub function: &'a str,
    pub first: Box<RawOperand<'a>>,
    pub rest: Vec<RawOperand<'a>>,
}

/// A condition as it is written. It is small, for much of it may lie on the stack while a text is read.
#[derive(Debug, Clone)]
pub enum Node<'a> {
    And(Box<Node<'a>>, Box<Node<'a>>),
    Or(Box<Node<'a>>, Box<Node<'a>>),
    Not(Box<Node<'a>>),
    Compare(Comparison, Box<[RawOperand<'a>; 2]>),
    Between(Box<[RawOperand<'a>; 3]>),
    /// The value, and those that it may equal.
    In(Box<RawOperand<'a>>, Vec<RawOperand<'a>>),
    Call(Call<'a>),
}

/// An action of an update as it is written.
#[derive(Debug, Clone)]
pub enum Clause<'a> {
    Set(RawPath<'a>, Sum<'a>),
    Remove(RawPath<'a>),
    Add(RawPath<'a>, &'a str),
    Delete(RawPath<'a>, &'a str),
}

/// What is set.
#[derive(Debug, Clone)]
pub enum Sum<'a> {
    One(RawOperand<'a>),
    Plus(RawOperand<'a>, RawOperand<'a>),
    Minus(RawOperand<'a>, RawOperand<'a>),
}

impl<'a> Call<'a> {
    /// What the function is given.
    pub fn arguments(&self) -> impl Iterator<Item = &RawOperand<'a>> {
        std::iter::once(&*self.first).chain(&self.rest)
    }

    /// What is wrong with the number of operands where there should be so many.
    pub fn wrong_count(&self, right: usize) -> Option<Invalid> {
        wrong_number(self.function, 1 + self.rest.len(), right)
    }
}

/// What is wrong with so many operands of a function where there should be so many others.
pub fn wrong_number(function: &str, count: usize, right: usize) -> Option<Invalid> {
    (count != right).then(|| {
        Invalid::new(format!(
            "Incorrect number of operands for operator or function; \
             operator or function: {function}, number of operands: {count}"
        ))
    })
}

impl RawPath<'_> {
    /// The path that is meant.
    ///
    /// # Errors
    /// Where a name is not defined, or it goes too deep.
    pub fn resolve(&self, placeholders: &mut Placeholders) -> Result<Path, Invalid> {
        let root = placeholders.name(self.root)?;
        let steps = self
            .steps
            .iter()
            .map(|step| match step {
                RawStep::Field(name) => Ok(Step::Field(placeholders.name(name)?)),
                RawStep::Index(index) => Ok(Step::Index(*index)),
            })
            .collect::<Result<Vec<_>, Invalid>>()?;
        let levels = 1 + steps.len();
        if levels > limits::PATH_LEVELS {
            return Err(Invalid::new(format!(
                "The document path has too many nesting levels; nesting levels: {levels}"
            )));
        }
        Ok(Path { root, steps })
    }
}
