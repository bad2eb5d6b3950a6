//! Topics over a log on a simulated disk and endpoints that a test writes; the clock moves when nothing else does.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use headwater_catalog::{Catalog, testing::MortalCatalog};
use headwater_env::{
    Env, ManualClock, SeededRandom, SimDisk,
    testing::{CountedTasks, drop_at_every_await},
};
use headwater_log::{EmbeddedLog, Options, ShardLog};
use headwater_types::{Account, Arn, Millis, Region};
use http::Request;
use parking_lot::Mutex;
use proptest::prelude::*;
use serde_json::Value as Json;

use crate::{
    Error, Message, NewSubscription, Place, Protocol, Scope, SubscriptionSettings, Topics,
    ports::{EndpointError, Endpoints, Letter},
};

const START: Millis = Millis(1_600_000_000_000);
const QUEUE: &str = "arn:aws:sqs:us-east-1:000000000000:q";
const OTHER: &str = "arn:aws:sqs:us-east-1:000000000000:other";
const DEAD: &str = "arn:aws:sqs:us-east-1:000000000000:dead";

type Judge = Box<dyn FnMut(&str, &str) -> Result<(), EndpointError> + Send>;

/// Endpoints that keep what they take, as endpoint and body.
struct Fake {
    judge: Mutex<Judge>,
    taken: Mutex<Vec<(String, String)>>,
    requests: Mutex<Vec<Request<Bytes>>>,
    status: Mutex<u16>,
}

impl Fake {
    fn take(&self, endpoint: &str, body: &str) -> Result<(), EndpointError> {
        (self.judge.lock())(endpoint, body)?;
        self.taken
            .lock()
            .push((endpoint.to_owned(), body.to_owned()));
        Ok(())
    }

    fn taken_by(&self, endpoint: &str) -> Vec<String> {
        let taken = self.taken.lock();
        let by = taken.iter().filter(|(by, _)| by == endpoint);
        by.map(|(_, body)| body.clone()).collect()
    }
}

#[async_trait]
impl Endpoints for Fake {
    async fn send(&self, queue: &Arn, letter: Letter) -> Result<(), EndpointError> {
        self.take(&queue.to_string(), &letter.body)
    }

    async fn invoke(&self, function: &Arn, _: &Arn, event: Bytes) -> Result<(), EndpointError> {
        self.take(&function.to_string(), &String::from_utf8_lossy(&event))
    }

    async fn put(&self, stream: &Arn, data: Bytes) -> Result<(), EndpointError> {
        self.take(&stream.to_string(), &String::from_utf8_lossy(&data))
    }

    async fn post(&self, request: Request<Bytes>, _: Duration) -> Result<u16, String> {
        self.requests.lock().push(request);
        Ok(*self.status.lock())
    }
}

/// What survives a crash, and what was seen.
struct World {
    clock: Arc<ManualClock>,
    env: Env,
    disk: Arc<SimDisk>,
    catalog: Arc<MortalCatalog>,
    fake: Arc<Fake>,
}

/// What does not.
struct Running {
    topics: Arc<Topics>,
    log: Arc<dyn ShardLog>,
}

impl World {
    fn new(judge: impl FnMut(&str, &str) -> Result<(), EndpointError> + Send + 'static) -> Self {
        Self::with(judge, Arc::new(headwater_env::TokioTasks))
    }

    fn with(
        judge: impl FnMut(&str, &str) -> Result<(), EndpointError> + Send + 'static,
        tasks: Arc<dyn headwater_env::Spawn>,
    ) -> Self {
        let (clock, disk) = (Arc::new(ManualClock::at(START)), Arc::new(SimDisk::new(1)));
        let env = Env {
            clock: clock.clone(),
            random: Arc::new(SeededRandom::new(1)),
            disk: disk.clone(),
            tasks,
        };
        let fake = Fake {
            judge: Mutex::new(Box::new(judge)),
            taken: Mutex::default(),
            requests: Mutex::default(),
            status: Mutex::new(200),
        };
        Self {
            clock,
            env,
            disk,
            catalog: Arc::new(MortalCatalog::default()),
            fake: Arc::new(fake),
        }
    }

