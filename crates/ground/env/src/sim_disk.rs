//! A disk in memory that fails as real ones do: what was not synced may be lost at a crash, wholly or in part.
//!
//! Every write, sync, rename and removal is a step; a test can stop the disk at any of them, crash it, and see what a
//! reopening makes of the rest. A seed chooses what survives. Folders themselves are always durable.
//!
//! A program that calls it from an asynchronous task, where real disks would hold up all tasks of the thread, panics. A
//! test's own calls, all but those of [`Disk`], may come from anywhere.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, IoSlice},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard},
};

use rand::{RngExt, SeedableRng, rngs::StdRng};

use crate::{
    disk::{DIRECT_ALIGN, Disk, Entry, File},
    tasks::may_block,
};

/// The simulated disk; clones are the same disk.
#[derive(Clone)]
pub struct SimDisk(Arc<Mutex<World>>);

struct World {
    rng: StdRng,
    nodes: Vec<Node>,
    names: BTreeMap<PathBuf, usize>,
    /// The names as they were at the last sync of their folders.
    durable_names: BTreeMap<PathBuf, usize>,
    /// The changes of names since, in order.
    renamings: Vec<Renaming>,
    folders: BTreeSet<PathBuf>,
    locks: BTreeSet<PathBuf>,
    /// Grows with each crash: what was opened before it is dead.
    life: u64,
    steps: u64,
    syncs: u64,
    stop_at: Option<u64>,
    fail_sync: bool,
    room: Option<u64>,
}

/// A file's bytes: as programs see them, and as they would be after a crash, with what was not synced yet.
#[derive(Default)]
struct Node {
    now: Vec<u8>,
    durable: Vec<u8>,
    unsynced: Vec<Change>,
}

#[derive(Clone)]
enum Change {
    Write(u64, Vec<u8>),
    SetLen(u64),
}

enum Renaming {
    Set(PathBuf, usize),
    Move(PathBuf, PathBuf, usize),
    Gone(PathBuf),
}

impl Renaming {
    fn path(&self) -> &Path {
        let (Renaming::Set(path, _) | Renaming::Move(_, path, _) | Renaming::Gone(path)) = self;
        path
    }

    fn apply(&self, names: &mut BTreeMap<PathBuf, usize>) {
        match self {
            Renaming::Set(path, node) => drop(names.insert(path.clone(), *node)),
            Renaming::Gone(path) => drop(names.remove(path)),
            Renaming::Move(from, to, node) => {
                names.remove(from);
                names.insert(to.clone(), *node);
            }
        }
    }
}

