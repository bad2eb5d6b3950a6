//! Alarms over metrics and over other alarms: evaluated, remembered, and what they owe done.
//!
//! Owns what alarms are, which state values and rules come to and why, in AWS's words. Where values come from and what an
//! action does are small traits that others fulfil.

mod alarm;
mod alarms;
mod background;
mod composite;
mod error;
mod evaluate;
mod history;
pub mod limits;
mod ports;
mod reason;
mod rule;

pub use alarm::{
    Actions, Alarm, Comparison, MetricAlarm, Missing, Part, PartOf, Source, State, StateRecord,
    Statistic, Watches,
};
pub use alarms::{Alarms, NewAlarm, Owed};
pub use error::Error;
pub use evaluate::{Range, Reading, Verdict, evaluate};
pub use history::{HistoryItem, HistoryKind, HistoryQuery};
pub use ports::{Perform, Readings};
pub use rule::{Rule, RuleError};
