//! Events and deliveries through crashes: what was flushed is there, once and in order; each event is in one object.
#![allow(clippy::unwrap_used, reason = "this is test code")]

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Read,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
};

use async_trait::async_trait;
use bytes::Bytes;
use flate2::read::GzDecoder;
use headwater_catalog::{Catalog, MemoryCatalog};
use headwater_env::{Env, ManualClock, SimDisk};
use headwater_log::{EmbeddedLog, Options, ShardLog};
use headwater_trail::{
    Attribute, Bucket, BucketError, Event, Lookup, NewTrail, Place, Settings, Store, Wanted,
};
use headwater_types::{Account, Millis, Region};
use parking_lot::Mutex;
use proptest::prelude::*;

const START: Millis = Millis(1_764_547_200_000);

/// A bucket in memory, whose puts fail after a while: before the object is there, or after.
#[derive(Default)]
struct Objects {
    kept: Mutex<BTreeMap<String, Bytes>>,
    /// Puts until one fails, and how.
    left: AtomicUsize,
    fails_after: bool,
}

#[async_trait]
impl Bucket for Objects {
    async fn put(&self, _: &str, key: &str, body: Bytes) -> Result<(), BucketError> {
        let fails = self.left.fetch_sub(1, SeqCst) == 1;
        if !fails || self.fails_after {
            let before = self.kept.lock().insert(key.to_owned(), body.clone());
            assert!(
                before.is_none_or(|before| before == body),
                "{key} is another object"
            );
        }
        match fails {
            true => Err(BucketError::Failed("a crash".to_owned())),
            false => Ok(()),
        }
    }

    async fn exists(&self, _: &str) -> Result<bool, BucketError> {
        Ok(true)
    }
}

impl Objects {
    /// The ids of all events in all objects.
    fn ids(&self) -> Vec<String> {
        let mut ids = Vec::new();
        for body in self.kept.lock().values() {
            let mut text = String::new();
            GzDecoder::new(&body[..]).read_to_string(&mut text).unwrap();
            let records: serde_json::Value = serde_json::from_str(&text).unwrap();
            let records = records["Records"].as_array().unwrap();
            ids.extend(
                records
                    .iter()
                    .map(|it| it["id"].as_str().unwrap().to_owned()),
            );
        }
        ids
    }
}

/// A machine that is switched off: its disk loses what was not synced.
struct World {
    env: Env,
    disk: Arc<SimDisk>,
    clock: Arc<ManualClock>,
    catalog: Arc<dyn Catalog>,
    objects: Arc<Objects>,
}

impl World {
    fn new(seed: u64, left: usize, fails_after: bool) -> Self {
        let (disk, clock) = (
            Arc::new(SimDisk::new(seed)),
            Arc::new(ManualClock::at(START)),
        );
        let env = Env {
            clock: clock.clone(),
            disk: disk.clone(),
            ..Env::real()
        };
        Self {
            env,
            disk,
            clock,
            catalog: Arc::new(MemoryCatalog::default()),
            objects: Arc::new(Objects {
                left: AtomicUsize::new(left),
                fails_after,
                ..Objects::default()
            }),
        }
    }

    async fn open(&self) -> (Arc<dyn ShardLog>, Store) {
        let options = Options {
            maintain_every: None,
            preallocate_bytes: 64 << 10,
            ..Options::new(Path::new("/log"))
        };
        let log: Arc<dyn ShardLog> =
            Arc::new(EmbeddedLog::open(self.env.clone(), options).await.unwrap());
        let place = Place {
            account: Account("1".repeat(12)),
            region: Region("r".to_owned()),
        };
        let (env, catalog, bucket) = (self.env.clone(), self.catalog.clone(), self.objects.clone());
        let store = Store::open(env, catalog, log.clone(), place, bucket, false).await;
        (log, store.unwrap())
    }
}

fn event(number: usize, id: String, time: Millis) -> Event {
    Event {
        text: format!("{{\"id\":\"{id}\",\"number\":{number}}}"),
        id,
        time,
        name: format!("Operation{}", number % 3),
        source: "s.amazonaws.com".to_owned(),
        read_only: number % 2 == 0,
        username: None,
        access_key: None,
        resources: Vec::new(),
    }
}

/// All events that a search finds, page by page.
async fn found(store: &Store, attribute: Option<Attribute>, limit: usize) -> Vec<Event> {
    let mut lookup = Lookup {
        attribute,
        start: None,
        end: None,
        limit,
        before: None,
    };
    let mut events = Vec::new();
    loop {
        let page = store.look_up(&lookup).await.unwrap();
        assert!(page.events.len() <= limit);
        events.extend(page.events);
        match page.next {
            Some(next) => lookup.before = Some(next),
            None => return events,
        }
    }
}

fn settings(wanted: Wanted) -> Settings {
    Settings {
        bucket: "b".to_owned(),
        prefix: None,
        is_global: true,
        wanted: vec![wanted],
    }
}

/// What happens to a server.
#[derive(Debug, Clone)]
enum Step {
    Note(usize),
    Flush,
    Deliver,
    Stop,
    Start,
    Restart,
    PowerCut,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (1..40usize).prop_map(Step::Note),
        3 => Just(Step::Flush),
        3 => Just(Step::Deliver),
        1 => Just(Step::Stop),
        1 => Just(Step::Start),
        1 => Just(Step::Restart),
        2 => Just(Step::PowerCut),
    ];
    prop::collection::vec(step, 1..30)
}

