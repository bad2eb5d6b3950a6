//! The poller of a queue: it gathers messages to a batch, and calls the function with several batches at once.
//!
//! Nothing durable is kept here: a message is the queue's until the function has done it, and what is not done comes again
//! when its time of hiding is over. So a crash, a failed call and a function that has no room are one thing to the queue,
//! which counts how often a message was received and sets it aside in the end.

use std::{sync::Arc, time::Duration};

use futures_util::{FutureExt, StreamExt, future::BoxFuture, stream::FuturesUnordered};
use parking_lot::Mutex;
use tokio::sync::OwnedSemaphorePermit;

use crate::{
    counts::Blocked,
    gathered::{Gathered, Held},
    judge::{Verdict, judge},
    lane::wait_before,
    limits::{
        CALLS_MAX, CALLS_MIN, RECEIVE_KIB_MAX, RECEIVED_MAX, RETRY_WAIT_MAX, RETRY_WAIT_MIN,
        SOURCE_PAUSE, TAKE_WAIT,
    },
    ports::{Answer, HandlerError, Message, QueueError, Taken},
    worker::{Configured, LastResult, Shared, World},
};

/// The poller of one queue for one mapping.
pub(crate) struct Poller {
    world: World,
    shared: Arc<Shared>,
    /// Messages that had no room in the batch that they were received for.
    left: Mutex<Option<Left>>,
}

/// Messages that are for the next batch.
struct Left {
    what: What,
    /// Until when they are hidden from other receivers.
    hidden_until: Duration,
}

enum What {
    Unread(Box<dyn Taken>),
    /// In memory, with the room that they have.
    Read(Vec<Message>, OwnedSemaphorePermit),
}

/// What came of a batch, as far as it says how many calls there is room for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Called {
    AtOnce,
    /// The function had no room for a while.
    Late,
}

/// How many calls may run at once: one more after each that went well, half as many after one that found no room.
struct Pace(u32);

impl Pace {
    fn after(&mut self, called: Called) {
        self.0 = match called {
            Called::AtOnce => self.0.saturating_add(1).min(CALLS_MAX),
            Called::Late => (self.0 / 2).max(1),
        };
    }

    fn calls(&self, config: &Configured) -> usize {
        let most = config.mapping.settings.concurrency.unwrap_or(u32::MAX);
        self.0.min(most) as usize
    }
}

/// Messages were hidden for less time than it took to read them.
const CAME_BACK: &str = "messages came back into the queue before they could be read; its visibility timeout is too short";

impl Poller {
    pub fn new(world: World, shared: Arc<Shared>) -> Self {
        Self {
            world,
            shared,
            left: Mutex::default(),
        }
    }

    /// Works until the mapping rests or is gone, and the calls that are under way by then have ended.
    pub async fn run(&self) {
        let mut config = self.shared.config.subscribe();
        let mut pace = Pace(CALLS_MIN);
        let mut calls = FuturesUnordered::new();
        let mut gathering: Option<BoxFuture<'_, Gathered>> = None;
        loop {
            let now = config.borrow_and_update().clone();
            if gathering.is_none() && now.works() && calls.len() < pace.calls(&now) {
                gathering = Some(self.gather().boxed());
            }
            if gathering.is_none() && calls.is_empty() {
                return;
            }
            tokio::select! {
                batch = ended(&mut gathering) => {
                    gathering = None;
                    if !batch.messages.is_empty() {
                        calls.push(self.work_through(batch));
                    }
                }
                Some(called) = calls.next() => pace.after(called),
                // An error means that the mapping is gone, and with it this poller.
                _ = config.changed() => {}
            }
        }
    }

    /// The next batch: one that is full, or whose window is over. Less, perhaps nothing, once the mapping is to rest.
    async fn gather(&self) -> Gathered {
        let mut batch = Gathered::default();
        let mut wait = Duration::ZERO;
        let mut blocked = None;
        loop {
            let config = self.shared.configured();
            if !config.works() || batch.is_ready(&config, self.world.env.clock.elapsed()) {
                return batch;
            }
            match self.receive(&config, &mut batch).await {
                Ok(()) => (wait, blocked) = (Duration::ZERO, None),
                Err(error) => {
                    self.note(&error.to_string());
                    blocked.get_or_insert_with(|| self.blocked());
                    wait = (wait * 2).clamp(RETRY_WAIT_MIN, RETRY_WAIT_MAX);
                    let due = batch.due_in(&config, self.world.env.clock.elapsed());
                    let wait = due.map_or(wait, |due| due.min(wait));
                    self.sleep(wait, &config).await;
                }
            }
        }
    }

