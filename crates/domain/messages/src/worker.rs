//! The worker of one queue: it alone changes the state of the queue's messages.
//!
//! It takes the calls that wait, does them, writes what they changed with one durable write, and answers. After a write
//! that failed nothing is guessed at: the state is read anew, and those that wait are told. Receives that found nothing
//! stay with the worker until there is something, or their time is over.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use headwater_catalog::{Expect, Versioned};
use headwater_log::{Append, NewRecord, ShardNumber, ShardState};
use headwater_types::Millis;
use parking_lot::{Mutex, RwLock};
use tokio::sync::{mpsc, oneshot};

use crate::{
    Error, NewMessage, Receipt, ReceiptError, Sent,
    backlog::Delayed,
    changes::{Change, Flight, encode},
    dedup::{Dedup, Key},
    limits::{self, CALLS_A_WRITE, CHANGES, CHANGES_A_RECORD, WAITING, WRITE_BYTES},
    message::Attributes,
    queues::Inner,
    record::{QueueRecord, kept_from},
    state::{Depth, State},
    store::{Checkpoint, row},
    tallies::Counters,
};

/// A receive of messages.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Receive {
    /// How many, from 1 to [`limits::RECEIVE_MESSAGES`].
    pub limit: usize,
    /// How long to wait for the first; the queue's time where it is not said.
    pub wait: Option<Duration>,
    /// How long they are in flight; the queue's time where it is not said.
    pub visibility: Option<Duration>,
    /// The attempt of a FIFO queue's receiver; the same attempt has the same messages again.
    pub attempt: Option<String>,
}

/// A message that was received, before its contents are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taken {
    /// What to show to delete it.
    pub receipt: Receipt,
    pub(crate) flight: Flight,
}

/// A message that was received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// Its id.
    pub id: String,
    /// What to show to delete it.
    pub receipt: Receipt,
    /// Its text.
    pub body: String,
    /// Its attributes.
    pub attributes: Attributes,
    /// Its sender's id.
    pub sender: String,
    /// When it was sent.
    pub sent: Millis,
    /// How often it was received, in the queues that it is a dead letter of too.
    pub receives: u32,
    /// When it was received first.
    pub first_received: Millis,
    /// The trace that it belongs to.
    pub trace: Option<String>,
    /// Its group.
    pub group: Option<String>,
    /// Its deduplication id.
    pub dedup: Option<String>,
    /// Its number in a FIFO queue.
    pub sequence: Option<String>,
    /// The queue that it is a dead letter of, by its name.
    pub source: Option<String>,
}

/// What a receiver wants with a message that it received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settle {
    /// To have it deleted.
    Delete,
    /// To have it in flight for so long from now on.
    Visibility(Duration),
}

/// Results, in the order of what they are of.
pub(crate) type Settled = Vec<Result<(), ReceiptError>>;
type Reply<T> = oneshot::Sender<Result<T, Error>>;

/// A call to a worker.
pub(crate) enum Call {
    Receive(Receive, Reply<Vec<Taken>>),
    Settle(Vec<(Receipt, Settle)>, Reply<Settled>),
    /// Sends messages to a FIFO queue.
    Send(Vec<NewMessage>, Reply<Vec<Sent>>),
    Purge(Reply<()>),
    Depth(Reply<Depth>),
    /// Lets nobody wait from now on.
    Close,
}

/// A queue as its worker and its callers share it.
pub(crate) struct Shared {
    pub record: RwLock<Versioned<QueueRecord>>,
    pub delayed: Mutex<Delayed>,
    /// Counts what goes through it.
    pub counters: Counters,
}

impl Shared {
    /// The record, as it is now.
    pub fn record(&self) -> QueueRecord {
        self.record.read().value.clone()
    }
}

/// A receive that found nothing yet.
struct Waiting {
    receive: Receive,
    until: Duration,
    reply: Reply<Vec<Taken>>,
}

/// A message that is about to be written.
pub(crate) struct Outgoing {
    pub id: String,
    pub key: Key,
    pub value: Vec<u8>,
    pub sealed: bool,
}

/// A message of a send: new, or sent before.
pub(crate) enum Sending {
    Known(String, u64),
    Outgoing(usize),
}

