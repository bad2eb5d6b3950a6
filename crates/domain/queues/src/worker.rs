//! The worker of one queue: it alone changes the queue's state and waits for records.
//!
//! It takes the calls that wait, does them, commits what they changed with one durable write, and answers. After a
//! commit that failed nothing is guessed at: the state is loaded anew. Receives that found nothing stay with the worker
//! until there is something, or their time is over.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use futures_util::future::select_all;
use headwater_env::Env;
use headwater_log::Sources;
use headwater_reading::SHARDS_REFRESH;
use headwater_types::Millis;
use parking_lot::Mutex;
use tokio::sync::{mpsc, oneshot};

use crate::{
    Action, Error, Kind, Receipt, ReceiptError, Receive, Received, Start,
    depth::Loaded,
    limits::{CALLS_A_WRITE, FRUITLESS_PAUSE, WAITING},
    open::{Found, Open},
    record::Store,
    shared::Shared,
    state::{Key, State},
};

/// The results of settling records, in their order.
pub(crate) type Settled = Vec<Result<(), ReceiptError>>;
type Reply<T> = oneshot::Sender<Result<T, Error>>;

/// A call to a worker.
pub(crate) enum Call {
    Receive(Receive, Reply<Vec<Received>>),
    Settle(Kind, Vec<(Receipt, Action)>, Reply<Settled>),
    /// Lets nobody wait from now on.
    Close,
}

/// A receive that found nothing yet.
struct Waiting {
    receive: Receive,
    until: Duration,
    reply: Reply<Vec<Received>>,
}

/// An answer that waits for the commit.
enum Answer {
    Receive(Reply<Vec<Received>>, Vec<Received>),
    Settle(Reply<Settled>, Settled),
}

impl Answer {
    /// A caller that went away does not want its answer: what it received comes back after its time.
    fn send(self, outcome: &Result<(), Error>) {
        match self {
            Self::Receive(reply, received) => drop(reply.send(outcome.clone().map(|()| received))),
            Self::Settle(reply, settled) => drop(reply.send(outcome.clone().map(|()| settled))),
        }
    }
}

pub(crate) struct Worker {
    pub env: Env,
    pub store: Store,
    pub sources: Arc<dyn Sources>,
    pub queue: Arc<Shared>,
    open: Option<Open>,
    waiting: VecDeque<Waiting>,
    is_closed: bool,
    /// Whether the last wait ended without anything to deliver.
    is_fruitless: bool,
    /// Receives start with another shard each time, and every other with new records.
    turns: usize,
}

impl Worker {
    pub fn new(env: Env, store: Store, sources: Arc<dyn Sources>, queue: Arc<Shared>) -> Self {
        let waiting = VecDeque::new();
        let (open, is_closed, is_fruitless, turns) = (None, false, false, 0);
        Self {
            env,
            store,
            sources,
            queue,
            open,
            waiting,
            is_closed,
            is_fruitless,
            turns,
        }
    }

    /// Works until nobody can call any more.
    pub async fn run(mut self, mut calls: mpsc::Receiver<Call>) {
        let mut taken = Vec::new();
        loop {
            tokio::select! {
                biased;
                count = calls.recv_many(&mut taken, CALLS_A_WRITE) => if count == 0 { break },
                () = self.more(), if !self.waiting.is_empty() => {}
            }
            let is_woken = taken.is_empty();
            let has_answered = self.turn(&mut taken).await;
            self.is_fruitless = is_woken && !has_answered;
        }
        self.fail_waiting(&Error::NoQueue(self.queue.id.clone()));
    }

    /// Does the calls and serves those that wait; whether anything was answered.
    async fn turn(&mut self, calls: &mut Vec<Call>) -> bool {
        let mut answers = Vec::new();
        let prepared = self.prepare().await;
        for call in calls.drain(..) {
            match call {
                Call::Close => self.is_closed = true,
                Call::Receive(receive, reply) => self.enqueue(receive, reply),
                Call::Settle(kind, settlements, reply) => match &prepared {
                    Ok(()) => {
                        let settled = self.settle(kind, &settlements);
                        answers.push(Answer::Settle(reply, settled));
                    }
                    Err(error) => drop(reply.send(Err(error.clone()))),
                },
            }
        }
        match prepared {
            Ok(()) => self.deliver(&mut answers).await,
            Err(error) => self.fail_waiting(&error),
        }
        let outcome = self.commit().await;
        let has_answered = !answers.is_empty();
        answers.into_iter().for_each(|answer| answer.send(&outcome));
        has_answered
    }