    /// Receives messages for a batch once, or goes on with those that are left.
    async fn receive(
        &self,
        config: &Arc<Configured>,
        batch: &mut Gathered,
    ) -> Result<(), QueueError> {
        let clock = &self.world.env.clock;
        let left = self.left.lock().take();
        let left = match left.filter(|left| left.hidden_until > clock.elapsed()) {
            None => self.take(config, batch).await?,
            left => left,
        };
        let Some(Left { what, hidden_until }) = left else {
            return Ok(());
        };
        let (messages, room) = match what {
            What::Read(messages, room) => (messages, room),
            What::Unread(taken) => {
                let Some(room) = self.room(batch, config).await else {
                    // What is gathered goes now: others may wait for the room that it has.
                    batch.close();
                    self.leave(What::Unread(taken), hidden_until);
                    return Ok(());
                };
                // Others may have them by now. As an error it is told, and tried again ever later.
                if hidden_until <= clock.elapsed() {
                    return Err(QueueError::Failed(CAME_BACK.into()));
                }
                (self.wanted(config, taken.read().await?).await, room)
            }
        };
        self.add(messages, room, hidden_until, config, batch).await;
        Ok(())
    }

    /// Takes messages from the queue, if there are any before the batch has to go or the mapping is changed.
    async fn take(
        &self,
        config: &Arc<Configured>,
        batch: &Gathered,
    ) -> Result<Option<Left>, QueueError> {
        let now = self.world.env.clock.elapsed();
        let wait = batch.due_in(config, now).unwrap_or(TAKE_WAIT);
        let missing = batch.missing(config).clamp(1, RECEIVED_MAX);
        let queue = &config.mapping.source;
        let taken = self.world.queues.take(queue, missing, wait.min(TAKE_WAIT));
        let taken = tokio::select! {
            taken = taken => taken?,
            () = self.shared.changed_from(config) => return Ok(None),
        };
        let after = self.world.env.clock.elapsed();
        if taken.is_empty() {
            // A queue that does not wait, as one that is being closed, is asked less often.
            if after < now + wait.min(SOURCE_PAUSE) {
                self.world.env.clock.sleep(SOURCE_PAUSE).await;
            }
            return Ok(None);
        }
        Ok(Some(Left {
            hidden_until: after + taken.hidden_for(),
            what: What::Unread(taken),
        }))
    }

    /// Leaves messages for the next batch.
    fn leave(&self, what: What, hidden_until: Duration) {
        *self.left.lock() = Some(Left { what, hidden_until });
    }

