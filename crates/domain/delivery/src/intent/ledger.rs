//! The notes that an execution writes down before it writes anything else: the names that are known only once it has
//! looked at the records.

use headwater_catalog::Versioned;

use super::{error::ExecuteError, plan::Intent, progress::Progress, store::Store};
use crate::ports::Objects;

/// The intent that is carried out, as the catalog has it.
pub struct Ledger<'a> {
    store: &'a Store,
    objects: &'a dyn Objects,
    /// The delivery stream's id.
    id: &'a str,
    progress: Versioned<Progress>,
}

impl<'a> Ledger<'a> {
    /// The ledger of the stream `id`.
    pub fn new(
        store: &'a Store,
        objects: &'a dyn Objects,
        id: &'a str,
        progress: Versioned<Progress>,
    ) -> Self {
        Self {
            store,
            objects,
            id,
            progress,
        }
    }

    /// The progress as it is now.
    pub fn into_progress(self) -> Versioned<Progress> {
        self.progress
    }

    /// Writes down the names of all partitions that are about to be written. Those that an earlier execution wrote
    /// down, and this one has not, are removed first: so the list never has more than one execution's.
    pub async fn list(&mut self, keys: &[String]) -> Result<(), ExecuteError> {
        let Some(intent) = self.progress.value.intent.clone() else {
            return Ok(());
        };
        for stale in intent.partitions.iter().filter(|key| !keys.contains(key)) {
            self.objects.delete(&intent.bucket, stale).await?;
        }
        let partitions = keys.to_vec();
        if partitions == intent.partitions {
            return Ok(());
        }
        let next = Progress {
            intent: Some(Intent {
                partitions,
                ..intent
            }),
            ..self.progress.value.clone()
        };
        self.progress = self
            .store
            .advance(self.id, next, self.progress.version)
            .await?;
        Ok(())
    }
}
