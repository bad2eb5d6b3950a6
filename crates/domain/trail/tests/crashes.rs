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
use headwater_env::{Clock, Env, ManualClock, SimDisk};
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
    /// The bucket that is not there any more.
    gone: Mutex<Option<String>>,
    /// The store whose trail is deleted and made again during the next put.
    again: Mutex<Option<Store>>,
}

#[async_trait]
impl Bucket for Objects {
    async fn put(&self, bucket: &str, key: &str, body: Bytes) -> Result<(), BucketError> {
        let again = self.again.lock().take();
        if let Some(store) = again {
            store.delete("t").await.unwrap();
            store.create(new_trail()).await.unwrap();
            store.start("t").await.unwrap();
        }
        if self.gone.lock().as_deref() == Some(bucket) {
            return Err(BucketError::NoBucket(bucket.to_owned()));
        }
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
        read_only: number.is_multiple_of(2),
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

fn new_trail() -> NewTrail {
    NewTrail {
        name: "t".to_owned(),
        settings: settings(Wanted::all()),
        tags: BTreeMap::new(),
    }
}

/// A text that hardly becomes smaller.
fn dense(number: usize, bytes: usize) -> String {
    let mut state = number as u64 + 1;
    let digit = |_| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        char::from_digit((state >> 59) as u32, 36).unwrap()
    };
    (0..bytes).map(digit).collect()
}

/// Waits for `work` while time passes.
async fn in_time<T>(world: &World, work: impl Future<Output = T>) -> T {
    let passing = async {
        loop {
            tokio::task::yield_now().await;
            world.clock.advance(std::time::Duration::from_millis(100));
        }
    };
    tokio::select! {
        result = work => result,
        () = passing => unreachable!("time does not end"),
    }
}

#[tokio::test]
async fn a_full_disk_holds_little_back_and_what_it_has_is_found_and_delivered() {
    let world = World::new(1, usize::MAX, false);
    let (log, store) = world.open().await;
    store.create(new_trail()).await.unwrap();
    store.start("t").await.unwrap();
    let large = |number| {
        move |id, time| Event {
            username: Some(dense(number, 100 << 10)),
            text: "{\"id\":\"x\"}".to_owned() + &" ".repeat(200 << 10),
            ..event(number, id, time)
        }
    };
    store.note(large(0)).await;
    store.flush().await.unwrap();
    world.disk.set_room(Some(0));
    store.note(large(1)).await;
    assert!(store.flush().await.is_err());
    let began = world.clock.elapsed();
    let notes = async {
        for number in 2..=100 {
            store.note(large(number)).await;
        }
    };
    in_time(&world, notes).await;
    // 16 MB wait, and each of the others held its call back for a second.
    let took = (world.clock.elapsed() - began).as_secs();
    assert!((10..40).contains(&took), "{took} seconds");
    assert_eq!(found(&store, None, 50).await.len(), 1);
    store.deliver().await;
    assert_eq!(world.objects.ids(), ["x"]);
    world.disk.set_room(None);
    let flushed = async {
        while store.flush().await.is_err() {
            tokio::task::yield_now().await
        }
    };
    in_time(&world, flushed).await;
    let kept = found(&store, None, 50).await.len();
    assert!((70..90).contains(&kept), "{kept} events are kept");
    log.close().await;
}

#[tokio::test]
async fn a_trail_goes_on_with_another_bucket_where_its_own_is_gone() {
    let world = World::new(1, usize::MAX, false);
    let (log, store) = world.open().await;
    store.create(new_trail()).await.unwrap();
    store.start("t").await.unwrap();
    store.note(|id, time| event(1, id, time)).await;
    *world.objects.gone.lock() = Some("b".to_owned());
    store.deliver().await;
    let trail = store.trail("t").await.unwrap();
    assert_eq!(trail.delivered.unwrap().error.unwrap(), "NoSuchBucket");
    assert!(trail.intent.is_some());
    let changed = store.set("t", |settings| settings.bucket = "c".to_owned());
    changed.await.unwrap();
    store.deliver().await;
    assert_eq!(world.objects.ids().len(), 1);
    let trail = store.trail("t").await.unwrap();
    assert!(trail.intent.is_none() && trail.delivered.unwrap().error.is_none());
    log.close().await;
}

#[tokio::test]
async fn a_trail_that_was_made_again_has_nothing_of_the_one_before() {
    let world = World::new(1, usize::MAX, false);
    let (log, store) = world.open().await;
    store.create(new_trail()).await.unwrap();
    store.start("t").await.unwrap();
    store.note(|id, time| event(1, id, time)).await;
    *world.objects.again.lock() = Some(store.clone());
    store.deliver().await;
    let trail = store.trail("t").await.unwrap();
    assert!(trail.is_logging() && trail.intent.is_none());
    assert_eq!((trail.delivered, trail.delivered_at), (None, None));
    log.close().await;
}
