//! Events: invocations that nobody waits for. Kept in the catalog until they are done, so a crash repeats them.
//!
//! A key starts with the time the event is due; a retry moves the event to a later key. Where its function has no room
//! an event stays where it is, and is tried as soon as the function has some. As on AWS an event runs at least once, is
//! tried again when the function fails, and is given up when it is too old; its end is told where the function's
//! settings say ([`crate::outcomes`]), in one commit with the event's removal.
//!
//! The keys of all that waits are in memory, the events themselves in the catalog.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::{Arc, Weak},
    time::Duration,
};

use bytes::Bytes;
use headwater_catalog::{CatalogError, Expect, Table};
use headwater_env::Env;
use headwater_types::Millis;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use crate::{
    Error, EventSettings, FunctionName, Part,
    ends::{self, End},
    functions::Inner,
    invoke::{self, Request},
    limits,
};

/// An event as it waits.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct QueuedEvent {
    pub function: FunctionName,
    pub request_id: String,
    /// JSON text.
    pub payload: String,
    pub client_context: Option<String>,
    /// The version that is asked for, if any by name.
    #[serde(default)]
    pub qualifier: Option<String>,
    pub accepted: Millis,
    /// How often it was run.
    pub tries: u32,
    /// Its name to X-Ray, for who is told its end.
    #[serde(default)]
    pub trace: String,
}

/// The queue of events.
pub(crate) struct Events {
    env: Env,
    table: Table<QueuedEvent>,
    state: Mutex<State>,
    /// Told when there may be something to do.
    changed: Notify,
}

#[derive(Default)]
struct State {
    waiting: BTreeMap<String, Waiting>,
    /// Bytes of those, and of those that are being kept.
    bytes: usize,
    /// Those that are being kept.
    coming: usize,
    running: HashSet<String>,
    /// Functions, as they were named, that were found without room, until some may be free.
    full: HashSet<(FunctionName, Option<String>)>,
    /// When it was looked last whether old events are too old.
    aged_looked: Duration,
}

/// An event as it is remembered; the rest is in the catalog.
struct Waiting {
    function: FunctionName,
    qualifier: Option<String>,
    size: usize,
    accepted: Millis,
}

impl Events {
    pub async fn open(env: Env, table: Table<QueuedEvent>) -> Result<Self, Error> {
        let mut state = State::default();
        let mut after: Option<String> = None;
        loop {
            let page = table
                .scan("", after.as_deref(), limits::EVENTS_READ)
                .await?;
            let Some((last, _)) = page.last() else { break };
            after = Some(last.clone());
            for (key, event) in page {
                state.add(key, &event.value);
            }
        }
        Ok(Self {
            env,
            table,
            state: Mutex::new(state),
            changed: Notify::new(),
        })
    }

    /// How many events are kept.
    pub fn waiting(&self) -> usize {
        self.state.lock().waiting.len()
    }

    /// Accepts an event; durable when it returns. The caller runs to its end.
    pub async fn push(&self, function: FunctionName, request: Request) -> Result<(), Error> {
        let size = request.payload.len();
        if size > limits::EVENT_BYTES_MAX {
            return Err(Error::PayloadTooLarge {
                size,
                max: limits::EVENT_BYTES_MAX,
            });
        }
        let payload = String::from_utf8(request.payload.into()).map_err(|_| Error::Invalid {
            what: "payload",
            why: "it is not UTF-8".into(),
        })?;
        self.reserve(size)?;
        let now = self.env.clock.now();
        let Request {
            request_id,
            client_context,
            qualifier,
            ..
        } = request;
        let event = QueuedEvent {
            function,
            request_id,
            payload,
            client_context,
            qualifier: qualifier.map(|qualifier| qualifier.to_string()),
            accepted: now,
            tries: 0,
            trace: invoke::trace_id(&self.env),
        };
        let key = key(now, &event);
        let written = self.table.write(&key, &event, Expect::Any).await;
        let mut state = self.state.lock();
        state.coming -= 1;
        state.bytes -= size;
        written?;
        state.add(key, &event);
        drop(state);
        self.changed.notify_one();
        Ok(())
    }

    fn reserve(&self, size: usize) -> Result<(), Error> {
        let mut state = self.state.lock();
        let all = state.waiting.len() + state.coming;
        if all >= limits::EVENTS_MAX || state.bytes + size > limits::EVENTS_BYTES_MAX {
            return Err(Error::QueueFull);
        }
        state.coming += 1;
        state.bytes += size;
        Ok(())
    }

