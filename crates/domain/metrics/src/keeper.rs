//! The keeper: folds what was put into files, merges files, sums up what is old, and drops what nobody may ask for.
//!
//! It alone writes files and the catalog's list of them, one thing after the other. A file is written and synced before
//! the list names it, and removed when the list no longer does; what a crash leaves between the two is removed at the
//! next start.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Arc, Weak},
    time::Duration,
};

use headwater_catalog::{Expect, Single};
use headwater_env::Env;
use headwater_types::kept;
use tokio::sync::oneshot;

use crate::{
    Error,
    file::{FileRecord, FileWriter, PointFile, io_error, path_of},
    files::{Files, Job, Manifest},
    index::{Known, SeriesId},
    limits,
    metrics::Core,
    names,
    recent::{Dot, Level, Recent, add_dots},
};

/// What is being folded: all that was put up to a place of the journal.
pub(crate) struct Folding {
    pub recent: Recent,
    /// The list of files as it is to be then, but for the files.
    pub manifest: Manifest,
    pub series: Vec<(SeriesId, Known)>,
}

/// Looks after files until the store is closed.
pub(crate) async fn run(core: Weak<Core>, env: Env, mut stop: oneshot::Receiver<()>) {
    let mut folded = env.clock.elapsed();
    loop {
        let Some(wanted) = core.upgrade().map(|core| core.fold_wanted.clone()) else {
            return;
        };
        tokio::select! {
            biased;
            _ = &mut stop => return,
            () = wanted.notified() => {}
            () = env.clock.sleep(limits::KEEP_EVERY) => {}
        }
        let Some(core) = core.upgrade() else { return };
        let is_due = env.clock.elapsed() - folded >= limits::FOLD_EVERY;
        if let Err(error) = core.keep(is_due).await {
            tracing::warn!(%error, "metrics could not be folded into files; it is tried again");
            core.state.write().trouble = Some(error);
            core.folded.notify_waiters();
        } else if is_due {
            folded = env.clock.elapsed();
        }
    }
}

impl Core {
    pub(crate) fn manifest(&self) -> Single<Manifest> {
        Single::new(self.catalog.clone(), kept::Single::MetricFiles)
    }

    /// One round: folds if it is time or there is much, and then does what is to be done with files.
    pub(crate) async fn keep(self: &Arc<Self>, is_due: bool) -> Result<(), Error> {
        let _one = self.keeping.lock().await;
        if is_due || self.state.read().recent.weight() >= limits::FOLD_BYTES {
            self.fold().await?;
        }
        let now = self.env.clock.now();
        loop {
            let files = self.state.read().files.clone();
            let Some(job) = files.manifest.job(now, limits::FILES_A_WINDOW) else {
                self.state.write().trouble = None;
                return Ok(());
            };
            self.work(&files, job).await?;
        }
    }

    /// Folds all that was put so far. What could not be folded before is folded first.
    pub(crate) async fn fold(self: &Arc<Self>) -> Result<(), Error> {
        let Some(folding) = self.begin_fold() else {
            return Ok(());
        };
        let (core, numbers) = (
            self.clone(),
            self.numbers(folding.recent.windows().len() + 1),
        );
        let writing = folding.clone();
        let written = self
            .env
            .blocking(move || write_fold(&core, &writing, numbers));
        let manifest = written.await?;
        let replaced = self.state.read().files.manifest.names;
        self.commit(manifest).await?;
        {
            let mut state = self.state.write();
            (state.folding, state.trouble) = (None, None);
        }
        self.folded.notify_waiters();
        self.forget_journal().await?;
        self.remove(
            replaced
                .map(|number| names_path(self, number))
                .into_iter()
                .collect(),
        )
        .await
    }

    /// What is to be folded: since a moment ago, nothing is put to it any more.
    fn begin_fold(&self) -> Option<Arc<Folding>> {
        let mut state = self.state.write();
        if state.folding.is_none() && !state.recent.is_empty() {
            let oldest = self.env.clock.now().minus(FORGOTTEN_AFTER);
            state.index.forget(oldest);
            let folding = Folding {
                recent: std::mem::take(&mut state.recent),
                manifest: Manifest {
                    position: state.position,
                    floor: state.newest,
                    last_minute: state.last_minute,
                    ..Manifest::default()
                },
                series: state.index.all(),
            };
            state.folding = Some(Arc::new(folding));
        }
        state.folding.clone()
    }