    async fn start(&self) -> Running {
        let options = Options {
            maintain_every: None,
            preallocate_bytes: 64 << 10,
            ..Options::new(Path::new("/log"))
        };
        let log: Arc<dyn ShardLog> =
            Arc::new(EmbeddedLog::open(self.env.clone(), options).await.unwrap());
        let catalog: Arc<dyn Catalog> = self.catalog.clone();
        let place = Place {
            account: Account("000000000000".to_owned()),
            region: Region("us-east-1".to_owned()),
            base: "http://127.0.0.1:4566".to_owned(),
        };
        let (env, endpoints) = (self.env.clone(), self.fake.clone());
        let topics = Topics::open(env, catalog, log.clone(), place, endpoints).await;
        Running {
            topics: topics.unwrap(),
            log,
        }
    }

    /// Ends what runs without a word, and begins anew on what the disk has.
    async fn crash(&self, running: Running) -> Running {
        running.topics.closed.send_replace(true);
        drop(running.topics);
        running.log.close().await;
        self.disk.crash();
        self.start().await
    }

    /// Waits until something is so, and moves the clock by a second whenever nothing happens by itself.
    async fn until(&self, is_so: impl Fn() -> bool) {
        for _ in 0..200_000 {
            if is_so() {
                return;
            }
            for _ in 0..50 {
                tokio::task::yield_now().await;
            }
            let real = Box::pin(self.env.blocking(|| ()));
            real.await;
            self.clock.advance(Duration::from_millis(100));
        }
        panic!("it is not so");
    }
}

fn new(endpoint: &str, settings: SubscriptionSettings) -> NewSubscription {
    let protocol = match endpoint {
        endpoint if endpoint.starts_with("http:") => Protocol::Http,
        endpoint if endpoint.contains(":lambda:") => Protocol::Lambda,
        _ => Protocol::Sqs,
    };
    NewSubscription {
        topic: "t".to_owned(),
        protocol,
        endpoint: endpoint.to_owned(),
        owner: "000000000000".to_owned(),
        principal: "arn:aws:iam::000000000000:root".to_owned(),
        set: Arc::new(move |to| {
            *to = settings.clone();
            Ok(())
        }),
    }
}

fn raw() -> SubscriptionSettings {
    SubscriptionSettings {
        raw: true,
        ..SubscriptionSettings::default()
    }
}

fn message(body: impl ToString) -> Message {
    Message {
        body: body.to_string(),
        ..Message::default()
    }
}

impl Running {
    async fn topic(&self) {
        let made = self.topics.create("t", Default::default(), BTreeMap::new());
        made.await.unwrap();
    }

    async fn subscribe(&self, endpoint: &str, settings: SubscriptionSettings) -> String {
        let subscribed = self.topics.subscribe(new(endpoint, settings)).await;
        subscribed.unwrap().id
    }

    async fn publish(&self, bodies: std::ops::Range<usize>) {
        for body in bodies {
            let published = self.topics.publish("t", vec![message(body)]).await;
            published.unwrap();
        }
    }

    /// Whether nothing of any subscription is open, and all of it is read.
    fn is_done(&self, read: u64) -> bool {
        let all = self.topics.all.read();
        all.subscriptions.values().all(|kept| {
            let progress = kept.progress.lock();
            progress.open.is_empty() && progress.read >= read
        })
    }
}

fn all(bodies: std::ops::Range<usize>) -> BTreeSet<String> {
    bodies.map(|body| body.to_string()).collect()
}