impl SimDisk {
    /// An empty disk whose losses follow from `seed`.
    pub fn new(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(World {
            rng: StdRng::seed_from_u64(seed),
            nodes: Vec::new(),
            names: BTreeMap::new(),
            durable_names: BTreeMap::new(),
            renamings: Vec::new(),
            folders: BTreeSet::new(),
            locks: BTreeSet::new(),
            life: 0,
            steps: 0,
            syncs: 0,
            stop_at: None,
            fail_sync: false,
            room: None,
        })))
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.0.lock().expect("no holder panics")
    }

    /// The disk, for a call of the program's.
    fn called(&self) -> MutexGuard<'_, World> {
        assert!(
            may_block(),
            "the disk was called from an asynchronous task, and all tasks of its thread wait with it: use env.blocking()"
        );
        self.world()
    }

    /// The machine loses power. Synced bytes and names stay; of what was not synced some survives, by the seed: of
    /// each file any of its writes, each whole or torn, and of the names any that came before one that survives.
    /// All open files and locks are gone; the disk works again.
    pub fn crash(&self) {
        let mut world = self.world();
        let World { rng, nodes, .. } = &mut *world;
        nodes.iter_mut().for_each(|node| node.crash(rng));
        let kept = match world.renamings.len() {
            0 => 0,
            n => world.rng.random_range(0..=n),
        };
        let renamings = std::mem::take(&mut world.renamings);
        renamings[..kept]
            .iter()
            .for_each(|r| r.apply(&mut world.durable_names));
        world.names = world.durable_names.clone();
        world.locks.clear();
        world.life += 1;
        (world.stop_at, world.fail_sync, world.room) = (None, false, None);
    }

    /// How many steps (writes, syncs, cuts, changes of names) were made or tried so far.
    pub fn steps(&self) -> u64 {
        self.world().steps
    }

    /// How many syncs were made so far, of files and folders.
    pub fn syncs(&self) -> u64 {
        self.world().syncs
    }

    /// Lets everything fail from step number `step` on, counted from 0 as [`SimDisk::steps`] does. The write that it
    /// stops at may have reached the disk in part.
    pub fn stop_at(&self, step: u64) {
        self.world().stop_at = Some(step);
    }

    /// Lets the next sync fail, and only that.
    pub fn fail_next_sync(&self) {
        self.world().fail_sync = true;
    }

    /// Leaves room for `bytes` more; none is no limit. Cutting and removing files makes room.
    pub fn set_room(&self, bytes: Option<u64>) {
        let mut world = self.world();
        let used = world.used();
        world.room = bytes.map(|bytes| used + bytes);
    }

    /// The bytes of a file as programs see them now.
    pub fn contents(&self, path: &Path) -> io::Result<Vec<u8>> {
        let world = self.world();
        Ok(world.nodes[world.node(path)?].now.clone())
    }

    /// Puts other bytes into a file behind everyone's back: a rotten disk.
    pub fn corrupt(&self, path: &Path, change: impl FnOnce(&mut Vec<u8>)) -> io::Result<()> {
        let mut world = self.world();
        let node = world.node(path)?;
        let node = &mut world.nodes[node];
        change(&mut node.now);
        (node.durable, node.unsynced) = (node.now.clone(), Vec::new());
        Ok(())
    }

    fn file(&self, world: &World, node: usize) -> Box<dyn File> {
        Box::new(SimFile {
            disk: self.clone(),
            node,
            life: world.life,
            is_direct: false,
            lock: None,
        })
    }
}

impl World {
    fn node(&self, path: &Path) -> io::Result<usize> {
        self.names
            .get(path)
            .copied()
            .ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn is_stopped(&self) -> bool {
        self.stop_at.is_some_and(|at| self.steps > at)
    }

    /// Counts a step, which fails when the disk is stopped.
    fn step(&mut self) -> io::Result<()> {
        self.steps += 1;
        if self.is_stopped() {
            Err(stopped())
        } else {
            Ok(())
        }
    }

    fn check_running(&self) -> io::Result<()> {
        if self.is_stopped() {
            Err(stopped())
        } else {
            Ok(())
        }
    }

    fn used(&self) -> u64 {
        self.names
            .values()
            .map(|&node| self.nodes[node].now.len() as u64)
            .sum()
    }

    fn rename(&mut self, renaming: Renaming) {
        renaming.apply(&mut self.names);
        self.renamings.push(renaming);
    }

    fn sync(&mut self) -> io::Result<()> {
        self.step()?;
        if std::mem::take(&mut self.fail_sync) {
            return Err(io::Error::other("the simulated disk failed a sync"));
        }
        self.syncs += 1;
        Ok(())
    }

    fn write(&mut self, node: usize, offset: u64, bytes: Vec<u8>) -> io::Result<()> {
        let runs = self.step();
        let end = offset + bytes.len() as u64;
        let growth = end.saturating_sub(self.nodes[node].now.len() as u64);
        if runs.is_ok() && self.room.is_some_and(|room| self.used() + growth > room) {
            // A full disk takes what fits.
            let fits = self
                .room
                .unwrap_or(0)
                .saturating_sub(self.used() + growth - bytes.len() as u64);
            let fits = &bytes[..(fits as usize).min(bytes.len())];
            self.nodes[node].change(Change::Write(offset, fits.to_vec()));
            return Err(io::ErrorKind::StorageFull.into());
        }
        // The write that the disk stops at is as unsynced as any before it.
        if runs.is_ok() || self.steps == self.stop_at.map_or(0, |at| at + 1) {
            self.nodes[node].change(Change::Write(offset, bytes));
        }
        runs
    }
}

fn stopped() -> io::Error {
    io::Error::other("the simulated disk has stopped")
}

impl Node {
    fn change(&mut self, change: Change) {
        change.apply(&mut self.now);
        self.unsynced.push(change);
    }

