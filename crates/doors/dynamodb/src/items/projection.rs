//! The parts of items that a read wants.

use std::collections::BTreeSet;

use headwater_expressions::{Path, Placeholders, Projection};
use headwater_items::Item;
use headwater_tables::TableRecord;
use headwater_wire::ApiError;

use crate::{
    errors::invalid,
    items::{
        dialect::Dialects,
        fault::Fault,
        paths,
        placeholders::{Sent, refused},
        values::{Attributes, check_name, shown},
    },
};

/// A projection in either dialect, as it was sent.
#[derive(Debug, Default)]
pub(crate) struct Projecting {
    /// `ProjectionExpression`.
    pub expression: Option<String>,
    /// `AttributesToGet`.
    pub attributes: Option<Vec<String>>,
}

/// The parts that are wanted; all where none are named.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Wanted(Option<Projection>);

impl Projecting {
    /// The parameter that was sent, by its name.
    pub fn name(&self) -> Option<&'static str> {
        match (&self.expression, &self.attributes) {
            (Some(_), _) => Some("ProjectionExpression"),
            (None, Some(_)) => Some("AttributesToGet"),
            (None, None) => None,
        }
    }

    /// Whether it is said in one dialect, where it is all that a request says in any.
    ///
    /// # Errors
    /// As [`Dialects::check`].
    pub fn check_dialects(&self, sent: &Sent) -> Result<(), ApiError> {
        let dialects = Dialects {
            projection: Some(self.expression.is_some()),
            expressions: &[],
            older: &[("AttributesToGet", self.attributes.is_some())],
        };
        dialects.check(sent)
    }

    /// The projection.
    ///
    /// # Errors
    /// What was sent is none.
    pub fn read(self, placeholders: &mut Placeholders) -> Result<Wanted, ApiError> {
        if let Some(text) = &self.expression {
            let projection = headwater_expressions::projection(text, placeholders);
            let projection = projection.map_err(refused("ProjectionExpression"))?;
            return Ok(Wanted(Some(projection)));
        }
        let Some(attributes) = self.attributes else {
            return Ok(Wanted(None));
        };
        attributes.iter().try_for_each(|name| check_name(name))?;
        let mut named = BTreeSet::new();
        for name in &attributes {
            if !named.insert(name) {
                return Err(invalid(format_args!(
                    "Duplicate value in attribute name: {name}"
                )));
            }
        }
        let paths = attributes.into_iter().map(Path::attribute);
        Ok(Wanted(Some(Projection(paths.collect()))))
    }
}

impl Wanted {
    /// These paths; all where there are none.
    pub fn of(paths: Vec<Path>) -> Self {
        Self((!paths.is_empty()).then_some(Projection(paths)))
    }

    /// The paths that are named.
    pub fn paths(&self) -> &[Path] {
        self.0.as_ref().map_or(&[], |projection| &projection.0)
    }

    /// Whether a table takes it.
    ///
    /// # Errors
    /// A path leads into an attribute of a key.
    pub fn check(&self, table: &TableRecord) -> Result<(), Fault> {
        let paths: Vec<&Path> = self.paths().iter().collect();
        paths::check(&paths, table)
    }

    /// What is shown of an item.
    pub fn shown(&self, item: Item) -> Attributes {
        match &self.0 {
            Some(projection) => shown(projection.of(&item)),
            None => shown(item),
        }
    }
}
