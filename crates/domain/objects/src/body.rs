//! The bytes of an object, passed on as they come.

use std::{fmt, io, pin::Pin};

use bytes::Bytes;
use futures_util::{Stream, StreamExt, TryStreamExt};

use crate::ObjectError;

/// A body that is never held whole.
pub struct Body {
    /// The chunks.
    pub chunks: Pin<Box<dyn Stream<Item = io::Result<Bytes>> + Send>>,
    /// The number of bytes to come, where it is known. A store refuses a body that has more or fewer.
    pub len: Option<u64>,
}

impl Body {
    /// The body whose `chunks` have `len` bytes in all, where that is known.
    pub fn new(
        chunks: impl Stream<Item = io::Result<Bytes>> + Send + 'static,
        len: Option<u64>,
    ) -> Self {
        Self {
            chunks: chunks.boxed(),
            len,
        }
    }

    /// A body of one chunk.
    pub fn from_bytes(bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        let len = Some(bytes.len() as u64);
        Self::new(futures_util::stream::once(async { Ok(bytes) }), len)
    }

    /// All of it, for what is known to be small: fails with `TooLarge` beyond `limit` bytes.
    pub async fn collect(mut self, limit: usize) -> Result<Bytes, ObjectError> {
        let mut all = Vec::new();
        while let Some(chunk) = self
            .chunks
            .try_next()
            .await
            .map_err(|e| ObjectError::Body(e.into()))?
        {
            if all.len() + chunk.len() > limit {
                return Err(ObjectError::TooLarge {
                    limit: limit as u64,
                });
            }
            all.extend_from_slice(&chunk);
        }
        Ok(all.into())
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Body")
            .field("len", &self.len)
            .finish_non_exhaustive()
    }
}
