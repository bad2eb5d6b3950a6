//! Places and kept processes, on a clock that the tests move; the processes are stopped as soon as they run.

use std::{
    collections::BTreeMap,
    io::{Cursor, Write},
};

use headwater_env::{ManualClock, RealDisk};
use headwater_types::{Account, Millis, Region};

use super::*;
use crate::{
    Code, Configuration, Options, leftovers::Leftovers, opt::View, process::Surroundings,
    unpack::CodeDir,
};

struct World {
    dir: tempfile::TempDir,
    clock: Arc<ManualClock>,
    env: Env,
    pool: Arc<Pool>,
}

fn world(total: usize, per_function: usize) -> World {
    let clock = Arc::new(ManualClock::at(Millis(1_700_000_000_000)));
    let env = Env {
        clock: clock.clone(),
        ..Env::real()
    };
    let bounds = Bounds {
        total,
        per_function,
        wait: Duration::ZERO,
    };
    World {
        dir: tempfile::tempdir().unwrap(),
        clock,
        pool: Pool::new(env.clone(), bounds),
        env,
    }
}

fn function(name: &str) -> Function {
    let runtime = "provided.al2023".parse().unwrap();
    Function {
        name: name.parse().unwrap(),
        version: Version::Published(1),
        configuration: Configuration::new(runtime, "handler", "role"),
        code: Code {
            package: "package".to_owned(),
            sha256: String::new(),
            size: 0,
            unpacked: 0,
        },
        last_modified: Millis(0),
        revision: String::new(),
        build: format!("build of {name}"),
        published: None,
        tags: BTreeMap::new(),
    }
}

fn keep(function: &Function, count: usize) -> Vec<Keep> {
    let function = function.clone();
    vec![Keep { function, count }]
}

fn package() -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let program = zip::write::SimpleFileOptions::default().unix_permissions(0o755);
    zip.start_file("bootstrap", program).unwrap();
    zip.write_all(b"#!/bin/sh\nkill -STOP $$\n").unwrap();
    zip.finish().unwrap().into_inner()
}

impl World {
    /// A process to be kept that does nothing.
    async fn process(&self, function: &Function) -> Process {
        let dir = self.dir.path();
        let disk = Arc::new(RealDisk);
        let path = dir.join(self.env.random.uuid());
        let code = CodeDir::unpack(disk.clone(), &package(), path).unwrap();
        let region = Region("us-east-1".into());
        let options = Options::new(region, Account("000000000000".into()), "http://127.0.0.1:1");
        let surroundings = Surroundings {
            env: &self.env,
            options: &options,
            leftovers: &Arc::new(Leftovers::open(disk, dir.join("processes")).unwrap()),
            bootstraps: dir,
        };
        let (code, view) = (Arc::new(code), View::none());
        let started = Process::start(surroundings, function, code, view, true).await;
        started.unwrap()
    }

    /// Has one more process kept for a version.
    async fn keep_one(&self, function: &Function) {
        let next = self.pool.next_to_keep().unwrap();
        assert_eq!(next.build, function.build);
        let process = self.process(function).await;
        self.pool.started(&next, Some(process));
    }

    async fn enter(&self, function: &Function) -> Result<(Permit, Option<Process>), Error> {
        self.pool.enter(function, false).await
    }

    /// A permit without a process, or why there is none.
    async fn permit(&self, function: &Function) -> Result<Permit, Error> {
        let (permit, process) = self.enter(function).await?;
        assert!(process.is_none());
        Ok(permit)
    }
}

#[tokio::test]
async fn a_kept_process_with_work_counts_when_its_claim_goes_and_comes_again() {
    let world = world(10, 10);
    let (pool, f) = (&world.pool, function("f"));
    let claim = |count| match count {
        0 => pool.claim(&f.name, None, Vec::new(), 0),
        count => pool.claim(&f.name, None, keep(&f, count), 1),
    };
    claim(1);
    world.keep_one(&f).await;
    assert_eq!(pool.kept(&f), (1, None));
    let (permit, process) = world.enter(&f).await.unwrap();
    claim(0);
    assert_eq!(pool.kept(&f), (0, None));
    claim(1);
    assert_eq!(pool.kept(&f), (1, None), "it is there, with work");
    assert!(pool.next_to_keep().is_none(), "one more would be too many");
    pool.leave(permit, process.unwrap());
    assert_eq!(pool.kept(&f), (1, None));
    assert_eq!((pool.processes().busy, pool.processes().idle), (0, 1));
    // One that ends with its work is there no more, and was not when a claim comes again.
    drop(world.enter(&f).await.unwrap());
    assert_eq!(pool.kept(&f), (0, None));
    claim(0);
    claim(1);
    assert_eq!(pool.kept(&f), (0, None));
    world.keep_one(&f).await;
    assert_eq!(pool.kept(&f), (1, None));
    assert!(pool.state.lock().working.is_empty());
}

