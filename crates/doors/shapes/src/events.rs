//! Answers that come as events, one by one.

use std::{
    fmt,
    ops::Deref,
    pin::Pin,
    sync::{Arc, OnceLock},
};

use bytes::Bytes;
use futures_util::Stream;
use serde::{Deserializer, Serialize};

use crate::ApiError;

/// One event of an [`EventStream`]: serialized, it is what the event holds.
pub trait Event: Serialize + Sized + Send + Sync + 'static {
    /// The event's name: `SubscribeToShardEvent`.
    fn name(&self) -> &'static str;

    /// Reads what the event of that name holds, for the client's half; none where no event has that name.
    fn read<'de, D: Deserializer<'de>>(name: &str, from: D) -> Result<Option<Self>, D::Error>;
}

/// An event that several readers may get: it is written once for all of them, in each format.
pub struct Shared<E>(Arc<Written<E>>);

struct Written<E> {
    event: E,
    json: OnceLock<Bytes>,
    cbor: OnceLock<Bytes>,
}

/// A format that events are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventFormat {
    /// JSON.
    Json,
    /// CBOR.
    Cbor,
}

impl<E> Shared<E> {
    /// Where the message that holds the event is kept once it is written.
    pub fn written(&self, format: EventFormat) -> &OnceLock<Bytes> {
        match format {
            EventFormat::Json => &self.0.json,
            EventFormat::Cbor => &self.0.cbor,
        }
    }
}

impl<E: Clone> Shared<E> {
    /// The event, copied where others share it.
    pub fn into_event(self) -> E {
        Arc::try_unwrap(self.0).map_or_else(|shared| shared.event.clone(), |own| own.event)
    }
}

impl<E> From<E> for Shared<E> {
    fn from(event: E) -> Self {
        Self(Arc::new(Written {
            event,
            json: OnceLock::new(),
            cbor: OnceLock::new(),
        }))
    }
}

impl<E> Clone for Shared<E> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<E> Deref for Shared<E> {
    type Target = E;

    fn deref(&self) -> &E {
        &self.0.event
    }
}

/// The error that ends an [`EventStream`] before its time.
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
    pub events: Pin<Box<dyn Stream<Item = Result<Shared<E>, EventError>> + Send>>,
}

impl<E: Send + Sync + 'static> Default for EventStream<E> {
    fn default() -> Self {
        Self {
            events: Box::pin(futures_util::stream::empty()),
        }
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

impl From<ApiError> for EventError {
    fn from(error: ApiError) -> Self {
        Self {
            name: error.code().to_owned(),
            message: error.message().to_owned(),
        }
    }
}
