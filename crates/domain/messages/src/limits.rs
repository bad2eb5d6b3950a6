//! Every bound of this crate, by name. Those with no other source are in the SQS developer guide ("Quotas").

use std::time::Duration;

/// Bytes of a message with its attributes.
pub const MESSAGE_BYTES: u32 = 1_048_576;

/// The longest that a message is kept, is delayed, and is in flight.
pub const RETENTION_MAX: Duration = Duration::from_secs(14 * 24 * 3600);
/// The shortest retention.
pub const RETENTION_MIN: Duration = Duration::from_secs(60);
/// The longest delay.
pub const DELAY_MAX: Duration = Duration::from_secs(900);
/// The longest time in flight.
pub const VISIBILITY_MAX: Duration = Duration::from_secs(43_200);
/// The longest wait for a message.
pub const WAIT_MAX: Duration = Duration::from_secs(20);

/// Messages of one receive.
pub const RECEIVE_MESSAGES: usize = 10;

/// Attributes of one message.
pub const ATTRIBUTES: usize = 10;

/// Messages of one queue that are in flight.
pub const IN_FLIGHT: usize = 120_000;

/// Messages of one queue that were looked at and are not deleted: in flight, delayed, or in groups that wait. No
/// further message is looked at before some of them are gone.
pub const KNOWN: usize = 2 * IN_FLIGHT;

/// How long a message is known as sent, so that another with the same id is not.
pub const DEDUPLICATION: Duration = Duration::from_secs(300);
/// Ids that one queue knows so, which is what 3,000 messages a second make.
pub const DEDUPLICATION_IDS: usize = 900_000;

/// How long a receive is answered again for the same attempt.
pub const ATTEMPT: Duration = Duration::from_secs(300);
/// Attempts of one queue that are remembered.
pub const ATTEMPTS: usize = 1000;

/// The time after a purge before the next.
pub const PURGE_PAUSE: Duration = Duration::from_secs(60);

/// Tags of one queue.
pub const TAGS: usize = 50;

/// Receives that wait for messages at one queue.
pub(crate) const WAITING: usize = 1000;
/// Calls that wait for a queue's worker; those beyond it wait for a place.
pub(crate) const CALLS: usize = 1024;
/// Calls that share one durable write.
pub(crate) const CALLS_A_WRITE: usize = 64;
/// Bytes of messages that one durable write of a worker takes, unless one call has more.
pub(crate) const WRITE_BYTES: usize = 2 << 20;

/// Messages and bytes that are read at once to look at them.
pub(crate) const LOOK_RECORDS: usize = 1000;
/// See [`LOOK_RECORDS`].
pub(crate) const LOOK_BYTES: usize = 1 << 20;
/// Messages of a FIFO queue that are known and can be received; where there are fewer, a receive looks at more.
pub(crate) const AHEAD: usize = 500;
/// How often one receive looks at that many at the most; then others have their turn.
pub(crate) const LOOKS_A_TURN: usize = 16;
/// Dead letters that are moved in one turn.
pub(crate) const DEAD_LETTERS_A_TURN: usize = 100;

/// Changes after which a queue's state is written anew, and those before it are forgotten; more, where the state is
/// large.
pub(crate) const CHANGES: u64 = 10_000;
/// Changes of one record.
pub(crate) const CHANGES_A_RECORD: usize = 4000;

/// How often a change of a queue is tried again when another came first.
pub(crate) const CONFLICTS: usize = 20;
