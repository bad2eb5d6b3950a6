//! BatchExecuteStatement.

use std::{collections::BTreeMap, sync::Arc};

use futures_util::future::join_all;
use headwater_items::Item;
use headwater_partiql::{Select, Statement};
use headwater_shapes_dynamodb::{
    BatchExecuteStatementInput, BatchExecuteStatementOutput, BatchStatementError,
    BatchStatementRequest, BatchStatementResponse, ops::BatchExecuteStatement,
};
use headwater_tables::{TableRecord, Units};
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    Dynamo,
    errors::validation,
    items::{
        capacity::{Consistency, Split, Told},
        keys,
        returned::shows_failed,
        values::{Attributes, shown},
    },
    partiql::{self, Planned, key_of_one},
};

/// A statement as it was sent.
struct Sent {
    statement: Statement,
    consistency: Consistency,
    shows: bool,
}

/// A statement that its table takes.
enum Member {
    Read {
        given: String,
        table: Arc<TableRecord>,
        key: Item,
        select: Select,
        consistency: Consistency,
    },
    Write {
        planned: Planned,
        shows: bool,
    },
}

impl Handle<BatchExecuteStatement> for Dynamo {
    async fn handle(
        &self,
        input: BatchExecuteStatementInput,
        context: &Context,
    ) -> Result<BatchExecuteStatementOutput, ApiError> {
        let BatchExecuteStatementInput {
            statements,
            return_consumed_capacity,
        } = input;
        let sent: Vec<_> = statements.into_iter().map(read).collect();
        let has = |reads: bool| {
            let mut all = sent.iter().flatten();
            all.any(|sent| sent.statement.reads() == reads)
        };
        if has(true) && has(false) {
            return Err(validation(
                "Read and write requests together in the same batch is not supported.",
            ));
        }
        let members = sent.into_iter();
        let members = members.map(|sent| self.member(sent?, context));
        let members: Vec<Result<Member, ApiError>> = members.collect();
        check_distinct(members.iter().flatten())?;
        let done = join_all(members.into_iter().map(|member| self.done(member, context))).await;
        let mut units: BTreeMap<String, Units> = BTreeMap::new();
        let mut responses = Vec::with_capacity(done.len());
        for (response, took) in done {
            if let Some((given, took)) = response.table_name.clone().zip(took) {
                units.entry(given).or_default().add(&took, 1.0);
            }
            responses.push(response);
        }
        let told = Told::of(return_consumed_capacity.as_deref());
        Ok(BatchExecuteStatementOutput {
            responses: Some(responses),
            consumed_capacity: told.of_tables(&units, Split::Untold),
        })
    }
}

impl Dynamo {
    /// The statement with its table, which takes it.
    fn member(&self, sent: Sent, context: &Context) -> Result<Member, ApiError> {
        let Statement::Select(select) = &sent.statement else {
            return Ok(Member::Write {
                planned: self.plan(sent.statement, context)?,
                shows: sent.shows,
            });
        };
        let named = partiql::named(&sent.statement, context)?;
        let table = self.open(&named, &partiql::alone(&sent.statement, context))?;
        let key = key_of_one(select, &table).filter(|_| select.from.index.is_none());
        let key = key.ok_or_else(|| {
            validation(
                "Select statements within BatchExecuteStatement must specify the primary key in the where clause.",
            )
        })?;
        keys::check(&key, &table)?;
        Ok(Member::Read {
            given: named.given,
            table,
            key,
            select: select.clone(),
            consistency: sent.consistency,
        })
    }

    /// What became of a statement, and what that took. Its table is told where it came so far.
    async fn done(
        &self,
        member: Result<Member, ApiError>,
        context: &Context,
    ) -> (BatchStatementResponse, Option<Units>) {
        let (given, done) = match member {
            Err(error) => (None, Err(error)),
            Ok(Member::Write { planned, shows }) => (
                Some(planned.named.given.clone()),
                self.execute(planned, shows, context).await,
            ),
            Ok(Member::Read {
                given,
                table,
                key,
                select,
                consistency,
            }) => {
                let read = self.read_one(&table, &key, consistency, context).await;
                let shown = |item| shown(select.shown(item));
                let read = read.map(|(item, units)| (item.map(shown), units));
                (Some(given), read)
            }
        };
        let (item, error, units): (Option<Attributes>, _, _) = match done {
            Ok((item, units)) => (item, None, Some(units)),
            Err(error) => (None, Some(failed(&error)), None),
        };
        let response = BatchStatementResponse {
            error,
            table_name: given,
            item,
        };
        (response, units)
    }
}

fn read(sent: BatchStatementRequest) -> Result<Sent, ApiError> {
    let BatchStatementRequest {
        statement,
        parameters,
        consistent_read,
        return_values_on_condition_check_failure,
    } = sent;
    Ok(Sent {
        statement: partiql::read(&statement, parameters)?,
        consistency: Consistency::of(consistent_read),
        shows: shows_failed(return_values_on_condition_check_failure.as_deref()),
    })
}

/// Whether no two statements are about the same item.
fn check_distinct<'a>(members: impl Iterator<Item = &'a Member>) -> Result<(), ApiError> {
    let mut known = Vec::new();
    for member in members {
        let item = match member {
            Member::Read { table, key, .. } => (&table.name, key),
            Member::Write { planned, .. } => (&planned.table.name, &planned.write.key),
        };
        if known.contains(&item) {
            return Err(validation("Provided list of item keys contains duplicates"));
        }
        known.push(item);
    }
    Ok(())
}

/// An error as a member of an answer: its code has another form there.
fn failed(error: &ApiError) -> BatchStatementError {
    let code = match error.code() {
        "ValidationException" => "ValidationError",
        "ThrottlingException" => "ThrottlingError",
        code => code.strip_suffix("Exception").unwrap_or(code),
    };
    let item = error.fields().get("Item").cloned();
    BatchStatementError {
        code: Some(code.to_owned()),
        message: Some(error.message().to_owned()),
        item: item.and_then(|item| serde_json::from_value(item).ok()),
    }
}