    /// The first of so many numbers that no file has.
    fn numbers(&self, count: usize) -> u64 {
        let mut state = self.state.write();
        let first = state.next_number;
        state.next_number += count as u64;
        first
    }

    /// Merges files, or drops them.
    async fn work(self: &Arc<Self>, files: &Files, job: Job) -> Result<(), Error> {
        let (old, merged) = match job {
            Job::Drop(old) => (old, None),
            Job::Merge(old, level, from) => {
                let (core, number) = (self.clone(), self.numbers(1));
                let inputs = files.in_order(old.iter());
                let merge = move || write_merged(&core, &inputs, number, level, from);
                (old, Some(self.env.blocking(merge).await?))
            }
        };
        let mut manifest = files.manifest.replaced(&old, merged);
        manifest.next_number = self.state.read().next_number;
        self.commit(manifest).await?;
        let paths = old
            .iter()
            .map(|file| path_of(&self.options.dir, file.number));
        self.remove(paths.collect()).await
    }

    /// Makes a list of files the one that holds.
    async fn commit(self: &Arc<Self>, manifest: Manifest) -> Result<(), Error> {
        let (core, opening) = (self.clone(), manifest.clone());
        let open = move || {
            let before = core.state.read().files.clone();
            Files::open(&core.env, &core.options.dir, opening, &before)
        };
        let files = self.env.blocking(open).await?;
        self.manifest().write(&manifest, Expect::Any).await?;
        self.state.write().files = Arc::new(files);
        Ok(())
    }

    async fn remove(&self, paths: Vec<PathBuf>) -> Result<(), Error> {
        let disk = self.env.disk.clone();
        let remove = move || {
            paths.iter().try_for_each(|path| match disk.remove(path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    Err(io_error(path, &error))
                }
                _ => Ok(()),
            })
        };
        self.env.blocking(remove).await
    }
}

/// A series is forgotten so long after its last datum: when its last points are dropped.
const FORGOTTEN_AFTER: Duration = Duration::from_secs((455 + 32) * 24 * 3600);

pub(crate) fn names_path(core: &Core, number: u64) -> PathBuf {
    core.options.dir.join(format!("{number:016x}.names"))
}

/// Writes what is folded; the list of files with it. Blocks.
fn write_fold(core: &Core, folding: &Folding, first_number: u64) -> Result<Manifest, Error> {
    let (disk, dir) = (&*core.env.disk, &core.options.dir);
    let before = core.state.read().files.clone();
    let mut manifest = Manifest {
        files: before.manifest.files.clone(),
        names: Some(first_number),
        ..folding.manifest.clone()
    };
    names::write(disk, &names_path(core, first_number), &folding.series)?;
    let mut number = first_number;
    for ((level, from), mut runs) in folding.recent.windows() {
        number += 1;
        runs.sort_by_key(|run| run.0);
        let mut writer = FileWriter::new(disk, dir, number, level, from)?;
        for (series, dots) in runs {
            writer.add(series, dots)?;
        }
        manifest.files.push(writer.end()?);
    }
    manifest.next_number = number + 1;
    let synced = disk.sync_dir(dir);
    synced.map_err(|error| io_error(dir, &error))?;
    Ok(manifest)
}

/// Writes the points of files as one file, summed up to its level. Blocks.
fn write_merged(
    core: &Core,
    inputs: &[Arc<PointFile>],
    number: u64,
    level: Level,
    from: u64,
) -> Result<FileRecord, Error> {
    let (disk, dir) = (&*core.env.disk, &core.options.dir);
    let mut scans = Vec::new();
    for input in inputs {
        scans.push(input.scan()?);
    }
    let mut writer = FileWriter::new(disk, dir, number, level, from)?;
    loop {
        let mut next: Option<SeriesId> = None;
        for scan in &mut scans {
            next = [next, scan.peek()?].into_iter().flatten().min();
        }
        let Some(series) = next else { break };
        let mut dots: BTreeMap<u64, Dot> = BTreeMap::new();
        for scan in &mut scans {
            add_dots(&mut dots, level, scan.take(series)?);
        }
        let dots: Vec<Dot> = dots.into_values().collect();
        writer.add(series, &dots)?;
    }
    let record = writer.end()?;
    let synced = disk.sync_dir(dir);
    synced.map_err(|error| io_error(dir, &error))?;
    Ok(record)
}
