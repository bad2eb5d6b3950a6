//! Consumers in a fleet that a worker of KCL's leads. The tests write what such a leader writes.

use headwater_env::Clock;
use headwater_items::{Number, Value};

use super::*;

fn text(text: &str) -> Option<Value> {
    Some(Value::String(text.into()))
}

/// A world with a leader.
struct Led {
    table: Arc<FakeTable>,
    world: World,
    beats: AtomicUsize,
}

impl Led {
    fn new(shards: u32) -> Self {
        let table = Arc::<FakeTable>::default();
        let polled = Reading::Poll {
            pause: Duration::from_secs(1),
        };
        let world = World::new(shards, polled).over(&table);
        let beats = AtomicUsize::new(0);
        let led = Self {
            table,
            world,
            beats,
        };
        led.beat();
        led
    }

    /// The leader's heartbeat.
    fn beat(&self) {
        let beats = self.beats.fetch_add(1, Ordering::SeqCst);
        let lock = [
            ("entityType", text("LEADER")),
            ("recordVersionNumber", text(&beats.to_string())),
            ("leaseDuration", text("20000")),
        ];
        self.table.write("Leader", &lock);
    }

    /// Lets time pass while the leader leads.
    async fn until(&self, what: &str, condition: impl Fn() -> bool) {
        let met = || {
            self.beat();
            condition()
        };
        self.world.until(what, met).await;
    }

    /// Lets so many seconds pass while the leader leads.
    async fn pass(&self, seconds: u64) {
        let end = self.world.clock.elapsed() + Duration::from_secs(seconds);
        self.until("the time", || self.world.clock.elapsed() >= end)
            .await;
    }

    async fn create(&self, shard: &str) {
        let shards = self.world.fake.shards().await.unwrap();
        let shard = shards.iter().find(|known| known.id == shard).unwrap();
        let lease = Lease::of(shard, Checkpoint::TrimHorizon);
        assert!(self.world.store.create(lease).await.unwrap());
    }

    /// Gives a lease to a worker.
    async fn assign(&self, shard: &str, worker: &str) {
        let counter = self.world.lease(shard).await.counter as i64 + 1;
        let attributes = [
            ("leaseOwner", text(worker)),
            ("checkpointOwner", None),
            ("leaseCounter", Some(Value::Number(Number::from(counter)))),
        ];
        self.table.write(shard, &attributes);
    }

    fn holder(&self, shard: &str) -> Option<Value> {
        let item = self.table.item(shard)?;
        let still = item.get("checkpointOwner");
        still.or(item.get("leaseOwner")).cloned()
    }
}

#[tokio::test]
async fn what_a_leader_gives_is_read_and_nothing_else() {
    let led = Led::new(2);
    (0..2).for_each(|s| led.world.fake.fill(&format!("s{s}"), 0..3));
    let a = led.world.consumer("a");
    led.pass(60).await;
    assert_eq!(led.table.item("s0"), None, "the leader makes leases");
    led.create("s0").await;
    led.create("s1").await;
    led.assign("s0", "a").await;
    led.until("what it has", || led.world.log.has_all("s0", 0..3))
        .await;
    led.pass(60).await;
    assert_eq!((a.shards(), led.holder("s1")), (vec!["s0".into()], None));
    assert!(led.table.item("a").is_some());
    a.shutdown().await;
    assert_eq!((led.holder("s0"), led.table.item("a")), (None, None));
}

#[tokio::test]
async fn a_lease_is_handed_over_in_order() {
    let led = Led::new(1);
    led.create("s0").await;
    led.assign("s0", "a").await;
    let a = led.world.consumer("a");
    led.until("a to hold it", || a.shards().len() == 1).await;
    let asked = [("leaseOwner", text("j")), ("checkpointOwner", text("a"))];
    led.table.write("s0", &asked);
    led.until("the handover", || led.holder("s0") == text("j"))
        .await;
    led.until("a to know it", || a.shards().is_empty()).await;
    assert_eq!(led.world.log.all(), ["s0 stopped"]);
    led.pass(60).await;
    assert_eq!(led.holder("s0"), text("j"), "the leader's to look after");
}

#[tokio::test]
async fn a_lease_that_was_given_and_taken_back_before_it_was_held_expires() {
    let led = Led::new(1);
    led.create("s0").await;
    let asked = [("leaseOwner", text("j")), ("checkpointOwner", text("a"))];
    led.table.write("s0", &asked);
    let a = led.world.consumer("a");
    led.pass(60).await;
    assert!(a.shards().is_empty(), "the leader's to look after");
    led.world
        .until("a to take it", || a.shards() == ["s0"])
        .await;
}

#[tokio::test]
async fn a_child_is_held_and_read_when_its_parent_is_processed() {
    let led = Led::new(1);
    led.world.fake.open("s1", &["s0"], HashRange::ALL);
    led.world.fake.fill("s1", 0..3);
    led.create("s0").await;
    led.create("s1").await;
    led.assign("s0", "j").await;
    led.assign("s1", "a").await;
    let a = led.world.consumer("a");
    led.until("a to hold it", || a.shards() == ["s1"]).await;
    led.pass(60).await;
    assert_eq!(led.world.log.all(), Vec::<String>::new());
    assert!(led.world.lease("s1").await.counter > 10, "it is renewed");
    led.table.write("s0", &[("checkpoint", text("SHARD_END"))]);
    led.until("the child", || led.world.log.has_all("s1", 0..3))
        .await;
}

#[tokio::test]
async fn a_shard_that_ended_stays_with_its_holder_until_its_children_are_under_way() {
    let led = Led::new(1);
    led.world.fake.fill("s0", 0..3);
    led.world.fake.open("s1", &["s0"], HashRange::ALL);
    led.create("s0").await;
    led.assign("s0", "a").await;
    let a = led.world.consumer("a");
    led.until("the end", || led.world.log.count("s0 ended") == 1)
        .await;
    led.pass(30).await;
    let ended = led.world.lease("s0").await;
    assert_eq!(ended.children, ["s1"]);
    assert_eq!((ended.holder(), a.shards().len()), (Some("a"), 1));
    led.world.fake.fill("s1", 0..3);
    led.assign("s1", "a").await;
    led.until("the parent's to go", || led.table.item("s0").is_none())
        .await;
    assert!(led.world.log.has_all("s1", 0..3));
    led.until("it to be forgotten", || a.shards() == ["s1"])
        .await;
}

#[tokio::test]
async fn without_a_leader_each_takes_its_share_again() {
    let led = Led::new(2);
    led.create("s0").await;
    led.create("s1").await;
    led.assign("s0", "j").await;
    let (a, b) = (led.world.consumer("a"), led.world.consumer("b"));
    led.pass(60).await;
    assert_eq!((a.shards().len(), b.shards().len()), (0, 0));
    // The leader dies, and what it held expires.
    led.world
        .until("both shares", || {
            a.shards().len() == 1 && b.shards().len() == 1
        })
        .await;
}
