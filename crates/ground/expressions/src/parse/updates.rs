//! The grammar of updates.

use crate::Invalid;

use super::{
    findings::Finding,
    raw::{Clause, Sum},
    reader::{Dialect, Reader},
};

static DIALECT: Dialect = Dialect {
    keywords: SECTIONS,
    functions: &["if_not_exists", "list_append"],
    foreign: &[
        "attribute_exists",
        "attribute_not_exists",
        "attribute_type",
        "begins_with",
        "contains",
        "size",
    ],
    name: "an update expression",
    may_be_argument: |argument, of| !(argument == "list_append" && of == "list_append"),
    paths_go_on: false,
};

const SECTIONS: &[&str] = &["SET", "REMOVE", "ADD", "DELETE"];

/// The actions that a text is.
///
/// # Errors
/// When it is no update.
pub fn read(text: &str) -> Result<Vec<Clause<'_>>, Invalid> {
    let mut reader = Reader::new(text, &DIALECT);
    let mut clauses = Vec::new();
    let mut seen = Vec::new();
    while !reader.at_end() {
        let Some(&section) = SECTIONS.iter().find(|section| reader.at_keyword(section)) else {
            return Err(reader.unexpected());
        };
        reader.bump();
        if seen.contains(&section) {
            reader.findings.note(Finding::Section, || {
                Invalid::new(format!(
                    "The \"{section}\" section can only be used once in an update expression;"
                ))
            });
        }
        seen.push(section);
        clauses.push(reader.clause(section)?);
        while reader.eat(",") {
            clauses.push(reader.clause(section)?);
        }
    }
    reader.findings.check(&[
        Finding::Parentheses,
        Finding::Reserved,
        Finding::Function,
        Finding::Place,
        Finding::Section,
        Finding::Index,
    ])?;
    Ok(clauses)
}

impl<'a> Reader<'a> {
    fn clause(&mut self, section: &str) -> Result<Clause<'a>, Invalid> {
        let path = self.path()?;
        Ok(match section {
            "SET" => {
                self.expect("=")?;
                Clause::Set(path, self.sum()?)
            }
            "ADD" => Clause::Add(path, self.value()?),
            "DELETE" => Clause::Delete(path, self.value()?),
            _ => Clause::Remove(path),
        })
    }

    /// A value, or two of them with a sign between.
    fn sum(&mut self) -> Result<Sum<'a>, Invalid> {
        Ok(self.enclosed_sum()?.0)
    }

    /// The same, and whether it stands in parentheses. They may stand around each value and around all.
    fn enclosed_sum(&mut self) -> Result<(Sum<'a>, bool), Invalid> {
        let (one, enclosed) = if self.eat("(") {
            let (inner, twice) = self.within(Self::enclosed_sum)?;
            if twice {
                self.redundant();
            }
            (inner, true)
        } else {
            (Sum::One(self.plain_operand()?), false)
        };
        match one {
            Sum::One(one) if self.at("+") || self.at("-") => {
                let plus = self.bump() == "+";
                self.operator()?;
                let other = self.operand()?;
                let sum = if plus {
                    Sum::Plus(one, other)
                } else {
                    Sum::Minus(one, other)
                };
                Ok((sum, false))
            }
            one => Ok((one, enclosed)),
        }
    }
}
