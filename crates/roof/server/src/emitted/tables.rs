//! Tables and their global indexes: `AWS/DynamoDB`. (Source: the developer guide, "DynamoDB metrics and dimensions".)

use std::sync::Arc;

use async_trait::async_trait;
use headwater_metrics::Unit;
use headwater_tables::{Billing, CallKind, Called, TableCalls, Tables, Used};
use headwater_types::Tallied;

use super::{Emits, Emitted, Name};

const fn count(name: &'static str) -> Name {
    Name::new("AWS/DynamoDB", name, Unit::Count)
}

/// Counted in halves.
const CONSUMED_READ: Name = count("ConsumedReadCapacityUnits").times(0.5);
const CONSUMED_WRITE: Name = count("ConsumedWriteCapacityUnits").times(0.5);
const PROVISIONED_READ: Name = count("ProvisionedReadCapacityUnits");
const PROVISIONED_WRITE: Name = count("ProvisionedWriteCapacityUnits");
const READ_THROTTLES: Name = count("ReadThrottleEvents");
const WRITE_THROTTLES: Name = count("WriteThrottleEvents");
const CONDITIONS_FAILED: Name = count("ConditionalCheckFailedRequests");
const EXPIRED: Name = count("TimeToLiveDeletedItemCount");
const THROTTLED: Name = count("ThrottledRequests");
const RETURNED: Name = count("ReturnedItemCount");
const SYSTEM_ERRORS: Name = count("SystemErrors");
/// Counted in microseconds.
const LATENCY: Name = Name::new(
    "AWS/DynamoDB",
    "SuccessfulRequestLatency",
    Unit::Milliseconds,
)
.times(0.001);

/// What tables emit.
pub struct EmitTables(pub Arc<Tables>);

#[async_trait]
impl Emits for EmitTables {
    async fn take(&self, to: &mut Emitted) {
        for calls in self.0.take_calls() {
            of_table(&calls, to);
        }
    }
}

fn of_table(of: &TableCalls, to: &mut Emitted) {
    let table = ("TableName", &*of.table);
    of_capacity(&of.used, &of.billing, &[table], to);
    for (index, (used, billing)) in &of.indexes {
        let dimensions = [table, ("GlobalSecondaryIndexName", index)];
        of_capacity(used, billing, &dimensions, to);
    }
    to.add(&CONDITIONS_FAILED, &[table], of.failed_conditions);
    to.add(&EXPIRED, &[table], of.expired_items);
    for (kind, called) in &of.calls {
        let Called {
            micros,
            found,
            throttled,
            failed,
        } = *called;
        let dimensions = [table, ("Operation", operation(*kind))];
        to.add(&LATENCY, &dimensions, micros);
        to.add(&RETURNED, &dimensions, found);
        to.add(&THROTTLED, &dimensions, throttled);
        to.add(&SYSTEM_ERRORS, &dimensions, failed);
    }
}

#[expect(clippy::cast_precision_loss, reason = "nobody provisions so much")]
fn of_capacity(used: &Used, billing: &Billing, dimensions: &[(&str, &str)], to: &mut Emitted) {
    to.add(&CONSUMED_READ, dimensions, used.read);
    to.add(&CONSUMED_WRITE, dimensions, used.written);
    to.add(&READ_THROTTLES, dimensions, events(used.throttled_reads));
    to.add(&WRITE_THROTTLES, dimensions, events(used.throttled_writes));
    if let Billing::Provisioned(units) = billing {
        to.add_one(&PROVISIONED_READ, dimensions, units.read as f64);
        to.add_one(&PROVISIONED_WRITE, dimensions, units.write as f64);
    }
}

/// So many events, each a value of its own.
fn events(count: u64) -> Option<Tallied> {
    (count > 0).then_some(Tallied {
        count,
        sum: count,
        least: 1,
        most: 1,
    })
}

fn operation(kind: CallKind) -> &'static str {
    match kind {
        CallKind::Get => "GetItem",
        CallKind::Put => "PutItem",
        CallKind::Update => "UpdateItem",
        CallKind::Delete => "DeleteItem",
        CallKind::Query => "Query",
        CallKind::Scan => "Scan",
    }
}
