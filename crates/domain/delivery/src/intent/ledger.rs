//! What an execution writes down before it writes anything else: the names that are known only once it has looked at
//! the records.

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
    /// Set when an earlier execution may have had records that this one has not: then nothing of it is removed.
    pub lost: bool,
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
            lost: false,
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
        let mut partitions = keys.to_vec();
        for stale in intent.partitions.iter().filter(|key| !keys.contains(key)) {
            match self.lost {
                true => partitions.push(stale.clone()),
                false => self.objects.delete(&intent.bucket, stale).await?,
            }
        }
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
