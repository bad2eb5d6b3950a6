//! How tables and indexes are paid for, as requests say it: checked when a table is made, and as a part of its changes.

use headwater_shapes_dynamodb::{OnDemandThroughput, ProvisionedThroughput};
use headwater_tables::{Billing, Throughput};
use headwater_wire::ApiError;

use crate::errors::{invalid, validation};

/// The most units that can be asked for. (Source: dynalite's tests.)
pub(crate) const UNITS_MAX: u64 = 1_000_000_000_000;

/// How a table is paid for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// By so much a second.
    Provisioned,
    /// By the request.
    OnDemand,
}

/// Units of reading and of writing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Units {
    /// Of reading.
    pub read: u64,
    /// Of writing.
    pub write: u64,
}

/// What a request says about the most units a second that is paid for by the request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Maxima {
    /// Of reading.
    pub read: Option<i64>,
    /// Of writing.
    pub write: Option<i64>,
}

impl Mode {
    /// The mode that the model's enumeration names.
    pub fn read(name: &str) -> Self {
        match name {
            "PAY_PER_REQUEST" => Self::OnDemand,
            _ => Self::Provisioned,
        }
    }

    /// The mode of what is paid for so.
    pub fn of(billing: &Billing) -> Self {
        match billing {
            Billing::Provisioned(_) => Self::Provisioned,
            Billing::OnDemand { .. } => Self::OnDemand,
        }
    }
}

impl Units {
    /// What a request asks for; `wire` has checked that it is at least one of each.
    pub fn read(sent: &ProvisionedThroughput) -> Self {
        let ProvisionedThroughput {
            read_capacity_units,
            write_capacity_units,
        } = sent;
        Self {
            read: read_capacity_units.unsigned_abs(),
            write: write_capacity_units.unsigned_abs(),
        }
    }

    /// Whether a table can have so many.
    pub fn check(self) -> Result<Self, ApiError> {
        for (name, units) in [("Read", self.read), ("Write", self.write)] {
            if units > UNITS_MAX {
                let text = format!("Given value {units} for {name}CapacityUnits is out of bounds");
                return Err(validation(text));
            }
        }
        Ok(self)
    }

    /// So many from the start.
    pub fn billing(self) -> Billing {
        let Self { read, write } = self;
        Billing::Provisioned(Throughput {
            read,
            write,
            raised: None,
            lowered: None,
            lowered_that_day: 0,
        })
    }
}

impl Maxima {
    /// What a request says; nothing where it names neither.
    pub fn read(sent: Option<OnDemandThroughput>) -> Option<Self> {
        let OnDemandThroughput {
            max_read_request_units: read,
            max_write_request_units: write,
        } = sent?;
        (read.is_some() || write.is_some()).then_some(Self { read, write })
    }

    /// Those that are named, with their names.
    pub fn named(self) -> impl Iterator<Item = (&'static str, i64)> {
        let both = [
            ("MaxReadRequestUnits", self.read),
            ("MaxWriteRequestUnits", self.write),
        ];
        both.into_iter()
            .filter_map(|(name, units)| Some((name, units?)))
    }

    /// Whether each can be one, for a table or (` index i`) an index; -1 takes one away where there may be one already.
    pub fn check(self, what: &str, removes: bool) -> Result<Self, ApiError> {
        let is_wrong = |units: i64| units < 1 && !(removes && units == -1);
        match self.named().find(|(_, units)| is_wrong(*units)) {
            None => Ok(self),
            Some((name, _)) => Err(invalid(format_args!(
                "Requested {name} for OnDemandThroughput for {what} is outside of valid range"
            ))),
        }
    }

    /// These over those that there were.
    pub fn over(self, read: Option<u64>, write: Option<u64>) -> Billing {
        let over = |asked: Option<i64>, before: Option<u64>| match asked {
            Some(units) => u64::try_from(units).ok(),
            None => before,
        };
        Billing::OnDemand {
            read_max: over(self.read, read),
            write_max: over(self.write, write),
        }
    }
}

/// How a new table is paid for.
pub(crate) fn of_table(
    mode: Option<&str>,
    throughput: Option<ProvisionedThroughput>,
    maxima: Option<Maxima>,
) -> Result<Billing, ApiError> {
    let units = throughput.map(|throughput| Units::read(&throughput));
    let mode = mode.map_or(Mode::Provisioned, Mode::read);
    match (mode, units) {
        (Mode::OnDemand, Some(_)) => Err(no_units()),
        (Mode::OnDemand, None) => {
            let maxima = maxima.unwrap_or_default().check("table", false)?;
            Ok(maxima.over(None, None))
        }
        (Mode::Provisioned, None) => Err(invalid(
            "ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED",
        )),
        (Mode::Provisioned, Some(units)) => {
            let billing = units.check()?.billing();
            match maxima.and_then(|maxima| maxima.named().next()) {
                Some((name, _)) => Err(invalid(format_args!(
                    "{name} for OnDemandThroughput cannot be specified when table BillingMode is PROVISIONED."
                ))),
                None => Ok(billing),
            }
        }
    }
}

