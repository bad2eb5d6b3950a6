//! The files there are, as the catalog lists them and as they are open.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use headwater_env::Env;
use headwater_types::Millis;
use serde::{Deserialize, Serialize};

use crate::{
    Error,
    file::{FileRecord, PointFile},
    recent::Level,
};

/// What the catalog has: what is folded, and the files that it is in. It changes as one.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct Manifest {
    /// The first offset of the journal that is not folded.
    pub position: u64,
    /// The time of the last record that is: what came before that is needed no more.
    pub floor: Millis,
    /// The last minute of the server's own that is folded.
    pub last_minute: Option<Millis>,
    /// The number that no file has had yet.
    pub next_number: u64,
    /// The number of the file of names.
    pub names: Option<u64>,
    /// The files of points. Those of one part of time are in the order in which their points were put.
    pub files: Vec<FileRecord>,
}

/// The files, open.
#[derive(Default)]
pub(crate) struct Files {
    pub manifest: Manifest,
    open: BTreeMap<u64, Arc<PointFile>>,
}

impl Files {
    /// Opens the files of a manifest, but for those that `before` has open. Blocks.
    pub fn open(env: &Env, dir: &Path, manifest: Manifest, before: &Self) -> Result<Self, Error> {
        let mut open = BTreeMap::new();
        for record in &manifest.files {
            let file = match before.open.get(&record.number) {
                Some(file) => file.clone(),
                None => PointFile::open(env, dir, *record)?,
            };
            open.insert(record.number, file);
        }
        Ok(Self { manifest, open })
    }

    /// The files that may have points of these seconds, in the order of the manifest.
    pub fn within(&self, from: u64, to: u64) -> Vec<Arc<PointFile>> {
        let has =
            |record: &&FileRecord| record.from < to && record.from + record.level.window() > from;
        self.in_order(self.manifest.files.iter().filter(has))
    }

    /// The files of these records.
    pub fn in_order<'a>(
        &self,
        records: impl Iterator<Item = &'a FileRecord>,
    ) -> Vec<Arc<PointFile>> {
        records
            .filter_map(|record| self.open.get(&record.number).cloned())
            .collect()
    }
}

/// What is to be done next with files.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Job {
    /// Nobody may ask for them any more.
    Drop(Vec<FileRecord>),
    /// They become one, of a level and a part of time.
    Merge(Vec<FileRecord>, Level, u64),
}

impl Manifest {
    /// What is to be done next. One thing after the other leads to an end.
    pub fn job(&self, now: Millis, files_a_window: usize) -> Option<Job> {
        let mut windows: BTreeMap<(Level, u64), Vec<FileRecord>> = BTreeMap::new();
        for file in &self.files {
            windows
                .entry((file.level, file.from))
                .or_default()
                .push(*file);
        }
        windows.into_iter().find_map(|((level, from), files)| {
            let end = from + level.window() + level.kept_for();
            match (end <= now.seconds(), level.next()) {
                (true, Some(next)) => Some(Job::Merge(files, next, next.window_of(from))),
                (true, None) => Some(Job::Drop(files)),
                (false, _) if files.len() > files_a_window => {
                    Some(Job::Merge(newest_alike(&files), level, from))
                }
                (false, _) => None,
            }
        })
    }

    /// The manifest with one file, if any, in place of others.
    pub fn replaced(&self, files: &[FileRecord], by: Option<FileRecord>) -> Self {
        let mut manifest = self.clone();
        manifest.files.retain(|file| !files.contains(file));
        manifest.files.extend(by);
        manifest
    }
}

/// The newest files, as far as each is not much larger than those behind it together: so a point is written anew a few
/// times and not with each merge. At least two.
fn newest_alike(files: &[FileRecord]) -> Vec<FileRecord> {
    let mut bytes = 0;
    let mut from = files.len();
    for (number, file) in files.iter().enumerate().rev() {
        if files.len() - from >= 2 && file.bytes > 2 * bytes {
            break;
        }
        bytes += file.bytes;
        from = number;
    }
    files[from..].to_vec()
}

const HOUR: u64 = 3600;
const DAY: u64 = 24 * HOUR;

impl Level {
    /// The seconds that one file's part of time has.
    pub const fn window(self) -> u64 {
        match self {
            Self::Second => HOUR,
            Self::Minute | Self::FiveMinutes => DAY,
            Self::Hour => 32 * DAY,
        }
    }

    /// The beginning of the part of time that a second is in.
    pub const fn window_of(self, at: u64) -> u64 {
        at / self.window() * self.window()
    }

    /// After how many seconds a part of time is summed up to the next level.
    const fn kept_for(self) -> u64 {
        match self {
            Self::Second => 3 * HOUR,
            Self::Minute => 15 * DAY,
            Self::FiveMinutes => 63 * DAY,
            Self::Hour => 455 * DAY,
        }
    }

    const fn next(self) -> Option<Self> {
        match self {
            Self::Second => Some(Self::Minute),
            Self::Minute => Some(Self::FiveMinutes),
            Self::FiveMinutes => Some(Self::Hour),
            Self::Hour => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(number: u64, level: Level, from: u64, bytes: u64) -> FileRecord {
        FileRecord {
            number,
            level,
            from,
            bytes,
            points: 1,
        }
    }

    #[test]
    fn what_is_small_is_merged_and_what_is_large_left_alone() {
        let bytes = [1000, 90, 60, 30, 30];
        let files: Vec<_> = (0..)
            .zip(bytes)
            .map(|(n, bytes)| file(n, Level::Minute, 0, bytes))
            .collect();
        assert_eq!(newest_alike(&files), files[1..]);
        let two = [file(0, Level::Minute, 0, 900), file(1, Level::Minute, 0, 1)];
        assert_eq!(newest_alike(&two), two);
    }

    #[test]
    fn what_is_old_goes_from_level_to_level_and_then_away() {
        let now = |seconds: u64| Millis(seconds * 1000);
        let mut manifest = Manifest {
            files: vec![file(0, Level::Second, DAY, 1)],
            ..Manifest::default()
        };
        assert_eq!(manifest.job(now(DAY + 4 * HOUR - 1), 8), None);
        for (end, level, next, from) in [
            (DAY + 4 * HOUR, Level::Second, Level::Minute, DAY),
            (17 * DAY, Level::Minute, Level::FiveMinutes, DAY),
            (65 * DAY, Level::FiveMinutes, Level::Hour, 0),
        ] {
            let one = file(0, level, DAY, 1);
            manifest.files = vec![one];
            assert_eq!(manifest.job(now(end - 1), 8), None);
            assert_eq!(
                manifest.job(now(end), 8),
                Some(Job::Merge(vec![one], next, from))
            );
        }
        let one = file(0, Level::Hour, 0, 1);
        manifest.files = vec![one];
        assert_eq!(manifest.job(now(487 * DAY - 1), 8), None);
        assert_eq!(manifest.job(now(487 * DAY), 8), Some(Job::Drop(vec![one])));
    }

    #[test]
    fn many_files_of_one_part_of_time_become_fewer() {
        let manifest = Manifest {
            files: (0..9)
                .map(|number| file(number, Level::Minute, 0, 10))
                .collect(),
            ..Manifest::default()
        };
        let job = manifest.job(Millis(0), 8);
        assert_eq!(
            job,
            Some(Job::Merge(manifest.files.clone(), Level::Minute, 0))
        );
        let one = file(9, Level::Minute, 0, 90);
        assert_eq!(manifest.replaced(&manifest.files, Some(one)).files, [one]);
    }
}
