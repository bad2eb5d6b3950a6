//! A bound on what goes on at once, and on what waits for it.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{ObjectError, limits::WAITING_MAX};

/// Lets so many in at once; some more may wait.
pub struct Gate {
    inside: Arc<Semaphore>,
    waiting: Semaphore,
}

/// The right to be inside, until it is dropped.
pub type Permit = OwnedSemaphorePermit;

impl Gate {
    /// A gate that lets `inside` in.
    pub fn new(inside: usize) -> Self {
        Self {
            inside: Arc::new(Semaphore::new(inside)),
            waiting: Semaphore::new(WAITING_MAX),
        }
    }

    /// Enters, waits to enter, or is `Busy` when too many wait already.
    pub async fn enter(&self) -> Result<Permit, ObjectError> {
        let _waiting = self.waiting.try_acquire().map_err(|_| ObjectError::Busy)?;
        Ok(self
            .inside
            .clone()
            .acquire_owned()
            .await
            .expect("the semaphore is never closed"))
    }
}

#[cfg(test)]
mod tests {
    use futures_util::{FutureExt, future::join_all};

    use super::*;

    #[tokio::test]
    async fn those_beyond_the_waiting_ones_are_refused() {
        let gate = Gate::new(1);
        let first = gate.enter().await.unwrap();
        let mut waiting: Vec<_> = (0..WAITING_MAX).map(|_| Box::pin(gate.enter())).collect();
        assert!(join_all(waiting.iter_mut()).now_or_never().is_none());
        assert!(matches!(gate.enter().await, Err(ObjectError::Busy)));
        drop(first);
        assert!(waiting.remove(0).await.is_ok());
    }
}
