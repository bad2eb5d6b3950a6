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

/// What was read between two parentheses and waits for what comes next.
#[derive(Default)]
struct Level<'a> {
    /// What stands before an `OR`.
    any: Option<Box<Node<'a>>>,
    /// What stands before an `AND`.
    all: Option<Box<Node<'a>>>,
    /// How many `NOT` stand before what comes next.
    negations: usize,
}

impl<'a> Level<'a> {
    fn is_alone(&self) -> bool {
        self.any.is_none() && self.all.is_none()
    }

    fn and(&mut self, node: Node<'a>) -> Node<'a> {
        match self.all.take() {
            Some(before) => Node::And(before, Box::new(node)),
            None => node,
        }
    }

    fn or(&mut self, node: Node<'a>) -> Node<'a> {
        match self.any.take() {
            Some(before) => Node::Or(before, Box::new(node)),
            None => node,
        }
    }
}

/// The condition that a text is.
///
/// # Errors
/// When it is none.
pub fn read(text: &str) -> Result<Node<'_>, Invalid> {
    let mut reader = Reader::new(text, &DIALECT);
    let part = reader.joined()?;
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
    /// Conditions joined by operators, or whatever stands alone. Parentheses are kept in a list and not on the stack,
    /// for there can be thousands.
    fn joined(&mut self) -> Result<Part<'a>, Invalid> {
        let mut outer = Vec::new();
        let mut level = Level::default();
        loop {
            while self.at_keyword("NOT") {
                self.bump();
                self.operator()?;
                level.negations += 1;
            }
            if self.eat("(") {
                outer.push(std::mem::take(&mut level));
                continue;
            }
            let mut part = Part {
                what: What::Operand(self.plain_operand()?),
                enclosed: false,
            };
            while let Some(whole) = self.continued(part, &mut level)? {
                let Some(around) = outer.pop() else {
                    return Ok(whole);
                };
                self.expect(")")?;
                level = around;
                part = self.enclosed(whole)?;
            }
        }
    }

    /// What follows a part. None where another operand must follow; the whole level where it ends here.
    fn continued(
        &mut self,
        part: Part<'a>,
        level: &mut Level<'a>,
    ) -> Result<Option<Part<'a>>, Invalid> {
        let mut part = self.compared(part)?;
        for _ in 0..std::mem::take(&mut level.negations) {
            part = Part::condition(Node::Not(Box::new(self.whole(part)?)));
        }
        let (and, or) = (self.at_keyword("AND"), self.at_keyword("OR"));
        if !and && !or && level.is_alone() {
            return Ok(Some(part));
        }
        let node = level.and(self.whole(part)?);
        if and {
            level.all = Some(Box::new(node));
        } else {
            let node = level.or(node);
            if !or {
                return Ok(Some(Part::condition(node)));
            }
            level.any = Some(Box::new(node));
        }
        self.bump();
        self.operator()?;
        Ok(None)
    }

    /// A comparison, where the part is a value that is compared.
    fn compared(&mut self, part: Part<'a>) -> Result<Part<'a>, Invalid> {
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

    /// What stood in parentheses, which are behind us.
    fn enclosed(&mut self, inner: Part<'a>) -> Result<Part<'a>, Invalid> {
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
