//! What stands behind `WHERE`.

use headwater_expressions::{Comparison, Condition, Operand, checked};
use headwater_items::Kind;

use crate::{Refused, reader::Reader, tokens::TokenKind};

/// A condition, or a value that may become part of one.
enum Term {
    Condition(Condition),
    Operand(Operand),
}

const NO_CONDITION: &str = "WHERE clause must contain an expression that resolves to a boolean";
const NO_CONDITIONS: &str = "The arguments to AND/OR must be Expressions";
const NOTHING_TO_NEGATE: &str = "The argument to NOT must be a Type or Expression";
const NO_PATH: &str =
    "The left hand side argument to IS must be a Variable Reference, Literal, or Path";
const NO_LIST: &str = "IN operator must have a left hand argument of type Variable Reference and right hand argument of type \
                       Seq with at least one member";
/// The kinds that `IS` knows, by their names.
const KINDS: [(&str, Kind); 8] = [
    ("NULL", Kind::Null),
    ("BOOLEAN", Kind::Bool),
    ("BLOB", Kind::Binary),
    ("STRING", Kind::String),
    ("NUMERIC", Kind::Number),
    ("STRUCT", Kind::Map),
    ("TUPLE", Kind::Map),
    ("LIST", Kind::List),
];
/// What the language has beside those, for AWS to refuse.
const OTHER_KINDS: [&str; 9] = [
    "INTEGER",
    "INT",
    "FLOAT",
    "DECIMAL",
    "TIMESTAMP",
    "SYMBOL",
    "CLOB",
    "SEXP",
    "BAG",
];
/// Operators that conditions do not have.
const FOREIGN: [&str; 6] = ["+", "-", "*", "/", "%", "||"];

