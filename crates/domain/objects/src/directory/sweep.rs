//! Removing the blobs that a crash left without a name.

use super::Store;
use crate::{ObjectError, blob::BlobId, limits::SWEEP_PAGE};

impl Store {
    /// Removes blobs of earlier runs that nothing names; how many. Blobs of this run are left alone: a put may be
    /// about to name them.
    pub(super) async fn sweep(&self) -> Result<usize, ObjectError> {
        let mut removed = 0;
        for folder in 0..=u8::MAX {
            let mut unnamed = self.blobs.of_earlier_runs(folder).await?;
            if unnamed.is_empty() {
                continue;
            }
            self.leave_out_named(folder, &mut unnamed).await?;
            removed += unnamed.len();
            self.blobs.remove(unnamed).await;
        }
        Ok(removed)
    }

    /// Takes those out of `blobs`, which are in order, that the catalog names.
    async fn leave_out_named(
        &self,
        folder: u8,
        blobs: &mut Vec<BlobId>,
    ) -> Result<(), ObjectError> {
        let start = format!("{folder:02x}");
        let mut after: Option<String> = None;
        loop {
            let rows = self
                .tables
                .blobs
                .scan(&start, after.as_deref(), SWEEP_PAGE)
                .await?;
            let names: Vec<_> = rows
                .iter()
                .filter_map(|(name, _)| BlobId::parse(name))
                .collect();
            blobs.retain(|blob| names.binary_search(blob).is_err());
            match rows.last() {
                Some((name, _)) if rows.len() == SWEEP_PAGE => after = Some(name.clone()),
                _ => return Ok(()),
            }
        }
    }
}