/// How an index of a new table is paid for: as the table is.
pub(crate) fn of_index(
    index: &str,
    mode: Mode,
    throughput: Option<ProvisionedThroughput>,
    maxima: Option<Maxima>,
) -> Result<Billing, ApiError> {
    let units = throughput.map(|throughput| Units::read(&throughput));
    match (mode, units) {
        (Mode::OnDemand, Some(_)) => Err(invalid(format_args!(
            "ProvisionedThroughput should not be specified for index: {index} when BillingMode is PAY_PER_REQUEST"
        ))),
        (Mode::OnDemand, None) => {
            let maxima = maxima.unwrap_or_default();
            let maxima = maxima.check(&format!("index : {index}"), false)?;
            Ok(maxima.over(None, None))
        }
        (Mode::Provisioned, None) => Err(invalid(format_args!(
            "ProvisionedThroughput is not specified for index: {index}"
        ))),
        (Mode::Provisioned, Some(units)) => {
            let billing = units.check()?.billing();
            check_no_maxima(index, maxima)?;
            Ok(billing)
        }
    }
}

/// Whether nothing is said of the most units of an index that is paid for by the second.
pub(crate) fn check_no_maxima(index: &str, maxima: Option<Maxima>) -> Result<(), ApiError> {
    match maxima.and_then(|maxima| maxima.named().next()) {
        Some((name, _)) => Err(invalid(format_args!(
            "{name} for OnDemandThroughput cannot be specified for index : {index} when the table BillingMode is \
             PROVISIONED"
        ))),
        None => Ok(()),
    }
}

/// The refusal of units for a table that is paid for by the request.
pub(crate) fn no_units() -> ApiError {
    invalid(
        "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn units(read: i64, write: i64) -> Option<ProvisionedThroughput> {
        Some(ProvisionedThroughput {
            read_capacity_units: read,
            write_capacity_units: write,
        })
    }

    fn maxima(read: Option<i64>, write: Option<i64>) -> Option<Maxima> {
        Maxima::read(Some(OnDemandThroughput {
            max_read_request_units: read,
            max_write_request_units: write,
        }))
    }

    #[test]
    fn a_table_is_paid_for_in_one_way() {
        let by_request = of_table(Some("PAY_PER_REQUEST"), None, maxima(Some(5), None));
        let expected = Billing::OnDemand {
            read_max: Some(5),
            write_max: None,
        };
        assert_eq!(by_request, Ok(expected));
        assert_eq!(
            Mode::of(&of_table(None, units(1, 2), None).unwrap()),
            Mode::Provisioned
        );
        let prefix = "One or more parameter values were invalid:";
        for (mode, throughput, maxima, text) in [
            (
                Some("PAY_PER_REQUEST"),
                units(1, 1),
                None,
                format!(
                    "{prefix} Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is \
                     PAY_PER_REQUEST"
                ),
            ),
            (
                None,
                None,
                None,
                format!(
                    "{prefix} ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is \
                     PROVISIONED"
                ),
            ),
            (
                None,
                units(1_000_000_000_001, 1_000_000_000_001),
                None,
                "Given value 1000000000001 for ReadCapacityUnits is out of bounds".to_owned(),
            ),
            (
                Some("PROVISIONED"),
                units(1_000_000_000_000, 1_000_000_000_001),
                None,
                "Given value 1000000000001 for WriteCapacityUnits is out of bounds".to_owned(),
            ),
            (
                None,
                units(1, 1),
                maxima(None, Some(3)),
                format!(
                    "{prefix} MaxWriteRequestUnits for OnDemandThroughput cannot be specified when table BillingMode is \
                     PROVISIONED."
                ),
            ),
            (
                Some("PAY_PER_REQUEST"),
                None,
                maxima(Some(-1), None),
                format!(
                    "{prefix} Requested MaxReadRequestUnits for OnDemandThroughput for table is outside of valid range"
                ),
            ),
        ] {
            assert_eq!(
                of_table(mode, throughput, maxima).unwrap_err().message(),
                text
            );
        }
    }

    #[test]
    fn an_index_is_paid_for_as_its_table() {
        assert!(of_index("abd", Mode::OnDemand, None, None).is_ok());
        assert!(of_index("abd", Mode::Provisioned, units(1, 1), None).is_ok());
        let text = of_index("abd", Mode::OnDemand, units(1, 1), None).unwrap_err();
        assert_eq!(
            text.message(),
            "One or more parameter values were invalid: ProvisionedThroughput should not be specified for index: abd \
             when BillingMode is PAY_PER_REQUEST"
        );
    }

    #[test]
    fn the_most_units_are_laid_over_those_before() {
        let Some(asked) = maxima(Some(-1), None) else {
            panic!("it says one")
        };
        assert!(asked.check("table", true).is_ok());
        let expected = Billing::OnDemand {
            read_max: None,
            write_max: Some(7),
        };
        assert_eq!(asked.over(Some(5), Some(7)), expected);
        assert_eq!(maxima(None, None), None);
    }
}