impl Reader<'_> {
    /// The condition that is next.
    pub fn condition(&mut self) -> Result<Condition, Refused> {
        let term = self.any()?;
        whole(term, NO_CONDITION)
    }

    /// Terms joined by `OR`.
    fn any(&mut self) -> Result<Term, Refused> {
        let mut term = self.all()?;
        while self.eat_word("OR")? {
            let (one, other) = self.both(term, Self::all)?;
            term = Term::Condition(Condition::Or(one, other));
        }
        Ok(term)
    }

    /// Terms joined by `AND`.
    fn all(&mut self) -> Result<Term, Refused> {
        let mut term = self.negated()?;
        while self.eat_word("AND")? {
            let (one, other) = self.both(term, Self::negated)?;
            term = Term::Condition(Condition::And(one, other));
        }
        Ok(term)
    }

    /// The conditions on both sides of an operator, which is behind us.
    fn both(
        &mut self,
        one: Term,
        read: fn(&mut Self) -> Result<Term, Refused>,
    ) -> Result<(Box<Condition>, Box<Condition>), Refused> {
        self.operator()?;
        let one = whole(one, NO_CONDITIONS)?;
        if self.at_end() || self.at(";") {
            return Err(Refused::malformed(
                "Missing right-hand side expression of infix operator",
            ));
        }
        let other = whole(read(self)?, NO_CONDITIONS)?;
        Ok((Box::new(one), Box::new(other)))
    }

    fn negated(&mut self) -> Result<Term, Refused> {
        let mut negations = 0;
        while self.eat_word("NOT")? {
            self.operator()?;
            negations += 1;
        }
        let term = self.compared()?;
        if negations == 0 {
            return Ok(term);
        }
        let mut condition = whole(term, NOTHING_TO_NEGATE)?;
        for _ in 0..negations {
            condition = not(condition);
        }
        Ok(Term::Condition(condition))
    }

    /// A term, and what it is compared with.
    fn compared(&mut self) -> Result<Term, Refused> {
        let term = self.term()?;
        if self.kind() == TokenKind::Sign && FOREIGN.contains(&self.ahead()) || self.at_word("LIKE")
        {
            return Refused::told(format!(
                "Unsupported operator in Condition Expression. Operator: {}",
                self.ahead().to_ascii_lowercase()
            ));
        }
        let negative = self.at_word("NOT");
        if let Some(comparison) = self.comparison() {
            let operator = self.bump()?;
            self.operator()?;
            let (one, other) = (operand(term, operator)?, self.operand(operator)?);
            return Ok(Term::Condition(checked::compare(comparison, one, other)?));
        }
        if negative {
            self.bump()?;
        }
        let condition = if self.eat_word("BETWEEN")? {
            self.between(term)?
        } else if self.eat_word("IN")? {
            self.one_of(term)?
        } else if negative {
            return Err(self.unexpected());
        } else if self.eat_word("IS")? {
            self.is(term)?
        } else {
            return Ok(term);
        };
        Ok(Term::Condition(match negative {
            true => not(condition),
            false => condition,
        }))
    }

    fn comparison(&self) -> Option<Comparison> {
        Some(match self.ahead() {
            "=" => Comparison::Equal,
            "<>" | "!=" => Comparison::NotEqual,
            "<" => Comparison::Less,
            "<=" => Comparison::LessOrEqual,
            ">" => Comparison::Greater,
            ">=" => Comparison::GreaterOrEqual,
            _ => return None,
        })
    }

    fn between(&mut self, value: Term) -> Result<Condition, Refused> {
        self.operator()?;
        let value = operand(value, "BETWEEN")?;
        let low = self.operand("BETWEEN")?;
        if !self.eat_word("AND")? {
            return Err(Refused::malformed("Expected AND"));
        }
        let high = self.operand("BETWEEN")?;
        Ok(checked::between(value, low, high)?)
    }

    fn one_of(&mut self, value: Term) -> Result<Condition, Refused> {
        self.operator()?;
        let (close, name) = match self.ahead() {
            "[" => ("]", "RIGHT_BRACKET"),
            "(" => (")", "RIGHT_PAREN"),
            "<<" => (">>", "RIGHT_DOUBLE_ANGLE_BRACKET"),
            _ if self.at_end() => return Err(self.unexpected()),
            _ => return Refused::told(NO_LIST),
        };
        let Term::Operand(value @ Operand::Path(_)) = value else {
            return Refused::told(NO_LIST);
        };
        self.bump()?;
        let mut others = Vec::new();
        while !self.eat(close)? {
            if !others.is_empty() {
                self.expect(",", name)?;
            }
            others.push(self.operand("IN")?);
        }
        match others.is_empty() {
            true => Refused::told(NO_LIST),
            false => Ok(checked::one_of(value, others)?),
        }
    }

    fn is(&mut self, value: Term) -> Result<Condition, Refused> {
        self.operator()?;
        let negative = self.eat_word("NOT")?;
        let Term::Operand(value @ (Operand::Path(_) | Operand::Value(_))) = value else {
            return Refused::told(NO_PATH);
        };
        let kind = KINDS.iter().find(|(name, _)| self.at_word(name));
        let condition = match (kind, value) {
            (Some((_, kind)), value) => Condition::IsKind(value, *kind),
            (None, Operand::Path(path)) if self.at_word("MISSING") => Condition::NotExists(path),
            _ if OTHER_KINDS.iter().any(|name| self.at_word(name)) => {
                return Refused::told(format!(
                    "Unsupported data type for IS operator: {}. Supported data types are [MISSING, NULL, BOOLEAN, BLOB, \
                     STRING, NUMERIC, STRUCT, TUPLE, LIST]",
                    self.ahead().to_ascii_uppercase()
                ));
            }
            _ => return Err(Refused::malformed("Expected type name")),
        };
        self.bump()?;
        Ok(match negative {
            true => not(condition),
            false => condition,
        })
    }

    /// The value that is next, beside this operator.
    fn operand(&mut self, operator: &str) -> Result<Operand, Refused> {
        if self.at_end() {
            return Err(Refused::malformed(
                "Missing right-hand side expression of infix operator",
            ));
        }
        operand(self.term()?, operator)
    }

    /// What stands alone: a value, a path, a function, or something in parentheses.
    fn term(&mut self) -> Result<Term, Refused> {
        if self.eat("(")? {
            let term = self.within(Self::any)?;
            self.expect(")", "RIGHT_PAREN")?;
            return Ok(term);
        }
        if self.at_call()? && !self.at_word("NOT") {
            return self.within(Self::call);
        }
        if let Some(value) = self.value()? {
            return Ok(Term::Operand(Operand::Value(value.into())));
        }
        Ok(Term::Operand(Operand::Path(self.path()?)))
    }

    fn call(&mut self) -> Result<Term, Refused> {
        let function = self.ahead().to_ascii_lowercase();
        let unknown = self.told(format_args!("Unrecognized function: {function}"));
        let is_known = matches!(
            &*function,
            "attribute_exists"
                | "attribute_not_exists"
                | "attribute_type"
                | "begins_with"
                | "contains"
                | "size"
        );
        if !is_known {
            return Err(unknown);
        }
        self.bump()?;
        let operands = self.arguments(|reader| reader.operand(&function))?;
        if function == "size" {
            return size(operands).map(Term::Operand);
        }
        Ok(Term::Condition(checked::called(&function, operands)?))
    }

    /// What stands in the parentheses of a function, with commas between.
    pub fn arguments<T>(
        &mut self,
        mut read: impl FnMut(&mut Self) -> Result<T, Refused>,
    ) -> Result<Vec<T>, Refused> {
        self.bump()?;
        let mut arguments = Vec::new();
        while !self.eat(")")? {
            if !arguments.is_empty() {
                self.expect(",", "RIGHT_PAREN")?;
            }
            arguments.push(read(self)?);
        }
        Ok(arguments)
    }
}

/// The size of the only operand.
fn size(operands: Vec<Operand>) -> Result<Operand, Refused> {
    let count = operands.len();
    match <[Operand; 1]>::try_from(operands) {
        Ok([of]) => Ok(Operand::Size(Box::new(of))),
        Err(_) => Refused::told(format!(
            "Incorrect number of operands for operator or function; operator or function: size, number of operands: {count}"
        )),
    }
}

fn whole(term: Term, otherwise: &str) -> Result<Condition, Refused> {
    match term {
        Term::Condition(condition) => Ok(condition),
        Term::Operand(_) => Refused::told(otherwise),
    }
}

fn operand(term: Term, operator: &str) -> Result<Operand, Refused> {
    match term {
        Term::Operand(operand) => Ok(operand),
        // AWS compares conditions with truth values.
        Term::Condition(_) => Refused::told(format!(
            "Conditions are not supported as operands here; operator or function: {operator}"
        )),
    }
}

fn not(condition: Condition) -> Condition {
    Condition::Not(Box::new(condition))
}
