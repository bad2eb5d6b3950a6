//! A world of queues over a simulated or a real log, with a clock that the test moves.
#![allow(dead_code, clippy::unwrap_used, reason = "each test uses a part")]

use std::{sync::Arc, time::Duration};

use headwater_catalog::{Catalog, MemoryCatalog};
use headwater_env::{
    Env, ManualClock, SeededRandom, SimDisk, Spawn, TokioTasks, testing::CountedTasks,
};
use headwater_log::{EmbeddedLog, Options};
use headwater_messages::{
    Fifo, Messages, NewMessage, NewQueue, Receipt, Receive, Received, Sent, Settings, Settle,
};
use headwater_types::Millis;

pub const START: Millis = Millis(1_700_000_000_000);

/// Small files, so that a few messages make many.
fn options() -> Options {
    Options {
        segment_bytes: 20_000,
        preallocate_bytes: 0,
        ..Options::new("/log")
    }
}

pub struct World {
    pub disk: SimDisk,
    pub clock: Arc<ManualClock>,
    pub env: Env,
    pub catalog: Arc<dyn Catalog>,
    pub log: Arc<EmbeddedLog>,
    pub queues: Arc<Messages>,
}

impl World {
    pub async fn new() -> Self {
        Self::of_seed(7).await
    }

    pub async fn of_seed(seed: u64) -> Self {
        Self::with(seed, Arc::new(TokioTasks)).await
    }

    /// A world whose tasks are counted.
    pub async fn counted(tasks: &CountedTasks) -> Self {
        Self::with(7, Arc::new(tasks.clone())).await
    }

    async fn with(seed: u64, tasks: Arc<dyn Spawn>) -> Self {
        let disk = SimDisk::new(seed);
        let clock = Arc::new(ManualClock::at(START));
        let env = Env {
            clock: clock.clone(),
            random: Arc::new(SeededRandom::new(seed)),
            disk: Arc::new(disk.clone()),
            tasks,
        };
        let catalog: Arc<dyn Catalog> = Arc::new(MemoryCatalog::default());
        let log = EmbeddedLog::open(env.clone(), options()).await;
        let log = Arc::new(log.unwrap());
        let queues = Messages::open(env.clone(), catalog.clone(), log.clone()).await;
        Self {
            queues: queues.unwrap(),
            disk,
            clock,
            env,
            catalog,
            log,
        }
    }

    /// Opens the log and the queues anew, as a server that starts.
    pub async fn reopen(&mut self) {
        use headwater_log::ShardLog;
        self.log.close().await;
        self.open().await;
    }

    /// Cuts the power, and opens all anew.
    pub async fn crash(&mut self) {
        self.disk.crash();
        self.open().await;
    }

    async fn open(&mut self) {
        let (env, catalog) = (self.env.clone(), self.catalog.clone());
        self.log = Arc::new(EmbeddedLog::open(env.clone(), options()).await.unwrap());
        self.queues = Messages::open(env, catalog, self.log.clone())
            .await
            .unwrap();
    }

    pub async fn create(&self, name: &str, settings: Settings) {
        let new = NewQueue {
            name: name.into(),
            settings,
            ..NewQueue::default()
        };
        self.queues.create(new, |_| None).await.unwrap();
    }

    pub async fn send(&self, name: &str, message: NewMessage) -> Sent {
        let mut sent = self.queues.send(name, vec![message]).await.unwrap();
        sent.pop().unwrap().unwrap()
    }

    pub async fn receive(&self, name: &str, limit: usize) -> Vec<Received> {
        let receive = Receive {
            limit,
            ..Receive::default()
        };
        self.queues.receive(name, receive).await.unwrap()
    }

    pub async fn bodies(&self, name: &str, limit: usize) -> Vec<String> {
        let received = self.receive(name, limit).await;
        received.into_iter().map(|received| received.body).collect()
    }

    pub async fn settle(
        &self,
        name: &str,
        receipt: Receipt,
        settle: Settle,
    ) -> Result<(), headwater_messages::ReceiptError> {
        let settled = self.queues.settle(name, vec![(receipt, settle)]).await;
        settled.unwrap().pop().unwrap()
    }

    pub async fn delete(&self, name: &str, receipt: Receipt) {
        self.settle(name, receipt, Settle::Delete).await.unwrap();
    }

    pub fn pass(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }
}

pub fn text(body: &str) -> NewMessage {
    NewMessage {
        body: body.into(),
        ..NewMessage::default()
    }
}

pub fn of_group(group: &str, body: &str) -> NewMessage {
    NewMessage {
        group: Some(group.into()),
        ..text(body)
    }
}

pub fn fifo() -> Settings {
    let fifo = Fifo {
        by_content: true,
        ..Fifo::default()
    };
    Settings {
        fifo: Some(fifo),
        ..Settings::default()
    }
}
