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

/// How tight operators bind, the loosest first.
const OR: u8 = 1;
const AND: u8 = 2;

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
    let part = reader.joined(OR)?;
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
    /// Conditions joined by operators that bind at least so tight.
    fn joined(&mut self, tightness: u8) -> Result<Part<'a>, Invalid> {
        let mut negations = 0;
        while self.at_keyword("NOT") {
            self.bump();
            self.operator()?;
            negations += 1;
        }
        let mut part = self.compared()?;
        for _ in 0..negations {
            let inner = Box::new(self.whole(part)?);
            part = Part::condition(Node::Not(inner));
        }
        loop {
            let operator = if self.at_keyword("AND") {
                AND
            } else if self.at_keyword("OR") {
                OR
            } else {
                return Ok(part);
            };
            if operator < tightness {
                return Ok(part);
            }
            let one = Box::new(self.whole(part)?);
            self.bump();
            self.operator()?;
            let other = self.joined(operator + 1)?;
            let other = Box::new(self.whole(other)?);
            part = Part::condition(match operator {
                AND => Node::And(one, other),
                _ => Node::Or(one, other),
            });
        }
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
        self.comparing(value, comparison, between)
            .map(Part::condition)
    }

    /// What follows the operator behind a value.
    fn comparing(
        &mut self,
        value: RawOperand<'a>,
        comparison: Option<Comparison>,
        between: bool,
    ) -> Result<Node<'a>, Invalid> {
        if let Some(comparison) = comparison {
            let other = self.compared_with()?;
            return Ok(Node::Compare(comparison, Box::new([value, other])));
        }
        if between {
            let low = self.compared_with()?;
            self.expect_keyword("AND")?;
            let high = self.compared_with()?;
            return Ok(Node::Between(Box::new([value, low, high])));
        }
        self.expect("(")?;
        let (first, mut others) = self.within(Self::operands)?;
        others.insert(0, first);
        others.iter().for_each(|other| self.check_place(other));
        Ok(Node::In(Box::new(value), others))
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
        self.enter()?;
        let inner = self.joined(OR)?;
        self.leave()?;
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
