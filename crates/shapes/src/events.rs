//! Answers that come as events, one by one.

use std::{fmt, pin::Pin};

use futures_util::Stream;
use serde::{Deserializer, Serialize};

/// One event of an [`EventStream`]: serialized, it is what the event holds.
pub trait Event: Serialize + Sized + Send + 'static {
    /// The event's name: `SubscribeToShardEvent`.
    fn name(&self) -> &'static str;

    /// Reads what the event of that name holds, for the client's half; none where no event has that name.
    fn read<'de, D: Deserializer<'de>>(name: &str, from: D) -> Result<Option<Self>, D::Error>;
}

/// What ends an [`EventStream`] before its time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventError {
    /// The type: `ResourceInUseException`.
    pub name: String,
    /// The text.
    pub message: String,
}

/// The body of an answer that comes as events. It is pulled: nothing is made before its reader has room for it.
pub struct EventStream<E> {
    /// The events. After an error nothing follows.
    pub events: Pin<Box<dyn Stream<Item = Result<E, EventError>> + Send>>,
}

impl<E: Send + 'static> Default for EventStream<E> {
    fn default() -> Self {
        Self { events: Box::pin(futures_util::stream::empty()) }
    }
}

impl<E> fmt::Debug for EventStream<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventStream").finish_non_exhaustive()
    }
}

/// The events of an operation that has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum NoEvent {}

impl Event for NoEvent {
    fn name(&self) -> &'static str {
        match *self {}
    }

    fn read<'de, D: Deserializer<'de>>(_: &str, _: D) -> Result<Option<Self>, D::Error> {
        Ok(None)
    }
}