    fn sync(&mut self) {
        let unsynced = std::mem::take(&mut self.unsynced);
        unsynced
            .iter()
            .for_each(|change| change.apply(&mut self.durable));
    }

    fn crash(&mut self, rng: &mut StdRng) {
        let unsynced = std::mem::take(&mut self.unsynced);
        // All, nothing, a prefix, or any: extremes are likely, since they find most.
        let (kept, torn) = match rng.random_range(0..4) {
            0 => (0.0, 0.0),
            1 => (1.0, 0.0),
            2 => (1.0, 1.0),
            _ => (0.5, 0.5),
        };
        for change in unsynced.iter() {
            if !rng.random_bool(kept) {
                continue;
            }
            match change {
                Change::Write(offset, bytes) if rng.random_bool(torn) => {
                    tear(*offset, bytes, rng)
                        .iter()
                        .for_each(|part| part.apply(&mut self.durable));
                }
                whole => whole.apply(&mut self.durable),
            }
        }
        self.now = self.durable.clone();
    }
}

/// The rest of a write that was under way: its beginning, or any of its sectors.
fn tear(offset: u64, bytes: &[u8], rng: &mut StdRng) -> Vec<Change> {
    const SECTOR: usize = 512;
    if rng.random_bool(0.5) {
        let len = rng.random_range(0..=bytes.len());
        return vec![Change::Write(offset, bytes[..len].to_vec())];
    }
    let sectors = bytes
        .chunks(SECTOR)
        .enumerate()
        .filter(|_| rng.random_bool(0.5));
    sectors
        .map(|(i, sector)| Change::Write(offset + (i * SECTOR) as u64, sector.to_vec()))
        .collect()
}

impl Change {
    fn apply(&self, bytes: &mut Vec<u8>) {
        match self {
            Change::SetLen(len) => bytes.resize(*len as usize, 0),
            Change::Write(offset, new) => {
                let (from, to) = (*offset as usize, *offset as usize + new.len());
                if bytes.len() < to {
                    bytes.resize(to, 0);
                }
                bytes[from..to].copy_from_slice(new);
            }
        }
    }
}

impl Disk for SimDisk {
    fn create(&self, path: &Path) -> io::Result<Box<dyn File>> {
        let mut world = self.called();
        world.step()?;
        if world.names.contains_key(path) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        if !path.parent().is_some_and(|dir| world.folders.contains(dir)) {
            return Err(io::ErrorKind::NotFound.into());
        }
        let node = world.nodes.len();
        world.nodes.push(Node::default());
        world.rename(Renaming::Set(path.to_owned(), node));
        Ok(self.file(&world, node))
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn File>> {
        let world = self.called();
        world.check_running()?;
        Ok(self.file(&world, world.node(path)?))
    }

    fn open_direct(&self, path: &Path) -> io::Result<Box<dyn File>> {
        let world = self.called();
        world.check_running()?;
        let (node, life) = (world.node(path)?, world.life);
        Ok(Box::new(SimFile {
            disk: self.clone(),
            node,
            life,
            is_direct: true,
            lock: None,
        }))
    }

    fn open_read(&self, path: &Path) -> io::Result<Box<dyn File>> {
        self.open(path)
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<Entry>> {
        let world = self.called();
        world.check_running()?;
        if !world.folders.contains(dir) {
            return Err(io::ErrorKind::NotFound.into());
        }
        let name = |path: &Path| path.file_name().map(|n| n.to_string_lossy().into_owned());
        let within = |path: &Path| (path.parent() == Some(dir)).then(|| name(path)).flatten();
        let folders = world.folders.iter().filter_map(|path| {
            Some(Entry {
                name: within(path)?,
                len: 0,
                is_dir: true,
            })
        });
        let len = |node: usize| world.nodes[node].now.len() as u64;
        let files = world.names.iter();
        let files = files.filter_map(|(path, &n)| {
            Some(Entry {
                name: within(path)?,
                len: len(n),
                is_dir: false,
            })
        });
        let mut entries: Vec<_> = folders.chain(files).collect();
        entries.sort();
        Ok(entries)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut world = self.called();
        world.step()?;
        let node = world.node(from)?;
        world.rename(Renaming::Move(from.to_owned(), to.to_owned(), node));
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut world = self.called();
        world.step()?;
        world.node(path)?;
        world.rename(Renaming::Gone(path.to_owned()));
        Ok(())
    }

    fn remove_dir_all(&self, dir: &Path) -> io::Result<()> {
        let mut world = self.called();
        world.step()?;
        let within: Vec<PathBuf> = world
            .names
            .keys()
            .filter(|path| path.starts_with(dir))
            .cloned()
            .collect();
        within
            .into_iter()
            .for_each(|path| world.rename(Renaming::Gone(path)));
        world.folders.retain(|path| !path.starts_with(dir));
        Ok(())
    }

    fn create_dir_all(&self, dir: &Path) -> io::Result<()> {
        let mut world = self.called();
        world.step()?;
        world.folders.extend(dir.ancestors().map(Path::to_owned));
        Ok(())
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        let mut world = self.called();
        world.sync()?;
        let all = std::mem::take(&mut world.renamings);
        let (here, elsewhere): (Vec<_>, Vec<_>) = all
            .into_iter()
            .partition(|r| r.path().parent() == Some(dir));
        world.renamings = elsewhere;
        here.iter().for_each(|r| r.apply(&mut world.durable_names));
        Ok(())
    }

    fn free_space(&self, _dir: &Path) -> io::Result<u64> {
        let world = self.called();
        Ok(world
            .room
            .map_or(u64::MAX, |room| room.saturating_sub(world.used())))
    }

    fn lock(&self, path: &Path) -> io::Result<Box<dyn File>> {
        let mut world = self.called();
        world.check_running()?;
        if !world.locks.insert(path.to_owned()) {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        world.nodes.push(Node::default());
        let (node, life) = (world.nodes.len() - 1, world.life);
        Ok(Box::new(SimFile {
            disk: self.clone(),
            node,
            life,
            is_direct: false,
            lock: Some(path.to_owned()),
        }))
    }
}

struct SimFile {
    disk: SimDisk,
    node: usize,
    /// In which life of the disk it was opened.
    life: u64,
    /// Takes only aligned writes.
    is_direct: bool,
    lock: Option<PathBuf>,
}

impl SimFile {
    /// The disk, if the file was opened since the last crash.
    fn world(&self) -> io::Result<MutexGuard<'_, World>> {
        let world = self.disk.world();
        if world.life == self.life {
            Ok(world)
        } else {
            Err(stopped())
        }
    }
}

impl SimFile {
    /// The same, for a call of the program's.
    fn called(&self) -> io::Result<MutexGuard<'_, World>> {
        drop(self.disk.called());
        self.world()
    }
}

impl Drop for SimFile {
    fn drop(&mut self) {
        if let Some(path) = self.lock.take()
            && let Ok(mut world) = self.world()
        {
            world.locks.remove(&path);
        }
    }
}

impl File for SimFile {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let world = self.called()?;
        world.check_running()?;
        let bytes = &world.nodes[self.node].now;
        let from = (offset as usize).min(bytes.len());
        let len = buffer.len().min(bytes.len() - from);
        buffer[..len].copy_from_slice(&bytes[from..from + len]);
        Ok(len)
    }

