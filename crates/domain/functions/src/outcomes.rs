//! Outcomes: the ends of events, on their way to where their function has them told.
//!
//! An outcome is kept in the commit that ends its event, and removed after it was told, so that it is told at least
//! once. Those that wait are bounded: where there is no room for another, the oldest of those that could not be told so
//! far is given up, and where all are still to be tried, the event's end waits for one of them. A place that does not
//! answer takes up a few of those that are told at one time, and holds up no other.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Weak},
    time::Duration,
};

use bytes::Bytes;
use headwater_catalog::{Catalog, CatalogError, Change, Expect, Table};
use headwater_env::Env;
use headwater_types::{Arn, Millis, kept::Prefix};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use crate::{
    Error, FunctionName, Part, Request,
    functions::Inner,
    limits,
    ports::{DeadLetter, Told, Untold},
};

/// An outcome as it waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Outcome {
    pub place: Arn,
    pub function: FunctionName,
    pub request_id: String,
    pub ended: Millis,
    /// JSON text.
    pub body: String,
    pub dead: Option<DeadLetter>,
    pub trace: String,
}

/// The queue of outcomes.
pub(crate) struct Outcomes {
    env: Env,
    catalog: Arc<dyn Catalog>,
    table: Table<Outcome>,
    state: Mutex<State>,
    /// Told when there may be something to tell.
    changed: Notify,
    /// Told when there may be room.
    room: Notify,
}

#[derive(Default)]
struct State {
    waiting: BTreeMap<String, Waiting>,
    /// Bytes of those, and of those that are being kept.
    bytes: usize,
    /// Those that are being kept.
    coming: usize,
}

/// An outcome as it is remembered; the rest is in the catalog.
struct Waiting {
    place: Arn,
    function: FunctionName,
    size: usize,
    ended: Millis,
    /// How often it was tried.
    tries: u32,
    /// When it is tried next, on the clock's elapsed time.
    due: Duration,
    running: bool,
}

impl Outcomes {
    pub async fn open(env: Env, catalog: Arc<dyn Catalog>) -> Result<Self, Error> {
        let table = Table::new(catalog.clone(), Prefix::FunctionOutcomes);
        let mut state = State::default();
        let mut after: Option<String> = None;
        loop {
            let page = table
                .scan("", after.as_deref(), limits::OUTCOMES_READ)
                .await?;
            let Some((last, _)) = page.last() else { break };
            after = Some(last.clone());
            for (key, found) in page {
                state.add(key, &found.value, env.clock.elapsed());
            }
        }
        Ok(Self {
            env,
            catalog,
            table,
            state: Mutex::new(state),
            changed: Notify::new(),
            room: Notify::new(),
        })
    }

    /// How many wait to be told.
    pub fn waiting(&self) -> usize {
        self.state.lock().waiting.len()
    }

    /// Keeps outcomes together with `changes`, which end their event.
    pub async fn keep(
        &self,
        mut changes: Vec<Change>,
        outcomes: Vec<Outcome>,
        given_up: impl Fn(&FunctionName),
    ) -> Result<(), CatalogError> {
        let size: usize = outcomes.iter().map(size_of).sum();
        for name in self.reserve(outcomes.len(), size).await? {
            given_up(&name);
        }
        let named: Vec<_> = outcomes
            .into_iter()
            .enumerate()
            .map(|(at, outcome)| (key(&outcome, at), outcome))
            .collect();
        for (key, outcome) in &named {
            changes.push(self.table.put(key, outcome, Expect::Any));
        }
        let kept = self.catalog.commit(changes).await.map(drop);
        let mut state = self.state.lock();
        state.coming -= named.len();
        state.bytes -= size;
        if kept.is_ok() {
            let now = self.env.clock.elapsed();
            for (key, outcome) in named {
                state.add(key, &outcome, now);
            }
        }
        drop(state);
        self.changed.notify_one();
        kept
    }

