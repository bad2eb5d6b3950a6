//! What alarms need of others.

use async_trait::async_trait;

use crate::{Owed, Range, Reading, Source};

/// Where the values of alarms come from.
#[async_trait]
pub trait Readings: Send + Sync {
    /// The values of a source in the periods of a range, in the order of their times; or what stands in the way, in words.
    async fn readings(&self, source: &Source, range: Range) -> Result<Vec<Reading>, String>;
}

/// Does what alarms want done.
#[async_trait]
pub trait Perform: Send + Sync {
    /// Does an action. After a crash it may be asked for one again that it did.
    ///
    /// # Errors
    /// What stands in the way, in words; it is asked again a few times.
    async fn perform(&self, owed: &Owed) -> Result<(), String>;
}
