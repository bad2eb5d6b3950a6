//! Bounds: time, memory, sizes, concurrency, what outlives a change or a server, and events.

#![allow(clippy::unwrap_used, missing_docs, reason = "this is test code")]

mod common;

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Write,
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use common::{World, json, name, options, zip_of};
use futures_util::TryStreamExt;
use headwater_env::{Env, ManualClock};
use headwater_functions::{Configuration, Error, Functions, Options, PackageError, limits};
use headwater_types::Millis;
use serde_json::json;

/// An environment whose clock stands until it is moved, on 2018-01-02.
fn manual() -> (Env, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::at(Millis(1_514_851_200_000)));
    (
        Env {
            clock: clock.clone(),
            ..Env::real()
        },
        clock,
    )
}

const WAITS: &str = "
import sys, threading
def handler(event, context):
    print('waiting', flush=True)
    threading.Event().wait()
";

#[tokio::test]
async fn a_time_out_kills_and_the_next_invocation_starts_anew() {
    let (env, clock) = manual();
    let world = World::with(env, options()).await;
    world.python("slow", WAITS).await;
    world
        .functions
        .update_configuration(&name("slow"), None, |c| c.timeout_s = 3)
        .await
        .unwrap();
    let slow = name("slow");
    for _ in 0..2 {
        let invoked = world.functions.invoke(&slow, world.request("{}"));
        let moved = async {
            world.lines.wait_for("waiting").await;
            clock.advance(Duration::from_millis(2999));
            clock.advance(Duration::from_millis(1));
        };
        let (invocation, ()) = tokio::join!(invoked, moved);
        let invocation = invocation.unwrap();
        let text = format!(
            "RequestId: {} Error: Task timed out after 3.00 seconds",
            invocation.request_id
        );
        assert_eq!(
            json(&invocation),
            json!({ "errorType": "Sandbox.Timedout", "errorMessage": text })
        );
        let tail = String::from_utf8(invocation.log_tail).unwrap();
        let line = format!(
            "Z {} Task timed out after 3.00 seconds\nEND",
            invocation.request_id
        );
        assert!(
            tail.contains("\n2018-01-02T00:00:0") && tail.contains(&line),
            "{tail}"
        );
        assert!(
            tail.contains("Duration: 3000.00 ms") && tail.ends_with("Status: timeout\n"),
            "{tail}"
        );
        world.lines.clear();
    }
}

#[tokio::test]
async fn too_much_memory_kills() {
    let world = World::new().await;
    let code = "
import threading
def handler(event, context):
    held = b'x' * (200 << 20)
    threading.Event().wait()
";
    world.python("greedy", code).await;
    let killed = world.invoke("greedy", "{}").await;
    let text = format!(
        "RequestId: {} Error: Runtime exited with error: signal: killed",
        killed.request_id
    );
    assert_eq!(
        json(&killed),
        json!({ "errorType": "Runtime.OutOfMemory", "errorMessage": text })
    );
    world
        .functions
        .update_configuration(&name("greedy"), None, |c| c.memory_mb = 64)
        .await
        .unwrap_err();
}

#[tokio::test]
async fn six_megabytes_go_both_ways_and_no_more() {
    let world = World::new().await;
    world
        .python(
            "size",
            "def handler(event, context): return 'x' * event if isinstance(event, int) else len(event)",
        )
        .await;
    let large = format!("\"{}\"", "y".repeat(limits::PAYLOAD_BYTES_MAX - 2));
    assert_eq!(
        json(&world.invoke("size", &large).await),
        limits::PAYLOAD_BYTES_MAX - 2
    );
    let error = world
        .functions
        .invoke(&name("size"), world.request(&format!("{large} ")))
        .await
        .unwrap_err();
    assert!(matches!(error, Error::PayloadTooLarge { .. }));

    let most = limits::RESPONSE_BYTES_MAX - 2;
    assert_eq!(
        world.invoke("size", &most.to_string()).await.payload.len(),
        limits::RESPONSE_BYTES_MAX
    );
    let too_large = world.invoke("size", &(most + 1).to_string()).await;
    let text = "Response payload size exceeded maximum allowed payload size (6291556 bytes).";
    let expected = json!({ "errorType": "Function.ResponseSizeTooLarge", "errorMessage": text });
    assert_eq!((too_large.failed, json(&too_large)), (true, expected));
    assert!(!world.invoke("size", "20000000").await.log_tail.is_empty());
    assert_eq!(json(&world.invoke("size", "3").await), "xxx");
}

/// Opens a gate: Python code that prints that it is there and waits for a byte, and the gate itself.
fn gate(world: &World) -> (String, std::path::PathBuf) {
    let pipe = world.dir.path().join("gate");
    std::process::Command::new("mkfifo")
        .arg(&pipe)
        .status()
        .unwrap();
    let code = format!(
        "
def handler(event, context):
    print('at the gate', context.function_name, flush=True)
    return open({:?}, 'rb', buffering=0).read(1).decode()
",
        pipe.display().to_string()
    );
    (code, pipe)
}