    fn enqueue(&mut self, receive: Receive, reply: Reply<Vec<Received>>) {
        if self.waiting.len() >= WAITING {
            drop(reply.send(Err(Error::TooManyWaiting)));
            return;
        }
        let until = self.env.clock.elapsed() + receive.wait;
        self.waiting.push_back(Waiting {
            receive,
            until,
            reply,
        });
    }

    fn fail_waiting(&mut self, error: &Error) {
        self.waiting
            .drain(..)
            .for_each(|waiting| drop(waiting.reply.send(Err(error.clone()))));
    }

    /// Loads the state where there is none, lists the stream's shards where that is due.
    async fn prepare(&mut self) -> Result<(), Error> {
        let now = self.env.clock.now();
        let mut open = match self.open.take() {
            Some(open) => open,
            None => self.load().await?,
        };
        let record = self.queue.record.read().value.clone();
        open.state()
            .set_max_receives(record.attributes.max_receives);
        open.state().bury(now);
        if open
            .listed
            .is_none_or(|at| self.env.clock.elapsed() >= at + SHARDS_REFRESH)
        {
            open.list().await?;
            open.listed = Some(self.env.clock.elapsed());
        }
        self.open = Some(open);
        Ok(())
    }

    /// Reads all anew: the queue's record too, which another node may have changed.
    async fn load(&self) -> Result<Open, Error> {
        match self.store.queues.get(&self.queue.id).await? {
            Some(found) => self.queue.take_over(found),
            None => return Err(Error::NoQueue(self.queue.id.clone())),
        }
        let record = self.queue.record.read().value.clone();
        let source = self.sources.open(&record.stream).await?;
        if source.identity() != record.identity {
            return Err(Error::NoStream);
        }
        let start = format!("{}/", record.id);
        let positions = self.store.positions.scan(&start, None, usize::MAX).await?;
        let pending = self.store.pending.scan(&start, None, usize::MAX).await?;
        let mut shards: HashMap<String, Arc<str>> = HashMap::new();
        let mut shard = |name: &str| {
            shards
                .entry(name.to_owned())
                .or_insert_with(|| Arc::from(name))
                .clone()
        };
        let mut positions_by_shard = Vec::with_capacity(positions.len());
        for (name, found) in positions {
            positions_by_shard.push((shard(&name[start.len()..]), found));
        }
        let key = |(name, found): (String, _)| {
            let (id, offset) = name[start.len()..].rsplit_once('/')?;
            Some((
                Key {
                    shard: shard(id),
                    offset: offset.parse().ok()?,
                },
                found,
            ))
        };
        let pending = pending.into_iter().filter_map(key);
        let max_receives = record.attributes.max_receives;
        let state = State::load(max_receives, positions_by_shard.into_iter(), pending);
        let loaded = Arc::new(Loaded {
            state: Mutex::new(state),
            source,
            glanced: Mutex::default(),
        });
        *self.queue.loaded.lock() = Arc::downgrade(&loaded);
        Ok(Open {
            loaded,
            shards: Vec::new(),
            listed: None,
        })
    }

    fn settle(&mut self, kind: Kind, settlements: &[(Receipt, Action)]) -> Settled {
        let now = self.env.clock.now();
        let open = self.open.as_ref().expect("it was prepared");
        let mut state = open.state();
        let mut settle = |(receipt, action): &(Receipt, Action)| {
            if receipt.queue != self.queue.id || receipt.kind != kind {
                return Err(ReceiptError::Foreign);
            }
            state.settle(kind, receipt, *action, now)
        };
        settlements.iter().map(&mut settle).collect()
    }

