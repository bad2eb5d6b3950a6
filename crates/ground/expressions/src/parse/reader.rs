//! What all expressions have in common: the way through the tokens, paths, and calls of functions.

use std::ops::Range;

use crate::{Invalid, limits};

use super::{
    findings::{Finding, Findings},
    raw::{Call, RawOperand, RawPath, RawStep},
    reserved::is_reserved,
    tokens::{self, Token, TokenKind},
};

/// A text that is being read.
pub struct Reader<'a> {
    text: &'a str,
    token: Token,
    before: Range<usize>,
    dialect: &'static Dialect,
    nested: usize,
    operators: usize,
    pub findings: Findings,
}

/// In what expressions differ.
pub struct Dialect {
    /// Words that are no names.
    pub keywords: &'static [&'static str],
    /// The functions that there are.
    pub functions: &'static [&'static str],
    /// Those that others have.
    pub foreign: &'static [&'static str],
    /// What it is called where one of those is used.
    pub name: &'static str,
    /// Whether a function may be given the outcome of another.
    pub may_be_argument: fn(argument: &str, of: &str) -> bool,
    /// Whether a path may go on behind parentheses around its beginning.
    pub paths_go_on: bool,
}

/// The paths of a projection.
///
/// # Errors
/// When the text is no list of paths.
pub fn projection(text: &str) -> Result<Vec<RawPath<'_>>, Invalid> {
    static DIALECT: Dialect = Dialect {
        keywords: &[],
        functions: &[],
        foreign: &[],
        name: "a projection expression",
        may_be_argument: |_, _| false,
        paths_go_on: false,
    };
    let mut reader = Reader::new(text, &DIALECT);
    let mut paths = vec![reader.path()?];
    while reader.eat(",") {
        paths.push(reader.path()?);
    }
    reader.end()?;
    reader
        .findings
        .check(&[Finding::Reserved, Finding::Index])?;
    Ok(paths)
}

impl<'a> Reader<'a> {
    pub fn new(text: &'a str, dialect: &'static Dialect) -> Self {
        let token = tokens::next(text, 0);
        Self {
            before: token.at.start..token.at.start,
            token,
            text,
            dialect,
            nested: 0,
            operators: 0,
            findings: Findings::default(),
        }
    }

