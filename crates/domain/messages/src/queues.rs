//! All queues of one installation: which there are, and the way to their workers.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    ops::Bound::{Excluded, Unbounded},
    sync::Arc,
};

use headwater_catalog::{Catalog, Versioned};
use headwater_env::Env;
use headwater_log::{Append, ReadLimit, Record, ShardLog};
use headwater_sealing::Sealer;
use headwater_types::Millis;
use parking_lot::{Mutex, RwLock};
use tokio::sync::{mpsc, oneshot};

use crate::{
    Depth, Error, Fault, NewMessage, QueueRecord, Receipt, ReceiptError, Receive, Received, Settle,
    Taken,
    backlog::Delayed,
    contents::check,
    limits::{CALLS, RECEIVE_MESSAGES},
    message::Message,
    store::Store,
    tallies::Counters,
    worker::{Call, Shared, Worker, record, sequence},
};

/// A message that was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// Its id.
    pub id: String,
    /// Its number in a FIFO queue.
    pub sequence: Option<String>,
}

/// All queues.
pub struct Messages {
    pub(crate) inner: Arc<Inner>,
    /// The ways to the workers that run, by their queues' numbers. A worker ends when its way is gone.
    pub(crate) workers: Arc<Mutex<HashMap<u64, mpsc::Sender<Call>>>>,
    /// Held during a change, so that the log has the queues' shards as the catalog has the queues.
    pub(crate) changing: Arc<tokio::sync::Mutex<()>>,
}

/// The queues, and what they are kept in.
pub(crate) struct Inner {
    pub env: Env,
    pub store: Store,
    pub log: Arc<dyn ShardLog>,
    pub sealer: Sealer,
    pub known: RwLock<BTreeMap<String, Arc<Shared>>>,
}

impl Messages {
    /// Opens the queues that `catalog` knows and whose messages are in `log`.
    ///
    /// # Errors
    /// When the catalog or the log fails.
    pub async fn open(
        env: Env,
        catalog: Arc<dyn Catalog>,
        log: Arc<dyn ShardLog>,
    ) -> Result<Arc<Self>, Error> {
        let inner = Inner {
            sealer: Sealer::open(&env, &catalog).await?,
            store: Store::new(catalog),
            env,
            log,
            known: RwLock::default(),
        };
        inner.recover().await?;
        Ok(Arc::new(Self {
            inner: Arc::new(inner),
            workers: Arc::default(),
            changing: Arc::default(),
        }))
    }

    /// The queue of this name, as it is now.
    ///
    /// # Errors
    /// [`Error::NoQueue`].
    pub fn get(&self, name: &str) -> Result<QueueRecord, Error> {
        let record = self.inner.record(name);
        record.ok_or_else(|| Error::NoQueue(name.to_owned()))
    }

    /// At most `limit` queues that `wants` wants and whose names start with `prefix` and come after `after`, in order of
    /// their names, and whether there are more.
    pub fn list(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
        wants: impl Fn(&QueueRecord) -> bool,
    ) -> (Vec<QueueRecord>, bool) {
        let known = self.inner.known.read();
        let start = after.filter(|after| *after >= prefix);
        let start = start.map_or(std::ops::Bound::Included(prefix), Excluded);
        let queues = known.range::<str, _>((start, Unbounded));
        let queues = queues.take_while(|(name, _)| name.starts_with(prefix));
        let mut wanted = queues.map(|(_, queue)| queue.record()).filter(wants);
        let page: Vec<_> = wanted.by_ref().take(limit).collect();
        let has_more = wanted.next().is_some();
        (page, has_more)
    }

