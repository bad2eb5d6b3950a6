//! Requests that are over the capacity of a table or an index, in AWS's words. Texts as the API reference has them (those of
//! cancelled transactions, which other requests get too), and of accounts and maxima as users report them.

use headwater_shapes::ErrorShape;
use headwater_shapes_dynamodb::errors as shapes;
use headwater_tables::{Access, Limit, Throttled};
use headwater_wire::{ApiError, Context};
use serde_json::json;

use crate::place::{arn, index_arn};

const PROVISIONED: &str = "The level of configured provisioned throughput for the table was exceeded. Consider increasing your \
                           provisioning level with the UpdateTable API.";
const PROVISIONED_INDEX: &str = "The level of configured provisioned throughput for one or more global secondary indexes of the \
                                 table was exceeded. Consider increasing your provisioning level for the under-provisioned \
                                 global secondary indexes with the UpdateTable API.";
const ON_DEMAND: &str = "Throughput exceeds the current capacity of your table or index. DynamoDB is automatically scaling your \
                         table or index so please try again shortly. If exceptions persist, check if you have a hot key: \
                         https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html";
const ON_DEMAND_INDEX: &str = "Throughput exceeds the current capacity for one or more global secondary indexes. DynamoDB is \
                               automatically scaling your index so please try again shortly.";
const MAXIMUM: &str =
    "Throughput exceeds the maximum OnDemandThroughput configured on table or index";
const ACCOUNT: &str = "Throughput exceeds the current throughput limit for your account. Please contact AWS Support at \
                       https://aws.amazon.com/support request a limit increase";

/// A request that is over the capacity of this table, or of an index of it.
pub(crate) fn api(throttled: &Throttled, table: &str, context: &Context) -> ApiError {
    let resource = match &throttled.index {
        Some(index) => index_arn(table, index, context),
        None => arn(table, context),
    };
    let reasons = json!([{"reason": reason(throttled), "resource": resource}]);
    let (shape, member) = shape(throttled);
    ApiError::of(shape, text(throttled)).with(member, reasons)
}

/// The code of an action that is over it, as the reason of a cancelled transaction.
pub(crate) fn code(throttled: &Throttled) -> &'static str {
    match throttled.on_demand {
        true => "ThrottlingError",
        false => "ProvisionedThroughputExceeded",
    }
}

/// AWS's text.
pub(crate) fn text(throttled: &Throttled) -> &'static str {
    let of_index = throttled.index.is_some();
    match throttled.limit {
        Limit::Maximum => MAXIMUM,
        Limit::Account => ACCOUNT,
        Limit::Provisioned | Limit::KeyRange => match (throttled.on_demand, of_index) {
            (false, false) => PROVISIONED,
            (false, true) => PROVISIONED_INDEX,
            (true, false) => ON_DEMAND,
            (true, true) => ON_DEMAND_INDEX,
        },
    }
}

/// The error, and how it spells the member that has the reasons.
fn shape(throttled: &Throttled) -> (&'static ErrorShape, &'static str) {
    match (throttled.limit, throttled.on_demand) {
        (Limit::Account, _) => (&shapes::REQUEST_LIMIT_EXCEEDED, "ThrottlingReasons"),
        (_, true) => (&shapes::THROTTLING_EXCEPTION, "throttlingReasons"),
        (_, false) => (
            &shapes::PROVISIONED_THROUGHPUT_EXCEEDED_EXCEPTION,
            "ThrottlingReasons",
        ),
    }
}

/// What is throttled, what was done there, and the limit, in one word.
fn reason(throttled: &Throttled) -> String {
    let resource = match throttled.index {
        Some(_) => "Index",
        None => "Table",
    };
    let access = match throttled.access {
        Access::Read => "Read",
        Access::Write => "Write",
    };
    let limit = match throttled.limit {
        Limit::Provisioned => "ProvisionedThroughputExceeded",
        Limit::KeyRange => "KeyRangeThroughputExceeded",
        Limit::Maximum => "MaxOnDemandThroughputExceeded",
        Limit::Account => "AccountLimitExceeded",
    };
    format!("{resource}{access}{limit}")
}