    /// Takes room for more outcomes; the functions whose outcomes were given up for it.
    async fn reserve(&self, count: usize, size: usize) -> Result<Vec<FunctionName>, CatalogError> {
        let mut given_up = Vec::new();
        if count == 0 {
            return Ok(given_up);
        }
        loop {
            let room = self.room.notified();
            tokio::pin!(room);
            // Registered before the look, so that no room falls between the two.
            room.as_mut().enable();
            let stale = {
                let mut state = self.state.lock();
                if state.has_room(count, size) {
                    state.coming += count;
                    state.bytes += size;
                    return Ok(given_up);
                }
                state.take_stale()
            };
            match stale {
                Some((key, waiting)) => {
                    tracing::warn!(
                        function = %waiting.function, place = %waiting.place,
                        "an outcome is given up, since too many wait to be told"
                    );
                    given_up.push(waiting.function);
                    self.table.remove(&key, Expect::Any).await?;
                }
                None => room.await,
            }
        }
    }

    /// The next outcomes to tell, which count as running from now on, and how long nothing else is due.
    fn next(&self) -> (Vec<String>, Duration) {
        let now = self.env.clock.elapsed();
        let mut state = self.state.lock();
        let mut running: HashMap<Arn, usize> = HashMap::new();
        let (mut all, mut troubled) = (0, 0);
        for one in state.waiting.values().filter(|one| one.running) {
            *running.entry(one.place.clone()).or_default() += 1;
            all += 1;
            troubled += usize::from(one.tries > 0);
        }
        let (mut next, mut wait) = (Vec::new(), limits::OUTCOME_RETRY_MAX);
        for (key, one) in &mut state.waiting {
            if one.running {
                continue;
            }
            if one.due > now {
                wait = wait.min(one.due - now);
                continue;
            }
            let is_troubled = one.tries > 0;
            let here = running.entry(one.place.clone()).or_default();
            if all >= limits::OUTCOMES_RUNNING_MAX
                || *here >= limits::OUTCOMES_RUNNING_PER_PLACE
                || is_troubled && troubled >= limits::OUTCOMES_TROUBLED_MAX
            {
                continue;
            }
            *here += 1;
            all += 1;
            troubled += usize::from(is_troubled);
            one.running = true;
            next.push(key.clone());
        }
        (next, wait)
    }

    /// Removes an outcome that is told, or given up.
    async fn done(&self, key: &str) -> Result<(), CatalogError> {
        self.table.remove(key, Expect::Any).await?;
        self.state.lock().forget(key);
        self.room.notify_waiters();
        self.changed.notify_one();
        Ok(())
    }

    /// Has an outcome wait for its next try, if it is not too old for one; whether it is.
    fn again(&self, key: &str) -> bool {
        let now = self.env.clock.now();
        let is_over = |one: &Waiting| now.since(one.ended) >= limits::OUTCOME_AGE_MAX;
        if self.state.lock().waiting.get(key).is_some_and(is_over) {
            return true;
        }
        self.rest(key);
        false
    }

    /// Has an outcome wait for its next try, however old it is.
    fn rest(&self, key: &str) {
        let elapsed = self.env.clock.elapsed();
        let mut state = self.state.lock();
        let Some(one) = state.waiting.get_mut(key) else {
            return;
        };
        one.tries = one.tries.saturating_add(1);
        let doubled = limits::OUTCOME_RETRY_AFTER * 2u32.pow((one.tries - 1).min(10));
        one.due = elapsed + doubled.min(limits::OUTCOME_RETRY_MAX);
        one.running = false;
        drop(state);
        // One that could not be told may be given up for one that comes.
        self.room.notify_waiters();
        self.changed.notify_one();
    }
}

impl State {
    fn has_room(&self, count: usize, size: usize) -> bool {
        let all = self.waiting.len() + self.coming;
        // One alone has always room, however large.
        all == 0
            || all + count <= limits::OUTCOMES_MAX
                && self.bytes + size <= limits::OUTCOMES_BYTES_MAX
    }

    fn add(&mut self, key: String, outcome: &Outcome, now: Duration) {
        let size = size_of(outcome);
        self.bytes += size;
        let waiting = Waiting {
            place: outcome.place.clone(),
            function: outcome.function.clone(),
            size,
            ended: outcome.ended,
            tries: 0,
            due: now,
            running: false,
        };
        self.waiting.insert(key, waiting);
    }

    fn forget(&mut self, key: &str) -> Option<Waiting> {
        let waiting = self.waiting.remove(key)?;
        self.bytes -= waiting.size;
        Some(waiting)
    }

