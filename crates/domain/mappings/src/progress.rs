//! How far a mapping is in a shard.

use headwater_catalog::{CatalogError, Expect, Version, Versioned};
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

use crate::{record::Store, window::Window};

/// How far a mapping is in one shard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Progress {
    /// The next offset of each lane: what is before it and in the lane is done.
    pub lanes: Vec<u64>,
    /// The window that is open, where the mapping has windows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<Window>,
}

impl Progress {
    /// A shard of which nothing before `next` is wanted.
    pub fn at(next: u64) -> Self {
        Self {
            lanes: vec![next],
            window: None,
        }
    }

    /// The same for another number of lanes, where all are at one place and no window is open. Until then the old lanes
    /// stay: what some have done and others have not would be done again.
    fn in_lanes(mut self, lanes: usize) -> Self {
        let first = self.lanes.first().copied().unwrap_or(0);
        let is_level = self.window.is_none() && self.lanes.iter().all(|at| *at == first);
        if self.lanes.len() != lanes && is_level {
            self.lanes = vec![first; lanes];
        }
        self
    }
}

/// The lanes that a shard has now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Layout {
    /// How many there are.
    pub lanes: u32,
    /// Where they end, to be level, because another number of lanes is wanted.
    pub until: Option<u64>,
}

/// The progress of one shard, which its lanes share.
pub(crate) struct ShardProgress {
    name: String,
    kept: Mutex<Versioned<Progress>>,
}

impl ShardProgress {
    /// The progress of a shard as it is kept, for so many lanes.
    pub async fn open(
        store: &Store,
        mapping: &str,
        shard: &str,
        lanes: usize,
    ) -> Result<Self, CatalogError> {
        let name = format!("{mapping}/{shard}");
        let found = store.progress.get(&name).await?;
        let kept = found.as_ref().map(|found| found.value.clone());
        let value = kept.unwrap_or_else(|| Progress::at(0)).in_lanes(lanes);
        let expect = match &found {
            Some(found) => Expect::At(found.version),
            None => Expect::Absent,
        };
        let version = match found {
            Some(found) if found.value == value => found.version,
            // No row may be left of a mapping that is being deleted.
            _ => {
                let is_there = store.mappings.check(mapping, Expect::Present);
                let put = store.progress.put(&name, &value, expect);
                store.catalog.commit(vec![is_there, put]).await?
            }
        };
        let kept = Mutex::new(at_rest(value, version));
        Ok(Self { name, kept })
    }

    /// The lanes, where `wanted` are to be.
    pub async fn layout(&self, wanted: u32) -> Layout {
        let kept = self.kept.lock().await;
        let at = &kept.value.lanes;
        let lanes = u32::try_from(at.len()).unwrap_or(u32::MAX);
        let until = (lanes != wanted).then(|| at.iter().max().copied().unwrap_or(0));
        Layout { lanes, until }
    }

    /// The next offset of a lane, and the window that is open.
    pub async fn of(&self, lane: usize) -> (u64, Option<Window>) {
        let kept = self.kept.lock().await;
        let next = kept.value.lanes.get(lane).copied().unwrap_or(0);
        (next, kept.value.window.clone())
    }

    /// A window with its state, wherever that is.
    pub async fn whole(&self, store: &Store, window: Window) -> Result<Window, CatalogError> {
        if !window.is_at_rest() {
            return Ok(window);
        }
        let found = store.progress.get(&self.name).await?;
        let kept = found.and_then(|found| found.value.window);
        let same = kept.filter(|kept| kept.start == window.start && !kept.is_at_rest());
        same.ok_or_else(|| CatalogError::Damaged {
            key: self.name.clone(),
            what: "the state of its window is gone".to_owned(),
        })
    }

    /// Moves a lane to `next`, with the window that is open then. Durable when it returns.
    pub async fn advance(
        &self,
        store: &Store,
        lane: usize,
        next: u64,
        window: Option<Window>,
    ) -> Result<(), CatalogError> {
        let window = match window {
            Some(window) => Some(self.whole(store, window).await?),
            None => None,
        };
        let mut kept = self.kept.lock().await;
        let mut value = kept.value.clone();
        value.window = window;
        if let Some(at) = value.lanes.get_mut(lane) {
            *at = next.max(*at);
        }
        let expect = Expect::At(kept.version);
        let error = match store.progress.write(&self.name, &value, expect).await {
            Ok(version) => {
                *kept = at_rest(value, version);
                return Ok(());
            }
            Err(error) => error,
        };
        // A write that failed may have been made all the same, and then the version known here would never be right again.
        let Some(found) = store.progress.get(&self.name).await? else {
            return Err(error);
        };
        let is_made = found.value == value;
        *kept = at_rest(found.value, found.version);
        if is_made { Ok(()) } else { Err(error) }
    }
}

/// Progress as it is kept in memory.
fn at_rest(value: Progress, version: Version) -> Versioned<Progress> {
    let value = Progress {
        window: value.window.map(Window::at_rest),
        ..value
    };
    Versioned { value, version }
}
