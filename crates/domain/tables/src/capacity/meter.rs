//! The limit of one table, index or partition in one direction.

use std::time::Duration;

use crate::{
    Access, Billing, Limit,
    limits::{BURST, ON_DEMAND_READ, ON_DEMAND_WRITE},
};

use super::{bucket::Bucket, growth::Growth};

/// A limit, and what was taken lately.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Meter {
    bucket: Bucket,
    rule: Rule,
}

/// Where a limit comes from.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Rule {
    /// It was provisioned.
    Provisioned,
    /// It is that of a partition.
    Partition,
    /// It grows, up to a maximum where one is set.
    OnDemand { growth: Growth, max: Option<f64> },
}

impl Meter {
    /// That of what is paid for so, where nothing was used yet.
    #[allow(
        clippy::cast_precision_loss,
        reason = "limits need no more than 53 bits"
    )]
    pub fn new(billing: &Billing, access: Access, now: Duration) -> Self {
        match (billing, access) {
            (Billing::Provisioned(units), Access::Read) => Self::provisioned(units.read, now),
            (Billing::Provisioned(units), Access::Write) => Self::provisioned(units.write, now),
            (Billing::OnDemand { read_max: max, .. }, Access::Read) => {
                Self::on_demand(ON_DEMAND_READ, max.map(|max| max as f64), now)
            }
            (Billing::OnDemand { write_max: max, .. }, Access::Write) => {
                Self::on_demand(ON_DEMAND_WRITE, max.map(|max| max as f64), now)
            }
        }
    }

    #[allow(
        clippy::cast_precision_loss,
        reason = "limits need no more than 53 bits"
    )]
    fn provisioned(units: u64, now: Duration) -> Self {
        Self {
            bucket: Bucket::full(units as f64, BURST.as_secs_f64(), now),
            rule: Rule::Provisioned,
        }
    }

    fn on_demand(limit: f64, max: Option<f64>, now: Duration) -> Self {
        let growth = Growth::from(limit, now);
        let rate = max.map_or(growth.limit, |max| max.min(growth.limit));
        Self {
            bucket: Bucket::full(rate, BURST.as_secs_f64(), now),
            rule: Rule::OnDemand { growth, max },
        }
    }

    /// That of a partition that takes so many units a second.
    pub fn of_partition(rate: f64, now: Duration) -> Self {
        Self {
            bucket: Bucket::full(rate, BURST.as_secs_f64(), now),
            rule: Rule::Partition,
        }
    }

    /// Units a second.
    pub fn rate(&self) -> f64 {
        self.bucket.rate
    }

    pub fn is_on_demand(&self) -> bool {
        matches!(self.rule, Rule::OnDemand { .. })
    }

    /// Whether something may be taken now; otherwise what the limit is.
    pub fn admit(&mut self, now: Duration) -> Result<(), Limit> {
        if self.bucket.has_some(now) {
            return Ok(());
        }
        Err(match self.rule {
            Rule::Provisioned => Limit::Provisioned,
            Rule::Partition => Limit::KeyRange,
            Rule::OnDemand { growth, max } => match max {
                Some(max) if max <= growth.limit => Limit::Maximum,
                _ if growth.is_at_quota() => Limit::Account,
                _ => Limit::KeyRange,
            },
        })
    }

    /// Takes units; whether the limit is another one from now on.
    pub fn take(&mut self, units: f64, now: Duration) -> bool {
        self.bucket.take(units);
        let Rule::OnDemand { growth, max } = &mut self.rule else {
            return false;
        };
        if !growth.count(units, now) {
            return false;
        }
        let rate = max.map_or(growth.limit, |max| max.min(growth.limit));
        self.bucket = self.bucket.at_rate(rate, BURST.as_secs_f64(), now);
        true
    }

    /// Becomes as a new one is, and keeps of what it was whatever still holds.
    pub fn follow(&mut self, new: &Self, now: Duration) {
        let seconds = match (&mut self.rule, new.rule) {
            (Rule::Provisioned, Rule::Provisioned) => BURST.as_secs_f64(),
            (Rule::Partition, Rule::Partition) => BURST.as_secs_f64(),
            (Rule::OnDemand { growth, max }, Rule::OnDemand { max: new, .. }) => {
                *max = new;
                let rate = new.map_or(growth.limit, |max| max.min(growth.limit));
                self.bucket = self.bucket.at_rate(rate, BURST.as_secs_f64(), now);
                return;
            }
            // What was provisioned goes through on demand too. (Source: the developer guide, "Initial throughput for
            // on-demand capacity mode".)
            (Rule::Provisioned, Rule::OnDemand { growth, max }) => {
                *self = Self::on_demand(growth.limit.max(self.rate()), max, now);
                return;
            }
            _ => {
                *self = *new;
                return;
            }
        };
        if self.rate() != new.rate() {
            self.bucket = self.bucket.at_rate(new.rate(), seconds, now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Throughput;

    fn by_second(write: u64) -> Meter {
        let units = Throughput {
            read: 1,
            write,
            raised: None,
            lowered: None,
            lowered_that_day: 0,
        };
        Meter::new(&Billing::Provisioned(units), Access::Write, Duration::ZERO)
    }

    fn by_request(write_max: Option<u64>) -> Meter {
        let billing = Billing::OnDemand {
            read_max: None,
            write_max,
        };
        Meter::new(&billing, Access::Write, Duration::ZERO)
    }

    #[test]
    fn what_is_paid_for_by_the_request_begins_with_what_was_provisioned() {
        for (before, after) in [(5, 4000.0), (7000, 7000.0), (60_000, 40_000.0)] {
            let mut meter = by_second(before);
            meter.follow(&by_request(None), Duration::ZERO);
            assert_eq!(meter.rate(), after);
            meter.follow(&by_second(3), Duration::ZERO);
            assert_eq!(meter.rate(), 3.0);
        }
    }

    #[test]
    fn a_maximum_is_told_apart_from_what_goes_through_anyway() {
        let limit = |max: Option<u64>| {
            let mut meter = by_request(max);
            meter.take(13_000_000.0, Duration::ZERO);
            meter.admit(Duration::ZERO)
        };
        assert_eq!(limit(Some(5)), Err(Limit::Maximum));
        assert_eq!(limit(Some(5000)), Err(Limit::KeyRange));
        assert_eq!(limit(None), Err(Limit::KeyRange));
        let mut grown = by_second(40_000);
        grown.follow(&by_request(None), Duration::ZERO);
        grown.take(12_000_000.0, Duration::ZERO);
        assert_eq!(grown.admit(Duration::ZERO), Err(Limit::Account));
    }
}
