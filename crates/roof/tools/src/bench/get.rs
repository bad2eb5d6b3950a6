//! Reading the same records again and again.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

use crate::bench::{
    connection::Connection,
    meter::{Meter, Window},
    read::{Cursor, ReadCounts, Reading},
    together,
};

/// The result of reading.
#[derive(Debug, Default)]
pub struct GetResult {
    /// The calls that ended in the window.
    pub meter: Meter,
    /// Passes through a shard.
    pub passes: u64,
    /// Those that found something else than the pass before.
    pub wrong_passes: u64,
}

/// Reads shards from start to tip, over that many connections, until the window's end; `held` is what each holds.
pub async fn get_all(
    reading: &Arc<Reading>,
    held: Vec<(String, ReadCounts)>,
    connections: usize,
    window: Window,
) -> GetResult {
    let turn = Arc::new(AtomicUsize::new(0));
    // Empty shards would be asked in vain.
    let held: Vec<_> = held
        .into_iter()
        .filter(|(_, seen)| seen.tally.records + seen.foreign > 0)
        .collect();
    let shards: Arc<[String]> = held.iter().map(|(shard, _)| shard.clone()).collect();
    let held: Arc<HashMap<String, ReadCounts>> = Arc::new(held.into_iter().collect());
    let workers = (0..connections).map(|_| {
        let getter = Getter {
            reading: reading.clone(),
            held: held.clone(),
            window,
            got: GetResult::default(),
        };
        getter.run(shards.clone(), turn.clone())
    });
    let mut all = GetResult::default();
    for got in together(&reading.endpoint.env, workers).await {
        all.meter.merge(&got.meter);
        all.passes += got.passes;
        all.wrong_passes += got.wrong_passes;
    }
    all
}

/// One connection's work.
struct Getter {
    reading: Arc<Reading>,
    held: Arc<HashMap<String, ReadCounts>>,
    window: Window,
    got: GetResult,
}

impl Getter {
    async fn run(mut self, shards: Arc<[String]>, turn: Arc<AtomicUsize>) -> GetResult {
        let mut connection = Connection::new(self.reading.endpoint.clone());
        while !shards.is_empty() && self.reading.endpoint.env.clock.elapsed() < self.window.to {
            let shard = &shards[turn.fetch_add(1, Relaxed) % shards.len()];
            let mut cursor = Cursor::new(self.reading.clone(), shard, "TRIM_HORIZON");
            match cursor
                .read_to_tip(&mut connection, &mut self.got.meter, self.window)
                .await
            {
                Ok(true) => {
                    self.got.passes += 1;
                    self.got.wrong_passes += u64::from(self.held.get(shard) != Some(&cursor.seen));
                }
                Ok(false) => {}
                Err(_) => break,
            }
        }
        self.got
    }
}