    /// The next events to run, which count as running from now on, and how long nothing else is due. `room` tells how
    /// many more of a function may run; events that may be too old by now are among them from time to time all the same.
    fn next(&self, room: impl Fn(&FunctionName) -> usize) -> (Vec<String>, Duration) {
        let now = self.env.clock.now();
        let state = &mut *self.state.lock();
        let elapsed = self.env.clock.elapsed();
        let looks = elapsed.saturating_sub(state.aged_looked) >= limits::EVENTS_LOOK_EVERY;
        if looks {
            state.aged_looked = elapsed;
        }
        let mut free = limits::EVENTS_RUNNING_MAX.saturating_sub(state.running.len());
        let (mut next, mut wait) = (Vec::new(), limits::EVENTS_LOOK_EVERY);
        let mut rooms: HashMap<&FunctionName, usize> = HashMap::new();
        for (key, one) in &state.waiting {
            if due(key) > now {
                wait = wait.min(due(key).since(now));
                break;
            }
            if free == 0 {
                break;
            }
            if state.running.contains(key) {
                continue;
            }
            let is_full = state.full.contains(&one.named());
            let left = rooms
                .entry(&one.function)
                .or_insert_with(|| room(&one.function));
            if *left > 0 && !is_full {
                *left -= 1;
            } else if !looks || now.since(one.accepted) < limits::EVENT_AGE_MIN {
                continue;
            }
            free -= 1;
            next.push(key.clone());
        }
        state.running.extend(next.iter().cloned());
        (next, wait)
    }

    /// Functions that had no room may have some.
    fn look_again(&self) {
        self.state.lock().full.clear();
    }

    /// An event runs no more; `full` says that it did not, for want of room.
    fn ran(&self, key: &str, full: bool) {
        let mut state = self.state.lock();
        state.running.remove(key);
        let named = state.waiting.get(key).filter(|_| full).map(Waiting::named);
        state.full.extend(named);
        drop(state);
        self.changed.notify_one();
    }
}

impl Waiting {
    /// The function as its event names it.
    fn named(&self) -> (FunctionName, Option<String>) {
        (self.function.clone(), self.qualifier.clone())
    }
}

impl State {
    fn add(&mut self, key: String, event: &QueuedEvent) {
        let waiting = Waiting {
            function: event.function.clone(),
            qualifier: event.qualifier.clone(),
            size: event.payload.len(),
            accepted: event.accepted,
        };
        self.bytes += waiting.size;
        self.waiting.insert(key, waiting);
    }

    fn forget(&mut self, key: &str) {
        if let Some(waiting) = self.waiting.remove(key) {
            self.bytes -= waiting.size;
        }
    }
}

fn key(due: Millis, event: &QueuedEvent) -> String {
    format!("{:015}-{}", due.0, event.request_id)
}

fn due(key: &str) -> Millis {
    Millis(
        key.split('-')
            .next()
            .and_then(|ms| ms.parse().ok())
            .unwrap_or(0),
    )
}

/// Runs what is due, for as long as there is somebody to run it for.
pub(crate) async fn dispatch(env: Env, inner: Weak<Inner>) {
    loop {
        let Some(strong) = inner.upgrade() else {
            return;
        };
        let (events, pool) = (strong.events.clone(), strong.pool.clone());
        let freed = pool.freed();
        tokio::pin!(freed);
        // Registered before the look, so that no room falls between the two.
        freed.as_mut().enable();
        let (next, wait) = events.next(|name| pool.room(name));
        for key in next {
            env.spawn(run(strong.clone(), key));
        }
        drop(strong);
        tokio::select! {
            () = events.changed.notified() => {}
            () = freed => events.look_again(),
            () = env.clock.sleep(wait) => events.look_again(),
        }
    }
}

/// The end of one run of an event.
enum Ran {
    /// It is done with.
    Ended(End),
    /// Nobody needs to hear of it: its function is gone.
    Gone,
    /// It is tried again so much later.
    Again(Duration),
    /// It did not run.
    Not(Unrun),
}

/// Why an event did not run.
enum Unrun {
    /// There was no room.
    Full,
    /// The server is stopping.
    Closed,
}

async fn run(inner: Arc<Inner>, key: String) {
    let event = match inner.events.table.get(&key).await {
        Ok(Some(found)) => found.value,
        Ok(None) => {
            inner.events.state.lock().forget(&key);
            return inner.events.ran(&key, false);
        }
        Err(error) => {
            tracing::warn!(%error, "a waiting event could not be read");
            inner.env.clock.sleep(limits::EVENT_AGAIN_AFTER).await;
            return inner.events.ran(&key, false);
        }
    };
    match inner.run_event(&key, event).await {
        // It stays where it was and counts as running, so that nothing starts it before the server ends.
        Ok(Some(Unrun::Closed)) => return,
        Ok(Some(Unrun::Full)) => return inner.events.ran(&key, true),
        Ok(None) => {}
        Err(error) => {
            tracing::warn!(%error, "the end of an event could not be kept, so it runs again");
            inner.env.clock.sleep(limits::EVENT_AGAIN_AFTER).await;
        }
    }
    inner.events.ran(&key, false);
}

