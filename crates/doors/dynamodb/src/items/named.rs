//! Tables as requests about items name them.

use std::sync::Arc;

use headwater_tables::{TableRecord, TableState};
use headwater_wire::{ApiError, Context};

use crate::{Dynamo, errors::constraint, items::failed::no_such_table, place};

/// A table as a request about items names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Named {
    /// The name or the ARN, as answers repeat it.
    pub given: String,
    /// The name.
    pub name: String,
}

impl Named {
    /// The table that is given by its name or its ARN.
    ///
    /// # Errors
    /// No table can be named so.
    pub fn new(given: String, context: &Context) -> Result<Self, ApiError> {
        let name = place::name_of(&given, false, context)?;
        if name.len() < place::NAME_MIN {
            let text = "Member must have length greater than or equal to 3";
            return Err(constraint("tableName", given, text));
        }
        Ok(Self { given, name })
    }
}

impl Dynamo {
    /// The table whose items a request is about, if the caller may do with it what they call.
    ///
    /// # Errors
    /// They may not, or it is not there, or not yet.
    pub(crate) fn open(
        &self,
        named: &Named,
        context: &Context,
    ) -> Result<Arc<TableRecord>, ApiError> {
        let is_shown = place::is_shown(&named.given, context);
        let found = self.permitted(&named.name, is_shown, context)?;
        let now = self.clock.now();
        let is_open = |table: &Arc<TableRecord>| match table.state {
            TableState::Creating(until) => now >= until,
            TableState::Deleting => false,
            TableState::Active | TableState::Updating(_) => true,
        };
        found.filter(is_open).ok_or_else(no_such_table)
    }
}
