//! The reading of an expression, by recursive descent.
//!
//! ```text
//! any       = all { OR all }
//! all       = one { AND one }
//! one       = NOT one | "(" any ")" | key test
//! test      = ("=" | "<>" | "!=" | "<" | "<=" | ">" | ">=") literal
//!           | [NOT] LIKE literal | [NOT] IN "(" literal { "," literal } ")"
//!           | [NOT] BETWEEN literal AND literal | IS [NOT] NULL
//! ```
//! A key and a literal may stand in parentheses of their own.

use headwater_shapes_glue::Column;
use headwater_wire::ApiError;

use crate::{
    errors::invalid_input,
    filter::{
        Comparison, Filter, Test,
        lexer::{Token, tokens},
        like::Like,
        scalar::{Kind, Scalar},
    },
};

/// How deep expressions may be nested.
const DEPTH_MAX: usize = 64;

const KEY_WORDS: [&str; 8] = ["and", "or", "not", "in", "between", "like", "is", "null"];

/// An expression that is read.
pub(crate) struct Parser<'a> {
    expression: &'a str,
    keys: &'a [Column],
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
}

/// A key of the table: its place, its kind.
type Key = (usize, Kind);

impl<'a> Parser<'a> {
    pub fn new(expression: &'a str, keys: &'a [Column]) -> Result<Self, ApiError> {
        Ok(Self {
            expression,
            keys,
            tokens: tokens(expression).ok_or_else(|| unsupported(expression))?,
            at: 0,
            depth: 0,
        })
    }

    /// The filter that the whole expression is.
    pub fn whole(mut self) -> Result<Filter, ApiError> {
        let filter = self.any()?;
        match self.at == self.tokens.len() {
            true => Ok(filter),
            false => Err(self.wrong()),
        }
    }

    fn any(&mut self) -> Result<Filter, ApiError> {
        let mut parts = vec![self.all()?];
        while self.word("or") {
            parts.push(self.all()?);
        }
        Ok(match parts.len() {
            1 => parts.remove(0),
            _ => Filter::Any(parts),
        })
    }

    fn all(&mut self) -> Result<Filter, ApiError> {
        let mut parts = vec![self.one()?];
        while self.word("and") {
            parts.push(self.one()?);
        }
        Ok(match parts.len() {
            1 => parts.remove(0),
            _ => Filter::All(parts),
        })
    }