#[tokio::test]
async fn a_process_that_is_kept_no_more_ends_with_its_work() {
    let world = world(10, 10);
    let (pool, f) = (&world.pool, function("f"));
    pool.claim(&f.name, None, keep(&f, 1), 1);
    world.keep_one(&f).await;
    let (permit, process) = world.enter(&f).await.unwrap();
    pool.claim(&f.name, None, Vec::new(), 0);
    pool.leave(permit, process.unwrap());
    assert_eq!((pool.processes().busy, pool.processes().idle), (0, 0));
    assert!(pool.state.lock().working.is_empty());
}

#[tokio::test]
async fn a_process_that_did_not_start_is_tried_again_later_and_one_at_a_time() {
    let world = world(10, 10);
    let (pool, f) = (&world.pool, function("f"));
    pool.claim(&f.name, None, keep(&f, 2), 2);
    let both = [pool.next_to_keep().unwrap(), pool.next_to_keep().unwrap()];
    assert!(pool.next_to_keep().is_none());
    for next in both {
        pool.started(&next, None);
    }
    assert_eq!(pool.kept(&f), (0, Some(KeepFailure::Start)));
    assert!(pool.next_to_keep().is_none());
    world.clock.advance(limits::KEEP_AGAIN_AFTER);
    let next = pool.next_to_keep().unwrap();
    assert!(pool.next_to_keep().is_none(), "it may fail as well");
    pool.started(&next, Some(world.process(&f).await));
    assert_eq!(pool.kept(&f), (1, None));
    assert!(pool.next_to_keep().is_some());
}

#[tokio::test]
async fn reserved_places_are_a_functions_own_and_the_others_are_shared() {
    let world = world(4, 2);
    let (pool, f, g) = (&world.pool, function("f"), function("g"));
    let own = function("own");
    pool.claim(&own.name, Some(1), Vec::new(), 1);
    assert_eq!((pool.room(&f.name), pool.room(&own.name)), (2, 1));
    let first = world.permit(&f).await.unwrap();
    let _second = world.permit(&f).await.unwrap();
    assert_eq!(world.permit(&f).await.err(), Some(Error::Throttled));
    let _third = world.permit(&g).await.unwrap();
    // Three of the four are shared, and the last is reserved.
    assert_eq!(world.permit(&g).await.err(), Some(Error::Throttled));
    let _fourth = world.permit(&own).await.unwrap();
    assert_eq!(world.permit(&own).await.err(), Some(Error::Reserved));
    drop(first);
    assert_eq!((pool.room(&f.name), pool.room(&own.name)), (1, 0));
    let _again = world.permit(&g).await.unwrap();
    // What may run nothing at all is told so at once.
    pool.claim(&f.name, Some(0), Vec::new(), 1);
    assert!(pool.is_stopped(&f.name));
    assert_eq!(pool.room(&f.name), usize::MAX);
    assert_eq!(world.permit(&f).await.err(), Some(Error::Reserved));
}

#[test]
fn some_places_are_shared_whatever_is_claimed() {
    for (total, least) in [(1, 1), (5, 1), (10, 1), (11, 2), (1000, 100)] {
        let bounds = Bounds {
            total,
            per_function: total,
            wait: Duration::ZERO,
        };
        assert_eq!(least_shared(&bounds), least, "{total}");
        assert_eq!(most_kept(&bounds), total - least, "{total}");
        let state = State {
            claimed: 2 * total,
            ..State::default()
        };
        assert_eq!(state.free_shared(&bounds), least, "{total}");
    }
}

#[tokio::test]
async fn a_closed_pool_admits_nothing() {
    let world = world(4, 2);
    world.pool.close().await;
    let refused = world.permit(&function("f")).await.err();
    assert_eq!(refused, Some(Error::Closed));
}
