//! How often a table may be changed to be paid for by the request. The text is as users recorded it on AWS, when that was once
//! a day.

use std::time::Duration;

use headwater_tables::{Billing, TableRecord};
use headwater_types::Millis;
use headwater_wire::ApiError;

use crate::errors::limit;

/// How often that may be within [`PERIOD`]. (Source: the developer guide, "Considerations when switching capacity modes".)
const SWITCHES: usize = 4;
const PERIOD: Duration = Duration::from_secs(24 * 3600);

/// Keeps in a table's record that it was changed so; what no limit asks for any more is forgotten.
pub(super) fn keep(table: &mut TableRecord, now: Millis) {
    table.on_demand_since = Some(now);
    table.switched.push(now);
    let surplus = table.switched.len().saturating_sub(SWITCHES);
    table.switched.drain(..surplus);
}

/// Whether a table may be changed from `before` to `after`, as far as that has it paid for by the request.
///
/// # Errors
/// That was done too often within a day.
pub(crate) fn check(
    before: &TableRecord,
    after: &TableRecord,
    now: Millis,
) -> Result<(), ApiError> {
    let (Billing::Provisioned(_), Billing::OnDemand { .. }) = (&before.billing, &after.billing)
    else {
        return Ok(());
    };
    let lately = before.switched.iter();
    let lately: Vec<_> = lately.filter(|at| now < at.plus(PERIOD)).collect();
    let (Some(first), Some(last)) = (lately.first(), lately.last()) else {
        return Ok(());
    };
    if lately.len() < SWITCHES {
        return Ok(());
    }
    Err(limit(format_args!(
        "Update to PayPerRequest mode are limited to {SWITCHES} times in 1 day(s). Last update at {}. Next update can be made \
         at {}",
        spelled(**last),
        spelled(first.plus(PERIOD))
    )))
}

/// A time as Java prints it.
fn spelled(at: Millis) -> String {
    let at = i64::try_from(at.0).unwrap_or(i64::MAX);
    let at = jiff::Timestamp::from_millisecond(at).unwrap_or(jiff::Timestamp::MAX);
    at.strftime("%a %b %d %H:%M:%S UTC %Y").to_string()
}
