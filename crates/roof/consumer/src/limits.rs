//! The bounds of a consumer's memory and of its waits.

use std::time::Duration;

/// Records of one read (Kinesis API reference: at most 10,000, of 10 MiB together).
pub const PAGE_RECORDS_MAX: i32 = 10_000;

/// Pages held at a time by all shards of a consumer, by default; with fan-out a page is what one event holds.
pub const PAGES_MAX: usize = 8;

/// Leases that one consumer holds, by default; each is a task.
pub const LEASES_MAX: usize = 10_000;

/// Leases that are renewed at a time.
pub const RENEWALS_AT_A_TIME: usize = 16;

/// Leases taken from a busier consumer at a time, as KCL's default.
pub const STOLEN_AT_A_TIME: usize = 1;

/// The first pause after a read that failed or was throttled.
pub const PAUSE_MIN: Duration = Duration::from_millis(200);

/// The longest pause after a read that failed or was throttled.
pub const PAUSE_MAX: Duration = Duration::from_secs(5);

/// How long a registration for enhanced fan-out may take until it is active.
pub const REGISTRATION_MAX: Duration = Duration::from_secs(120);

/// The pause between two looks at it; AWS allows 20 a second of all consumers of an account.
pub const REGISTRATION_PAUSE: Duration = Duration::from_millis(500);

/// How long one call about leases may take; most leases would run out in the minute that other calls have.
pub const LEASE_CALL_MAX: Duration = Duration::from_secs(10);

/// How long a new table of leases may take until it can be used.
pub const TABLE_MAX: Duration = Duration::from_secs(600);

/// The pause between two looks at it.
pub const TABLE_PAUSE: Duration = Duration::from_millis(500);
