//! Queues over streams: records delivered one by one, acknowledged, delivered again, set aside.
//!
//! A queue reads a stream through the log's port and remembers of it only how far it is in each shard and which
//! records are received and not acknowledged; what it delivers stays in the stream. It owns receipts, visibility,
//! receive counts and dead letters, and leaves AWS's spelling, defaults and texts to the door.

mod changes;
mod depth;
mod error;
mod limits;
mod open;
mod queues;
mod receive;
mod record;
mod shared;
mod state;
mod worker;

pub use changes::QueueQuota;
pub use depth::Depth;
pub use error::{Error, ReceiptError};
pub use headwater_reading::Start;
pub use limits::{DEFAULT_MAX_RECEIVES, DEFAULT_VISIBILITY, MAX_TAGS, UNACKNOWLEDGED};
pub use queues::{NewQueue, Queues};
pub use receive::{Receive, Received};
pub use record::{Attributes, QueueRecord, Tags};
pub use state::{Action, Kind, Receipt};
