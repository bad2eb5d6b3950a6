//! Connections that rest beside those that work: each made one small call.

use std::sync::Arc;

use serde::Serialize;

use crate::{
    bench::{
        connection::Connection,
        read::{Cursor, Reading},
        together,
    },
    limits::BENCH_CONNECTING_MAX,
};

/// Connections that are open and rest.
pub struct Idle {
    opened: Vec<Connection>,
    failed: usize,
}

/// The count of such connections.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct IdleCount {
    /// Connections that were opened.
    pub opened: usize,
    /// Connections that could not be.
    pub failed: usize,
    /// Those that were still open at the end of the run.
    pub open_at_end: usize,
}

impl Idle {
    /// Opens so many, some at a time, and has each ask for the shard's iterator.
    pub async fn open(reading: &Arc<Reading>, shard: &str, count: usize) -> Self {
        let workers = count.min(BENCH_CONNECTING_MAX);
        let shares = (0..workers).map(|worker| {
            let (reading, shard) = (reading.clone(), shard.to_owned());
            let share = (worker..count).step_by(workers).len();
            async move {
                let mut opened = Vec::with_capacity(share);
                for _ in 0..share {
                    let mut connection = Connection::new(reading.endpoint.clone());
                    let call = Cursor::new(reading.clone(), &shard, "LATEST")
                        .place(&mut connection)
                        .await;
                    opened.extend(call.is_ok().then_some(connection));
                }
                opened
            }
        });
        let opened: Vec<_> = together(&reading.endpoint.env, shares)
            .await
            .into_iter()
            .flatten()
            .collect();
        Self {
            failed: count - opened.len(),
            opened,
        }
    }

    /// Counts those that are still open, and closes them.
    pub fn close(mut self) -> IdleCount {
        let open_at_end = self
            .opened
            .iter_mut()
            .map(Connection::is_open)
            .filter(|open| *open)
            .count();
        IdleCount {
            opened: self.opened.len(),
            failed: self.failed,
            open_at_end,
        }
    }
}