    /// The oldest that was tried in vain.
    fn take_stale(&mut self) -> Option<(String, Waiting)> {
        let stale = self
            .waiting
            .iter()
            .find(|(_, one)| one.tries > 0 && !one.running);
        let key = stale?.0.clone();
        Some((key.clone(), self.forget(&key)?))
    }
}

fn size_of(outcome: &Outcome) -> usize {
    let dead = outcome.dead.as_ref().map_or(0, |dead| dead.message.len());
    outcome.body.len() + dead
}

fn key(outcome: &Outcome, at: usize) -> String {
    format!("{:015}-{}-{at}", outcome.ended.0, outcome.request_id)
}

/// Tells what waits, for as long as there is somebody whose events end.
pub(crate) async fn tell(env: Env, inner: Weak<Inner>) {
    loop {
        let Some(strong) = inner.upgrade() else {
            return;
        };
        let (next, wait) = strong.outcomes.next();
        for key in next {
            env.spawn(tell_one(strong.clone(), key));
        }
        let outcomes = strong.outcomes.clone();
        drop(strong);
        tokio::select! {
            () = outcomes.changed.notified() => {}
            () = env.clock.sleep(wait) => {}
        }
    }
}

async fn tell_one(inner: Arc<Inner>, key: String) {
    let outcomes = &inner.outcomes;
    let found = match outcomes.table.get(&key).await {
        Ok(found) => found.map(|found| found.value.told()),
        Err(error) => {
            tracing::warn!(%error, "an outcome could not be read, and is told later");
            outcomes.rest(&key);
            return;
        }
    };
    if let Some(told) = found
        && let Err(untold) = try_tell(&inner, &told).await
    {
        let (why, is_over) = match untold {
            Untold::Refused(why) => (why, true),
            Untold::Failed(why) => (why, outcomes.again(&key)),
        };
        let (function, place) = (&told.function, &told.place);
        if !is_over {
            tracing::debug!(%function, %place, why, "an outcome is told later");
            return;
        }
        tracing::warn!(%function, %place, why, "an outcome is given up");
        inner.counts.untold(function);
    }
    if let Err(error) = outcomes.done(&key).await {
        tracing::warn!(%error, "an outcome that was told could not be removed, and is told again");
        outcomes.rest(&key);
    }
}

/// Tells one outcome, for no longer than that may take.
async fn try_tell(inner: &Inner, told: &Told) -> Result<(), Untold> {
    let telling = async {
        if told.place.service == "lambda" {
            return tell_function(inner, told).await;
        }
        match inner.outlets.get() {
            Some(outlets) => outlets.tell(told).await,
            None => Err(Untold::Failed("nothing takes outcomes yet".to_owned())),
        }
    };
    tokio::select! {
        told = telling => told,
        () = inner.env.clock.sleep(limits::OUTCOME_TIME) => {
            Err(Untold::Failed("the place took too long".to_owned()))
        }
    }
}

/// Tells a function, as an event of its own.
async fn tell_function(inner: &Inner, told: &Told) -> Result<(), Untold> {
    let missing = || Untold::Refused("there is no such function".to_owned());
    let part = Part::of(&told.place, &inner.options).ok_or_else(missing)?;
    let resolved = inner.resolve(&part.name, part.qualifier.as_ref(), false);
    if let Err(Error::NotFound(_) | Error::NoVersion(_) | Error::NoAlias(_)) = resolved.await {
        return Err(missing());
    }
    let request = Request {
        request_id: inner.env.random.uuid(),
        payload: Bytes::from(told.body.clone()),
        client_context: None,
        qualifier: part.qualifier,
    };
    match inner.events.push(part.name, request).await {
        Ok(()) => Ok(()),
        Err(error @ Error::PayloadTooLarge { .. }) => Err(Untold::Refused(error.to_string())),
        Err(error) => Err(Untold::Failed(error.to_string())),
    }
}

impl Outcome {
    fn told(self) -> Told {
        Told {
            place: self.place,
            function: self.function,
            request_id: self.request_id,
            ended: self.ended,
            body: self.body,
            dead: self.dead,
            trace: self.trace,
        }
    }
}

#[cfg(test)]
mod tests;