    /// Sends messages; one result a message, in order. Durable when it returns.
    ///
    /// # Errors
    /// [`Error::NoQueue`], or what failed below: then none of them was sent, or it is not known.
    pub async fn send(
        &self,
        name: &str,
        messages: Vec<NewMessage>,
    ) -> Result<Vec<Result<Sent, Fault>>, Error> {
        let queue = self.queue(name)?;
        let record = queue.record();
        let mut faults = Vec::with_capacity(messages.len());
        let mut fit = Vec::with_capacity(messages.len());
        for message in messages {
            let checked = check(&message, &record.settings);
            if checked.is_ok() {
                fit.push(message);
            }
            faults.push(checked.err());
        }
        let sizes: Vec<_> = fit.iter().map(NewMessage::size).collect();
        let sent = match (fit.is_empty(), &record.settings.fifo) {
            (true, _) => Vec::new(),
            (false, Some(_)) => self.call(name, |reply| Call::Send(fit, reply)).await?,
            (false, None) => self.inner.append(&queue, &record, fit).await?,
        };
        let sizes = sizes.into_iter();
        sizes.for_each(|size| queue.counters.sent.add(size as u64));
        let mut sent = sent.into_iter();
        let mut result = |fault: Option<Fault>| match fault {
            Some(fault) => Ok(Err(fault)),
            None => sent.next().map(Ok).ok_or(Error::Interrupted),
        };
        faults.into_iter().map(&mut result).collect()
    }

    /// Receives messages, waiting for the first where there is none.
    ///
    /// # Errors
    /// [`Error::NoQueue`], [`Error::TooManyInFlight`], [`Error::TooManyWaiting`], or what failed below.
    pub async fn receive(&self, name: &str, receive: Receive) -> Result<Vec<Received>, Error> {
        let taken = self.take(name, receive).await?;
        self.contents(name, &taken).await
    }

    /// Receives messages without their contents, for a caller that needs room for these first.
    ///
    /// # Errors
    /// As [`Self::receive`].
    pub async fn take(&self, name: &str, receive: Receive) -> Result<Vec<Taken>, Error> {
        let receive = Receive {
            limit: receive.limit.clamp(1, RECEIVE_MESSAGES),
            ..receive
        };
        let queue = self.queue(name)?;
        let taken = self
            .call(name, |reply| Call::Receive(receive, reply))
            .await?;
        queue.counters.received(taken.len());
        Ok(taken)
    }

    /// The contents of messages that were taken; one that expired since is left out.
    ///
    /// # Errors
    /// [`Error::NoQueue`], or what failed below.
    pub async fn contents(&self, name: &str, taken: &[Taken]) -> Result<Vec<Received>, Error> {
        let record = self.get(name)?;
        let mut received = Vec::with_capacity(taken.len());
        for taken in taken {
            if let Some(stored) = self.inner.read_one(&record, taken.receipt.offset).await? {
                let message = self.inner.message(&record, &stored)?;
                received.push(of(&record, *taken, message));
            }
        }
        Ok(received)
    }

    /// Does with received messages what their receivers want: one result a message, in order. Durable when it returns.
    ///
    /// # Errors
    /// [`Error::NoQueue`], or what failed below.
    pub async fn settle(
        &self,
        name: &str,
        settlements: Vec<(Receipt, Settle)>,
    ) -> Result<Vec<Result<(), ReceiptError>>, Error> {
        let is_deletion = |(_, settle): &(Receipt, Settle)| matches!(settle, Settle::Delete);
        let deletions: Vec<bool> = settlements.iter().map(is_deletion).collect();
        let queue = self.queue(name)?;
        let settle = self.call(name, |reply| Call::Settle(settlements, reply));
        let settled = settle.await?;
        let deleted = deletions.iter().zip(&settled);
        let deleted = deleted.filter(|(is_deletion, settled)| **is_deletion && settled.is_ok());
        queue.counters.deleted(deleted.count());
        Ok(settled)
    }

    /// Removes all messages of a queue.
    ///
    /// # Errors
    /// [`Error::NoQueue`], [`Error::PurgedLately`], or what failed below.
    pub async fn purge(&self, name: &str) -> Result<(), Error> {
        self.call(name, Call::Purge).await
    }

    /// How many messages a queue has.
    ///
    /// # Errors
    /// [`Error::NoQueue`], or what failed below.
    pub async fn depth(&self, name: &str) -> Result<Depth, Error> {
        self.call(name, Call::Depth).await
    }

