//! Data that readers are in the middle of: it is removed when the last of them is done.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard},
};

use crate::blob::{BlobFiles, BlobId};

/// The data of objects being read, by the data's name.
pub struct Pins {
    blobs: BlobFiles,
    pinned: Mutex<HashMap<String, Pinned>>,
}

#[derive(Default)]
struct Pinned {
    readers: usize,
    /// The blobs to remove after the last reader.
    retired: Vec<BlobId>,
}

/// Keeps data from being removed, until it is dropped.
pub struct Pin {
    pins: Arc<Pins>,
    data: String,
}

impl Pins {
    /// No pins.
    pub fn new(blobs: BlobFiles) -> Self {
        Self {
            blobs,
            pinned: Mutex::default(),
        }
    }

    /// Keeps the data named `data`.
    pub fn pin(self: &Arc<Self>, data: &str) -> Pin {
        self.lock().entry(data.to_owned()).or_default().readers += 1;
        Pin {
            pins: self.clone(),
            data: data.to_owned(),
        }
    }

    /// Removes the `blobs` of the data named `data`, which nothing in the catalog names any more: now, or when its
    /// last reader is done.
    pub async fn retire(&self, data: &str, blobs: Vec<BlobId>) {
        if let Some(pinned) = self.lock().get_mut(data) {
            pinned.retired.extend(blobs);
            return;
        }
        self.blobs.remove(blobs).await;
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Pinned>> {
        self.pinned.lock().expect("no holder panics")
    }
}

impl Drop for Pin {
    fn drop(&mut self) {
        let mut pinned = self.pins.lock();
        let readers = &mut pinned
            .get_mut(&self.data)
            .expect("a pin is counted")
            .readers;
        *readers -= 1;
        if *readers == 0 {
            let last = pinned.remove(&self.data).expect("it was just there");
            self.pins.blobs.remove_later(last.retired);
        }
    }
}