/// An answer that waits for the write.
enum Answer {
    Receive(Reply<Vec<Taken>>, Vec<Taken>),
    Settle(Reply<Settled>, Settled),
    Send(Reply<Vec<Sent>>, Vec<Sending>),
    Purge(Reply<()>),
}

/// The worker's knowledge of its queue, once it was read.
pub(crate) struct Open {
    pub state: State,
    pub dedup: Dedup,
    pub attempts: Attempts,
    /// The shard of messages, as this turn found it.
    pub shard: ShardState,
    /// Changes that were written since the whole state was.
    pub changes: u64,
}

/// Receives of a FIFO queue by their attempts.
#[derive(Default)]
pub(crate) struct Attempts {
    pub known: HashMap<String, (Millis, Vec<Taken>)>,
    pub by_time: VecDeque<(Millis, String)>,
}

pub(crate) struct Worker {
    pub inner: Arc<Inner>,
    pub queue: Arc<Shared>,
    /// The record as this turn has it.
    pub record: QueueRecord,
    pub open: Option<Open>,
    pub changed: Vec<Change>,
    pub outgoing: Vec<Outgoing>,
    waiting: VecDeque<Waiting>,
    is_closed: bool,
    /// Whether this turn left off before it had looked at all that there is.
    pub is_unfinished: bool,
}

impl Worker {
    pub fn new(inner: Arc<Inner>, queue: Arc<Shared>) -> Self {
        let record = queue.record();
        Self {
            inner,
            queue,
            record,
            open: None,
            changed: Vec::new(),
            outgoing: Vec::new(),
            waiting: VecDeque::new(),
            is_closed: false,
            is_unfinished: false,
        }
    }

    /// Works until nobody can call any more.
    pub async fn run(mut self, mut calls: mpsc::Receiver<Call>) {
        let mut taken = VecDeque::new();
        let mut more = Vec::new();
        loop {
            if taken.is_empty() {
                tokio::select! {
                    biased;
                    count = calls.recv_many(&mut more, CALLS_A_WRITE) => if count == 0 { break },
                    () = self.more(), if !self.waiting.is_empty() => {}
                }
            }
            taken.extend(more.drain(..));
            self.turn(&mut taken).await;
        }
        let gone = Error::NoQueue(self.record.name.clone());
        self.fail_waiting(&gone);
    }

    /// Does the calls, as far as their messages fit into one write, and serves those that wait.
    async fn turn(&mut self, calls: &mut VecDeque<Call>) {
        self.is_unfinished = false;
        let mut answers = Vec::new();
        let prepared = self.prepare().await;
        let mut bytes = 0;
        while bytes < WRITE_BYTES
            && let Some(call) = calls.pop_front()
        {
            match &prepared {
                Ok(()) => bytes += self.call(call, &mut answers),
                Err(error) => self.refuse(call, error),
            }
        }
        match prepared {
            Ok(()) => self.serve(&mut answers).await,
            Err(error) => self.fail_waiting(&error),
        }
        let outcome = self.commit().await;
        if let Err(error) = &outcome {
            self.fail_waiting(error);
        }
        for answer in answers {
            answer.send(&outcome, &self.outgoing);
        }
        self.finish().await;
    }

    /// Reads the state where there is none, and brings it to this moment.
    async fn prepare(&mut self) -> Result<(), Error> {
        self.record = self.queue.record();
        let mut open = match self.open.take() {
            Some(open) => open,
            None => self.load().await?,
        };
        let shard = self.inner.log.state(self.record.messages()).await;
        open.shard = shard.map_err(|error| Error::of_log(error, &self.record.name))?;
        let now = self.inner.env.clock.now();
        if open.state.drop_before(open.shard.first) {
            self.changed.push(Change::Expired(open.shard.first));
        }
        open.state.settle(now);
        open.dedup.settle(now);
        open.attempts.settle(now);
        self.open = Some(open);
        Ok(())
    }

    /// The knowledge of the queue.
    pub fn known(&mut self) -> &mut Open {
        self.open.as_mut().expect("it was prepared")
    }

