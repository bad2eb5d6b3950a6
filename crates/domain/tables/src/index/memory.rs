//! An index in memory, for tests: it can lose what was not synced.

use std::{
    collections::BTreeMap,
    ops::Bound::{Excluded, Included},
    sync::Arc,
};

use bytes::Bytes;
use parking_lot::Mutex;

use super::{Batch, Index, Lookup, Rows, Span, View};
use crate::Error;

pub(super) type Map = Arc<BTreeMap<Bytes, Bytes>>;

/// Rows that are gone with the process.
#[derive(Default)]
pub struct MemoryIndex(Mutex<State>);

#[derive(Default)]
struct State {
    rows: Map,
    synced: Map,
    /// What was written since.
    unsynced: Vec<Batch>,
}

impl State {
    fn write(&mut self, batch: Batch) {
        let rows = Arc::make_mut(&mut self.rows);
        for (key, value) in batch {
            match value {
                Some(value) => drop(rows.insert(key, value)),
                None => drop(rows.remove(&key[..])),
            }
        }
    }

    fn sync(&mut self) {
        self.synced = self.rows.clone();
        self.unsynced.clear();
    }
}

impl MemoryIndex {
    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.0.lock().rows.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many batches were written since the last sync.
    pub fn unsynced(&self) -> usize {
        self.0.lock().unsynced.len()
    }

    /// The index as a crash may leave it: without all that was written since the last sync.
    pub fn crashed(&self) -> Self {
        self.crashed_behind(0)
    }

    /// The same, with the first so many of the batches that were written since.
    pub fn crashed_behind(&self, batches: usize) -> Self {
        let state = self.0.lock();
        let mut left = State {
            rows: state.synced.clone(),
            ..State::default()
        };
        let kept = state.unsynced.iter().take(batches);
        kept.for_each(|batch| left.write(batch.clone()));
        left.sync();
        Self(Mutex::new(left))
    }
}

impl Lookup for MemoryIndex {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, Error> {
        self.0.lock().rows.get(key)
    }
}

impl Index for MemoryIndex {
    fn view(&self) -> Box<dyn View> {
        Box::new(self.0.lock().rows.clone())
    }

    fn write(&self, batch: Batch) -> Result<(), Error> {
        let mut state = self.0.lock();
        state.unsynced.push(batch.clone());
        state.write(batch);
        Ok(())
    }

    fn sync(&self) -> Result<(), Error> {
        self.0.lock().sync();
        Ok(())
    }
}

impl Lookup for Map {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, Error> {
        Ok(BTreeMap::get(self, key).cloned())
    }
}

impl View for Map {
    fn range(&self, span: &Span, descending: bool) -> Rows<'_> {
        if span.is_empty() {
            return Box::new(std::iter::empty());
        }
        let bounds = (Included(&span.from[..]), Excluded(&span.to[..]));
        let rows = BTreeMap::range::<[u8], _>(self, bounds);
        let rows = rows.map(|(key, value)| Ok((key.clone(), value.clone())));
        match descending {
            true => Box::new(rows.rev()),
            false => Box::new(rows),
        }
    }
}