#[tokio::test]
async fn concurrency_is_bounded_for_a_function_and_in_all() {
    let bounds = Options {
        concurrency: 3,
        concurrency_per_function: 2,
        ..options()
    };
    let world = World::with(
        Env::real(),
        Options {
            concurrency_wait: Duration::ZERO,
            ..bounds
        },
    )
    .await;
    let (code, pipe) = gate(&world);
    world.python("one", &code).await;
    world.python("two", &code).await;
    let mut running = vec![world.start("one", "{}"), world.start("one", "{}")];
    world.lines.wait_for_count("at the gate one", 2).await;
    assert_eq!(
        world
            .functions
            .invoke(&name("one"), world.request("{}"))
            .await,
        Err(Error::Throttled)
    );
    running.push(world.start("two", "{}"));
    world.lines.wait_for("at the gate two").await;
    assert_eq!(
        world
            .functions
            .invoke(&name("two"), world.request("{}"))
            .await,
        Err(Error::Throttled)
    );

    let processes = world.functions.processes();
    assert_eq!((processes.busy, processes.idle, processes.most), (3, 0, 3));

    let mut gate = std::fs::OpenOptions::new().write(true).open(&pipe).unwrap();
    gate.write_all(b"abc").unwrap();
    for invocation in running {
        assert!(!invocation.await.unwrap().unwrap().failed);
    }
    let counted = world.functions.metrics();
    let counts: Vec<_> = counted
        .iter()
        .map(|(name, one)| {
            (
                name.as_str(),
                one.invocations,
                one.throttles,
                one.cold_starts,
            )
        })
        .collect();
    assert_eq!(counts, [("one", 2, 1, 2), ("two", 1, 1, 1)]);
    world.functions.delete(&name("one")).await.unwrap();
    assert_eq!(world.functions.metrics(), counted[1..]);
}

#[tokio::test]
async fn an_invocation_waits_for_room() {
    let bounds = Options {
        concurrency: 1,
        concurrency_per_function: 1,
        ..options()
    };
    let world = World::with(Env::real(), bounds).await;
    let (code, pipe) = gate(&world);
    world.python("one", &code).await;
    world.python("two", &code).await;
    let first = world.start("one", "{}");
    world.lines.wait_for("at the gate one").await;
    let others = [world.start("one", "{}"), world.start("two", "{}")];
    let mut gate = std::fs::OpenOptions::new().write(true).open(&pipe).unwrap();
    gate.write_all(b"abc").unwrap();
    for invocation in [first].into_iter().chain(others) {
        assert!(!invocation.await.unwrap().unwrap().failed);
    }
}

#[tokio::test]
async fn new_code_and_configuration_retire_old_processes() {
    let world = World::new().await;
    let code = "
import os
def handler(event, context): return [os.getpid(), os.environ.get('SETTING')]
";
    let begun = world.python("f", code).await.revision;
    let before = json(&world.invoke("f", "{}").await);
    assert_eq!(json(&world.invoke("f", "{}").await), before);
    let untagged = world.functions.get(&name("f")).await.unwrap().revision;
    let tag = |tags: &mut BTreeMap<String, String>| drop(tags.insert("a".into(), "b".into()));
    world.functions.update_tags(&name("f"), tag).await.unwrap();
    let tagged = json(&world.invoke("f", "{}").await);
    assert_eq!(tagged, before, "tags are nothing to a process");
    let first = world.functions.get(&name("f")).await.unwrap();
    let revisions = BTreeSet::from([&begun, &untagged, &first.revision]);
    assert_eq!(revisions.len(), 3, "made, kept, tagged");
    let change = |c: &mut Configuration| {
        drop(
            c.environment
                .get_or_insert_default()
                .insert("SETTING".into(), "on".into()),
        )
    };
    let second = world
        .functions
        .update_configuration(&name("f"), Some(&first.revision), change)
        .await
        .unwrap();
    assert_ne!(first.revision, second.revision);
    let after = json(&world.invoke("f", "{}").await);
    assert_eq!(after[1], "on");
    assert_ne!(after[0], before[0]);

    let package = zip_of(&[("index.py", "def handler(event, context): return 'new'")]);
    let stale = world
        .functions
        .update_code(&name("f"), package.clone(), Some(&first.revision), false)
        .await;
    assert_eq!(stale, Err(Error::Revision));
    let third = world
        .functions
        .update_code(&name("f"), package.clone(), None, false)
        .await
        .unwrap();
    assert_eq!(json(&world.invoke("f", "{}").await), "new");
    let pieces = world.functions.package(&third.code).await.unwrap();
    let pieces: Vec<Bytes> = pieces.try_collect().await.unwrap();
    assert_eq!(pieces.concat(), package);

    world.functions.delete(&name("f")).await.unwrap();
    let gone = world
        .functions
        .invoke(&name("f"), world.request("{}"))
        .await;
    assert_eq!(gone, Err(Error::NotFound(name("f"))));
    let left = |folder: &str| {
        std::fs::read_dir(world.dir.path().join(folder))
            .unwrap()
            .count()
    };
    assert_eq!(
        (left("packages"), left("code"), left("processes")),
        (0, 0, 0)
    );
}