/// Takes the steps, and holds what is found and delivered to what was noted and flushed.
async fn run(steps: Vec<Step>, world: &World) {
    let (mut log, mut store) = world.open().await;
    let new = NewTrail {
        name: "t".to_owned(),
        settings: settings(Wanted::all()),
        tags: BTreeMap::new(),
    };
    store.create(new).await.unwrap();
    let (mut noted, mut flushed, mut number) = (Vec::new(), Vec::new(), 0);
    for step in steps {
        match step {
            Step::Note(count) => {
                for _ in 0..count {
                    number += 1;
                    let ids = &mut noted;
                    let make = |id: String, time| {
                        Vec::push(ids, id.clone());
                        event(number, id, time)
                    };
                    store.note(make).await;
                }
            }
            Step::Flush => {
                store.flush().await.unwrap();
                flushed.clone_from(&noted);
            }
            // Each of these writes what was noted, first.
            Step::Deliver => {
                store.deliver().await;
                flushed.clone_from(&noted);
            }
            Step::Stop => {
                store.stop("t").await.unwrap();
                flushed.clone_from(&noted);
            }
            Step::Start => store.start("t").await.unwrap(),
            Step::Restart => {
                store.close().await.unwrap();
                flushed.clone_from(&noted);
                log.close().await;
                (log, store) = world.open().await;
            }
            Step::PowerCut => {
                world.disk.crash();
                (log, store) = world.open().await;
                // Some of the last events may be lost, and no others.
                let left = found(&store, None, 50).await.len();
                assert!(left >= flushed.len() && left <= noted.len());
                noted.truncate(left);
            }
        }
    }
    store.flush().await.unwrap();
    let ids: Vec<String> = found(&store, None, 7)
        .await
        .into_iter()
        .map(|it| it.id)
        .collect();
    let expected: Vec<String> = noted.iter().rev().cloned().collect();
    assert_eq!(
        ids, expected,
        "the newest come first, and each is there once"
    );
    assert!(flushed.iter().all(|id| ids.contains(id)));
    store.deliver().await;
    store.deliver().await;
    let delivered = world.objects.ids();
    let different: BTreeSet<&String> = delivered.iter().collect();
    assert_eq!(
        different.len(),
        delivered.len(),
        "an event was delivered twice"
    );
    log.close().await;
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn events_are_kept_and_delivered_once(
        steps in steps(), seed: u64, left in 1..6usize, fails_after: bool,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(run(steps, &World::new(seed, left, fails_after)));
    }
}

/// A process that is killed loses at most what was not flushed, and nothing is there twice.
#[tokio::test]
async fn what_was_flushed_outlives_a_power_cut() {
    for seed in 0..20 {
        let world = World::new(seed, usize::MAX, false);
        let (_, store) = world.open().await;
        let mut noted = Vec::new();
        for number in 0..50 {
            let make = |id: String, time| {
                noted.push(id.clone());
                event(number, id, time)
            };
            store.note(make).await;
            if number == 30 {
                store.flush().await.unwrap();
            }
        }
        world.disk.crash();
        let (log, store) = world.open().await;
        let ids: Vec<String> = found(&store, None, 50)
            .await
            .into_iter()
            .map(|it| it.id)
            .rev()
            .collect();
        assert!(ids.len() > 30, "{} events are left", ids.len());
        assert_eq!(
            ids,
            noted[..ids.len()],
            "those that are left are the first ones"
        );
        log.close().await;
    }
}

#[tokio::test]
async fn each_event_between_start_and_stop_is_delivered() {
    let world = World::new(1, 2, true);
    let (log, store) = world.open().await;
    let new = NewTrail {
        name: "t".to_owned(),
        settings: settings(Wanted {
            reads: false,
            ..Wanted::all()
        }),
        tags: BTreeMap::new(),
    };
    store.create(new).await.unwrap();
    let mut expected = Vec::new();
    for (number, is_logged) in [
        (1, false),
        (3, true),
        (5, true),
        (4, true),
        (7, false),
        (9, true),
    ] {
        match is_logged {
            true => store.start("t").await.unwrap(),
            false => store.stop("t").await.unwrap(),
        }
        let mut ids = Vec::new();
        store
            .note(|id, time| {
                ids.push(id.clone());
                event(number, id, time)
            })
            .await;
        if is_logged && number % 2 == 1 {
            expected.append(&mut ids);
        }
        store.deliver().await;
    }
    store.deliver().await;
    let mut delivered = world.objects.ids();
    delivered.sort();
    expected.sort();
    assert_eq!(delivered, expected);
    let trail = store.trail("t").await.unwrap();
    assert!(trail.is_logging() && trail.intent.is_none() && trail.spans.len() == 1);
    log.close().await;
}

#[tokio::test]
async fn a_search_has_what_it_asks_for_and_ends() {
    let world = World::new(1, usize::MAX, false);
    let (log, store) = world.open().await;
    for number in 0..2000 {
        store.note(|id, time| event(number, id, time)).await;
        if number == 999 {
            store.flush().await.unwrap();
            world.clock.advance(std::time::Duration::from_secs(3600));
        }
    }
    let of = async |attribute| found(&store, Some(attribute), 50).await.len();
    assert_eq!(of(Attribute::Name("Operation0".to_owned())).await, 667);
    assert_eq!(of(Attribute::ReadOnly(true)).await, 1000);
    assert_eq!(of(Attribute::Username("nobody".to_owned())).await, 0);
    let within = async |start, end| {
        let lookup = Lookup {
            attribute: None,
            start,
            end,
            limit: 5000,
            before: None,
        };
        store.look_up(&lookup).await.unwrap().events.len()
    };
    let half = Millis(START.0 + 1);
    assert_eq!(within(None, Some(half)).await, 1000);
    assert_eq!(within(Some(half), None).await, 1000);
    assert_eq!(within(Some(half), Some(half)).await, 0);
    log.close().await;
}
