//! Metric alarms, evaluated: values against a threshold, M of N, and what is missing.
//!
//! More periods are looked at than an alarm names ("evaluation range"): where some of the newest are missing, older ones take
//! their places. After "Configuring how CloudWatch alarms treat missing data", whose tables are this module's tests.

use headwater_types::Millis;

use crate::{Comparison, MetricAlarm, Missing, State, reason};

/// A value of a period.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reading {
    /// When the period begins.
    pub at: Millis,
    /// The value.
    pub value: f64,
    /// How many samples it is of, where that is known.
    pub samples: Option<f64>,
}

/// The state that an evaluation came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// The state.
    pub state: State,
    /// Why, in words.
    pub reason: String,
    /// Why, as JSON.
    pub data: String,
}

/// Periods that are looked at beyond those that an alarm names.
const PERIODS_BEYOND: u32 = 2;
/// What an alarm's periods end with, in seconds: the minute, or ten seconds for shorter periods.
const STEP: u64 = 60;
const FINE_STEP: u64 = 10;

/// The periods that are looked at: the newest that is over ends with the last minute, or with the last ten seconds where
/// periods are shorter than a minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// The beginning of the first period.
    pub from: Millis,
    /// The end of the last.
    pub to: Millis,
    /// The length of a period in seconds.
    pub period: u32,
}

impl Range {
    /// The range that an alarm looks at.
    pub fn of(alarm: &MetricAlarm, now: Millis) -> Self {
        let period = alarm.period();
        let step = if u64::from(period) < STEP {
            FINE_STEP
        } else {
            STEP
        };
        let to = now.seconds() / step * step;
        let periods = u64::from(alarm.periods + PERIODS_BEYOND);
        Self {
            from: Millis(to.saturating_sub(periods * u64::from(period)) * 1000),
            to: Millis(to * 1000),
            period,
        }
    }

    /// The place of a time, counted from the end: the newest period is 1.
    fn age(&self, at: Millis) -> u64 {
        (self.to.0.saturating_sub(at.0)).div_ceil(u64::from(self.period) * 1000)
    }
}

/// What is evaluated of a range.
pub(crate) struct Evaluated<'a> {
    pub alarm: &'a MetricAlarm,
    pub range: Range,
    pub now: Millis,
    /// The newest values, at most as many as the alarm has periods, the newest first.
    pub readings: Vec<Reading>,
    /// How many of its periods have no value.
    pub missing: u32,
}

impl Evaluated<'_> {
    pub fn breaching(&self) -> Vec<Reading> {
        self.that(true)
    }

    pub fn not_breaching(&self) -> Vec<Reading> {
        self.that(false)
    }

    fn that(&self, breaches: bool) -> Vec<Reading> {
        let readings = self.readings.iter().copied();
        let wanted = |reading: &Reading| {
            self.alarm
                .comparison
                .breaches(reading.value, self.alarm.threshold)
                == breaches
        };
        readings.filter(wanted).collect()
    }

    /// The state; none where it stays as it is.
    fn state(&self) -> Option<State> {
        let least = self.alarm.least_to_alarm() as usize;
        let breaching = self.breaching();
        let missing = self.missing as usize;
        let is_alarm = |count: usize| {
            Some(if count >= least {
                State::Alarm
            } else {
                State::Ok
            })
        };
        match self.alarm.treatment() {
            _ if breaching.len() >= least => Some(State::Alarm),
            Missing::Breaching => is_alarm(breaching.len() + missing),
            Missing::NotBreaching => Some(State::Ok),
            _ if breaching.len() < self.readings.len() => Some(State::Ok),
            Missing::Ignore => None,
            Missing::Missing => match breaching.last() {
                None => Some(State::InsufficientData),
                // All that is known breaches, and the first of it did so long ago.
                Some(oldest) if self.range.age(oldest.at) >= least as u64 => Some(State::Alarm),
                Some(_) => None,
            },
        }
    }
}

impl Comparison {
    /// Whether a value breaches a threshold.
    pub fn breaches(self, value: f64, threshold: f64) -> bool {
        match self {
            Self::Greater => value > threshold,
            Self::GreaterOrEqual => value >= threshold,
            Self::Less => value < threshold,
            Self::LessOrEqual => value <= threshold,
        }
    }
}

