//! The way through a statement's tokens, and its parameters.

use std::ops::Range;

use headwater_expressions::limits::OPERATORS;
use headwater_items::Value;

use crate::{
    Refused, keywords, limits,
    tokens::{self, Token, TokenKind},
};

/// A statement that is being read.
pub(crate) struct Reader<'a> {
    pub text: &'a str,
    token: Token,
    parameters: std::vec::IntoIter<Value>,
    operators: usize,
    nested: usize,
}

impl<'a> Reader<'a> {
    /// The reader of a text, whose `?` stand for these.
    pub fn new(text: &'a str, parameters: Vec<Value>) -> Result<Self, Refused> {
        Ok(Self {
            text,
            token: tokens::next(text, 0)?,
            parameters: parameters.into_iter(),
            operators: 0,
            nested: 0,
        })
    }

    /// Ends the statement, behind which a semicolon may stand.
    pub fn end(&mut self) -> Result<(), Refused> {
        self.eat(";")?;
        if !self.at_end() {
            return Err(Refused::malformed("Unexpected token after expression"));
        }
        match self.parameters.len() {
            0 => Ok(()),
            _ => Err(wrong_parameters()),
        }
    }

    /// The value that the next `?` stands for.
    pub fn parameter(&mut self) -> Result<Value, Refused> {
        self.parameters.next().ok_or_else(wrong_parameters)
    }

    /// What kind of token is next.
    pub fn kind(&self) -> TokenKind {
        self.token.kind
    }

    /// The next token as it is written.
    pub fn ahead(&self) -> &'a str {
        self.text.get(self.token.at.clone()).unwrap_or_default()
    }

    /// Where the next token stands.
    pub fn place(&self) -> Range<usize> {
        self.token.at.clone()
    }

    pub fn at_end(&self) -> bool {
        self.token.kind == TokenKind::End
    }

    /// Whether this sign is next.
    pub fn at(&self, sign: &str) -> bool {
        self.token.kind == TokenKind::Sign && self.ahead() == sign
    }

    /// Whether this word is next; case does not matter.
    pub fn at_word(&self, word: &str) -> bool {
        self.token.kind == TokenKind::Word && self.ahead().eq_ignore_ascii_case(word)
    }

    /// Whether a word is next that names nothing.
    pub fn at_keyword(&self) -> bool {
        self.token.kind == TokenKind::Word && keywords::is_keyword(self.ahead())
    }

    /// Whether a name is next.
    pub fn at_name(&self) -> bool {
        self.token.kind == TokenKind::Quoted
            || (self.token.kind == TokenKind::Word && !self.at_keyword())
    }

    /// Whether a function is called next.
    pub fn at_call(&self) -> Result<bool, Refused> {
        if self.token.kind != TokenKind::Word {
            return Ok(false);
        }
        let behind = tokens::next(self.text, self.token.at.end)?;
        Ok(self.text.get(behind.at) == Some("("))
    }

    /// Goes on behind the next token, which is given as it is written.
    pub fn bump(&mut self) -> Result<&'a str, Refused> {
        let ahead = self.ahead();
        self.token = tokens::next(self.text, self.token.at.end)?;
        Ok(ahead)
    }

    /// Goes on behind a sign, if it is next.
    pub fn eat(&mut self, sign: &str) -> Result<bool, Refused> {
        let is_next = self.at(sign);
        if is_next {
            self.bump()?;
        }
        Ok(is_next)
    }

    /// Goes on behind a word, if it is next.
    pub fn eat_word(&mut self, word: &str) -> Result<bool, Refused> {
        let is_next = self.at_word(word);
        if is_next {
            self.bump()?;
        }
        Ok(is_next)
    }

    /// Goes on behind a sign, which must be next; AWS has a name for it.
    pub fn expect(&mut self, sign: &str, name: &str) -> Result<(), Refused> {
        match self.eat(sign)? {
            true => Ok(()),
            false => Err(Refused::malformed(&format!("Expected {name}"))),
        }
    }

    /// What is wrong with the next token where a value, a name or a condition should begin.
    pub fn unexpected(&self) -> Refused {
        Refused::malformed(match self.token.kind {
            TokenKind::Word if keywords::is_operator(self.ahead()) => "Unexpected operator",
            TokenKind::Word if self.at_keyword() => "Unexpected keyword",
            _ => "Unexpected term",
        })
    }

    /// What is told of the next token, with its place.
    pub fn told(&self, what: impl std::fmt::Display) -> Refused {
        Refused::at(what, self.text, &self.token.at)
    }

    /// Counts an operator.
    pub fn operator(&mut self) -> Result<(), Refused> {
        self.operators += 1;
        match self.operators {
            0..=OPERATORS => Ok(()),
            count => Refused::told(format!(
                "The expression contains too many operators; operator count: {count}"
            )),
        }
    }

    /// Reads what stands in parentheses.
    pub fn within<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, Refused>,
    ) -> Result<T, Refused> {
        if self.nested >= limits::NESTED {
            return Refused::told("The expression is nested too deeply");
        }
        self.nested += 1;
        let read = read(self)?;
        self.nested -= 1;
        Ok(read)
    }
}

fn wrong_parameters() -> Refused {
    Refused("Number of parameters in request and statement don't match.".to_owned())
}