    /// The text of the next token.
    pub fn ahead(&self) -> &'a str {
        self.text.get(self.token.at.clone()).unwrap_or_default()
    }

    /// Goes on behind the next token, whose text this is.
    pub fn bump(&mut self) -> &'a str {
        let text = self.ahead();
        let next = tokens::next(self.text, self.token.at.end);
        self.before = std::mem::replace(&mut self.token, next).at;
        text
    }

    /// Whether the next token is this sign.
    pub fn at(&self, sign: &str) -> bool {
        self.token.kind == TokenKind::Sign && self.ahead() == sign
    }

    /// Whether the next token is this keyword.
    pub fn at_keyword(&self, keyword: &str) -> bool {
        self.token.kind == TokenKind::Word && self.ahead().eq_ignore_ascii_case(keyword)
    }

    /// Goes on behind a sign, if it is next.
    pub fn eat(&mut self, sign: &str) -> bool {
        let there = self.at(sign);
        if there {
            self.bump();
        }
        there
    }

    /// Goes on behind a sign, which must be next.
    pub fn expect(&mut self, sign: &str) -> Result<(), Invalid> {
        if self.eat(sign) {
            Ok(())
        } else {
            Err(self.unexpected())
        }
    }

    /// Goes on behind a keyword, which must be next.
    pub fn expect_keyword(&mut self, keyword: &str) -> Result<(), Invalid> {
        if !self.at_keyword(keyword) {
            return Err(self.unexpected());
        }
        self.bump();
        Ok(())
    }

    /// Whether there is nothing more.
    pub fn at_end(&self) -> bool {
        self.token.kind == TokenKind::End
    }

    /// Makes sure that there is nothing more.
    pub fn end(&self) -> Result<(), Invalid> {
        if self.at_end() {
            Ok(())
        } else {
            Err(self.unexpected())
        }
    }

    /// The next token cannot be there. AWS shows it, and what stands from the token before it to the one behind it.
    pub fn unexpected(&self) -> Invalid {
        let (token, to) = match self.token.kind {
            TokenKind::End => ("<EOF>", self.before.end),
            _ => (
                self.ahead(),
                tokens::next(self.text, self.token.at.end).at.end,
            ),
        };
        // Blanks at the end of a text are no token, but one of no length stands behind them.
        let near = self.text.get(self.before.start..to).unwrap_or_default();
        Invalid::new(format!(
            "Syntax error; token: \"{token}\", near: \"{}\"",
            near.trim_ascii_end()
        ))
    }

    /// Counts an operator.
    pub fn operator(&mut self) -> Result<(), Invalid> {
        self.operators += 1;
        if self.operators <= limits::OPERATORS {
            return Ok(());
        }
        Err(Invalid::new(format!(
            "The expression contains too many operators; operator count: {}",
            self.operators
        )))
    }

    /// Reads what stands in the parentheses of a value or a function, the first of which is behind us.
    pub fn within<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, Invalid>,
    ) -> Result<T, Invalid> {
        self.nested += 1;
        if self.nested > limits::NESTED {
            return Err(Invalid::new(REDUNDANT));
        }
        let inner = read(self)?;
        self.nested -= 1;
        self.expect(")")?;
        Ok(inner)
    }

    /// Notes parentheses around nothing but parentheses.
    pub fn redundant(&mut self) {
        self.findings
            .note(Finding::Parentheses, || Invalid::new(REDUNDANT));
    }

    /// Notes a function at a place where it cannot be.
    pub fn misplaced(&mut self, function: &str) {
        self.findings
            .note(Finding::Place, || Invalid::misplaced(function));
    }

    /// Reads a path.
    pub fn path(&mut self) -> Result<RawPath<'a>, Invalid> {
        let root = self.name()?;
        self.steps(RawPath {
            root,
            steps: Vec::new(),
        })
    }

    /// Reads the steps that follow a path.
    pub fn steps(&mut self, mut path: RawPath<'a>) -> Result<RawPath<'a>, Invalid> {
        loop {
            if self.eat(".") {
                path.steps.push(RawStep::Field(self.name()?));
            } else if self.eat("[") {
                path.steps.push(RawStep::Index(self.index()?));
                self.expect("]")?;
            } else {
                return Ok(path);
            }
        }
    }

    /// Reads a `:value`.
    pub fn value(&mut self) -> Result<&'a str, Invalid> {
        if self.token.kind != TokenKind::Value {
            return Err(self.unexpected());
        }
        Ok(self.bump())
    }

    /// Reads a path, a value or a call of a function, without parentheses around it.
    pub fn plain_operand(&mut self) -> Result<RawOperand<'a>, Invalid> {
        match self.token.kind {
            TokenKind::Value => Ok(RawOperand::Value(self.bump())),
            TokenKind::Word if !self.at_any_keyword() => {
                let word = self.bump();
                if self.eat("(") {
                    return Ok(RawOperand::Call(self.call(word)?));
                }
                self.check_reserved(word);
                let root = RawPath {
                    root: word,
                    steps: Vec::new(),
                };
                Ok(RawOperand::Path(self.steps(root)?))
            }
            _ => Ok(RawOperand::Path(self.path()?)),
        }
    }

    /// Reads a path, a value or a call of a function, maybe in parentheses.
    pub fn operand(&mut self) -> Result<RawOperand<'a>, Invalid> {
        Ok(self.enclosed_operand()?.0)
    }

    /// The same, and whether it stands in parentheses.
    fn enclosed_operand(&mut self) -> Result<(RawOperand<'a>, bool), Invalid> {
        if !self.eat("(") {
            return Ok((self.plain_operand()?, false));
        }
        let (inner, twice) = self.within(Self::enclosed_operand)?;
        if twice {
            self.redundant();
        }
        let (operand, went_on) = self.go_on(inner)?;
        Ok((operand, !went_on))
    }

    /// Reads the steps that follow a path in parentheses, and says whether there were some.
    pub fn go_on(&mut self, operand: RawOperand<'a>) -> Result<(RawOperand<'a>, bool), Invalid> {
        match operand {
            RawOperand::Path(path)
                if self.dialect.paths_go_on && (self.at(".") || self.at("[")) =>
            {
                Ok((RawOperand::Path(self.steps(path)?), true))
            }
            operand => Ok((operand, false)),
        }
    }

    /// Reads operands between commas: the first, and the others.
    pub fn operands(&mut self) -> Result<(RawOperand<'a>, Vec<RawOperand<'a>>), Invalid> {
        let first = self.operand()?;
        let mut rest = Vec::new();
        while self.eat(",") {
            rest.push(self.operand()?);
        }
        Ok((first, rest))
    }

    /// Reads what a function is given; its name and the parenthesis are behind us.
    fn call(&mut self, function: &'a str) -> Result<Call<'a>, Invalid> {
        let known = self.dialect.functions.contains(&function);
        if self.nested >= limits::NESTED {
            return Err(match function {
                "size" if known => Invalid::operand_type(function, "N"),
                _ if known => Invalid::misplaced(function),
                _ => Invalid::new(format!("Invalid function name; function: {function}")),
            });
        }
        let (first, rest) = self.within(Self::operands)?;
        for argument in std::iter::once(&first).chain(&rest) {
            if let RawOperand::Call(inner) = argument
                && !(self.dialect.may_be_argument)(inner.function, function)
            {
                self.misplaced(inner.function);
            }
        }
        if self.dialect.foreign.contains(&function) {
            let dialect = self.dialect.name;
            self.findings.note(Finding::Function, || {
                Invalid::new(format!(
                    "The function is not allowed in {dialect}; function: {function}"
                ))
            });
        } else if !known {
            self.findings.note(Finding::Function, || {
                Invalid::new(format!("Invalid function name; function: {function}"))
            });
        }
        Ok(Call {
            function,
            first: Box::new(first),
            rest,
        })
    }

    /// Reads a name of an attribute, or a `#name`.
    fn name(&mut self) -> Result<&'a str, Invalid> {
        match self.token.kind {
            TokenKind::Name => Ok(self.bump()),
            TokenKind::Word if !self.at_any_keyword() => {
                let word = self.bump();
                self.check_reserved(word);
                Ok(word)
            }
            _ => Err(self.unexpected()),
        }
    }

    fn index(&mut self) -> Result<usize, Invalid> {
        if self.token.kind != TokenKind::Number {
            return Err(self.unexpected());
        }
        let digits = self.bump();
        let index = digits.parse().ok().filter(|&index| index <= limits::INDEX);
        if index.is_none() {
            self.findings.note(Finding::Index, || {
                Invalid::new(format!(
                    "List index is not within the allowable range; index: [{digits}]"
                ))
            });
        }
        Ok(index.unwrap_or_default())
    }

    fn at_any_keyword(&self) -> bool {
        self.dialect
            .keywords
            .iter()
            .any(|keyword| self.at_keyword(keyword))
    }

    fn check_reserved(&mut self, word: &str) {
        if is_reserved(word) {
            self.findings.note(Finding::Reserved, || {
                Invalid::new(format!(
                    "Attribute name is a reserved keyword; reserved keyword: {word}"
                ))
            });
        }
    }
}

const REDUNDANT: &str = "The expression has redundant parentheses;";
