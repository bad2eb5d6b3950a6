//! How often the units of a table and its indexes may be lowered. The text is as users recorded it on AWS.

use std::time::Duration;

use headwater_tables::{Billing, TableRecord};
use headwater_types::Millis;
use headwater_wire::ApiError;

use crate::{describe::is_same_day, errors::limit};

/// How often units may be lowered on a day (of UTC) at any time. (Source: the developer guide, "Quotas in Amazon DynamoDB".)
const DECREASES: u32 = 4;
/// How long a lowering beyond that waits for the one before.
const DECREASE_PERIOD: Duration = Duration::from_secs(3600);

/// Whether a table may be changed from `before` to `after`, as far as that lowers units.
///
/// # Errors
/// They were lowered too often today.
pub(crate) fn check(
    before: &TableRecord,
    after: &TableRecord,
    now: Millis,
) -> Result<(), ApiError> {
    check_one(&before.billing, &after.billing, now)?;
    for (name, index) in &after.global {
        if let Some(before) = before.global.get(name) {
            check_one(&before.billing, &index.billing, now)?;
        }
    }
    Ok(())
}

/// Whether units may be lowered again today: four times at any time, and then once an hour.
fn check_one(before: &Billing, after: &Billing, now: Millis) -> Result<(), ApiError> {
    let (Billing::Provisioned(before), Billing::Provisioned(after)) = (before, after) else {
        return Ok(());
    };
    if after.read >= before.read && after.write >= before.write {
        return Ok(());
    }
    let Some(last) = before.lowered.filter(|last| is_same_day(*last, now)) else {
        return Ok(());
    };
    let (times, next) = (before.lowered_that_day, last.plus(DECREASE_PERIOD));
    if times < DECREASES || now >= next {
        return Ok(());
    }
    Err(limit(format_args!(
        "Provisioned throughput decreases are limited within a given UTC day. After the first {DECREASES} decreases, each \
         subsequent decrease in the same UTC day can be performed at most once every {} seconds. Number of decreases today: \
         {times}. Last decrease at {}. Next decrease can be made at {}",
        DECREASE_PERIOD.as_secs(),
        spelled(last),
        spelled(next)
    )))
}

/// A time as AWS spells it there.
fn spelled(at: Millis) -> String {
    let at = i64::try_from(at.0).unwrap_or(i64::MAX);
    let at = jiff::Timestamp::from_millisecond(at).unwrap_or(jiff::Timestamp::MAX);
    at.strftime("%A, %B %-d, %Y at %-I:%M:%S %p Coordinated Universal Time")
        .to_string()
}
