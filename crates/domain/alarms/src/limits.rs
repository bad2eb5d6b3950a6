//! Every bound of alarms, by name.

use std::time::Duration;

/// Bytes of a rule.
pub const RULE_BYTES_MAX: usize = 10_240;

/// How deep parts of a rule may stand within each other.
pub const RULE_DEPTH_MAX: usize = 32;

/// Alarms that a rule may name.
pub const CHILDREN_MAX: usize = 100;

/// How often alarms with periods below a minute are evaluated.
pub const EVALUATE_FINE_EVERY: Duration = Duration::from_secs(10);

/// Alarms that there may be.
pub const ALARMS_MAX: usize = 5_000;

/// How long behind the end of a minute all other alarms are evaluated.
pub const EVALUATE_BEHIND: Duration = Duration::from_secs(10);

/// What happened to alarms is remembered for so long.
pub const HISTORY_FOR: Duration = Duration::from_secs(30 * 24 * 3600);

/// After how many minutes what is older is looked for.
pub const FORGET_EVERY_MINUTES: u64 = 60;

/// Rows of the catalog that are read at once.
pub const ROWS_AT_ONCE: usize = 500;

/// How often an action is tried.
pub const TRIES_MAX: u32 = 5;

/// How long a failed action waits for its second try; twice as long for each that follows.
pub const TRY_AGAIN_AFTER: Duration = Duration::from_secs(20);
