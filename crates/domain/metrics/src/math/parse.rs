//! Expressions, read.

use std::collections::BTreeSet;

use super::{
    MathError,
    functions::{Function, NOT_SUPPORTED},
    lex::{Token, tokens},
    limits,
};

/// An expression that is well formed.
#[derive(Debug, Clone, PartialEq)]
pub struct Expression(pub(super) Node);

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    Number(f64),
    Text(String),
    Id(String),
    /// A word that says how a function works.
    Word(Word),
    Negate(Box<Node>),
    /// Operands with operators between them that bind as strongly, from the left to the right.
    Chain(Box<Node>, Vec<(Operator, Node)>),
    Call(Function, Vec<Node>),
    Array(Vec<Node>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Word {
    Repeat,
    Linear,
    Ascending,
    Descending,
    /// A function by which series are sorted.
    By(Function),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Or,
    And,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Equal,
    NotEqual,
    Add,
    Subtract,
    Multiply,
    Divide,
    Power,
}

/// Operators by how strongly they bind, the weakest first.
const BINDING: &[&[(&str, Operator)]] = &[
    &[("||", Operator::Or), ("OR", Operator::Or)],
    &[("&&", Operator::And), ("AND", Operator::And)],
    &[
        ("<", Operator::Less),
        ("<=", Operator::LessOrEqual),
        (">", Operator::Greater),
        (">=", Operator::GreaterOrEqual),
        ("==", Operator::Equal),
        ("!=", Operator::NotEqual),
    ],
    &[("+", Operator::Add), ("-", Operator::Subtract)],
    &[("*", Operator::Multiply), ("/", Operator::Divide)],
];

impl Expression {
    /// Reads an expression.
    ///
    /// # Errors
    /// Every [`MathError`] but those that values alone have.
    pub fn parse(text: &str) -> Result<Self, MathError> {
        if text.len() > limits::TEXT_BYTES_MAX {
            return Err(MathError::TooLong);
        }
        let mut parser = Parser {
            tokens: tokens(text)?,
            next: 0,
            depth: 0,
            end: text.len() + 1,
        };
        let node = parser.operation(0)?;
        match parser.peek() {
            None => Ok(Self(node)),
            Some(_) => Err(parser.fault("an operator or the end should stand here")),
        }
    }
}

impl Node {
    pub fn ids<'a>(&'a self, ids: &mut BTreeSet<&'a str>) {
        match self {
            Self::Id(id) => drop(ids.insert(id)),
            Self::Number(_) | Self::Text(_) | Self::Word(_) => {}
            Self::Negate(node) => node.ids(ids),
            Self::Chain(first, rest) => {
                first.ids(ids);
                rest.iter().for_each(|(_, node)| node.ids(ids));
            }
            Self::Call(_, nodes) | Self::Array(nodes) => {
                nodes.iter().for_each(|node| node.ids(ids))
            }
        }
    }
}

struct Parser {
    tokens: Vec<(usize, Token)>,
    next: usize,
    depth: usize,
    /// The place behind the text.
    end: usize,
}

impl Parser {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.next).map(|token| &token.1)
    }

    fn fault(&self, what: &'static str) -> MathError {
        let at = self.tokens.get(self.next).map_or(self.end, |token| token.0);
        MathError::Syntax { at, what }
    }

    /// Whether a sign or a word stands next, which is taken then.
    fn takes(&mut self, wanted: &str) -> bool {
        let is_next = match self.peek() {
            Some(Token::Sign(sign)) => *sign == wanted,
            Some(Token::Name(name)) => name == wanted,
            _ => false,
        };
        self.next += usize::from(is_next);
        is_next
    }

    fn wants(&mut self, sign: &str, what: &'static str) -> Result<(), MathError> {
        match self.takes(sign) {
            true => Ok(()),
            false => Err(self.fault(what)),
        }
    }

    /// What stands a level deeper.
    fn deeper(
        &mut self,
        part: impl FnOnce(&mut Self) -> Result<Node, MathError>,
    ) -> Result<Node, MathError> {
        if self.depth == limits::DEPTH_MAX {
            return Err(MathError::TooDeep);
        }
        self.depth += 1;
        let node = part(self);
        self.depth -= 1;
        node
    }

    /// Operands and the operators between them that bind as strongly as `strength` or more so.
    fn operation(&mut self, strength: usize) -> Result<Node, MathError> {
        let Some(operators) = BINDING.get(strength) else {
            return self.signed();
        };
        let first = self.operation(strength + 1)?;
        let mut rest = Vec::new();
        let find = |parser: &mut Self| operators.iter().find(|operator| parser.takes(operator.0));
        while let Some((_, operator)) = find(self) {
            rest.push((*operator, self.operation(strength + 1)?));
        }
        Ok(match rest.is_empty() {
            true => first,
            false => Node::Chain(Box::new(first), rest),
        })
    }

    fn signed(&mut self) -> Result<Node, MathError> {
        if self.takes("-") {
            let node = self.deeper(Self::signed)?;
            return Ok(Node::Negate(Box::new(node)));
        }
        let base = self.operand()?;
        if !self.takes("^") {
            return Ok(base);
        }
        let exponent = self.deeper(Self::signed)?;
        Ok(Node::Chain(
            Box::new(base),
            vec![(Operator::Power, exponent)],
        ))
    }

    fn operand(&mut self) -> Result<Node, MathError> {
        if self.takes("(") {
            let node = self.deeper(|parser| parser.operation(0))?;
            self.wants(")", "a closing bracket should stand here")?;
            return Ok(node);
        }
        if self.takes("[") {
            return Ok(Node::Array(self.list("]")?));
        }
        let node = match self.peek().cloned() {
            Some(Token::Number(number)) => Node::Number(number),
            Some(Token::Text(text)) => Node::Text(text),
            Some(Token::Name(name)) => return self.named(&name),
            _ => return Err(self.fault("a number, an id or a function should stand here")),
        };
        self.next += 1;
        Ok(node)
    }

    /// An id, a call or a word.
    fn named(&mut self, name: &str) -> Result<Node, MathError> {
        let is_id = name.starts_with(|first: char| first.is_ascii_lowercase());
        let fault = self.fault("there is no such word");
        self.next += 1;
        if is_id {
            return Ok(Node::Id(name.to_owned()));
        }
        if !self.takes("(") {
            return word(name).map(Node::Word).ok_or(fault);
        }
        if let Some(name) = NOT_SUPPORTED.iter().find(|known| **known == name) {
            return Err(MathError::NotSupported(name));
        }
        let function =
            Function::named(name).ok_or_else(|| MathError::NoFunction(name.to_owned()))?;
        let arguments = self.list(")")?;
        match function.arguments().contains(&arguments.len()) {
            true => Ok(Node::Call(function, arguments)),
            false => Err(MathError::Arguments(function.name())),
        }
    }

    /// What stands between commas, up to `end`.
    fn list(&mut self, end: &str) -> Result<Vec<Node>, MathError> {
        let mut nodes = Vec::new();
        if self.takes(end) {
            return Ok(nodes);
        }
        loop {
            nodes.push(self.deeper(|parser| parser.operation(0))?);
            if self.takes(end) {
                return Ok(nodes);
            }
            self.wants(",", "a comma or a closing bracket should stand here")?;
        }
    }
}

fn word(name: &str) -> Option<Word> {
    Some(match name {
        "REPEAT" => Word::Repeat,
        "LINEAR" => Word::Linear,
        "ASC" => Word::Ascending,
        "DESC" => Word::Descending,
        "AVG" | "MIN" | "MAX" | "SUM" => Word::By(Function::named(name)?),
        _ => return None,
    })
}