    fn one(&mut self) -> Result<Filter, ApiError> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(self.wrong());
        }
        let filter = if self.word("not") {
            Filter::Not(Box::new(self.one()?))
        } else if let Some(name) = self.name() {
            let key = self.key(&name)?;
            self.test(key)?
        } else {
            self.sign("(")?;
            let inner = self.any()?;
            self.sign(")")?;
            inner
        };
        self.depth -= 1;
        Ok(filter)
    }

    /// A name in any number of parentheses of its own, if that is what comes next.
    fn name(&mut self) -> Option<String> {
        let rest = &self.tokens[self.at..];
        let open = rest.iter().take_while(|token| **token == Token::Sign("("));
        let open = open.count();
        let Token::Word(name) = rest.get(open)? else {
            return None;
        };
        if KEY_WORDS.iter().any(|word| name.eq_ignore_ascii_case(word)) {
            return None;
        }
        let closed = rest.get(open + 1..=2 * open)?.iter();
        let name = name.clone();
        closed
            .into_iter()
            .all(|token| *token == Token::Sign(")"))
            .then(|| {
                self.at += 2 * open + 1;
                name
            })
    }

    fn key(&self, name: &str) -> Result<Key, ApiError> {
        let named = |key: &Column| key.name.eq_ignore_ascii_case(name);
        let Some(at) = self.keys.iter().position(named) else {
            return Err(invalid());
        };
        let data_type = self.keys[at].r#type.as_deref().unwrap_or("string");
        let kind = Kind::of(data_type)
            .ok_or_else(|| invalid_input(format!("Unknown type : '{data_type}'")))?;
        Ok((at, kind))
    }

    fn test(&mut self, key: Key) -> Result<Filter, ApiError> {
        let (at, kind) = key;
        if self.word("is") {
            let negated = self.word("not");
            let test = Filter::Test(at, kind, Test::IsNull);
            return match self.word("null") {
                true => Ok(negate(test, negated)),
                false => Err(self.wrong()),
            };
        }
        if let Some(comparison) = self.comparison() {
            let literal = self.literal(kind)?;
            return Ok(Filter::Test(at, kind, Test::Compare(comparison, literal)));
        }
        let negated = self.word("not");
        let test = if self.word("like") {
            self.like(kind)?
        } else if self.word("in") {
            self.list(kind)?
        } else if self.word("between") {
            self.range(kind)?
        } else {
            return Err(self.wrong());
        };
        Ok(negate(Filter::Test(at, kind, test), negated))
    }

    fn comparison(&mut self) -> Option<Comparison> {
        let Some(Token::Sign(sign)) = self.tokens.get(self.at) else {
            return None;
        };
        let comparison = match *sign {
            "=" => Comparison::Equal,
            "<>" | "!=" => Comparison::Unequal,
            "<" => Comparison::Less,
            "<=" => Comparison::LessOrEqual,
            ">" => Comparison::Greater,
            ">=" => Comparison::GreaterOrEqual,
            _ => return None,
        };
        self.at += 1;
        Some(comparison)
    }

    fn like(&mut self, kind: Kind) -> Result<Test, ApiError> {
        let pattern = self.text()?;
        match kind {
            Kind::Text => Ok(Test::Like(Like::new(&pattern))),
            other => Err(invalid_input(format!(
                "{} data type doesn't support operation 'LIKE'",
                other.name()
            ))),
        }
    }

    fn list(&mut self, kind: Kind) -> Result<Test, ApiError> {
        self.sign("(")?;
        let mut literals = vec![self.literal(kind)?];
        while self.sign(",").is_ok() {
            literals.push(self.literal(kind)?);
        }
        self.sign(")")?;
        Ok(Test::In(literals))
    }

    fn range(&mut self, kind: Kind) -> Result<Test, ApiError> {
        let low = self.literal(kind)?;
        if !self.word("and") {
            return Err(self.wrong());
        }
        Ok(Test::Between(low, self.literal(kind)?))
    }

    fn literal(&mut self, kind: Kind) -> Result<Scalar, ApiError> {
        let text = self.text()?;
        kind.read(&text).map_err(invalid_input)
    }

    /// A number or a text in any number of parentheses.
    fn text(&mut self) -> Result<String, ApiError> {
        let mut open = 0;
        while self.sign("(").is_ok() {
            open += 1;
        }
        let text = match self.tokens.get(self.at) {
            Some(Token::Number(text) | Token::Text(text)) => text.clone(),
            _ => return Err(self.wrong()),
        };
        self.at += 1;
        // Arithmetic is read and not done, on AWS too: a date without quotes is one.
        if let Some(Token::Number(_) | Token::Sign("+" | "*" | "/")) = self.tokens.get(self.at) {
            return Err(invalid());
        }
        for _ in 0..open {
            self.sign(")")?;
        }
        Ok(text)
    }

    /// Takes a key word, if it comes next.
    fn word(&mut self, word: &str) -> bool {
        let next = self.tokens.get(self.at);
        let is_next = matches!(next, Some(Token::Word(found)) if found.eq_ignore_ascii_case(word));
        self.at += usize::from(is_next);
        is_next
    }

    /// Takes a sign, which has to come next.
    fn sign(&mut self, sign: &'static str) -> Result<(), ApiError> {
        if self.tokens.get(self.at) == Some(&Token::Sign(sign)) {
            self.at += 1;
            Ok(())
        } else {
            Err(self.wrong())
        }
    }

    fn wrong(&self) -> ApiError {
        unsupported(self.expression)
    }
}

fn negate(filter: Filter, negated: bool) -> Filter {
    match negated {
        true => Filter::Not(Box::new(filter)),
        false => filter,
    }
}

fn unsupported(expression: &str) -> ApiError {
    invalid_input(format!("Unsupported expression '{expression}'"))
}

fn invalid() -> ApiError {
    invalid_input("Invalid partition expression!")
}
