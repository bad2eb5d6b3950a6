//! A change of how a table is paid for.

use headwater_tables::{Billing, GlobalIndex, TableRecord, Throughput};
use headwater_types::Millis;
use headwater_wire::ApiError;

use crate::{
    billing::{Maxima, Mode, Units, no_units},
    change::switches,
    describe::is_same_day,
    errors::{invalid, validation},
};

/// What a request says of how a table is paid for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Payment {
    /// In which way.
    pub mode: Option<Mode>,
    /// With so many units a second.
    pub units: Option<Units>,
    /// With at most so many.
    pub maxima: Option<Maxima>,
}

impl Payment {
    /// Whether it can be, whatever the table is like.
    pub fn check(&self) -> Result<(), ApiError> {
        match (self.mode, self.units) {
            (Some(Mode::OnDemand), Some(_)) => return Err(no_units()),
            (Some(Mode::Provisioned), None) => {
                return Err(invalid(
                    "ProvisionedThroughput must be specified when BillingMode is PROVISIONED",
                ));
            }
            _ => {}
        }
        self.units.map(Units::check).transpose()?;
        Ok(())
    }

    /// Changes how a table is paid for; its indexes follow where that is by the request, and have updates of their own
    /// where it is by the second.
    pub fn apply(&self, table: &mut TableRecord, now: Millis) -> Result<(), ApiError> {
        let mode = self.mode.unwrap_or(Mode::of(&table.billing));
        match mode {
            Mode::OnDemand => self.by_request(table, now),
            Mode::Provisioned => self.by_second(table, now),
        }
    }

    fn by_request(&self, table: &mut TableRecord, now: Millis) -> Result<(), ApiError> {
        if self.units.is_some() {
            return Err(no_units());
        }
        let asked = self.maxima.unwrap_or_default().check("table", true)?;
        let (read, write) = match table.billing {
            Billing::OnDemand {
                read_max,
                write_max,
            } => (read_max, write_max),
            Billing::Provisioned(_) => {
                switches::keep(table, now);
                for index in table.global.values_mut() {
                    index.billing = Maxima::default().over(None, None);
                }
                (None, None)
            }
        };
        table.billing = asked.over(read, write);
        Ok(())
    }

    fn by_second(&self, table: &mut TableRecord, now: Millis) -> Result<(), ApiError> {
        if let Some((name, _)) = self.maxima.and_then(|maxima| maxima.named().next()) {
            return Err(invalid(format_args!(
                "{name} for OnDemandThroughput cannot be specified when the table BillingMode is PROVISIONED"
            )));
        }
        let Some(units) = self.units else {
            return Ok(());
        };
        table.billing = changed(&table.billing, units, "the table", now)?;
        Ok(())
    }
}

/// How `what` is paid for with other units than before.
pub(super) fn changed(
    before: &Billing,
    units: Units,
    what: &str,
    now: Millis,
) -> Result<Billing, ApiError> {
    let Billing::Provisioned(before) = before else {
        return Ok(units.billing());
    };
    let Units { read, write } = units;
    if (before.read, before.write) == (read, write) {
        let subject = what.split(' ').nth(1).unwrap_or(what);
        return Err(validation(format!(
            "The provisioned throughput for {what} will not change. The requested value equals the current value. \
             Current ReadCapacityUnits provisioned for the {subject}: {read}. Requested ReadCapacityUnits: {read}. \
             Current WriteCapacityUnits provisioned for the {subject}: {write}. Requested WriteCapacityUnits: {write}. \
             Refer to the Amazon DynamoDB Developer Guide for current limits and how to request higher limits."
        )));
    }
    Ok(Billing::Provisioned(moved(before, units, now)))
}

/// Other units, and what is told of their changes.
fn moved(before: &Throughput, units: Units, now: Millis) -> Throughput {
    let Units { read, write } = units;
    let raised = read > before.read || write > before.write;
    let lowered = read < before.read || write < before.write;
    let is_today = before.lowered.is_some_and(|last| is_same_day(last, now));
    let times = if is_today { before.lowered_that_day } else { 0 };
    Throughput {
        read,
        write,
        raised: if raised { Some(now) } else { before.raised },
        lowered: if lowered { Some(now) } else { before.lowered },
        lowered_that_day: match lowered {
            true => times.saturating_add(1),
            false => before.lowered_that_day,
        },
    }
}

/// The names of indexes that are still paid for by the request, of a table that no longer is.
pub(super) fn left_over<'a>(
    indexes: impl Iterator<Item = (&'a String, &'a GlobalIndex)>,
) -> String {
    let left = indexes.filter(|(_, index)| Mode::of(&index.billing) == Mode::OnDemand);
    let left: Vec<&str> = left.map(|(name, _)| &**name).collect();
    left.join(",")
}
