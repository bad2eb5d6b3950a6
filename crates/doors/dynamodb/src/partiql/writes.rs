//! Statements that write one item.

use std::sync::Arc;

use headwater_expressions::{Condition, Path, Projection};
use headwater_partiql::{OneItem, Returning, Statement, one_item};
use headwater_shapes_dynamodb::errors as shapes;
use headwater_tables::{TableRecord, Units, Write, WriteAction, WriteError};
use headwater_wire::{ApiError, Context};

use super::{alone, named};
use crate::{
    Dynamo,
    errors::validation,
    items::{
        capacity::of_write,
        failed::{self, DUPLICATE},
        fault::Fault,
        keys,
        named::Named,
        returned::Returned,
        together::Acting,
        values::{Attributes, name_fault},
        writes,
    },
};

/// A write that its table takes.
pub(crate) struct Planned {
    /// The table as the statement names it.
    pub named: Named,
    /// The table.
    pub table: Arc<TableRecord>,
    /// The write.
    pub write: Write,
    returned: Returned,
    touched: Projection,
    /// Whether the item must be new.
    inserts: bool,
}

/// Why a statement is no write that a table takes.
pub(crate) enum Unfit {
    /// It is about no one item.
    NotOne,
    /// It wants two values of this attribute of the key.
    Twice(String),
    /// A name that no attribute can have; AWS's text.
    Name(&'static str),
    /// The table does not take it.
    Fault(Fault),
}

impl Unfit {
    /// The same of a statement in a transaction, where AWS says less.
    pub fn fault(self) -> Result<Fault, ApiError> {
        match self {
            Self::NotOne | Self::Twice(_) => Ok(Fault::KeyMismatch),
            Self::Fault(fault) => Ok(fault),
            unfit @ Self::Name(_) => Err(unfit.into()),
        }
    }
}

impl From<Fault> for Unfit {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<Unfit> for ApiError {
    fn from(unfit: Unfit) -> Self {
        match unfit {
            Unfit::NotOne => validation(
                "Where clause does not contain a mandatory equality on all key attributes",
            ),
            Unfit::Twice(name) => validation(format!(
                "Multiple conditions on same key {name}. Only single item Update/Insert/Delete are supported"
            )),
            Unfit::Name(text) => validation(text),
            Unfit::Fault(fault) => fault.into(),
        }
    }
}

/// The write that a statement is; what `EXISTS` asks is one that only checks.
pub(crate) fn write_of(statement: Statement, table: &TableRecord) -> Result<Write, Unfit> {
    let partition = || Path::attribute(table.key.partition.clone());
    Ok(match statement {
        Statement::Insert(insert) => {
            let fault = insert.item.keys().find_map(|name| name_fault(name));
            fault.map_or(Ok(()), |fault| Err(Unfit::Name(fault)))?;
            writes::check_size(&insert.item)?;
            let is_new = Condition::NotExists(partition());
            writes::put(insert.item, Some(is_new), table)?
        }
        Statement::Update(update) => {
            // No item is made, as the other dialects do.
            let mut condition = Condition::Exists(partition());
            let OneItem { key, rest, .. } = which(update.condition, table)?;
            if let Some(rest) = rest {
                condition = Condition::And(Box::new(condition), Box::new(rest));
            }
            writes::update(key, update.changes, Some(condition), table)?
        }
        Statement::Delete(delete) => {
            let OneItem { key, rest, .. } = which(delete.condition, table)?;
            // Nothing is asked of an item that is not there.
            let or_gone = |rest| {
                let gone = Condition::NotExists(partition());
                Condition::Or(Box::new(gone), Box::new(rest))
            };
            writes::of_key(key, WriteAction::Delete, rest.map(or_gone), table)?
        }
        Statement::Exists(select) | Statement::Select(select) => {
            let names: Vec<&str> = keys::names(&table.key).map(String::as_str).collect();
            let one = select
                .condition
                .and_then(|one| one_item(one, &names, false));
            let OneItem { key, rest, .. } = one.ok_or(Unfit::NotOne)?;
            writes::of_key(key, WriteAction::Check, rest, table)?
        }
    })
}

/// The item that a condition of a write is about.
fn which(condition: Option<Condition>, table: &TableRecord) -> Result<OneItem, Unfit> {
    let names: Vec<&str> = keys::names(&table.key).map(String::as_str).collect();
    let one = condition.and_then(|condition| one_item(condition, &names, false));
    let one = one.ok_or(Unfit::NotOne)?;
    match one.twice {
        Some(name) => Err(Unfit::Twice(name)),
        None => Ok(one),
    }
}

/// What is known of a statement's write in a transaction.
pub(crate) fn acting(
    statement: &Statement,
    named: &Named,
    table: &Arc<TableRecord>,
    shows: bool,
) -> Acting {
    Acting {
        given: named.given.clone(),
        table: table.clone(),
        shows,
        inserts: matches!(statement, Statement::Insert(_)),
    }
}

impl Dynamo {
    /// The write that a statement is, with its table, which takes it.
    ///
    /// # Errors
    /// It is none, or the caller may not.
    pub(crate) fn plan(
        &self,
        statement: Statement,
        context: &Context,
    ) -> Result<Planned, ApiError> {
        if let Statement::Exists(_) = statement {
            return Err(validation(
                "EXISTS can only be used in ExecuteTransaction write requests.",
            ));
        }
        let named = named(&statement, context)?;
        let table = self.open(&named, &alone(&statement, context))?;
        let returned = match statement.returning() {
            None => Returned::Nothing,
            Some(Returning::AllOld) => Returned::AllOld,
            Some(Returning::ModifiedOld) => Returned::UpdatedOld,
            Some(Returning::AllNew) => Returned::AllNew,
            Some(Returning::ModifiedNew) => Returned::UpdatedNew,
        };
        let touched = match &statement {
            Statement::Update(update) => update.changes.touched(),
            _ => Projection(Vec::new()),
        };
        let inserts = matches!(statement, Statement::Insert(_));
        let write = write_of(statement, &table)?;
        Ok(Planned {
            named,
            table,
            write,
            returned,
            touched,
            inserts,
        })
    }

    /// Writes an item, and says what the statement shows of it and what it took. `shows` says whether the item is shown where the
    /// condition does not hold.
    pub(crate) async fn execute(
        &self,
        planned: Planned,
        shows: bool,
        context: &Context,
    ) -> Result<(Option<Attributes>, Units), ApiError> {
        let table = &planned.table;
        let written = self.tables.write(&table.name, planned.write).await;
        let written = written.map_err(|error| match error {
            WriteError::ConditionFailed(_) if planned.inserts => {
                ApiError::of(&shapes::DUPLICATE_ITEM_EXCEPTION, DUPLICATE)
            }
            error => failed::write(error, table, shows, context),
        })?;
        let units = of_write(table, &written);
        Ok((
            planned.returned.attributes(written, &planned.touched),
            units,
        ))
    }
}
