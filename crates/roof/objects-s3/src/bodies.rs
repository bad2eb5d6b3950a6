//! Bodies on their way up: checked in length as they pass, or held to learn what they are.

use std::{
    io,
    sync::{Arc, Mutex},
};

use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt, TryStreamExt, future, stream};
use headwater_objects::{Body, ObjectError};
use headwater_shapes::ByteStream;

/// The error that ended a body before its time; the call that sends it knows only that it broke off.
#[derive(Clone, Default)]
pub struct BodyFailure(Arc<Mutex<Option<ObjectError>>>);

impl BodyFailure {
    /// The body's own error, or else that of the call.
    pub fn or(&self, of_call: ObjectError) -> ObjectError {
        self.0
            .lock()
            .expect("no holder panics")
            .take()
            .unwrap_or(of_call)
    }

    fn set(&self, error: ObjectError) -> io::Error {
        self.0
            .lock()
            .expect("no holder panics")
            .get_or_insert(error);
        io::ErrorKind::InvalidData.into()
    }
}

/// `body`, which has `len` bytes or fails.
pub fn measured(body: Body, len: u64) -> (ByteStream, BodyFailure) {
    let failure = BodyFailure::default();
    let (ending, passing) = (failure.clone(), failure.clone());
    let mut seen = 0u64;
    // An empty chunk behind the last one is the place to notice a body that is too short.
    let chunks = body
        .chunks
        .map_ok(Some)
        .chain(stream::once(future::ready(Ok(None))));
    let chunks = chunks.map(move |chunk| match chunk {
        Ok(Some(chunk)) => {
            seen += chunk.len() as u64;
            if seen > len {
                return Err(passing.set(ObjectError::WrongLength {
                    expected: len,
                    actual: seen,
                }));
            }
            Ok(chunk)
        }
        Ok(None) if seen == len => Ok(Bytes::new()),
        Ok(None) => Err(ending.set(ObjectError::WrongLength {
            expected: len,
            actual: seen,
        })),
        Err(error) => Err(ending.set(ObjectError::Body(error.into()))),
    });
    let chunks = chunks.try_filter(|chunk| future::ready(!chunk.is_empty()));
    (
        ByteStream {
            chunks: Box::pin(chunks),
            len: Some(len),
        },
        failure,
    )
}

/// A body cut in pieces of one size, but for the last.
pub struct Pieces {
    body: Body,
    left: Bytes,
    seen: u64,
}

impl Pieces {
    /// The pieces of `body`.
    pub fn of(body: Body) -> Self {
        Self {
            body,
            left: Bytes::new(),
            seen: 0,
        }
    }

    /// At most `size` bytes; fewer, and then none, at the body's end.
    pub async fn next(&mut self, size: usize) -> Result<Bytes, ObjectError> {
        let mut piece = BytesMut::new();
        loop {
            let taken = self.left.len().min(size - piece.len());
            piece.extend_from_slice(&self.left.split_to(taken));
            if piece.len() == size {
                break;
            }
            match self
                .body
                .chunks
                .try_next()
                .await
                .map_err(|e| ObjectError::Body(e.into()))?
            {
                Some(chunk) => self.left = chunk,
                None => {
                    self.seen += piece.len() as u64;
                    self.check_end()?;
                    return Ok(piece.freeze());
                }
            }
        }
        self.seen += piece.len() as u64;
        Ok(piece.freeze())
    }

    fn check_end(&self) -> Result<(), ObjectError> {
        match self.body.len.filter(|len| *len != self.seen) {
            Some(expected) => Err(ObjectError::WrongLength {
                expected,
                actual: self.seen,
            }),
            None => Ok(()),
        }
    }
}