    /// Room for messages that are to be read; none where a batch has to go, or the mapping is changed, before there is.
    async fn room(
        &self,
        batch: &Gathered,
        config: &Arc<Configured>,
    ) -> Option<OwnedSemaphorePermit> {
        let clock = &self.world.env.clock;
        let work = self.world.work.clone();
        let room = work.acquire_many_owned(RECEIVE_KIB_MAX);
        let due = batch.due_in(config, clock.elapsed());
        let is_due = async {
            match due {
                Some(due) => clock.sleep(due).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            room = room => Some(room.expect("it is never closed")),
            () = is_due => None,
            () = self.shared.changed_from(config) => None,
        }
    }

    /// Adds messages to a batch as long as they fit. The others are left for the next; those of a queue with an order are
    /// given back to it, since it holds them until this batch is done.
    async fn add(
        &self,
        messages: Vec<Message>,
        mut room: OwnedSemaphorePermit,
        hidden_until: Duration,
        config: &Configured,
        batch: &mut Gathered,
    ) {
        let now = self.world.env.clock.elapsed();
        let mut messages = messages.into_iter();
        let mut rest = Vec::new();
        for message in messages.by_ref() {
            if let Some(message) = batch.add(message, config, hidden_until, now) {
                rest.push(message);
                break;
            }
        }
        rest.extend(messages);
        batch.occupy(&mut room);
        if !rest.is_empty() && self.gives_back(config, &rest).await {
            return;
        }
        if !rest.is_empty() {
            let bytes: usize = rest.iter().map(|message| message.body.len()).sum();
            let kept = 2 * bytes / 1024 + 64;
            drop(room.split(room.num_permits().saturating_sub(kept)));
            self.leave(What::Read(rest, room), hidden_until);
        }
    }

    /// Gives messages back to a queue with an order; whether it is one. Should that fail, they come again by themselves.
    async fn gives_back(&self, config: &Configured, messages: &[Message]) -> bool {
        let queue = &config.mapping.source;
        let queues = &self.world.queues;
        if !queues.describe(queue).await.is_ok_and(|info| info.is_fifo) {
            return false;
        }
        let receipts = messages.iter().map(|message| message.receipt.clone());
        let receipts: Vec<String> = receipts.collect();
        if let Err(error) = queues.release(queue, &receipts).await {
            self.note(&error.to_string());
        }
        true
    }

    /// Those of the messages that the mapping is for. The others are deleted, as on AWS.
    async fn wanted(&self, config: &Arc<Configured>, messages: Vec<Message>) -> Vec<Message> {
        if config.filters.is_empty() || messages.is_empty() {
            return messages;
        }
        let filter = config.clone();
        let work = move || -> (Vec<Message>, Vec<Message>) {
            let messages = messages.into_iter();
            messages.partition(|message| filter.filters.match_message(message))
        };
        let (wanted, others) = self.world.env.blocking(work).await;
        let receipts: Vec<String> = others.into_iter().map(|other| other.receipt).collect();
        let queue = &config.mapping.source;
        if !receipts.is_empty()
            && let Err(error) = self.world.queues.delete(queue, &receipts).await
        {
            // They come again, and are passed over again.
            self.note(&error.to_string());
        }
        wanted
    }

    /// Calls with a batch, until the function has answered or the queue gives the messages to others.
    async fn work_through(&self, batch: Gathered) -> Called {
        let clock = &self.world.env.clock;
        let hidden_until = batch.hidden_until;
        // The room is held until the last byte of the event is gone.
        let (event, held, _room) = batch.into_event();
        let (mut waits, mut blocked) = (0_u32, None);
        loop {
            let config = self.shared.configured();
            let function = &config.mapping.function;
            match self.world.handlers.call(function, event.clone()).await {
                Ok(answer) => {
                    self.shared.counts.called(answer.failed);
                    self.settle(&config, &held, &answer, hidden_until).await;
                    return if waits == 0 {
                        Called::AtOnce
                    } else {
                        Called::Late
                    };
                }
                Err(HandlerError::Throttled) => {}
                Err(error @ HandlerError::TooLarge) => {
                    self.note(&error.to_string());
                    return Called::AtOnce;
                }
                Err(error) => self.note(&error.to_string()),
            }
            waits = waits.saturating_add(1);
            blocked.get_or_insert_with(|| self.blocked());
            let wait = wait_before(waits);
            if clock.elapsed() + wait >= hidden_until || !config.works() {
                return Called::Late;
            }
            self.sleep(wait, &config).await;
        }
    }

    /// Deletes the messages that an answer says are done.
    async fn settle(
        &self,
        config: &Configured,
        held: &[Held],
        answer: &Answer,
        hidden_until: Duration,
    ) {
        let ids: Vec<String> = held.iter().map(|message| message.id.clone()).collect();
        let failed = match judge(answer, &ids, config.mapping.settings.item_failures) {
            Verdict::Done => Vec::new(),
            Verdict::Named(failed) => failed,
            Verdict::Failed => (0..held.len()).collect(),
        };
        let is_done = |at: &usize| failed.binary_search(at).is_err();
        let done: Vec<&Held> = (0..held.len())
            .filter(is_done)
            .map(|at| &held[at])
            .collect();
        if !done.is_empty() && self.delete(config, &done, hidden_until).await {
            let newest = done.iter().map(|message| message.sent).max();
            let age = newest.map(|newest| self.world.env.clock.now().since(newest));
            let age_ms = age.map_or(0, |age| u64::try_from(age.as_millis()).unwrap_or(u64::MAX));
            self.shared.counts.done(done.len(), age_ms);
            self.shared.note(LastResult::Done);
        }
        if !failed.is_empty() {
            self.note("Function call failed");
        }
    }

    /// Deletes messages, and tries again for as long as they are hidden; whether that is done.
    async fn delete(&self, config: &Configured, done: &[&Held], hidden_until: Duration) -> bool {
        let clock = &self.world.env.clock;
        let receipts: Vec<String> = done.iter().map(|message| message.receipt.clone()).collect();
        let mut wait = RETRY_WAIT_MIN;
        loop {
            let deleted = self.world.queues.delete(&config.mapping.source, &receipts);
            let Err(error) = deleted.await else {
                return true;
            };
            self.note(&error.to_string());
            if matches!(error, QueueError::NotFound(_)) || clock.elapsed() + wait >= hidden_until {
                return false;
            }
            clock.sleep(wait).await;
            wait = (wait * 2).min(RETRY_WAIT_MAX);
        }
    }

    /// Waits, but no longer than until the mapping is configured otherwise than by `config`.
    async fn sleep(&self, wait: Duration, config: &Arc<Configured>) {
        tokio::select! {
            () = self.world.env.clock.sleep(wait) => {}
            () = self.shared.changed_from(config) => {}
        }
    }

    fn blocked(&self) -> Blocked<'_> {
        let now = self.world.env.clock.now();
        self.shared.counts.blocked(now, None)
    }

    fn note(&self, problem: &str) {
        let mapping = &self.shared.configured().mapping.id;
        tracing::warn!(mapping, problem, "a mapping of a queue waits");
        self.shared.note(LastResult::Problem(problem.to_owned()));
    }
}

/// Returns when the future that is there has ended; never where there is none.
async fn ended<T>(future: &mut Option<BoxFuture<'_, T>>) -> T {
    match future {
        Some(future) => future.await,
        None => std::future::pending().await,
    }
}
