//! The start: the list of files, the names of series, and what the journal has beyond them.

use std::{sync::Arc, time::Duration};

use headwater_log::{ReadLimit, Retention};

use crate::{
    Error,
    file::{io_error, path_of},
    files::{Files, Manifest},
    index::Index,
    journal::Record,
    keeper::names_path,
    limits,
    metrics::{Core, JOURNAL},
    names,
};

impl Core {
    /// Finds all that is kept.
    pub(crate) async fn recover(self: &Arc<Self>) -> Result<(), Error> {
        let manifest = self.manifest().get().await?;
        let manifest = manifest.map_or_else(Manifest::default, |found| found.value);
        let core = self.clone();
        let (files, index) = self.env.blocking(move || core.find_files(manifest)).await?;
        {
            let mut state = self.state.write();
            state.position = files.manifest.position;
            state.newest = files.manifest.floor;
            state.last_minute = files.manifest.last_minute;
            state.next_number = files.manifest.next_number;
            (state.files, state.index) = (Arc::new(files), index);
        }
        self.forget_journal().await?;
        self.replay().await
    }

    /// Lets the journal forget what is folded.
    pub(crate) async fn forget_journal(&self) -> Result<(), Error> {
        const FOREVER: Duration = Duration::from_secs(365_000 * 24 * 3600);
        let retention = Retention {
            period: FOREVER,
            floor: self.state.read().files.manifest.floor,
        };
        Ok(self.log.open_shards(&[JOURNAL], retention).await?)
    }

    /// Opens the files of a list, and removes those that no list has: a crash left them. Blocks.
    fn find_files(&self, manifest: Manifest) -> Result<(Files, Index), Error> {
        let (disk, dir) = (&*self.env.disk, &self.options.dir);
        let io = |error: std::io::Error| io_error(dir, &error);
        disk.create_dir_all(dir).map_err(io)?;
        let index = match manifest.names {
            Some(number) => names::read(disk, &names_path(self, number))?,
            None => Index::default(),
        };
        let points = manifest.files.iter().map(|file| path_of(dir, file.number));
        let names = manifest.names.map(|number| names_path(self, number));
        let kept: Vec<_> = points.chain(names).collect();
        for entry in disk.list(dir).map_err(io)? {
            let path = dir.join(&entry.name);
            if !kept.contains(&path) {
                disk.remove(&path).map_err(io)?;
            }
        }
        let files = Files::open(&self.env, dir, manifest, &Files::default())?;
        Ok((files, index))
    }

    /// Reads what was put since the last fold.
    async fn replay(&self) -> Result<(), Error> {
        let limit = ReadLimit {
            records: usize::MAX,
            bytes: limits::REPLAY_BYTES,
        };
        let mut next = self.state.read().position;
        loop {
            let chunk = self.log.read(JOURNAL, next, limit).await?;
            for record in &chunk.records {
                let decoded = Record::decode(&record.value).ok_or(Error::Damaged {
                    file: "the journal of metrics".into(),
                    what: "a record is none of this version",
                })?;
                let mut state = self.state.write();
                state.apply(record.offset, record.time, &decoded);
            }
            if chunk.records.is_empty() || chunk.next >= chunk.state.end {
                return Ok(());
            }
            next = chunk.next;
        }
    }
}