    /// The names of the queues that are in memory, for the page of metrics, which loads none.
    pub fn loaded(&self) -> Vec<String> {
        let running: HashSet<u64> = self.workers.lock().keys().copied().collect();
        let known = self.inner.known.read();
        let loaded = known
            .iter()
            .filter(|(_, queue)| running.contains(&queue.record.read().value.number));
        loaded.map(|(name, _)| name.clone()).collect()
    }

    /// Answers those that wait for messages and lets nobody wait from now on: for a shutdown.
    pub async fn close(&self) {
        let workers: Vec<_> = self.workers.lock().values().cloned().collect();
        for worker in workers {
            // A worker that has ended has nobody waiting.
            drop(worker.send(Call::Close).await);
        }
    }

    pub(crate) fn queue(&self, name: &str) -> Result<Arc<Shared>, Error> {
        let queue = self.inner.known.read().get(name).cloned();
        queue.ok_or_else(|| Error::NoQueue(name.to_owned()))
    }

    async fn call<T>(
        &self,
        name: &str,
        call: impl FnOnce(oneshot::Sender<Result<T, Error>>) -> Call,
    ) -> Result<T, Error> {
        let worker = self.worker(self.queue(name)?);
        let (reply, answer) = oneshot::channel();
        let gone = || match self.queue(name) {
            Ok(_) => Error::Interrupted,
            Err(error) => error,
        };
        worker.send(call(reply)).await.map_err(|_| gone())?;
        drop(worker);
        answer.await.map_err(|_| gone())?
    }

    /// The way to a queue's worker, which is started where none runs: at the first call, and after one that panicked.
    fn worker(&self, queue: Arc<Shared>) -> mpsc::Sender<Call> {
        let number = queue.record.read().value.number;
        let mut workers = self.workers.lock();
        if let Some(worker) = workers.get(&number).filter(|worker| !worker.is_closed()) {
            return worker.clone();
        }
        let (calls, receiver) = mpsc::channel(CALLS);
        let worker = Worker::new(self.inner.clone(), queue);
        self.inner.env.spawn(worker.run(receiver));
        workers.insert(number, calls.clone());
        calls
    }
}

impl Inner {
    /// The queue of this name, as it is now.
    pub fn record(&self, name: &str) -> Option<QueueRecord> {
        Some(self.known.read().get(name)?.record())
    }

    /// Makes a queue known.
    pub fn take_over(&self, found: Versioned<QueueRecord>) {
        let name = found.value.name.clone();
        let shared = Shared {
            record: RwLock::new(found),
            delayed: Mutex::new(Delayed::default()),
            counters: Counters::default(),
        };
        self.known.write().insert(name, Arc::new(shared));
    }

    /// Appends messages to a queue without order.
    async fn append(
        &self,
        queue: &Shared,
        to: &QueueRecord,
        messages: Vec<NewMessage>,
    ) -> Result<Vec<Sent>, Error> {
        let now = self.env.clock.now();
        let messages = messages.into_iter();
        let messages: Vec<_> = messages.map(|new| self.new_message(to, new, now)).collect();
        let values: Vec<_> = messages
            .iter()
            .map(|message| self.seal(to, message))
            .collect();
        let records: Vec<_> = values
            .iter()
            .map(|(value, sealed)| record(value, *sealed))
            .collect();
        let append = Append {
            shard: to.messages(),
            records: &records,
        };
        let appended = self.log.append(&[append]).await.pop();
        let appended = appended.ok_or(Error::Interrupted)?;
        let appended = appended.map_err(|error| Error::of_append(error, &to.name))?;
        for delay in messages.iter().map(|message| message.delay) {
            if !delay.is_zero() {
                queue
                    .delayed
                    .lock()
                    .add(appended.time.plus(delay), 1, appended.time);
            }
        }
        let sent = |message: Message| Sent {
            id: message.id,
            sequence: None,
        };
        Ok(messages.into_iter().map(sent).collect())
    }

