//! ExecuteTransaction.

use std::sync::Arc;

use headwater_partiql::{Refused, Statement};
use headwater_shapes_dynamodb::{
    ExecuteTransactionInput, ExecuteTransactionOutput, ItemResponse, ParameterizedStatement,
    ops::ExecuteTransaction,
};
use headwater_tables::TableRecord;
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    Dynamo,
    errors::validation,
    items::{
        actions::{check_bytes, check_faults},
        capacity::Told,
        fault::Fault,
        keys,
        named::Named,
        returned::shows_failed,
        together::{Read, Writes, digest},
        transaction::{Reason, cancelled},
        values,
    },
    partiql::{self, acting, key_of_one, write_of},
};

/// A statement of a transaction.
struct Member {
    statement: Statement,
    named: Named,
    shows: bool,
}

const NO_KEY: &str =
    "Select statements within ExecuteTransaction must specify the primary key in the where clause.";

impl Handle<ExecuteTransaction> for Dynamo {
    async fn handle(
        &self,
        input: ExecuteTransactionInput,
        context: &Context,
    ) -> Result<ExecuteTransactionOutput, ApiError> {
        let ExecuteTransactionInput {
            transact_statements,
            client_request_token,
            return_consumed_capacity,
        } = input;
        let token = client_request_token.map(|token| (token, digest(&transact_statements)));
        let told = Told::of(return_consumed_capacity.as_deref());
        let members = read(transact_statements, context)?;
        let tables = self.open_all(&members, context)?;
        let members = members.into_iter().zip(tables);
        let mut members = members.peekable();
        if members
            .peek()
            .is_some_and(|(first, _)| first.statement.reads())
        {
            return self.select_together(members.collect(), told).await;
        }
        let writes = writes(members.collect())?;
        Ok(ExecuteTransactionOutput {
            consumed_capacity: self.write_together(writes, token, told).await?,
            responses: None,
        })
    }
}

impl Dynamo {
    /// The tables of all statements.
    ///
    /// # Errors
    /// The caller may not, or some are not there: that cancels the transaction.
    fn open_all(
        &self,
        members: &[Member],
        context: &Context,
    ) -> Result<Vec<Arc<TableRecord>>, ApiError> {
        let open = |member: &Member| {
            let opened = self.open(&member.named, &partiql::alone(&member.statement, context));
            match opened {
                Ok(table) => Ok(Ok(table)),
                Err(error) if error.code() == "ResourceNotFoundException" => Ok(Err(())),
                Err(error) => Err(error),
            }
        };
        let opened = members.iter().map(open).collect::<Result<Vec<_>, _>>()?;
        let reasons = opened
            .iter()
            .map(|opened| opened.is_err().then(Reason::no_table));
        let reasons: Vec<_> = reasons.collect();
        let tables: Result<Vec<_>, ()> = opened.into_iter().collect();
        tables.map_err(|()| cancelled(reasons))
    }

    async fn select_together(
        &self,
        members: Vec<(Member, Arc<TableRecord>)>,
        told: Told,
    ) -> Result<ExecuteTransactionOutput, ApiError> {
        let (mut reads, mut selects) = (Vec::new(), Vec::new());
        for (place, (member, table)) in members.into_iter().enumerate() {
            let Statement::Select(select) = member.statement else {
                continue;
            };
            let key = key_of_one(&select, &table).ok_or_else(|| at(place, NO_KEY))?;
            reads.push(keys::check(&key, &table).map(|()| Read {
                given: member.named.given,
                table,
                key,
            }));
            selects.push(select);
        }
        let reads = check_faults(reads)?;
        let (items, consumed_capacity) = self.get_together(reads, told).await?;
        let responses = items
            .into_iter()
            .zip(selects)
            .map(|(item, select)| ItemResponse {
                item: item.map(|item| values::shown(select.shown(item))),
            });
        Ok(ExecuteTransactionOutput {
            responses: Some(responses.collect()),
            consumed_capacity,
        })
    }
}

/// The statements that were sent, which go together.
fn read(sent: Vec<ParameterizedStatement>, context: &Context) -> Result<Vec<Member>, ApiError> {
    let mut parsed = Vec::with_capacity(sent.len());
    for sent in sent {
        let ParameterizedStatement {
            statement,
            parameters,
            return_values_on_condition_check_failure,
        } = sent;
        // What is no value is told before all statements.
        let parameters = parameters.map(values::values).transpose()?;
        let shows = shows_failed(return_values_on_condition_check_failure.as_deref());
        parsed.push((statement, parameters.unwrap_or_default(), shows));
    }
    let mut members = Vec::with_capacity(parsed.len());
    for (place, (text, parameters, shows)) in parsed.into_iter().enumerate() {
        let statement = headwater_partiql::statement(&text, parameters);
        let statement = statement.map_err(|Refused(why)| at(place, &why))?;
        check(&statement).map_err(|why| at(place, why))?;
        let named = partiql::named(&statement, context)?;
        members.push(Member {
            statement,
            named,
            shows,
        });
    }
    let reads = members.iter().filter(|member| member.statement.reads());
    match reads.count() {
        count if count == 0 || count == members.len() => Ok(members),
        _ => Err(validation(
            "ExecuteTransaction API does not support both read and write operations in the same request.",
        )),
    }
}

/// Whether a statement can be part of a transaction.
fn check(statement: &Statement) -> Result<(), &'static str> {
    match statement {
        _ if statement.returning().is_some() => {
            Err("RETURNING clause is not supported in ExecuteTransaction.")
        }
        Statement::Select(select) if select.from.index.is_some() => {
            Err("Reads on indices are not supported within transactions.")
        }
        Statement::Exists(select) if select.from.index.is_some() => {
            Err("Operations on indices are not supported in transactions")
        }
        _ => Ok(()),
    }
}

/// The writes that statements are.
fn writes(members: Vec<(Member, Arc<TableRecord>)>) -> Result<Writes, ApiError> {
    let (mut actions, mut writes) = (Vec::new(), Vec::new());
    for (place, (member, table)) in members.into_iter().enumerate() {
        let is_check = matches!(member.statement, Statement::Exists(_));
        actions.push(acting(
            &member.statement,
            &member.named,
            &table,
            member.shows,
        ));
        let write = write_of(member.statement, &table);
        let checks = matches!(&write, Ok(write) if write.condition.is_some());
        if is_check && !checks {
            let why = "EXISTS() must contain a single item read with additional condition";
            return Err(at(place, why));
        }
        writes.push(match write {
            Ok(write) => Ok((table.name.clone(), write)),
            Err(unfit) => Err(unfit.fault()?),
        });
    }
    let writes: Vec<Result<_, Fault>> = writes;
    let writes = check_faults(writes)?;
    let bytes = writes.iter().map(|(_, write)| match &write.action {
        headwater_tables::WriteAction::Put(item) => headwater_items::item_size(item),
        _ => headwater_items::item_size(&write.key),
    });
    check_bytes(bytes.sum())?;
    Ok(Writes { actions, writes })
}

/// What is wrong with the statement at this place.
fn at(place: usize, why: &str) -> ApiError {
    validation(format!(
        "Validation failed in TransactStatements[{place}]: {why}"
    ))
}
