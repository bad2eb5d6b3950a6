//! Bounds on everything that waits or grows.

use std::time::Duration;

/// How long events are kept (CloudTrail's event history: 90 days).
pub const KEPT: Duration = Duration::from_secs(90 * 24 * 3600);
/// Events that may wait to be written; the next call waits until there is room.
pub const WAITING_MAX: usize = 4096;
/// How long a call waits for room where nothing can be written, as on a full disk; then its event is lost, and the log
/// says so.
pub const ROOM_WAIT_MAX: Duration = Duration::from_secs(10);
/// Events of one append.
pub const APPEND_EVENTS: usize = 512;
/// How long the writer waits after an append that failed.
pub const RETRY_AFTER: Duration = Duration::from_secs(1);
/// Bytes of an event that is read back: a larger one was not written here.
pub const EVENT_BYTES_MAX: usize = 1 << 20;
/// How much later than it happened an event may be written and still be found by a search that ends there.
pub const LATE: Duration = Duration::from_secs(600);
/// Events of one page (CloudTrail: 50).
pub const PAGE_EVENTS_MAX: usize = 50;
/// Events looked at for one page; a search that goes on longer answers with where it goes on.
pub const SCAN_EVENTS_MAX: u64 = 20_000;
/// Events read from the log at once, going back.
pub const WINDOW_EVENTS: u64 = 512;
/// Bytes read from the log at once.
pub const READ_BYTES: usize = 4 << 20;
/// Searches a second (CloudTrail's quota of LookupEvents: 2).
pub const LOOKUPS_A_SECOND: u32 = 2;
/// How often trails deliver (CloudTrail: about every 5 minutes).
pub const DELIVER_EVERY: Duration = Duration::from_secs(300);
/// Events of one object.
pub const OBJECT_EVENTS_MAX: u64 = 20_000;
/// Bytes of an object's text; it ends behind the event that reaches this.
pub const OBJECT_BYTES_MAX: usize = 16 << 20;
/// Trails of a region (CloudTrail: 5).
pub const TRAILS_MAX: usize = 5;
/// Tags of a trail (CloudTrail: 50).
pub const TAGS_MAX: usize = 50;
/// How often logging may be stopped and begun again between two deliveries.
pub const SPANS_MAX: usize = 64;
