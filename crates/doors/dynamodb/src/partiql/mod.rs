//! Statements of PartiQL on the operations of tables: each becomes a query, a scan, or a read or a write of one item.
//!
//! Owns what a statement is in terms of tables, with AWS's texts (sources: as `headwater_partiql` says). Leaves the language to
//! `headwater_partiql`, and what is common to all requests about items to `items`.

mod one;
mod pages;
mod token;
mod way;
mod writes;

#[cfg(test)]
mod tests;

pub(crate) use one::key_of_one;
pub(crate) use pages::Pages;
pub(crate) use writes::{Planned, acting, write_of};

use headwater_attributes::AttributeValue;
use headwater_partiql::{Refused, Statement};
use headwater_wire::{ApiError, Context};

use crate::{
    errors::validation,
    items::{named::Named, values},
};

/// The statement that was sent.
///
/// # Errors
/// A parameter is no value, or the text no statement.
pub(crate) fn read(
    text: &str,
    parameters: Option<Vec<AttributeValue>>,
) -> Result<Statement, ApiError> {
    let parameters = parameters.map(values::values).transpose()?;
    headwater_partiql::statement(text, parameters.unwrap_or_default()).map_err(refused)
}

/// The table that a statement names.
///
/// # Errors
/// No table can be named so.
pub(crate) fn named(statement: &Statement, context: &Context) -> Result<Named, ApiError> {
    let given = statement.table();
    let named = Named::new(given.to_owned(), context);
    named.map_err(|error| match given.starts_with("arn:") {
        true => error,
        false => validation(
            "Table name should be within the length [3, 255] and only contain 'a-z', 'A-Z', '0-9', '-', '_', '.'.",
        ),
    })
}

/// The call of a statement as policies know it.
pub(crate) fn alone(statement: &Statement, context: &Context) -> Context {
    let mut alone = context.clone();
    alone.operation = match statement {
        Statement::Select(_) | Statement::Exists(_) => "PartiQLSelect",
        Statement::Insert(_) => "PartiQLInsert",
        Statement::Update(_) => "PartiQLUpdate",
        Statement::Delete(_) => "PartiQLDelete",
    };
    alone
}

pub(crate) fn refused(Refused(why): Refused) -> ApiError {
    validation(why)
}