    /// Gives those that wait what there is, in their order.
    async fn deliver(&mut self, answers: &mut Vec<Answer>) {
        let mut has_none = HashMap::from([(Kind::Records, false), (Kind::DeadLetters, false)]);
        for waiting in std::mem::take(&mut self.waiting) {
            if waiting.reply.is_closed() {
                continue;
            }
            let receive = waiting.receive;
            let received = if has_none[&receive.kind] {
                Ok(Vec::new())
            } else {
                self.receive(receive).await
            };
            match received {
                Err(error) => drop(waiting.reply.send(Err(error))),
                Ok(received) => {
                    has_none.insert(receive.kind, received.is_empty());
                    let is_over = self.is_closed || waiting.until <= self.env.clock.elapsed();
                    if received.is_empty() && !is_over {
                        self.waiting.push_back(waiting);
                    } else {
                        answers.push(Answer::Receive(waiting.reply, received));
                    }
                }
            }
        }
    }

    async fn receive(&mut self, receive: Receive) -> Result<Vec<Received>, Error> {
        let now = self.env.clock.now();
        let (attributes, since) = {
            let record = self.queue.record.read();
            let since = if let Start::Time(time) = record.value.start {
                time
            } else {
                Millis::ZERO
            };
            (record.value.attributes, since)
        };
        let visibility = receive
            .visibility
            .unwrap_or(Duration::from_secs(attributes.visibility_s.into()));
        let open = self.open.as_mut().expect("it was prepared");
        open.state().bury(now);
        let mut found = Found::new(receive.limit);
        self.turns = self.turns.wrapping_add(1);
        // Neither those that come back nor new ones keep the others waiting for ever.
        let new_first = self.turns % 2 == 1;
        let outcome = match receive.kind {
            Kind::DeadLetters => open.find_again(Kind::DeadLetters, now, &mut found).await,
            Kind::Records if new_first => {
                match open.find_new(since, self.turns, &mut found).await {
                    Ok(()) => open.find_again(Kind::Records, now, &mut found).await,
                    failed => failed,
                }
            }
            Kind::Records => match open.find_again(Kind::Records, now, &mut found).await {
                Ok(()) => open.find_new(since, self.turns, &mut found).await,
                failed => failed,
            },
        };
        if found.records.is_empty() {
            outcome?;
        }
        Ok(open.claim(
            found,
            &self.queue.id,
            receive.kind,
            now,
            now.plus(visibility),
        ))
    }

    /// Commits what changed; a state that could not be committed is loaded anew.
    async fn commit(&mut self) -> Result<(), Error> {
        let Some(open) = &mut self.open else {
            return Ok(());
        };
        let changes = open.state().changes(&self.store, &self.queue.id);
        if changes.is_empty() {
            return Ok(());
        }
        match self.store.catalog.commit(changes).await {
            Ok(version) => {
                open.state().committed(version);
                Ok(())
            }
            Err(error) => {
                self.open = None;
                Err(error.into())
            }
        }
    }

    /// Returns when there may be something for those that wait, or one has waited long enough.
    async fn more(&self) {
        let Some(open) = &self.open else { return };
        let Some(listed) = open.listed else { return };
        let (now, elapsed) = (self.env.clock.now(), self.env.clock.elapsed());
        let first_over = self
            .waiting
            .iter()
            .map(|waiting| waiting.until)
            .min()
            .unwrap_or(elapsed);
        let next_visible = open
            .state()
            .next_visible(now)
            .map(|visible| visible.since(now));
        let timer = first_over
            .min(listed + SHARDS_REFRESH)
            .saturating_sub(elapsed);
        let timer = timer.min(next_visible.unwrap_or(timer));
        let wants_new = self
            .waiting
            .iter()
            .any(|waiting| waiting.receive.kind == Kind::Records);
        let records = async {
            let readable = open
                .shards
                .iter()
                .filter(|shard| wants_new && !shard.is_drained);
            let waits: Vec<_> = readable
                .map(|shard| {
                    open.loaded
                        .source
                        .wait(&shard.id, open.state().position(&shard.id))
                })
                .collect();
            if waits.is_empty() {
                return std::future::pending().await;
            }
            select_all(waits).await;
            if self.is_fruitless {
                self.env.clock.sleep(FRUITLESS_PAUSE).await;
            }
        };
        tokio::select! {
            biased;
            () = self.env.clock.sleep(timer) => {}
            () = records => {}
        }
    }
}
