//! The feed: the picture as events, once a second, and after the first event only what changed.
//!
//! It is made by whichever listener asks first in a second, for all of them, and by nobody while nobody listens.

use std::{collections::BTreeMap, io, sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{Stream, stream};
use headwater_env::Env;
use serde_json::{Map, Value, json};
use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore, watch};

/// Listeners at one time.
pub const LISTENERS_MAX: usize = 16;

/// The time between two events.
const BEAT: Duration = Duration::from_secs(1);

/// The time for which a picture is new enough. It is less than a beat, as sleepers wake at somewhat different times.
const FRESH: Duration = Duration::from_millis(900);

/// Makes pictures.
#[async_trait]
pub trait Draw: Send + Sync {
    /// The things that there are now, by their keys.
    async fn things(&self) -> BTreeMap<String, Value>;

    /// The facts about the server that stay the same.
    fn server(&self) -> Value;
}

/// The feed of a server.
pub struct Feed {
    env: Env,
    draw: Box<dyn Draw>,
    last: Mutex<Option<Made>>,
    places: Arc<Semaphore>,
    closed: watch::Sender<bool>,
}

/// A picture that was made.
struct Made {
    number: u64,
    /// When, on the clock that never jumps.
    made: Duration,
    things: BTreeMap<String, Value>,
    /// The event for those who had the one before.
    changes: Bytes,
}

/// Somebody who listens.
struct Listener {
    feed: Arc<Feed>,
    /// The picture that it had last.
    seen: Option<u64>,
    _place: OwnedSemaphorePermit,
}

impl Feed {
    /// A feed that nobody listens to.
    pub fn new(env: Env, draw: Box<dyn Draw>) -> Arc<Self> {
        Arc::new(Self {
            env,
            draw,
            last: Mutex::default(),
            places: Arc::new(Semaphore::new(LISTENERS_MAX)),
            closed: watch::Sender::new(false),
        })
    }

    /// Events without an end; none where too many listen.
    pub fn listen(
        self: &Arc<Self>,
    ) -> Option<impl Stream<Item = io::Result<Bytes>> + Send + 'static> {
        let listener = Listener {
            feed: self.clone(),
            seen: None,
            _place: self.places.clone().try_acquire_owned().ok()?,
        };
        Some(stream::unfold(listener, Listener::next))
    }

    /// Ends all events, so that a shutdown need not wait for them.
    pub fn close(&self) {
        self.closed.send_replace(true);
    }

    /// The event for somebody who saw the picture of that number last, and the number of the picture that it leads to.
    async fn after(&self, seen: Option<u64>) -> (Bytes, u64) {
        let mut last = self.last.lock().await;
        let elapsed = self.env.clock.elapsed();
        let is_fresh = |made: &Made| elapsed.saturating_sub(made.made) < FRESH;
        if !last.as_ref().is_some_and(is_fresh) {
            // Who listens may be gone while things are drawn: until then the last picture stays as it is.
            let things = self.draw.things().await;
            *last = Some(self.make(last.take(), things, elapsed));
        }
        let made = last.as_ref().expect("it was made");
        let event = match made.number.checked_sub(seen.unwrap_or(u64::MAX)) {
            // A line that is passed over keeps the connection.
            Some(0) => Bytes::from_static(b":\n\n"),
            Some(1) => made.changes.clone(),
            _ => self.whole(&made.things),
        };
        (event, made.number)
    }

    fn make(
        &self,
        before: Option<Made>,
        things: BTreeMap<String, Value>,
        elapsed: Duration,
    ) -> Made {
        let (number, old) =
            before.map_or((0, BTreeMap::new()), |made| (made.number + 1, made.things));
        let changes = changes(&old, &things);
        let changes = event(self.now(), changes);
        Made {
            number,
            made: elapsed,
            things,
            changes,
        }
    }

    fn whole(&self, things: &BTreeMap<String, Value>) -> Bytes {
        let things: Map<_, _> = things.clone().into_iter().collect();
        event(
            self.now(),
            json!({ "server": self.draw.server(), "things": things }),
        )
    }

    fn now(&self) -> u64 {
        self.env.clock.now().0
    }
}

impl Listener {
    async fn next(mut self) -> Option<(io::Result<Bytes>, Self)> {
        let mut closed = self.feed.closed.subscribe();
        if self.seen.is_some() {
            tokio::select! {
                () = self.feed.env.clock.sleep(BEAT) => {}
                // The feed lives for as long as its listener does.
                _ = closed.wait_for(|closed| *closed) => {}
            }
        }
        if *closed.borrow() {
            return None;
        }
        let (event, number) = self.feed.after(self.seen).await;
        self.seen = Some(number);
        Some((Ok(event), self))
    }
}

/// The things that are new or otherwise, and the keys of those that are gone.
fn changes(old: &BTreeMap<String, Value>, new: &BTreeMap<String, Value>) -> Value {
    let is_new = |(key, thing): &(&String, &Value)| old.get(*key) != Some(thing);
    let things = new.iter().filter(is_new);
    let things: Map<_, _> = things
        .map(|(key, thing)| (key.clone(), thing.clone()))
        .collect();
    let gone: Vec<_> = old.keys().filter(|key| !new.contains_key(*key)).collect();
    json!({ "things": things, "gone": gone })
}

