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

    /// The index as a crash may leave it: without all that was written since the last sync.
    pub fn crashed(&self) -> Self {
        let synced = self.0.lock().synced.clone();
        Self(Mutex::new(State {
            rows: synced.clone(),
            synced,
        }))
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
        let rows = Arc::make_mut(&mut state.rows);
        for (key, value) in batch {
            match value {
                Some(value) => drop(rows.insert(key, value)),
                None => drop(rows.remove(&key[..])),
            }
        }
        Ok(())
    }

    fn sync(&self) -> Result<(), Error> {
        let mut state = self.0.lock();
        state.synced = state.rows.clone();
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
