//! Values as statements write them.

use std::{collections::BTreeSet, fmt::Write as _};

use headwater_items::{Item, Number, NumberError, Value};

use crate::{
    Refused, limits,
    reader::Reader,
    tokens::{TokenKind, unquoted},
};

impl Reader<'_> {
    /// The value that is next, written out or a parameter; none where something else is.
    pub fn value(&mut self) -> Result<Option<Value>, Refused> {
        if self.eat("?")? {
            return self.parameter().map(Some);
        }
        self.literal(&mut "root".to_owned(), 1)
    }

    /// The attributes in braces that are next: of an item, in which parameters may stand.
    pub fn item(&mut self) -> Result<Item, Refused> {
        let mut item = Item::new();
        self.pairs(&mut "root".to_owned(), |reader, name, _| {
            match reader.value()? {
                Some(value) => Ok(item.insert(name, value).is_none()),
                None => Err(reader.no_literal("root")),
            }
        })?;
        Ok(item)
    }

    /// A value that is written out. `under` is the way to it, as AWS tells it; it stands at this level.
    fn literal(&mut self, under: &mut String, level: usize) -> Result<Option<Value>, Refused> {
        if level > limits::VALUE_LEVELS {
            return Refused::told(format!(
                "Nesting Levels have exceeded supported limits under {under}"
            ));
        }
        let constant = match self.kind() {
            TokenKind::Text => Value::String(unquoted(self.ahead())),
            TokenKind::Number => return self.number(false, under).map(Some),
            TokenKind::Word if self.at_word("true") => Value::Bool(true),
            TokenKind::Word if self.at_word("false") => Value::Bool(false),
            TokenKind::Word if self.at_word("null") => Value::Null,
            TokenKind::Word if self.at_word("missing") => {
                return Refused::told("MISSING must be compared using IS operator");
            }
            TokenKind::Sign => return self.compound(under, level),
            _ => return Ok(None),
        };
        self.bump()?;
        Ok(Some(constant))
    }

    /// A value that begins with a sign.
    fn compound(&mut self, under: &mut String, level: usize) -> Result<Option<Value>, Refused> {
        Ok(Some(match self.ahead() {
            "-" | "+" => self.signed(under)?,
            "[" => self.list(under, level)?,
            "<<" => self.bag(under, level)?,
            "{" => {
                let mut map = Item::new();
                self.pairs(under, |reader, name, under| {
                    let value = reader.element(under, level + 1)?;
                    Ok(map.insert(name, value).is_none())
                })?;
                Value::Map(map)
            }
            _ => return Ok(None),
        }))
    }

    /// A value within another.
    fn element(&mut self, under: &mut String, level: usize) -> Result<Value, Refused> {
        match self.literal(under, level)? {
            Some(value) => Ok(value),
            None => Err(self.no_literal(under)),
        }
    }

    /// What is wrong with the next token where a value must be written out.
    fn no_literal(&self, under: &str) -> Refused {
        let what = match self.kind() {
            TokenKind::Sign if self.at("?") => "Parameter".to_owned(),
            TokenKind::Word if matches!(self.at_call(), Ok(true)) => {
                self.ahead().to_ascii_lowercase()
            }
            TokenKind::Word | TokenKind::Quoted if self.at_name() => "VariableReference".to_owned(),
            _ => return self.unexpected(),
        };
        self.told(format_args!(
            "Unsupported data type: {what} under key {under}"
        ))
    }

    fn signed(&mut self, under: &str) -> Result<Value, Refused> {
        let mut negative = false;
        while self.at("-") || self.at("+") {
            negative ^= self.bump()? == "-";
        }
        match self.kind() {
            TokenKind::Number => self.number(negative, under),
            _ => Err(self.unexpected()),
        }
    }

    /// The number that is next, without its sign.
    fn number(&mut self, negative: bool, under: &str) -> Result<Value, Refused> {
        let written = self.bump()?;
        let exponent = written.split_once(['e', 'E']).map(|(_, power)| power);
        if exponent.is_some_and(|power| power.parse::<i32>().is_err()) {
            return Err(Refused::malformed(""));
        }
        let sign = if negative { "-" } else { "" };
        match format!("{sign}{written}").parse::<Number>() {
            Ok(number) => Ok(Value::Number(number)),
            Err(NumberError::NotANumber) => Err(Refused::malformed("")),
            Err(error) => Refused::told(format!("{error} under {under}")),
        }
    }

    fn list(&mut self, under: &mut String, level: usize) -> Result<Value, Refused> {
        let mut list = Vec::new();
        self.elements("]", "RIGHT_BRACKET", under, |reader, under| {
            list.push(reader.element(under, level + 1)?);
            Ok(())
        })?;
        Ok(Value::List(list))
    }

    /// A set. AWS calls it a bag.
    fn bag(&mut self, under: &mut String, level: usize) -> Result<Value, Refused> {
        let (mut values, mut written) = (Vec::new(), Vec::new());
        self.elements(
            ">>",
            "RIGHT_DOUBLE_ANGLE_BRACKET",
            under,
            |reader, under| {
                written.push(match reader.kind() {
                    TokenKind::Text => unquoted(reader.ahead()),
                    _ => reader.ahead().to_owned(),
                });
                values.push(reader.element(under, level + 1)?);
                Ok(())
            },
        )?;
        let (count, written) = (values.len(), written.join(", "));
        let twice = format!(
            "One or more parameter values were invalid: Input collection [{written}] contains duplicates"
        );
        match set_of(values)? {
            Value::StringSet(set) if set.len() < count => Refused::told(format!("{twice}.")),
            Value::NumberSet(set) if set.len() < count => {
                Refused::told(format!("{twice}! under {under}"))
            }
            set => Ok(set),
        }
    }

    /// Reads elements up to a closing sign; the opening one is next.
    fn elements(
        &mut self,
        close: &str,
        name: &str,
        under: &mut String,
        mut element: impl FnMut(&mut Self, &mut String) -> Result<(), Refused>,
    ) -> Result<(), Refused> {
        self.bump()?;
        let (mut index, way) = (0, under.len());
        while !self.at(close) {
            if index > 0 {
                self.expect(",", name)?;
            }
            let _ = write!(under, "[{index}]");
            element(self, under)?;
            under.truncate(way);
            index += 1;
        }
        self.bump()?;
        Ok(())
    }

    /// Reads names with their values, in braces, of which the opening one is next. The reader of a value says whether its name
    /// is new.
    fn pairs(
        &mut self,
        under: &mut String,
        mut pair: impl FnMut(&mut Self, String, &mut String) -> Result<bool, Refused>,
    ) -> Result<(), Refused> {
        self.bump()?;
        let (mut is_first, way) = (true, under.len());
        while !self.at("}") {
            if !is_first {
                self.expect(",", "RIGHT_CURLY_BRACKET")?;
            }
            is_first = false;
            if self.kind() != TokenKind::Text {
                return Err(self.told(format_args!(
                    "Tuple keys must be of type String under {under}"
                )));
            }
            let name = unquoted(self.bump()?);
            self.expect(":", "COLON")?;
            let _ = write!(under, ".{name}");
            let is_new = pair(self, name.clone(), under)?;
            under.truncate(way);
            if !is_new {
                return Refused::told(format!(
                    "Duplicate keys in tuple. Key: {name} under {under}"
                ));
            }
        }
        self.bump()?;
        Ok(())
    }
}

/// The set of these values: strings, or numbers.
fn set_of(values: Vec<Value>) -> Result<Value, Refused> {
    let (mut texts, mut numbers) = (BTreeSet::new(), BTreeSet::new());
    for value in values {
        match value {
            Value::String(text) => drop(texts.insert(text)),
            Value::Number(number) => drop(numbers.insert(number)),
            _ => return Err(unfit()),
        }
    }
    match (texts.is_empty(), numbers.is_empty()) {
        (true, true) => Refused::told("Empty bags are not supported"),
        (false, true) => Ok(Value::StringSet(texts)),
        (true, false) => Ok(Value::NumberSet(numbers)),
        (false, false) => Err(unfit()),
    }
}

fn unfit() -> Refused {
    Refused(
        "Unsupported data type in Bag. DynamoDB only supports either numbers or strings in bags"
            .to_owned(),
    )
}
