//! Transactions that were cancelled, in AWS's words.

use headwater_shapes_dynamodb::errors as shapes;
use headwater_tables::{Cancellation, TableRecord, WriteError};
use headwater_wire::ApiError;
use serde_json::{Map, Value};

use crate::items::{
    actions::too_large,
    failed::{self, below},
    throttled,
};

/// Why one action of a transaction could not be done.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Reason {
    code: &'static str,
    message: String,
    item: Option<Value>,
}

/// An action, as far as the reason why it could not be done depends on it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Acted<'a> {
    /// Its table.
    pub table: &'a TableRecord,
    /// Whether the item is shown where the condition does not hold.
    pub shows: bool,
    /// Whether its condition is that there is no item yet.
    pub inserts: bool,
}

impl<'a> Acted<'a> {
    /// A read from this table.
    pub fn reading(table: &'a TableRecord) -> Self {
        Self {
            table,
            shows: false,
            inserts: false,
        }
    }
}

impl Reason {
    /// An action whose table is not there.
    pub fn no_table() -> Self {
        Self {
            code: "ResourceNotFound",
            message: "Requested resource not found".to_owned(),
            item: None,
        }
    }

    /// An action that its table does not take.
    pub fn invalid(message: String) -> Self {
        Self {
            code: "ValidationError",
            message,
            item: None,
        }
    }

    /// A write that could not be done.
    ///
    /// # Errors
    /// It failed below: that is not the action's.
    fn of(error: WriteError, acted: Acted<'_>) -> Result<Self, ApiError> {
        match failed::fault(&error, acted.table) {
            Some(Ok(fault)) => return Ok(Self::invalid(fault.text())),
            Some(Err(text)) => return Ok(Self::invalid(text)),
            None => {}
        }
        match error {
            WriteError::ConditionFailed(_) if acted.inserts => Ok(Self {
                code: "DuplicateItem",
                message: failed::DUPLICATE.to_owned(),
                item: None,
            }),
            WriteError::ConditionFailed(item) => Ok(Self {
                code: "ConditionalCheckFailed",
                message: failed::CONDITION_FAILED.to_owned(),
                item: item.filter(|_| acted.shows).map(failed::json),
            }),
            WriteError::Conflict => Ok(Self {
                code: "TransactionConflict",
                message: failed::CONFLICT.to_owned(),
                item: None,
            }),
            WriteError::Throttled(error) => Ok(Self {
                code: throttled::code(&error),
                message: throttled::text(&error).to_owned(),
                item: None,
            }),
            WriteError::Failed(error) => Err(below(error)),
            other => Ok(Self::invalid(other.to_string())),
        }
    }

    fn shown(self) -> Value {
        let mut members = Map::new();
        members.insert("Code".to_owned(), self.code.into());
        members.insert("Message".to_owned(), self.message.into());
        if let Some(item) = self.item {
            members.insert("Item".to_owned(), item);
        }
        members.into()
    }
}

/// A transaction of so many actions that was cancelled because of the one at this place.
pub(crate) fn at(place: usize, count: usize, reason: &Reason) -> ApiError {
    let reasons = (0..count).map(|at| (at == place).then(|| reason.clone()));
    cancelled(reasons.collect())
}

/// A transaction that was cancelled for these reasons, one an action, in their order.
pub(crate) fn cancelled(reasons: Vec<Option<Reason>>) -> ApiError {
    let code = |reason: &Option<Reason>| reason.as_ref().map_or("None", |reason| reason.code);
    let codes: Vec<&str> = reasons.iter().map(code).collect();
    let text = format!(
        "Transaction cancelled, please refer cancellation reasons for specific reasons [{}]",
        codes.join(", ")
    );
    let none = || Value::from(Map::from_iter([("Code".to_owned(), "None".into())]));
    let reasons = reasons.into_iter();
    let shown = reasons.map(|reason| reason.map_or_else(none, Reason::shown));
    ApiError::of(&shapes::TRANSACTION_CANCELED_EXCEPTION, text)
        .with("CancellationReasons", shown.collect::<Vec<_>>())
}

/// A transaction of these actions that was not done.
pub(crate) fn failed(cancellation: Cancellation, actions: &[Acted<'_>]) -> ApiError {
    let reasons = match cancellation {
        Cancellation::Reasons(reasons) => reasons,
        Cancellation::TooLarge(bytes) => return too_large(bytes),
        Cancellation::OtherRequest => {
            return ApiError::of(
                &shapes::IDEMPOTENT_PARAMETER_MISMATCH_EXCEPTION,
                "The provided client request token was used with a request that has different parameters",
            );
        }
        Cancellation::UnderWay => {
            return ApiError::of(
                &shapes::TRANSACTION_IN_PROGRESS_EXCEPTION,
                "Transaction is in progress: the request with the same client request token is still being processed",
            );
        }
        Cancellation::Failed(error) => return below(error),
    };
    let pairs = reasons.into_iter().zip(actions);
    let reasons =
        pairs.map(|(error, acted)| error.map(|error| Reason::of(error, *acted)).transpose());
    match reasons.collect::<Result<_, _>>() {
        Ok(reasons) => cancelled(reasons),
        Err(error) => error,
    }
}