#[tokio::test]
async fn a_message_goes_to_every_subscription_that_wants_it() {
    let world = World::new(|_, _| Ok(()));
    let running = world.start().await;
    running.topic().await;
    running.publish(0..3).await;
    running.subscribe(QUEUE, raw()).await;
    let filtered = SubscriptionSettings {
        filter: Some(r#"{"n":[{"numeric":[">",5]}]}"#.to_owned()),
        scope: Scope::Body,
        ..raw()
    };
    running.subscribe(OTHER, filtered).await;
    let bodies = (3..10).map(|n| message(format!("{{\"n\":{n}}}")));
    running.topics.publish("t", bodies.collect()).await.unwrap();
    world.until(|| running.is_done(10)).await;
    assert_eq!(world.fake.taken_by(QUEUE).len(), 7);
    assert_eq!(
        world
            .fake
            .taken_by(OTHER)
            .into_iter()
            .collect::<BTreeSet<_>>(),
        (6..10).map(|n| format!("{{\"n\":{n}}}")).collect()
    );
}

/// One message that its queue does not take for minutes holds up neither the others nor other subscriptions, and a deleted
/// queue's messages become dead letters.
#[tokio::test]
async fn messages_come_on_independently_of_each_other() {
    let mut tries = 0;
    let world = World::new(move |endpoint, body| match (endpoint, body) {
        (QUEUE, "5") if tries < 18 => {
            tries += 1;
            Err(EndpointError::Failed("not now".to_owned()))
        }
        (OTHER, _) => Err(EndpointError::Refused("deleted".to_owned())),
        _ => Ok(()),
    });
    let running = world.start().await;
    running.topic().await;
    running.subscribe(QUEUE, raw()).await;
    let dead = SubscriptionSettings {
        dead_letters: Some(DEAD.parse().unwrap()),
        ..raw()
    };
    running.subscribe(OTHER, dead).await;
    running.publish(0..200).await;
    world
        .until(|| world.fake.taken_by(QUEUE).len() == 199)
        .await;
    assert!(!world.fake.taken_by(QUEUE).contains(&"5".to_owned()));
    world.until(|| running.is_done(200)).await;
    assert_eq!(world.fake.taken_by(QUEUE).last().unwrap(), "5");
    let dead: BTreeSet<_> = world.fake.taken_by(DEAD).into_iter().collect();
    assert_eq!(dead, all(0..200));
    assert!(world.fake.taken_by(OTHER).is_empty());
}

#[tokio::test]
async fn an_address_is_asked_to_confirm_and_gets_messages_then() {
    let world = World::new(|_, _| Ok(()));
    let running = world.start().await;
    running.topic().await;
    let id = running.subscribe("http://h/x", Default::default()).await;
    running.publish(0..1).await;
    world.until(|| world.fake.requests.lock().len() == 1).await;
    let asked = world.fake.requests.lock()[0].clone();
    assert_eq!(
        asked.headers()["x-amz-sns-message-type"],
        "SubscriptionConfirmation"
    );
    assert_eq!(
        asked.headers()["user-agent"],
        "Amazon Simple Notification Service Agent"
    );
    let asked: Json = serde_json::from_slice(asked.body()).unwrap();
    let token = asked["Token"].as_str().unwrap();
    assert_eq!(
        running
            .topics
            .confirm("00", false, false)
            .await
            .unwrap_err(),
        Error::NoToken
    );
    for _ in 0..2 {
        let confirmed = running.topics.confirm(token, false, false).await.unwrap();
        assert_eq!(confirmed.id, id);
    }
    running.publish(1..2).await;
    world.until(|| world.fake.requests.lock().len() == 2).await;
    let sent = world.fake.requests.lock()[1].clone();
    assert_eq!(sent.headers()["x-amz-sns-message-type"], "Notification");
    let sent: Json = serde_json::from_slice(sent.body()).unwrap();
    assert_eq!(sent["Message"], "1");
    assert!(!sent["Signature"].as_str().unwrap().is_empty());
    // Whoever follows the link cancels it, and may bring it back.
    running.topics.cancel(&id, false).await.unwrap();
    world.until(|| world.fake.requests.lock().len() == 3).await;
    let asked = world.fake.requests.lock()[2].clone();
    assert_eq!(
        asked.headers()["x-amz-sns-message-type"],
        "UnsubscribeConfirmation"
    );
    let asked: Json = serde_json::from_slice(asked.body()).unwrap();
    let token = asked["Token"].as_str().unwrap();
    running.publish(2..3).await;
    running.topics.confirm(token, false, false).await.unwrap();
    running.publish(3..4).await;
    world.until(|| world.fake.requests.lock().len() == 4).await;
    let sent = world.fake.requests.lock()[3].clone();
    let sent: Json = serde_json::from_slice(sent.body()).unwrap();
    assert_eq!(sent["Message"], "3");
    // It brings it back once: what its owner cancels stays cancelled.
    running.topics.confirm(token, false, false).await.unwrap();
    running.topics.cancel(&id, true).await.unwrap();
    let again = running.topics.confirm(token, false, false).await;
    assert!(matches!(again, Err(Error::NoToken)));
}

#[tokio::test]
async fn an_address_that_fails_is_tried_three_times_again() {
    let world = World::new(|_, _| Ok(()));
    let running = world.start().await;
    running.topic().await;
    let dead = SubscriptionSettings {
        dead_letters: Some(DEAD.parse().unwrap()),
        ..raw()
    };
    running.subscribe("http://h/x", dead).await;
    world.until(|| world.fake.requests.lock().len() == 1).await;
    let asked = world.fake.requests.lock()[0].clone();
    let asked: Json = serde_json::from_slice(asked.body()).unwrap();
    let token = asked["Token"].as_str().unwrap();
    running.topics.confirm(token, true, true).await.unwrap();
    *world.fake.status.lock() = 500;
    let began = world.env.clock.now();
    running.publish(0..1).await;
    world.until(|| running.is_done(1)).await;
    assert_eq!(world.fake.requests.lock().len(), 5);
    assert!(world.env.clock.now().since(began) >= Duration::from_secs(60));
    assert_eq!(world.fake.taken_by(DEAD), ["0"]);
    *world.fake.status.lock() = 404;
    running.publish(1..2).await;
    world.until(|| running.is_done(2)).await;
    assert_eq!(world.fake.requests.lock().len(), 6);
    assert_eq!(world.fake.taken_by(DEAD), ["0", "1"]);
}

/// Queues that the server would not find when there is something for them.
#[tokio::test]
async fn dead_letters_go_to_queues_of_the_owner_here() {
    let world = World::new(|_, _| Ok(()));
    let running = world.start().await;
    running.topic().await;
    let with = |dead: &str| SubscriptionSettings {
        dead_letters: Some(dead.parse().unwrap()),
        ..raw()
    };
    let is_refused = |done: Result<(), Error>| matches!(done, Err(Error::Refused(_)));
    let others = [
        "arn:aws:sqs:us-east-1:111111111111:dead",
        "arn:aws:sqs:eu-west-1:000000000000:dead",
    ];
    for other in others {
        let subscribed = running.topics.subscribe(new(QUEUE, with(other))).await;
        assert!(is_refused(subscribed.map(drop)), "{other}");
    }
    // What somebody else subscribes has no dead letters here, wherever they are to go.
    for dead in [DEAD, others[0]] {
        let foreign = NewSubscription {
            owner: "111111111111".to_owned(),
            ..new(QUEUE, with(dead))
        };
        let subscribed = running.topics.subscribe(foreign).await;
        assert!(is_refused(subscribed.map(drop)), "{dead}");
    }
    let id = running.subscribe(QUEUE, with(DEAD)).await;
    for other in others {
        let settings = with(other);
        let changed = running
            .topics
            .update_subscription(&id, move |subscription| {
                subscription.settings = settings.clone();
                Ok(())
            });
        assert!(is_refused(changed.await), "{other}");
    }
}

/// A crash repeats some messages at the most, and a request to confirm that was not answered.
#[tokio::test]
async fn a_crash_loses_nothing() {
    let mut tries = 0_u32;
    let world = World::new(move |_, _| {
        tries += 1;
        match tries.is_multiple_of(3) {
            true => Err(EndpointError::Failed("not now".to_owned())),
            false => Ok(()),
        }
    });
    let mut running = world.start().await;
    running.topic().await;
    running.subscribe(QUEUE, raw()).await;
    for round in 0..8 {
        running.publish(round * 20..round * 20 + 20).await;
        let some = round * 20 + 5;
        world
            .until(|| world.fake.taken_by(QUEUE).len() >= some)
            .await;
        running = world.crash(running).await;
    }
    world.until(|| running.is_done(160)).await;
    let taken: BTreeSet<_> = world.fake.taken_by(QUEUE).into_iter().collect();
    assert_eq!(taken, all(0..160));
    // What was done and written is not sent again.
    running.topics.close().await.unwrap();
    let count = world.fake.taken_by(QUEUE).len();
    let running = world.crash(running).await;
    running.publish(160..161).await;
    world.until(|| running.is_done(161)).await;
    assert_eq!(world.fake.taken_by(QUEUE).len(), count + 1);
}

#[tokio::test]
async fn messages_that_all_have_are_let_go_of() {
    let world = World::new(|_, _| Ok(()));
    let running = world.start().await;
    running.topic().await;
    running.subscribe(QUEUE, raw()).await;
    running.publish(0..10).await;
    world.until(|| running.is_done(10)).await;
    world.clock.advance(Duration::from_secs(1));
    running.publish(10..11).await;
    world.until(|| running.is_done(11)).await;
    running.topics.sweep().await.unwrap();
    let shard = running.topics.topic("t").unwrap().shard();
    let state = running.log.state(shard).await.unwrap();
    assert_eq!((state.first, state.end), (10, 11));
}

#[tokio::test]
async fn what_nobody_confirms_goes_away() {
    let world = World::new(|_, _| Ok(()));
    let running = world.start().await;
    running.topic().await;
    running.subscribe("http://h/x", raw()).await;
    world.until(|| world.fake.requests.lock().len() == 1).await;
    running.topics.sweep().await.unwrap();
    assert_eq!(running.topics.count("t").unwrap(), (0, 1));
    world.clock.advance(Duration::from_secs(48 * 3600));
    running.topics.sweep().await.unwrap();
    assert_eq!(running.topics.count("t").unwrap(), (0, 0));
    let rows = world.catalog.scan("topics/", None, 100).await.unwrap();
    let keys: Vec<_> = rows.into_iter().map(|(key, _)| key).collect();
    let left = ["topics/next-number", "topics/signing", "topics/topic/t"];
    assert_eq!(keys, left);
}

type Call = for<'a> fn(&'a Running) -> futures_util::future::BoxFuture<'a, Result<(), Error>>;