impl Inner {
    /// Runs an event once and keeps what came of it; what did not, is answered.
    async fn run_event(
        self: &Arc<Self>,
        key: &str,
        mut event: QueuedEvent,
    ) -> Result<Option<Unrun>, Error> {
        let part = Part {
            name: event.function.clone(),
            qualifier: event.qualifier.as_ref().and_then(|text| text.parse().ok()),
        };
        let settings = self.event_settings(&part).await?;
        let settings = settings.map_or_else(EventSettings::default, |kept| kept.settings);
        match self.try_event(&part, &mut event, &settings).await {
            Ran::Ended(end) => {
                let function = match self
                    .resolve(&part.name, part.qualifier.as_ref(), false)
                    .await
                {
                    Ok(function) => Some(function),
                    Err(Error::NotFound(_) | Error::NoVersion(_) | Error::NoAlias(_)) => None,
                    // Whether it has a dead letter queue is not known: the event runs again.
                    Err(error) => return Err(error),
                };
                let surroundings = (&self.options, self.env.clock.now());
                let told = ends::outcomes(&event, &end, &settings, function.as_ref(), surroundings);
                let removed = self.events.table.delete(key, Expect::Any);
                let given_up = |name: &FunctionName| self.counts.untold(name);
                self.outcomes.keep(vec![removed], told, given_up).await?;
                let mut state = self.events.state.lock();
                state.forget(key);
                if let End::TooOld(_) = end {
                    // Those behind it may be too old as well.
                    state.aged_looked = Duration::ZERO;
                }
            }
            Ran::Gone => {
                self.events.table.remove(key, Expect::Any).await?;
                self.events.state.lock().forget(key);
            }
            Ran::Again(after) => self.put_off(key, &event, after).await?,
            Ran::Not(why) => return Ok(Some(why)),
        }
        Ok(None)
    }

    async fn try_event(
        self: &Arc<Self>,
        part: &Part,
        event: &mut QueuedEvent,
        settings: &EventSettings,
    ) -> Ran {
        if self.env.clock.now().since(event.accepted) >= settings.age() {
            return Ran::Ended(End::TooOld(None));
        }
        if self.pool.is_stopped(&part.name) {
            return Ran::Ended(End::Stopped);
        }
        let request = Request {
            request_id: event.request_id.clone(),
            payload: Bytes::from(event.payload.clone()),
            client_context: event.client_context.clone(),
            qualifier: part.qualifier.clone(),
        };
        match self.invoke(&part.name, request, false, &mut None).await {
            Ok(ran) => {
                event.tries = event.tries.saturating_add(1);
                if !ran.failed {
                    return Ran::Ended(End::Succeeded(ran));
                }
                if event.tries >= settings.tries() {
                    return Ran::Ended(End::Failed(ran));
                }
                let after = limits::EVENT_RETRY_AFTER * 2u32.pow((event.tries - 1).min(8));
                // As recorded on AWS, an event that would be too old by then is given up now.
                let then = self.env.clock.now().plus(after);
                match then.since(event.accepted) >= settings.age() {
                    true => Ran::Ended(End::TooOld(Some(ran))),
                    false => Ran::Again(after),
                }
            }
            Err(Error::Closed) => Ran::Not(Unrun::Closed),
            Err(Error::NotFound(_) | Error::NoVersion(_) | Error::NoAlias(_)) => Ran::Gone,
            Err(Error::Throttled | Error::Reserved) => Ran::Not(Unrun::Full),
            Err(error) => {
                tracing::debug!(%error, function = %part.name, "an event has to wait");
                Ran::Again(limits::EVENT_AGAIN_AFTER)
            }
        }
    }

    /// Moves an event to when it is tried again.
    async fn put_off(
        &self,
        key: &str,
        event: &QueuedEvent,
        after: Duration,
    ) -> Result<(), CatalogError> {
        let later = self::key(self.env.clock.now().plus(after), event);
        let table = &self.events.table;
        let moved = vec![
            table.delete(key, Expect::Any),
            table.put(&later, event, Expect::Any),
        ];
        self.catalog.commit(moved).await?;
        let mut state = self.events.state.lock();
        state.forget(key);
        state.add(later, event);
        Ok(())
    }
}