    /// Does a call; the bytes that it adds to the write.
    fn call(&mut self, call: Call, answers: &mut Vec<Answer>) -> usize {
        match call {
            Call::Close => self.is_closed = true,
            Call::Receive(receive, reply) => self.enqueue(receive, reply),
            Call::Depth(reply) => drop(reply.send(Ok(self.depth()))),
            Call::Settle(settlements, reply) => {
                let settled = self.settle(&settlements);
                answers.push(Answer::Settle(reply, settled));
            }
            Call::Send(messages, reply) => {
                let before = self.outgoing.len();
                match self.accept(messages) {
                    Ok(sent) => answers.push(Answer::Send(reply, sent)),
                    Err(error) => drop(reply.send(Err(error))),
                }
                let new = self.outgoing[before..].iter();
                return new.map(|outgoing| outgoing.value.len()).sum();
            }
            Call::Purge(reply) => match self.purge() {
                Ok(()) => answers.push(Answer::Purge(reply)),
                Err(error) => drop(reply.send(Err(error))),
            },
        }
        0
    }

    /// Answers a call with an error.
    fn refuse(&mut self, call: Call, error: &Error) {
        let error = error.clone();
        match call {
            Call::Close => self.is_closed = true,
            Call::Receive(_, reply) => drop(reply.send(Err(error))),
            Call::Depth(reply) => drop(reply.send(Err(error))),
            Call::Settle(_, reply) => drop(reply.send(Err(error))),
            Call::Send(_, reply) => drop(reply.send(Err(error))),
            Call::Purge(reply) => drop(reply.send(Err(error))),
        }
    }