#[tokio::test]
async fn functions_and_events_outlive_the_server_and_its_processes_do_not() {
    let (env, clock) = manual();
    let world = World::with(env.clone(), options()).await;
    let code = "
import os, threading
def handler(event, context):
    if event == 'stay':
        print('staying as', os.getpid(), flush=True)
        threading.Event().wait()
    return event
";
    world.python("f", code).await;
    let made = world.functions.get(&name("f")).await.unwrap();
    let waiting = world.start("f", r#""stay""#);
    world.lines.wait_for("staying as").await;
    let staying = world
        .lines
        .all()
        .iter()
        .find_map(|l| l.strip_prefix("staying as ").map(str::to_owned))
        .unwrap();

    // The second server on the same folder takes the first for dead.
    let open = Functions::open(
        env,
        world.catalog.clone(),
        world.dir.path(),
        world.lines.clone(),
        options(),
    );
    let second = open.await.unwrap();
    let killed = waiting.await.unwrap().unwrap();
    assert!(
        json(&killed)["errorMessage"]
            .as_str()
            .unwrap()
            .ends_with("signal: killed"),
        "{staying}"
    );
    assert_eq!(second.get(&name("f")).await.unwrap(), made);
    assert_eq!(
        json(&second.invoke(&name("f"), world.request("1")).await.unwrap()),
        1
    );
    clock.advance(Duration::from_secs(1));
}

#[tokio::test]
async fn an_event_is_tried_three_times_and_then_given_up() {
    let (env, clock) = manual();
    let world = World::with(env, options()).await;
    let code = "
tries = 0
def handler(event, context):
    global tries
    tries += 1
    print(event, 'try', tries, context.aws_request_id, flush=True)
    if event == 'bad': raise ValueError(event)
";
    world.python("f", code).await;
    let request = world.request(r#""bad""#);
    let id = request.request_id.clone();
    world
        .functions
        .invoke_later(&name("f"), request)
        .await
        .unwrap();
    for (tried, wait_s) in [(1, 60), (2, 120), (3, 0)] {
        world.lines.wait_for(&format!("bad try {tried} {id}")).await;
        world.lines.wait_for_count("REPORT", tried).await;
        world
            .until_events(usize::from(tried < 3), Some(wait_s))
            .await;
        clock.advance(Duration::from_secs(wait_s));
    }
    world
        .functions
        .invoke_later(&name("f"), world.request(r#""good""#))
        .await
        .unwrap();
    world.lines.wait_for("good try 4").await;
    world.until_events(0, None).await;

    let unknown = world
        .functions
        .invoke_later(&name("g"), world.request("1"))
        .await;
    assert_eq!(unknown, Err(Error::NotFound(name("g"))));
    let large = format!("\"{}\"", "y".repeat(limits::EVENT_BYTES_MAX));
    let refused = world
        .functions
        .invoke_later(&name("f"), world.request(&large))
        .await
        .unwrap_err();
    assert!(matches!(refused, Error::PayloadTooLarge { .. }));
}

#[tokio::test]
async fn idle_processes_end_after_a_while() {
    let (env, clock) = manual();
    let world = World::with(env, options()).await;
    world
        .python("f", "def handler(event, context): return 1")
        .await;
    world.invoke("f", "{}").await;
    let processes = world.dir.path().join("processes");
    assert_eq!(std::fs::read_dir(&processes).unwrap().count(), 1);
    while std::fs::read_dir(&processes).unwrap().count() > 0 {
        clock.advance(limits::IDLE_CHECK_EVERY);
        tokio::task::yield_now().await;
    }
    assert!(clock_elapsed(&*clock) >= limits::IDLE_TIME_MAX);
}

fn clock_elapsed(clock: &dyn headwater_env::Clock) -> Duration {
    clock.elapsed()
}

#[tokio::test]
async fn bad_packages_and_second_functions_are_refused() {
    let world = World::new().await;
    let configuration = || Configuration::new("python3.12".parse().unwrap(), "a.b", "r");
    let create = |package: Bytes| {
        world.functions.create(
            name("f"),
            configuration(),
            Default::default(),
            package,
            false,
        )
    };
    let not_zip = create(Bytes::from_static(b"nonsense")).await;
    assert!(matches!(
        not_zip,
        Err(Error::Package(PackageError::NotZip(_)))
    ));
    let large = create(vec![0; limits::UNPACKED_BYTES_MAX as usize + 1].into()).await;
    assert!(matches!(
        large,
        Err(Error::Package(PackageError::UnpacksTooLarge { .. }))
    ));
    create(zip_of(&[("a.py", "")])).await.unwrap();
    assert_eq!(
        create(zip_of(&[("a.py", "")])).await,
        Err(Error::Exists(name("f")))
    );
    assert_eq!(world.functions.list(None, 10).await.unwrap().len(), 1);
    assert_eq!(world.functions.list(Some("f"), 10).await.unwrap().len(), 0);
}
