//! The grammar of conditions, filters and key conditions.

use crate::{Comparison, Invalid};

use super::{
    findings::Finding,
    raw::{Node, RawOperand},
    reader::{Dialect, Reader},
};

static DIALECT: Dialect = Dialect {
    keywords: &["AND", "OR", "NOT", "BETWEEN", "IN"],
    functions: &[
        "attribute_exists",
        "attribute_not_exists",
        "attribute_type",
        "begins_with",
        "contains",
        "size",
    ],
    foreign: &["if_not_exists", "list_append"],
    name: "a condition expression",
    may_be_argument: |argument, _| !is_misplaced_operand(argument),
    paths_go_on: true,
};

/// What was read, and whether it stands in parentheses.
struct Part<'a> {
    what: What<'a>,
    enclosed: bool,
}

/// A condition, or a value that may become part of one.
enum What<'a> {
    Condition(Node<'a>),
    Operand(RawOperand<'a>),
}

/// The condition that a text is.
///
/// # Errors
/// When it is none.
pub fn read(text: &str) -> Result<Node<'_>, Invalid> {
    let mut reader = Reader::new(text, &DIALECT);
    let part = reader.any_of()?;
    let node = reader.whole(part)?;
    reader.end()?;
    reader.findings.check(&[
        Finding::Parentheses,
        Finding::Function,
        Finding::Place,
        Finding::Reserved,
        Finding::Index,
    ])?;
    Ok(node)
}

impl<'a> Reader<'a> {
    /// Conditions between `OR`.
    fn any_of(&mut self) -> Result<Part<'a>, Invalid> {
        let mut part = self.all_of()?;
        while self.at_keyword("OR") {
            let (one, other) = self.joined(part, Self::all_of)?;
            part = Part::condition(Node::Or(one, other));
        }
        Ok(part)
    }

    /// Conditions between `AND`.
    fn all_of(&mut self) -> Result<Part<'a>, Invalid> {
        let mut part = self.negated()?;
        while self.at_keyword("AND") {
            let (one, other) = self.joined(part, Self::negated)?;
            part = Part::condition(Node::And(one, other));
        }
        Ok(part)
    }

    /// Two conditions; behind the first a keyword is next.
    fn joined(
        &mut self,
        one: Part<'a>,
        read: fn(&mut Self) -> Result<Part<'a>, Invalid>,
    ) -> Result<(Box<Node<'a>>, Box<Node<'a>>), Invalid> {
        let one = self.whole(one)?;
        self.bump();
        self.operator()?;
        let other = read(self)?;
        Ok((Box::new(one), Box::new(self.whole(other)?)))
    }

    /// A condition, with `NOT` before it or without.
    fn negated(&mut self) -> Result<Part<'a>, Invalid> {
        if !self.at_keyword("NOT") {
            return self.compared();
        }
        self.bump();
        self.operator()?;
        let inner = self.negated()?;
        Ok(Part::condition(Node::Not(Box::new(self.whole(inner)?))))
    }

    /// A comparison, or whatever stands alone.
    fn compared(&mut self) -> Result<Part<'a>, Invalid> {
        let part = self.primary()?;
        let comparison = self.comparison();
        let between = self.at_keyword("BETWEEN");
        if comparison.is_none() && !between && !self.at_keyword("IN") {
            return Ok(part);
        }
        let What::Operand(value) = part.what else {
            return Err(self.unexpected());
        };
        self.bump();
        self.operator()?;
        self.check_place(&value);
        Ok(Part::condition(if let Some(comparison) = comparison {
            Node::Compare(comparison, value, self.compared_with()?)
        } else if between {
            let low = self.compared_with()?;
            self.expect_keyword("AND")?;
            Node::Between(value, low, self.compared_with()?)
        } else {
            self.expect("(")?;
            let (first, mut others) = self.within(Self::operands)?;
            others.insert(0, first);
            others.iter().for_each(|other| self.check_place(other));
            Node::In(value, others)
        }))
    }

    fn compared_with(&mut self) -> Result<RawOperand<'a>, Invalid> {
        let operand = self.operand()?;
        self.check_place(&operand);
        Ok(operand)
    }

    /// What stands in parentheses, or a value.
    fn primary(&mut self) -> Result<Part<'a>, Invalid> {
        if !self.eat("(") {
            return Ok(Part {
                what: What::Operand(self.plain_operand()?),
                enclosed: false,
            });
        }
        let inner = self.within(Self::any_of)?;
        if inner.enclosed {
            self.redundant();
        }
        let (what, went_on) = match inner.what {
            What::Operand(operand) => {
                let (operand, went_on) = self.go_on(operand)?;
                (What::Operand(operand), went_on)
            }
            condition => (condition, false),
        };
        Ok(Part {
            what,
            enclosed: !went_on,
        })
    }

    /// The comparison whose sign is next.
    fn comparison(&self) -> Option<Comparison> {
        Some(match self.ahead() {
            "=" => Comparison::Equal,
            "<>" => Comparison::NotEqual,
            "<" => Comparison::Less,
            "<=" => Comparison::LessOrEqual,
            ">" => Comparison::Greater,
            ">=" => Comparison::GreaterOrEqual,
            _ => return None,
        })
    }

    /// The condition that was read: a path or a value alone is none.
    fn whole(&mut self, part: Part<'a>) -> Result<Node<'a>, Invalid> {
        match part.what {
            What::Condition(node) => Ok(node),
            What::Operand(RawOperand::Call(call)) => {
                if call.function == "size" {
                    self.misplaced(call.function);
                }
                Ok(Node::Call(call))
            }
            What::Operand(_) => Err(self.unexpected()),
        }
    }

    /// Notes a function whose outcome cannot be compared.
    fn check_place(&mut self, operand: &RawOperand<'_>) {
        if let RawOperand::Call(call) = operand
            && is_misplaced_operand(call.function)
        {
            self.misplaced(call.function);
        }
    }
}

impl<'a> Part<'a> {
    fn condition(node: Node<'a>) -> Self {
        Self {
            what: What::Condition(node),
            enclosed: false,
        }
    }
}

/// Whether a function's outcome is no value.
fn is_misplaced_operand(function: &str) -> bool {
    function != "size"
}
