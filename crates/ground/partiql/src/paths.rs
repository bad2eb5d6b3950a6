//! Names, and paths into items.

use headwater_expressions::{Path, Step, limits};

use crate::{
    Refused,
    reader::Reader,
    tokens::{TokenKind, unquoted},
};

impl Reader<'_> {
    /// The path that is next.
    pub fn path(&mut self) -> Result<Path, Refused> {
        if !self.at_name() {
            return Err(self.unexpected());
        }
        let mut path = Path::attribute(self.name()?);
        loop {
            if self.eat(".")? {
                if !self.at_name() {
                    return Err(match self.at("*") {
                        true => self.told("Unpivot path component like a.*.b are not supported"),
                        false => Refused::malformed("Invalid path dot component"),
                    });
                }
                path.steps.push(Step::Field(self.name()?.into()));
            } else if self.eat("[")? {
                path.steps.push(self.index()?);
                self.expect("]", "RIGHT_BRACKET")?;
            } else {
                break;
            }
        }
        match path.steps.len() {
            0..limits::PATH_LEVELS => Ok(path),
            steps => Refused::told(format!(
                "The document path has too many nesting levels; nesting levels: {}",
                steps + 1
            )),
        }
    }

    /// The name that is next, which is one.
    pub fn name(&mut self) -> Result<String, Refused> {
        let name = match self.kind() {
            TokenKind::Quoted => unquoted(self.ahead()),
            _ => self.ahead().to_owned(),
        };
        if name.is_empty() {
            return Refused::told("Path component cannot be an empty string");
        }
        self.bump()?;
        Ok(name)
    }

    /// A step in brackets, which are around it.
    fn index(&mut self) -> Result<Step, Refused> {
        if self.kind() == TokenKind::Text {
            let name = unquoted(self.ahead());
            self.bump()?;
            return Ok(Step::Field(name.into()));
        }
        if self.at("*") {
            return Err(self.told("Wildcard path component like a[*].b are not supported"));
        }
        let negative = self.eat("-")?;
        if self.kind() != TokenKind::Number {
            return Err(self.unexpected());
        }
        let index = self.ahead().parse();
        let index = index.ok().filter(|index| *index <= limits::INDEX);
        match index.filter(|index| !negative || *index == 0) {
            Some(index) => {
                self.bump()?;
                Ok(Step::Index(index))
            }
            None => {
                let sign = if negative { "-" } else { "" };
                let index = self.ahead();
                Err(self.told(format_args!(
                    "List index is not within the allowable range; index: [{sign}{index}]"
                )))
            }
        }
    }
}
