//! Alarms as they are defined and kept.

use std::collections::BTreeMap;

use headwater_types::Millis;
use serde::{Deserialize, Serialize};

/// An alarm and its state.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Alarm {
    /// Its name.
    pub name: String,
    /// Its ARN, by which reasons and rules name it.
    pub arn: String,
    /// The description of it, in its maker's words.
    pub description: Option<String>,
    /// Whether its actions are done.
    pub does_actions: bool,
    /// The actions as it goes into each state: ARNs.
    pub actions: Actions,
    /// Tags.
    pub tags: BTreeMap<String, String>,
    /// The values or the alarms that it watches.
    pub watches: Watches,
    /// When it was defined last.
    pub configured: Millis,
    /// Its state.
    pub state: StateRecord,
}

/// The actions of an alarm as it goes into each state.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Actions {
    /// Into OK.
    pub ok: Vec<String>,
    /// Into ALARM.
    pub alarm: Vec<String>,
    /// Into INSUFFICIENT_DATA.
    pub insufficient_data: Vec<String>,
}

/// The values or the alarms that an alarm watches.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Watches {
    /// A metric, or an expression over metrics.
    Metric(MetricAlarm),
    /// Other alarms: the rule as it was written.
    Alarms(String),
}

/// An alarm over one series of values.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MetricAlarm {
    /// The values.
    pub source: Source,
    /// How many periods are evaluated.
    pub periods: u32,
    /// How many of them must breach the threshold for an alarm, where that was said; all of them otherwise.
    pub to_alarm: Option<u32>,
    /// The threshold.
    pub threshold: f64,
    /// How values are held against it.
    pub comparison: Comparison,
    /// The treatment of periods without a value; missing, when nothing was said.
    pub missing: Option<Missing>,
    /// The treatment of percentiles of few samples, where it was said: `evaluate` or `ignore`.
    pub low_samples: Option<String>,
}

/// The values that a metric alarm watches.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// A statistic of a metric.
    Statistic(Statistic),
    /// Parts, one of which is watched.
    Parts(Vec<Part>),
}

/// A statistic of a metric.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statistic {
    /// The namespace of the metric.
    pub namespace: String,
    /// The name of the metric.
    pub metric: String,
    /// The dimensions of the metric.
    pub dimensions: Vec<(String, String)>,
    /// The length of a period in seconds.
    pub period: u32,
    /// The statistic's name: `Average`, `p99`.
    pub statistic: String,
    /// The unit of the values, where only those of one are taken.
    pub unit: Option<String>,
}

/// A part of what an alarm watches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// The name of it in expressions.
    pub id: String,
    /// The label of it in a chart.
    pub label: Option<String>,
    /// Whether it is what is watched, where that was said.
    pub is_returned: Option<bool>,
    /// The kind of part that it is.
    pub of: PartOf,
}

/// The kinds of parts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PartOf {
    /// A statistic.
    Statistic(Statistic),
    /// An expression over other parts.
    Expression {
        /// Its text.
        text: String,
        /// The length of its periods in seconds, where that was said.
        period: Option<u32>,
    },
}

/// How values are held against a threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Comparison {
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
}

/// The treatment of a period without a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Missing {
    /// For what it is: when all are, the state is not known.
    Missing,
    /// The state stays as it is.
    Ignore,
    /// One that breaches the threshold.
    Breaching,
    /// One that does not.
    NotBreaching,
}

/// A state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum State {
    /// All is well.
    Ok,
    /// The threshold is breached.
    Alarm,
    /// Too little is known.
    InsufficientData,
}

/// A state, since when, and why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StateRecord {
    /// The state.
    pub value: State,
    /// Why, in words.
    pub reason: String,
    /// Why, as JSON.
    pub data: Option<String>,
    /// When state or reason changed last.
    pub updated: Millis,
    /// When the state changed last.
    pub transitioned: Millis,
}

impl State {
    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Alarm => "ALARM",
            Self::InsufficientData => "INSUFFICIENT_DATA",
        }
    }
}

/// The reason of an alarm that was not evaluated yet.
pub(crate) const UNCHECKED: &str = "Unchecked: Initial alarm creation";

impl StateRecord {
    /// The state of an alarm that was just made.
    pub fn first(now: Millis) -> Self {
        Self {
            value: State::InsufficientData,
            reason: UNCHECKED.to_owned(),
            data: None,
            updated: now,
            transitioned: now,
        }
    }
}

impl Alarm {
    /// The actions as it goes into a state.
    pub fn actions_of(&self, state: State) -> &[String] {
        match state {
            State::Ok => &self.actions.ok,
            State::Alarm => &self.actions.alarm,
            State::InsufficientData => &self.actions.insufficient_data,
        }
    }
}

impl MetricAlarm {
    /// How many periods must breach the threshold for an alarm.
    pub fn least_to_alarm(&self) -> u32 {
        self.to_alarm.unwrap_or(self.periods)
    }

    /// The length of a period in seconds.
    pub fn period(&self) -> u32 {
        self.source.period()
    }

    /// The treatment of a period without a value. Alarms of tables keep their state, whatever was said: "Configuring how
    /// CloudWatch alarms treat missing data" has it so.
    pub fn treatment(&self) -> Missing {
        match self.source.is_of("AWS/DynamoDB") {
            true => Missing::Ignore,
            false => self.missing.unwrap_or(Missing::Missing),
        }
    }
}

impl Source {
    /// The length of a period in seconds: the longest of all parts.
    pub fn period(&self) -> u32 {
        let of_part = |part: &Part| match &part.of {
            PartOf::Statistic(statistic) => statistic.period,
            PartOf::Expression { period, .. } => period.unwrap_or(0),
        };
        match self {
            Self::Statistic(statistic) => statistic.period,
            Self::Parts(parts) => parts.iter().map(of_part).max().unwrap_or(0),
        }
        .max(1)
    }

    /// Whether it is of a metric of this namespace, and of no other.
    fn is_of(&self, namespace: &str) -> bool {
        match self {
            Self::Statistic(statistic) => statistic.namespace == namespace,
            Self::Parts(parts) => {
                let mut statistics = parts.iter().filter_map(|part| match &part.of {
                    PartOf::Statistic(statistic) => Some(statistic),
                    PartOf::Expression { .. } => None,
                });
                statistics
                    .next()
                    .is_some_and(|first| first.namespace == namespace)
                    && statistics.all(|statistic| statistic.namespace == namespace)
            }
        }
    }
}
