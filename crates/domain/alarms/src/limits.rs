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
