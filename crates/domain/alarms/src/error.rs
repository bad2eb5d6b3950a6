//! The errors of alarms.

use headwater_catalog::CatalogError;

use crate::RuleError;

/// Why an alarm was not found or changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// There is no such alarm.
    #[error("there is no alarm {0}")]
    NoAlarm(String),
    /// There is an alarm of this name that watches something else: a metric and not alarms, or the other way round.
    #[error("the alarm {0} is of the other kind")]
    OtherKind(String),
    /// There are as many alarms as there may be.
    #[error("there are {max} alarms already, and there may not be more")]
    TooMany {
        /// The most.
        max: usize,
    },
    /// A rule is none.
    #[error("the rule is none: {0}")]
    Rule(#[from] RuleError),
    /// A rule names alarms that there are not.
    #[error("the rule names alarms that there are not: {}", .0.join(", "))]
    NoChildren(Vec<String>),
    /// A rule would make an alarm wait for itself.
    #[error("the rule leads back to the alarm {0} itself")]
    Cycle(String),
    /// The catalog failed.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
}