    fn write_all_at(&self, parts: &[IoSlice<'_>], offset: u64) -> io::Result<()> {
        let is_aligned =
            |part: &IoSlice<'_>| (part.as_ptr().addr() | part.len()).is_multiple_of(DIRECT_ALIGN);
        if self.is_direct
            && !(parts.iter().all(is_aligned) && offset.is_multiple_of(DIRECT_ALIGN as u64))
        {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let bytes: Vec<u8> = parts.iter().flat_map(|part| part.iter().copied()).collect();
        self.called()?.write(self.node, offset, bytes)
    }

    fn sync(&self) -> io::Result<()> {
        let mut world = self.called()?;
        world.sync()?;
        world.nodes[self.node].sync();
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut world = self.called()?;
        world.step()?;
        world.nodes[self.node].change(Change::SetLen(len));
        Ok(())
    }

    fn allocate(&self, len: u64) -> io::Result<()> {
        let mut world = self.called()?;
        world.step()?;
        let more = len.saturating_sub(world.nodes[self.node].now.len() as u64);
        if world.room.is_some_and(|room| world.used() + more > room) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        if more > 0 {
            world.nodes[self.node].change(Change::SetLen(len));
        }
        Ok(())
    }

    fn len(&self) -> io::Result<u64> {
        let world = self.called()?;
        world.check_running()?;
        Ok(world.nodes[self.node].now.len() as u64)
    }

    fn will_read(&self, _: u64, _: u64) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    fn disk(seed: u64) -> (SimDisk, PathBuf) {
        let disk = SimDisk::new(seed);
        disk.create_dir_all(Path::new("/d")).unwrap();
        (disk, PathBuf::from("/d/file"))
    }

    fn write(file: &dyn File, bytes: &[u8], at: u64) -> io::Result<()> {
        file.write_all_at(&[IoSlice::new(bytes)], at)
    }

    #[test]
    fn what_was_synced_stays_and_the_rest_may_go() {
        let (mut lost, mut kept, mut torn) = (0, 0, 0);
        for seed in 0..100 {
            let (disk, path) = disk(seed);
            let file = disk.create(&path).unwrap();
            write(&*file, b"sure", 0).unwrap();
            file.sync().unwrap();
            disk.sync_dir(Path::new("/d")).unwrap();
            write(&*file, &[7; 2000], 4).unwrap();
            disk.crash();
            assert!(file.sync().is_err(), "a file of before the crash is dead");
            let bytes = disk.contents(&path).unwrap();
            assert!(bytes.starts_with(b"sure"));
            match bytes.iter().filter(|&&b| b == 7).count() {
                0 => lost += 1,
                2000 => kept += 1,
                _ => torn += 1,
            }
        }
        assert!(lost > 5 && kept > 5 && torn > 5, "{lost} {kept} {torn}");
    }

    #[test]
    fn a_name_is_durable_only_with_its_folder() {
        let survivals = (0..40).filter(|&seed| {
            let (disk, path) = disk(seed);
            disk.create(&path).unwrap().sync().unwrap();
            disk.crash();
            disk.contents(&path).is_ok()
        });
        let survivals = survivals.count();
        assert!((1..40).contains(&survivals), "{survivals}");
    }

    #[test]
    fn it_stops_at_the_step_that_was_asked_for_and_a_crash_lets_it_run_again() {
        let (disk, path) = disk(1);
        let file = disk.create(&path).unwrap();
        disk.stop_at(disk.steps() + 1);
        write(&*file, b"a", 0).unwrap();
        assert!(
            write(&*file, b"b", 1).is_err() && file.sync().is_err() && disk.open(&path).is_err()
        );
        disk.crash();
        disk.create(Path::new("/d/other")).unwrap();
    }

    #[test]
    fn a_full_disk_refuses_until_there_is_room() {
        let (disk, path) = disk(1);
        let file = disk.create(&path).unwrap();
        disk.set_room(Some(3));
        let full = write(&*file, b"abcd", 0).unwrap_err();
        assert_eq!(full.kind(), io::ErrorKind::StorageFull);
        file.set_len(0).unwrap();
        write(&*file, b"abc", 0).unwrap();
        assert_eq!(disk.free_space(Path::new("/d")).unwrap(), 0);
        assert_eq!(
            file.allocate(4).unwrap_err().kind(),
            io::ErrorKind::StorageFull
        );
        disk.set_room(None);
        write(&*file, b"d", 3).unwrap();
        file.allocate(6).unwrap();
        assert_eq!(disk.contents(&path).unwrap(), b"abcd\0\0");
    }

    #[test]
    fn a_lock_is_held_until_it_is_dropped() {
        let (disk, path) = disk(1);
        let lock = disk.lock(&path).unwrap();
        assert!(disk.lock(&path).is_err());
        drop(lock);
        disk.lock(&path).unwrap();
    }
}