/// Every operation that changes a topic or a subscription. `t` has a queue.
const CALLS: &[(&str, Call)] = &[
    ("create", |r| {
        Box::pin(async move {
            let made = r.topics.create("new", Default::default(), BTreeMap::new());
            made.await.map(drop)
        })
    }),
    ("update", |r| {
        Box::pin(async move {
            let set = r.topics.update("t", |topic| {
                topic.settings.signature_version = Some(2);
                Ok(())
            });
            set.await.map(drop)
        })
    }),
    ("delete", |r| Box::pin(r.topics.delete("t"))),
    ("subscribe", |r| {
        Box::pin(async move { r.topics.subscribe(new(OTHER, raw())).await.map(drop) })
    }),
    ("subscribe an address", |r| {
        Box::pin(async move { r.topics.subscribe(new("http://h/x", raw())).await.map(drop) })
    }),
    ("cancel", |r| {
        Box::pin(async move {
            let id = r.topics.subscriptions(None, None, 1).unwrap().remove(0).id;
            r.topics.cancel(&id, true).await
        })
    }),
    ("update a subscription", |r| {
        Box::pin(async move {
            let id = r.topics.subscriptions(None, None, 1).unwrap().remove(0).id;
            let set = r.topics.update_subscription(&id, |subscription| {
                subscription.settings.filter = Some(r#"{"a":["x"]}"#.to_owned());
                Ok(())
            });
            set.await
        })
    }),
];

/// What is known here is what the catalog has, and the log has the topics' shards.
async fn agrees(world: &World, running: Running) {
    let store = &running.topics.world.store;
    let topics = store.topics.all().await.unwrap();
    let known: Vec<_> = running.topics.list(None, 100);
    assert_eq!(
        topics
            .iter()
            .map(|(name, _)| name.clone())
            .collect::<Vec<_>>(),
        known
    );
    for (name, topic) in &topics {
        assert_eq!(running.topics.topic(name).unwrap(), topic.value);
    }
    let mut shards: Vec<_> = topics
        .iter()
        .map(|(_, topic)| topic.value.shard())
        .collect();
    let mut logged = running.log.shards().await.unwrap();
    shards.sort_unstable();
    logged.sort_unstable();
    assert_eq!(shards, logged);
    let subscriptions = store.subscriptions.all().await.unwrap();
    let subscriptions: Vec<_> = subscriptions
        .into_iter()
        .map(|(_, row)| row.value)
        .collect();
    assert_eq!(
        running.topics.subscriptions(None, None, 100).unwrap(),
        subscriptions
    );
    let of_topics: usize = known
        .iter()
        .map(|topic| {
            running
                .topics
                .subscriptions(Some(topic), None, 100)
                .unwrap()
                .len()
        })
        .sum();
    assert_eq!(of_topics, subscriptions.len());
    let endpoints = store.endpoints.all().await.unwrap();
    assert_eq!(endpoints.len(), subscriptions.len());
    let confirmed = subscriptions.iter().filter(|it| it.confirmed).count();
    assert_eq!(store.progress.all().await.unwrap().len(), confirmed);
    running.topics.closed.send_replace(true);
    running.log.close().await;
    drop(world.disk.clone());
}

#[tokio::test]
async fn a_change_whose_caller_goes_away_is_made_everywhere_or_nowhere() {
    let tasks = CountedTasks::default();
    for (what, call) in CALLS {
        let world = async || {
            let world = World::with(|_, _| Ok(()), Arc::new(tasks.clone()));
            let running = world.start().await;
            running.topic().await;
            running.subscribe(QUEUE, raw()).await;
            world.catalog.yield_in(world.env.clone());
            (world, running)
        };
        let done = drop_at_every_await(
            &tasks,
            world,
            async |(_, running): &(World, Running)| call(running).await,
            async |(world, running)| agrees(&world, running).await,
        );
        assert_eq!(done.await, Ok(()), "{what}");
    }
}

/// What a run does.
#[derive(Debug, Clone)]
enum Action {
    Publish(usize),
    Advance(u64),
    Crash,
    Close,
    Refuse(bool),
}

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        4 => (1_usize..30).prop_map(Action::Publish),
        3 => (0_u64..30_000).prop_map(Action::Advance),
        2 => Just(Action::Crash),
        1 => Just(Action::Close),
        2 => any::<bool>().prop_map(Action::Refuse),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Whatever comes between, every message is delivered at last.
    #[test]
    fn every_message_is_delivered_at_last(actions in proptest::collection::vec(action(), 1..25)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let refuses = Arc::new(Mutex::new(false));
            let judge = refuses.clone();
            let world = World::new(move |_, _| match *judge.lock() {
                true => Err(EndpointError::Failed("not now".to_owned())),
                false => Ok(()),
            });
            let mut running = world.start().await;
            running.topic().await;
            running.subscribe(QUEUE, raw()).await;
            running.subscribe(OTHER, raw()).await;
            let mut published = 0;
            for action in actions {
                match action {
                    Action::Publish(count) => {
                        running.publish(published..published + count).await;
                        published += count;
                    }
                    Action::Advance(ms) => {
                        for _ in 0..20 {
                            tokio::task::yield_now().await;
                        }
                        world.clock.advance(Duration::from_millis(ms));
                    }
                    Action::Crash => running = world.crash(running).await,
                    Action::Close => {
                        running.topics.close().await.unwrap();
                        running = world.crash(running).await;
                    }
                    Action::Refuse(refused) => *refuses.lock() = refused,
                }
            }
            *refuses.lock() = false;
            world.until(|| running.is_done(published as u64)).await;
            for queue in [QUEUE, OTHER] {
                let taken: BTreeSet<_> = world.fake.taken_by(queue).into_iter().collect();
                assert_eq!(taken, all(0..published));
            }
            running.topics.closed.send_replace(true);
            running.log.close().await;
        });
    }
}