    /// The log's value of a message for a queue, and whether it is sealed.
    pub fn seal(&self, queue: &QueueRecord, message: &Message) -> (Vec<u8>, bool) {
        let value = message.encode();
        match queue.settings.encrypted {
            true => (self.sealer.seal(queue.messages(), &[], &value), true),
            false => (value, false),
        }
    }

    /// A message of the log.
    pub fn message(&self, queue: &QueueRecord, record: &Record) -> Result<Message, Error> {
        let damaged = |what| Error::Damaged {
            queue: queue.name.clone(),
            what,
        };
        let opened = self.sealer.unseal(queue.messages(), record);
        let opened = opened.map_err(|_| damaged("a message cannot be decrypted"))?;
        Message::decode(opened.data).ok_or_else(|| damaged("a message is not one"))
    }

    /// The record of one message; none where it expired.
    pub async fn read_one(
        &self,
        queue: &QueueRecord,
        offset: u64,
    ) -> Result<Option<Record>, Error> {
        let limit = ReadLimit {
            records: 1,
            bytes: 1,
        };
        let chunk = self.log.read(queue.messages(), offset, limit).await;
        let chunk = chunk.map_err(|error| Error::of_log(error, &queue.name))?;
        let mut records = chunk.records.into_iter();
        Ok(records.find(|record| record.offset == offset))
    }
}

/// A message as its receiver gets it.
fn of(queue: &QueueRecord, taken: Taken, message: Message) -> Received {
    let first = match message.receives {
        0 => taken.flight.first,
        _ => message.first_received,
    };
    let is_fifo = queue.settings.fifo.is_some();
    Received {
        id: message.id,
        receipt: taken.receipt,
        body: message.body,
        attributes: message.attributes,
        sender: message.sender,
        sent: message.sent,
        receives: message.receives.saturating_add(taken.flight.receives),
        first_received: if first == Millis::ZERO {
            message.sent
        } else {
            first
        },
        trace: message.trace,
        group: message.group,
        dedup: message.dedup.filter(|_| is_fifo),
        sequence: is_fifo.then(|| sequence(taken.receipt.offset)),
        source: message.source,
    }
}

#[cfg(test)]
mod tests {
    use headwater_catalog::MemoryCatalog;
    use headwater_log::{EmbeddedLog, Options};

    use super::*;
    use crate::{NewQueue, limits};

    #[tokio::test]
    async fn a_worker_that_ended_is_started_anew_and_the_queue_is_what_it_was() {
        let (env, dir) = (Env::real(), tempfile::tempdir().expect("a folder"));
        let log = EmbeddedLog::open(env.clone(), Options::new(dir.path())).await;
        let log = Arc::new(log.expect("a log"));
        let queues = Messages::open(env, Arc::new(MemoryCatalog::default()), log).await;
        let queues = queues.expect("queues");
        let new = NewQueue {
            name: "q".into(),
            ..NewQueue::default()
        };
        let number = queues.create(new, |_| None).await.expect("a queue").number;
        let message = NewMessage {
            body: "a".into(),
            ..NewMessage::default()
        };
        queues.send("q", vec![message]).await.expect("it is sent");
        // As a panic leaves it: nobody listens at the end of the way.
        let (calls, listener) = mpsc::channel(1);
        drop(listener);
        queues.workers.lock().insert(number, calls);
        let receive = Receive {
            limit: limits::RECEIVE_MESSAGES,
            ..Receive::default()
        };
        let received = queues.receive("q", receive).await.expect("it goes on");
        assert_eq!(received.len(), 1);
        // A call that was under way is told.
        let (calls, mut listener) = mpsc::channel(1);
        queues.workers.lock().insert(number, calls);
        let (depth, ()) = tokio::join!(queues.depth("q"), async {
            drop(listener.recv().await);
            drop(listener);
        });
        assert_eq!(depth, Err(Error::Interrupted));
        assert_eq!(queues.depth("q").await.expect("it goes on").in_flight, 1);
    }
}
