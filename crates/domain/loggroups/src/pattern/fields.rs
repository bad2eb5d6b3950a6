//! Conditions on messages whose fields stand between blanks: `[ip, user, ..., status = 4*, bytes > 1000]`.
//!
//! Text in quotation marks or brackets is one field. A message has as many fields as the pattern names; three dots
//! stand for any number of others.

use super::{compare::Comparison, expression::Expression, invalid, scan::Scan};
use crate::Error;

#[derive(Debug, Clone)]
pub(super) struct Fields {
    /// The first fields.
    first: Vec<Field>,
    /// The last, where there may be others between.
    last: Option<Vec<Field>>,
}

/// A field.
#[derive(Debug, Clone)]
struct Field {
    name: String,
    /// The conditions on it, if there are any.
    conditions: Option<Expression<Comparison>>,
}

impl Fields {
    pub fn parse(scan: &mut Scan<'_>) -> Result<Self, Error> {
        scan.expect("[")?;
        let (mut first, mut last) = (Vec::new(), None);
        if scan.take("]") {
            // AWS takes a list without fields, which every message has.
            let last = Some(Vec::new());
            return Ok(Self { first, last });
        }
        loop {
            if scan.take("...") {
                if last.replace(Vec::new()).is_some() {
                    return Err(invalid("three dots stand once"));
                }
            } else {
                last.as_mut().unwrap_or(&mut first).push(field(scan)?);
            }
            if !scan.take(",") {
                break;
            }
        }
        scan.expect("]")?;
        Ok(Self { first, last })
    }

    pub fn match_message(&self, message: &str) -> bool {
        let found = split(message);
        let holds = |(field, text): (&Field, &str)| match &field.conditions {
            Some(conditions) => conditions.holds(&|comparison| comparison.holds(text)),
            None => true,
        };
        self.fits(&found) && self.named(&found).all(holds)
    }

    /// The fields that have names, and what the message has there.
    pub fn named_values(&self, message: &str) -> Vec<(String, String)> {
        let found = split(message);
        let shown = |(field, text): (&Field, &str)| (format!("${}", field.name), text.to_owned());
        self.named(&found).map(shown).collect()
    }

    /// What a message has in the field of that name.
    pub fn value<'a>(&self, name: &str, message: &'a str) -> Option<&'a str> {
        let found = split(message);
        let mut named = self.named(&found);
        named.find_map(|(field, text)| (field.name == name).then_some(text))
    }

    /// Whether there is a field of that name.
    pub fn has(&self, name: &str) -> bool {
        let mut fields = self.first.iter().chain(self.last.iter().flatten());
        fields.any(|field| field.name == name)
    }

    fn fits(&self, found: &[&str]) -> bool {
        let last = self.last.as_deref().unwrap_or_default();
        let named = self.first.len() + last.len();
        match self.last {
            Some(_) => found.len() >= named,
            None => found.len() == named,
        }
    }

    /// The pattern's fields with those of a message.
    fn named<'a, 'm>(
        &'a self,
        found: &'a [&'m str],
    ) -> impl Iterator<Item = (&'a Field, &'m str)> + use<'a, 'm> {
        let last = self.last.as_deref().unwrap_or_default();
        let behind = found.len().saturating_sub(last.len());
        let first = self.first.iter().zip(found);
        let last = last.iter().zip(&found[behind..]);
        first.chain(last).map(|(field, text)| (field, *text))
    }
}

/// A field's name and the conditions on it: `w1`, `w1 = ERROR || w1 = %WARN%`.
fn field(scan: &mut Scan<'_>) -> Result<Field, Error> {
    let field = name(scan)?;
    let has_more = !scan.has(",") && !scan.has("]");
    if !has_more {
        return Ok(Field {
            name: field.to_owned(),
            conditions: None,
        });
    }
    let is_end = |c: char| ",]()&|\"".contains(c);
    let compared = |scan: &mut Scan<'_>| {
        let comparison = Comparison::parse(scan, is_end)?;
        comparison.ok_or_else(|| invalid(&format!("expected a comparison at {:?}", scan.near())))
    };
    // The name was read to see whether there is a condition; the first comparison goes without.
    let is_first = std::cell::Cell::new(true);
    let one = |scan: &mut Scan<'_>| {
        if !is_first.replace(false) && name(scan)? != field {
            return Err(invalid("the conditions of a field name it alone"));
        }
        compared(scan)
    };
    Ok(Field {
        name: field.to_owned(),
        conditions: Some(Expression::parse(scan, &one)?),
    })
}

fn name<'a>(scan: &mut Scan<'a>) -> Result<&'a str, Error> {
    scan.skip();
    let name = scan.run(|c| c.is_alphanumeric() || c == '_' || c == '-');
    match name.is_empty() {
        true => Err(invalid(&format!(
            "expected a field's name at {:?}",
            scan.near()
        ))),
        false => Ok(name),
    }
}

/// The fields of a message.
pub(super) fn split(message: &str) -> Vec<&str> {
    let (mut fields, mut rest) = (Vec::new(), message.trim_start());
    // A sign that closes nothing any more is not looked for again: a message of such signs would be read once for each.
    let mut closing = [(b'"', '"', true), (b'[', ']', true)];
    while !rest.is_empty() {
        let first = rest.as_bytes().first();
        let mut open = closing.iter_mut();
        let open = open.find(|(sign, _, is_closed)| Some(sign) == first && *is_closed);
        let closed = open.and_then(|(_, sign, is_closed)| {
            let closed = rest[1..].split_once(*sign);
            *is_closed = closed.is_some();
            closed
        });
        let (field, after) = closed
            .unwrap_or_else(|| rest.split_at(rest.find(char::is_whitespace).unwrap_or(rest.len())));
        fields.push(field);
        rest = after.trim_start();
    }
    fields
}
