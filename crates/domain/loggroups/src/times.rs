//! The newest times of streams, on their way to the catalog: written a little later, many at once.

use std::collections::HashMap;

use headwater_catalog::{Catalog, CatalogError, Expect, Table};
use parking_lot::Mutex;
use std::sync::Arc;

use crate::{
    limits,
    records::{Stream, Times},
};

/// Times that are newer than the catalog's.
pub(crate) struct NewTimes {
    catalog: Arc<dyn Catalog>,
    streams: Table<Stream>,
    waiting: Mutex<HashMap<String, Times>>,
}

impl NewTimes {
    pub fn new(catalog: Arc<dyn Catalog>, streams: Table<Stream>) -> Self {
        Self {
            catalog,
            streams,
            waiting: Mutex::default(),
        }
    }

    /// Notes the times of events that were appended; whether it is time to write.
    pub fn note(&self, key: String, times: Times) -> bool {
        let mut waiting = self.waiting.lock();
        waiting
            .entry(key)
            .and_modify(|known| *known = known.and(times))
            .or_insert(times);
        waiting.len() >= limits::TIMES_WAITING_MAX
    }

    /// Brings a stream as it is kept up to date.
    pub fn refresh(&self, key: &str, stream: &mut Stream) {
        if let Some(newer) = self.waiting.lock().get(key) {
            stream.times = Some(stream.times.map_or(*newer, |known| known.and(*newer)));
        }
    }

    /// Forgets a stream that is deleted.
    pub fn forget(&self, key: &str) {
        self.waiting.lock().remove(key);
    }

    /// Writes the times that wait. A stream that another change came to first is left for the next time.
    pub async fn write(&self) -> Result<(), CatalogError> {
        let waiting: Vec<String> = self.waiting.lock().keys().cloned().collect();
        for key in waiting {
            let Some(found) = self.streams.get(&key).await? else {
                self.forget(&key);
                continue;
            };
            let Some(times) = self.waiting.lock().get(&key).copied() else {
                continue;
            };
            let mut stream = found.value;
            stream.times = Some(stream.times.map_or(times, |known| known.and(times)));
            let change = self.streams.put(&key, &stream, Expect::At(found.version));
            match self.catalog.commit(vec![change]).await {
                Ok(_) => self.written(&key, times),
                Err(CatalogError::Conflict { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Forgets times that the catalog has now, unless newer ones have come.
    fn written(&self, key: &str, times: Times) {
        let mut waiting = self.waiting.lock();
        if waiting.get(key) == Some(&times) {
            waiting.remove(key);
        }
    }
}