/// Holds the values of a range, in the order of their times, against the alarm's threshold; none where the state stays.
pub fn evaluate(
    alarm: &MetricAlarm,
    before: State,
    readings: &[Reading],
    range: Range,
    now: Millis,
) -> Option<Verdict> {
    let periods = alarm.periods as usize;
    let newest = readings.iter().rev().take(periods).copied();
    let readings: Vec<Reading> = newest.collect();
    let missing = (periods - readings.len()) as u32;
    let evaluated = Evaluated {
        alarm,
        range,
        now,
        readings,
        missing,
    };
    let state = evaluated.state()?;
    Some(Verdict {
        state,
        reason: reason::text(&evaluated, before, state),
        data: reason::data(&evaluated),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Source, Statistic};

    pub(crate) fn alarm(periods: u32, to_alarm: u32, missing: Missing) -> MetricAlarm {
        MetricAlarm {
            source: Source::Statistic(Statistic {
                namespace: "space".into(),
                metric: "m".into(),
                dimensions: Vec::new(),
                period: 60,
                statistic: "Average".into(),
                unit: None,
            }),
            periods,
            to_alarm: Some(to_alarm),
            threshold: 1.0,
            comparison: Comparison::GreaterOrEqual,
            missing: Some(missing),
            low_samples: None,
        }
    }

    /// 2023-11-15T00:05:30Z.
    const NOW: Millis = Millis(1_700_006_730_000);

    /// The state that a row of the documentation's tables comes to; a dash is missing, 0 below the threshold, X above.
    fn state(row: &str, to_alarm: u32, missing: Missing) -> Option<State> {
        let alarm = alarm(3, to_alarm, missing);
        let range = Range::of(&alarm, NOW);
        let readings = row.split(' ').zip(0..).filter_map(|(sign, number)| {
            let value = match sign {
                "0" => 0.0,
                "X" => 2.0,
                _ => return None,
            };
            Some(Reading {
                at: Millis(range.from.0 + number * 60_000),
                value,
                samples: Some(1.0),
            })
        });
        let readings: Vec<_> = readings.collect();
        evaluate(&alarm, State::Ok, &readings, range, NOW).map(|verdict| verdict.state)
    }

    #[test]
    fn states_are_those_of_the_documentations_tables() {
        const OK: Option<State> = Some(State::Ok);
        const ALARM: Option<State> = Some(State::Alarm);
        const UNKNOWN: Option<State> = Some(State::InsufficientData);
        let treatments = [
            Missing::Missing,
            Missing::Ignore,
            Missing::Breaching,
            Missing::NotBreaching,
        ];
        for (row, to_alarm, expected) in [
            ("0 - X - X", 3, [OK, OK, OK, OK]),
            ("0 - - - -", 3, [OK, OK, OK, OK]),
            ("- - - - -", 3, [UNKNOWN, None, ALARM, OK]),
            ("0 X X - X", 3, [ALARM, ALARM, ALARM, ALARM]),
            ("- - X - -", 3, [ALARM, None, ALARM, OK]),
            ("0 - X - X", 2, [ALARM, ALARM, ALARM, ALARM]),
            ("0 0 X 0 X", 2, [ALARM, ALARM, ALARM, ALARM]),
            ("0 - X - -", 2, [OK, OK, ALARM, OK]),
            ("- - - - 0", 2, [OK, OK, ALARM, OK]),
            ("- - - X -", 2, [ALARM, None, ALARM, OK]),
            // Too early for an alarm: what is known is not as old as an alarm takes.
            ("- - - - X", 3, [None, None, ALARM, OK]),
        ] {
            for (missing, expected) in treatments.into_iter().zip(expected) {
                assert_eq!(
                    state(row, to_alarm, missing),
                    expected,
                    "{row} {to_alarm} {missing:?}"
                );
            }
        }
    }

    #[test]
    fn alarms_of_tables_keep_their_state_when_data_are_missing() {
        let mut alarm = alarm(1, 1, Missing::Breaching);
        let Source::Statistic(statistic) = &mut alarm.source else {
            unreachable!()
        };
        statistic.namespace = "AWS/DynamoDB".into();
        let range = Range::of(&alarm, NOW);
        assert_eq!(evaluate(&alarm, State::Ok, &[], range, NOW), None);
    }

    #[test]
    fn periods_end_with_the_minute_or_with_ten_seconds() {
        let mut alarm = alarm(1, 1, Missing::Missing);
        let range = Range::of(&alarm, NOW);
        assert_eq!(
            (range.from.0, range.to.0),
            (1_700_006_520_000, 1_700_006_700_000)
        );
        let Source::Statistic(statistic) = &mut alarm.source else {
            unreachable!()
        };
        statistic.period = 10;
        let range = Range::of(&alarm, NOW);
        assert_eq!(
            (range.from.0, range.to.0),
            (1_700_006_700_000, 1_700_006_730_000)
        );
    }
}
