//! The filter of a query or a scan.

use std::collections::BTreeMap;

use headwater_expressions::{Condition, Placeholders, legacy};
use headwater_wire::ApiError;

use crate::{
    errors::validation,
    items::{keys, older, paths, placeholders::refused, source::Source},
};

/// A filter in either dialect, as it was sent.
#[derive(Debug, Default)]
pub(crate) struct Filtering {
    /// `FilterExpression`.
    pub expression: Option<String>,
    /// `QueryFilter` or `ScanFilter`.
    pub older: Option<BTreeMap<String, headwater_shapes_dynamodb::Condition>>,
    /// `ConditionalOperator`.
    pub operator: Option<String>,
}

impl Filtering {
    /// What AWS calls it where it is a query's and speaks of the key.
    pub fn name_in_query(&self) -> &'static str {
        match self.expression {
            Some(_) => "Filter Expression",
            None => "QueryFilter",
        }
    }

    /// The filter, where there is one.
    ///
    /// # Errors
    /// What was sent is none.
    pub fn read(self, placeholders: &mut Placeholders) -> Result<Option<Condition>, ApiError> {
        if let Some(text) = &self.expression {
            let condition = headwater_expressions::condition(text, placeholders);
            return condition.map(Some).map_err(refused("FilterExpression"));
        }
        let filters = older::filters(self.older.unwrap_or_default())?;
        let join = older::join(self.operator.as_deref(), filters.len())?;
        let condition = legacy::filter(filters, join);
        condition.map_err(|invalid| validation(invalid.text))
    }
}

/// Whether a query's filter leaves the attributes alone that make the key of what it reads; `name` is AWS's for it.
///
/// # Errors
/// The attribute of the key that it has.
pub(crate) fn check_of_query(
    filter: &Condition,
    name: &str,
    source: &Source<'_>,
) -> Result<(), ApiError> {
    let paths = paths::of_condition(filter);
    let is_filtered = |attribute: &&String| paths.iter().any(|path| *path.root == **attribute);
    match keys::names(source.key()).find(is_filtered) {
        None => Ok(()),
        Some(attribute) => Err(validation(format!(
            "{name} can only contain non-primary key attributes: Primary key attribute: {attribute}"
        ))),
    }
}
