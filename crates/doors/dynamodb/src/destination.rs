//! The stream of records that a table's changes go to: what requests say of it, what answers do, and what a change looks
//! like there. Texts as users recorded them on AWS.

mod event;

use headwater_shapes_dynamodb::KinesisDataStreamDestination;
use headwater_tables::{Destination, DestinationFault, DestinationState, Error, Precision, Unfit};
use headwater_wire::ApiError;

use crate::errors::{api, validation};

pub use event::destination_record;

/// AWS's words before every reason that the state of a destination gives.
const WRONG_STATE: &str = "Table is not in a valid state to enable Kinesis Streaming Destination: ";

/// What the model's enumeration names; `wire` has checked that it is one.
pub(crate) fn precision_of(name: &str) -> Precision {
    match name {
        "MICROSECOND" => Precision::Microseconds,
        _ => Precision::Milliseconds,
    }
}

/// The name of a precision.
pub(crate) fn precision_name(precision: Precision) -> &'static str {
    match precision {
        Precision::Milliseconds => "MILLISECOND",
        Precision::Microseconds => "MICROSECOND",
    }
}

/// A destination as answers show it, with the reason for which nothing can be sent there now, if there is one.
pub(crate) fn described(to: &Destination, trouble: Option<String>) -> KinesisDataStreamDestination {
    let (status, description) = match to.state {
        DestinationState::Enabling => ("ENABLING", None),
        DestinationState::Active => ("ACTIVE", trouble),
        DestinationState::Failed(unfit) => ("ENABLE_FAILED", Some(why(unfit).to_owned())),
        DestinationState::Disabling => ("DISABLING", trouble),
        DestinationState::Disabled => ("DISABLED", None),
    };
    KinesisDataStreamDestination {
        stream_arn: Some(to.stream.clone()),
        destination_status: Some(status.to_owned()),
        destination_status_description: description,
        approximate_creation_date_time_precision: to
            .precision
            .map(|precision| precision_name(precision).to_owned()),
    }
}

/// Why a stream cannot be a destination, in AWS's words.
fn why(unfit: Unfit) -> &'static str {
    match unfit {
        Unfit::Missing => "User does not have a permission to use kinesis stream",
        Unfit::OtherRegion => {
            "The kinesis Arn used to enable kinesis replication belongs to a stream which is not in the current region"
        }
        Unfit::Foreign => {
            "The kinesis Arn used to enable kinesis replication belongs to a stream which is not in Active state"
        }
    }
}

/// A destination that cannot be enabled or disabled, as an error.
pub(crate) fn refused(error: Error) -> ApiError {
    let why = match error {
        Error::Destination(_, DestinationFault::Live) => {
            "EnableKinesisStreamingDestination must be DISABLED or ENABLE_FAILED to perform ENABLE operation."
        }
        Error::Destination(..) => {
            "KinesisStreamingDestination must be ACTIVE to perform DISABLE operation."
        }
        other => return api(other),
    };
    wrong_state(why)
}

/// A destination that cannot be changed to this precision, as an error. `id` is the table's.
pub(crate) fn not_changed(error: Error, stream: &str, id: &str, precision: Precision) -> ApiError {
    let (table, fault) = match error {
        Error::Destination(table, fault) => (table, fault),
        other => return api(other),
    };
    match fault {
        DestinationFault::Same => validation(format!(
            "Invalid Request: Precision is already set to the desired value of {} for tableId: {id}, kdsArn: {stream}",
            precision_name(precision)
        )),
        DestinationFault::Unknown => wrong_state(&format!(
            "No streaming destination with streamArn: {stream} found for table with tableName: {table}"
        )),
        DestinationFault::Live | DestinationFault::Inactive => wrong_state(&format!(
            "Kinesis streaming is not in ACTIVE state. Updates are only allowed in ACTIVE state. TableName: {table}, \
             kdsArn: {stream}"
        )),
    }
}

fn wrong_state(why: &str) -> ApiError {
    validation(format!("{WRONG_STATE}{why}"))
}