    fn enqueue(&mut self, receive: Receive, reply: Reply<Vec<Taken>>) {
        if self.waiting.len() >= WAITING {
            drop(reply.send(Err(Error::TooManyWaiting)));
            return;
        }
        let queues = Duration::from_secs(self.record.settings.wait_s.into());
        let until = self.inner.env.clock.elapsed() + receive.wait.unwrap_or(queues);
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

    fn settle(&mut self, settlements: &[(Receipt, Settle)]) -> Settled {
        let settle = |(receipt, settle): &(Receipt, Settle)| self.settle_one(*receipt, *settle);
        settlements.iter().map(settle).collect()
    }

    fn settle_one(&mut self, receipt: Receipt, settle: Settle) -> Result<(), ReceiptError> {
        let now = self.inner.env.clock.now();
        let is_fifo = self.record.settings.fifo.is_some();
        let tag = self.record.tag;
        let state = &mut self.known().state;
        if receipt.queue != tag || receipt.offset >= state.next {
            return Err(ReceiptError::Foreign);
        }
        let Some(entry) = state.get(receipt.offset) else {
            return match settle {
                Settle::Delete => Ok(()),
                Settle::Visibility(_) => Err(ReceiptError::Gone),
            };
        };
        let flight = entry.flight;
        if !(1..=flight.receives).contains(&receipt.receive) {
            return Err(ReceiptError::Foreign);
        }
        // Order holds only if nobody deletes a message that another may have by now.
        let is_current = flight.receives == receipt.receive && flight.visible > now;
        if is_fifo && !is_current {
            return Err(ReceiptError::Expired);
        }
        match settle {
            Settle::Delete => {
                state.remove(receipt.offset);
                self.changed.push(Change::Gone(receipt.offset));
            }
            Settle::Visibility(by) => {
                let visible = now.plus(by);
                if visible > receipt.received.plus(limits::VISIBILITY_MAX) {
                    return Err(ReceiptError::TooLong);
                }
                let flight = Flight { visible, ..flight };
                state.set(receipt.offset, flight, now);
                self.changed.push(Change::Flight(receipt.offset, flight));
            }
        }
        Ok(())
    }

    fn purge(&mut self) -> Result<(), Error> {
        let now = self.inner.env.clock.now();
        let open = self.known();
        let is_over = now >= open.state.purged_at.plus(limits::PURGE_PAUSE);
        if open.state.purged_at != Millis::ZERO && !is_over {
            return Err(Error::PurgedLately);
        }
        let end = open.shard.end.max(open.state.next);
        open.state.drop_before(end);
        (open.state.purged, open.state.purged_at) = (end, now);
        open.dedup.clear();
        self.changed.push(Change::Purged(end, now));
        self.queue.delayed.lock().clear();
        Ok(())
    }

    fn depth(&mut self) -> Depth {
        let now = self.inner.env.clock.now();
        let behind = self.queue.delayed.lock().count(now);
        let open = self.known();
        let unseen = open.shard.end.saturating_sub(open.state.next);
        let behind = behind.min(unseen);
        let count = |count: usize| count as u64;
        Depth {
            visible: count(open.state.ready()) + unseen - behind,
            in_flight: count(open.state.in_flight()),
            delayed: count(open.state.delayed()) + behind,
        }
    }

    /// Gives those that wait what there is, in their order.
    async fn serve(&mut self, answers: &mut Vec<Answer>) {
        let mut has_none = false;
        for waiting in std::mem::take(&mut self.waiting) {
            if waiting.reply.is_closed() {
                continue;
            }
            let taken = match has_none && waiting.receive.attempt.is_none() {
                true => Ok(Vec::new()),
                false => self.receive(&waiting.receive).await,
            };
            match taken {
                Err(error) => drop(waiting.reply.send(Err(error))),
                Ok(taken) => {
                    has_none = taken.is_empty();
                    let is_over = self.is_closed || waiting.until <= self.inner.env.clock.elapsed();
                    if has_none && (!is_over || self.is_unfinished) {
                        self.waiting.push_back(waiting);
                    } else {
                        answers.push(Answer::Receive(waiting.reply, taken));
                    }
                }
            }
        }
    }

    /// Writes what changed; the place of the first new message. A state that could not be written is read anew.
    async fn commit(&mut self) -> Result<u64, Error> {
        let changed = std::mem::take(&mut self.changed);
        let outgoing = std::mem::take(&mut self.outgoing);
        if changed.is_empty() && outgoing.is_empty() {
            return Ok(0);
        }
        let written = self.write(&changed, &outgoing).await;
        match (written, &mut self.open) {
            (Ok(first), Some(open)) => {
                open.changes += changed.len() as u64;
                for (offset, outgoing) in (first..).zip(&outgoing) {
                    open.dedup.place(&outgoing.key, offset);
                }
                self.outgoing = outgoing;
                Ok(first)
            }
            (Ok(first), None) => Ok(first),
            (Err(error), _) => {
                self.open = None;
                Err(error)
            }
        }
    }

    /// Writes changes and messages; the place of the first of the messages.
    async fn write(&self, changed: &[Change], outgoing: &[Outgoing]) -> Result<u64, Error> {
        let values: Vec<_> = changed.chunks(CHANGES_A_RECORD).map(encode).collect();
        let changes: Vec<_> = values.iter().map(|value| record(value, false)).collect();
        let messages: Vec<_> = outgoing
            .iter()
            .map(|outgoing| record(&outgoing.value, outgoing.sealed))
            .collect();
        let parts: [(ShardNumber, &[NewRecord<'_>]); 2] = [
            (self.record.messages(), &messages),
            (self.record.changes(), &changes),
        ];
        let parts = parts.into_iter().filter(|(_, records)| !records.is_empty());
        let appends: Vec<_> = parts
            .map(|(shard, records)| Append { shard, records })
            .collect();
        let mut first = 0;
        for (append, appended) in appends.iter().zip(self.inner.log.append(&appends).await) {
            let appended = appended.map_err(|error| Error::of_append(error, &self.record.name))?;
            if append.shard == self.record.messages() {
                first = appended.first_offset;
            }
        }
        Ok(first)
    }

    /// What is left to do when all are answered: the whole state is written where that is due.
    async fn finish(&mut self) {
        self.outgoing.clear();
        let Some(open) = &mut self.open else {
            return;
        };
        if open.changes < CHANGES.max(2 * open.state.len() as u64) {
            return;
        }
        open.changes = 0;
        if let Err(error) = self.checkpoint().await {
            tracing::warn!(queue = self.record.name, %error, "changes of messages could not be trimmed");
        }
    }

    /// Writes the whole state, and has the log forget the changes before.
    async fn checkpoint(&mut self) -> Result<(), Error> {
        let snapshot = self.known().state.snapshot();
        let values: Vec<_> = snapshot.chunks(CHANGES_A_RECORD).map(encode).collect();
        let records: Vec<_> = values.iter().map(|value| record(value, false)).collect();
        let shard = self.record.changes();
        let append = Append {
            shard,
            records: &records,
        };
        let appended = self.inner.log.append(&[append]).await.pop();
        let appended = match appended {
            Some(Ok(appended)) => appended,
            failed => {
                // The state is what it was, and what the log has of it is read anew.
                self.open = None;
                let failed = failed.map_or(Error::Interrupted, |failed| {
                    failed.map_or_else(
                        |error| Error::of_append(error, &self.record.name),
                        |_| Error::Interrupted,
                    )
                });
                return Err(failed);
            }
        };
        let (offset, time) = (appended.first_offset, appended.time);
        let store = &self.inner.store.checkpoints;
        let row = row(self.record.number);
        store
            .write(&row, &Checkpoint { offset, time }, Expect::Any)
            .await?;
        Ok(self
            .inner
            .log
            .open_shards(&[shard], kept_from(time))
            .await?)
    }

    /// Returns when there may be something for those that wait, or one has waited long enough.
    async fn more(&self) {
        let Some(open) = &self.open else { return };
        if self.is_unfinished {
            return;
        }
        let clock = &self.inner.env.clock;
        let (now, elapsed) = (clock.now(), clock.elapsed());
        let untils = self.waiting.iter().map(|waiting| waiting.until);
        let timer = untils.min().unwrap_or(elapsed).saturating_sub(elapsed);
        let visible = open.state.next_visible().map(|visible| visible.since(now));
        let timer = timer.min(visible.unwrap_or(timer));
        let sent = async {
            if !open.can_look() {
                return std::future::pending().await;
            }
            let end = open.shard.end.max(open.state.next);
            self.inner.log.wait(self.record.messages(), end).await;
        };
        tokio::select! {
            biased;
            () = clock.sleep(timer) => {}
            () = sent => {}
        }
    }
}

impl Answer {
    /// A caller that went away does not want its answer: what it received comes back after its time.
    fn send(self, outcome: &Result<u64, Error>, outgoing: &[Outgoing]) {
        let first = outcome.clone();
        match self {
            Self::Receive(reply, taken) => drop(reply.send(first.map(|_| taken))),
            Self::Settle(reply, settled) => drop(reply.send(first.map(|_| settled))),
            Self::Purge(reply) => drop(reply.send(first.map(drop))),
            Self::Send(reply, sent) => {
                let sent =
                    first.map(|first| sent.into_iter().map(|s| s.sent(first, outgoing)).collect());
                drop(reply.send(sent));
            }
        }
    }
}

impl Sending {
    /// The message as it was sent, where the first of those that were written is at `first`.
    fn sent(self, first: u64, outgoing: &[Outgoing]) -> Sent {
        let (id, offset) = match self {
            Self::Known(id, offset) => (id, offset),
            Self::Outgoing(index) => (outgoing[index].id.clone(), first + index as u64),
        };
        Sent {
            id,
            sequence: Some(sequence(offset)),
        }
    }
}

impl Attempts {
    /// Forgets those that are too old, or too many.
    fn settle(&mut self, now: Millis) {
        while let Some((time, _)) = self.by_time.front()
            && (now >= time.plus(limits::ATTEMPT) || self.by_time.len() > limits::ATTEMPTS)
        {
            if let Some((time, name)) = self.by_time.pop_front()
                && self.known.get(&name).is_some_and(|known| known.0 == time)
            {
                self.known.remove(&name);
            }
        }
    }
}

/// A record of the log: a sealed one has a key that says so.
pub(crate) fn record(value: &[u8], sealed: bool) -> NewRecord<'_> {
    let key: &[u8] = if sealed {
        headwater_sealing::SEALED_KEY
    } else {
        &[]
    };
    NewRecord { key, value }
}

/// The number of a message in a FIFO queue: 20 digits, higher for each that is sent later.
pub(crate) fn sequence(offset: u64) -> String {
    const BASE: u128 = 10_000_000_000_000_000_000;
    (BASE + (u128::from(offset) << 8)).to_string()
}