/// An event in the form of server-sent events. JSON has no ends of lines but escaped ones.
fn event(now_ms: u64, mut told: Value) -> Bytes {
    told["at"] = now_ms.into();
    Bytes::from(format!("data: {told}\n\n"))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

    use futures_util::{FutureExt, StreamExt};
    use headwater_env::ManualClock;
    use headwater_types::Millis;

    use super::*;

    /// A thing that says how often it was drawn, and one that stays the same. Drawing may need
    /// a second turn.
    #[derive(Default)]
    struct Counted(Arc<AtomicU64>, bool);

    #[async_trait]
    impl Draw for Counted {
        async fn things(&self) -> BTreeMap<String, Value> {
            if self.1 {
                tokio::task::yield_now().await;
            }
            let times = self.0.fetch_add(1, Relaxed);
            let same = BTreeMap::from([("same".to_owned(), json!(0))]);
            let counted = [("counted".to_owned(), json!(times))];
            match times {
                0..3 => same.into_iter().chain(counted).collect(),
                _ => same,
            }
        }

        fn server(&self) -> Value {
            json!("server")
        }
    }

    struct World {
        clock: Arc<ManualClock>,
        drawn: Arc<AtomicU64>,
        feed: Arc<Feed>,
    }

    fn world() -> World {
        world_that(false)
    }

    fn world_that(draws_in_two_turns: bool) -> World {
        let clock = Arc::new(ManualClock::at(Millis(1_000)));
        let env = Env {
            clock: clock.clone(),
            ..Env::real()
        };
        let drawn = Arc::new(AtomicU64::new(0));
        let feed = Feed::new(env, Box::new(Counted(drawn.clone(), draws_in_two_turns)));
        World { clock, drawn, feed }
    }

    type Events = stream::BoxStream<'static, io::Result<Bytes>>;

    async fn told(events: &mut Events) -> Value {
        let event = events.next().await.unwrap().unwrap();
        let text = std::str::from_utf8(&event).unwrap();
        let json = text.strip_prefix("data: ").unwrap().trim_end();
        serde_json::from_str(json).unwrap()
    }

    #[tokio::test]
    async fn the_first_event_is_whole_and_the_next_ones_say_what_changed() {
        let World { clock, drawn, feed } = world();
        assert_eq!(drawn.load(Relaxed), 0, "nobody listens");
        let mut events: Events = Box::pin(feed.listen().unwrap());
        let whole =
            json!({ "at": 1_000, "server": "server", "things": { "counted": 0, "same": 0 } });
        assert_eq!(told(&mut events).await, whole);
        for (at, things, gone) in [
            (2_000, json!({ "counted": 1 }), json!([])),
            (3_000, json!({ "counted": 2 }), json!([])),
            (4_000, json!({}), json!(["counted"])),
        ] {
            let mut next = Box::pin(told(&mut events));
            assert!(
                (&mut next).now_or_never().is_none(),
                "it waits for its time"
            );
            clock.advance(BEAT);
            let changes = json!({ "at": at, "things": things, "gone": gone });
            assert_eq!(next.await, changes);
        }
    }

    #[tokio::test]
    async fn all_who_listen_share_a_picture_and_there_is_a_bound() {
        let World { clock, drawn, feed } = world();
        let listen = || feed.listen().map(|events| Box::pin(events) as Events);
        let mut all: Vec<_> = (0..LISTENERS_MAX).map(|_| listen().unwrap()).collect();
        assert!(listen().is_none());
        for events in &mut all {
            assert_eq!(told(events).await["things"]["counted"], 0);
        }
        let mut nexts: Vec<_> = all.iter_mut().map(|events| events.next()).collect();
        for next in &mut nexts {
            assert!(next.now_or_never().is_none());
        }
        clock.advance(BEAT);
        for next in nexts {
            assert!(next.await.unwrap().unwrap().starts_with(b"data: "));
        }
        assert_eq!(drawn.load(Relaxed), 2);
        all.pop();
        let mut late = listen().expect("a place is free");
        assert!(told(&mut late).await["server"].is_string());
    }

    #[tokio::test]
    async fn whoever_missed_a_picture_gets_the_whole() {
        let World { clock, feed, .. } = world();
        assert_eq!(feed.after(None).await.1, 0);
        clock.advance(BEAT);
        assert_eq!(feed.after(Some(0)).await.1, 1);
        clock.advance(BEAT);
        let text = |event: Bytes| String::from_utf8(event.to_vec()).unwrap();
        let (missed, number) = feed.after(Some(0)).await;
        assert_eq!(number, 2);
        assert!(text(missed).contains("server"));
        let (again, number) = feed.after(Some(2)).await;
        assert_eq!((text(again).as_str(), number), (":\n\n", 2));
    }

    #[tokio::test]
    async fn whoever_leaves_while_a_picture_is_drawn_changes_nothing_for_others() {
        let World { clock, drawn, feed } = world_that(true);
        assert_eq!(feed.after(None).await.1, 0);
        clock.advance(BEAT);
        assert_eq!(feed.after(Some(0)).await.1, 1);
        clock.advance(BEAT);
        let left = feed.after(Some(1)).now_or_never();
        assert!(left.is_none(), "it is still being drawn");
        assert_eq!(drawn.load(Relaxed), 2);
        let (event, number) = feed.after(Some(1)).await;
        assert_eq!(number, 2);
        assert!(!String::from_utf8_lossy(&event).contains("server"));
    }

    #[tokio::test]
    async fn a_shutdown_ends_events() {
        let World { feed, .. } = world();
        let mut events: Events = Box::pin(feed.listen().unwrap());
        told(&mut events).await;
        let mut next = events.next();
        assert!((&mut next).now_or_never().is_none());
        feed.close();
        assert!(next.await.is_none());
        let mut late: Events = Box::pin(feed.listen().unwrap());
        assert!(late.next().await.is_none());
    }
}
