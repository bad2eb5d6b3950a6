//! A worker of an application whose leases are in a table: `worker STREAM APPLICATION NAME polling|fanout`.
//!
//! Endpoint and credentials come from the environment. What happens is told line by line, as "milliseconds what shard
//! numbers", and the worker ends in order when its standard input ends. It is the counterpart of
//! `conformance/sdk/kcl/Worker.java`; the suites run both beside each other.

#![allow(clippy::unwrap_used, reason = "this is test code")]

use std::{io, sync::Arc, time::Duration};

use headwater_consumer::{
    Checkpoint, CheckpointError, Checkpointer, ClientConfig, Consumer, Env, KinesisSource, Options,
    Process, ProcessError, Processors, Reading, Record, TableLeases, async_trait,
};

/// That of the worker in Java.
const FAILOVER: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(250);

#[tokio::main]
async fn main() -> Result<(), ProcessError> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let env = Env::real();
    let config = ClientConfig::from_env(|name| std::env::var(name).ok(), &env).await?;
    let source = KinesisSource::new(config.clone(), &words[0], &env);
    let reading = match words[3].as_str() {
        "fanout" => Reading::FanOut {
            consumer_arn: source.register(&words[1]).await?,
        },
        _ => Reading::Poll { pause: PAUSE },
    };
    let options = Options {
        reading,
        lease_duration: FAILOVER,
        sync_interval: FAILOVER,
        ..Options::new(&words[2])
    };
    let leases = Arc::new(TableLeases::open(config, &words[1], &env).await?);
    let shards = Arc::new(Shards { env: env.clone() });
    let consumer = Consumer::start(Arc::new(source), leases, shards, options, env.clone());
    env.blocking(|| io::copy(&mut io::stdin(), &mut io::sink()))
        .await?;
    consumer.shutdown().await;
    Ok(())
}

struct Shards {
    env: Env,
}

impl Processors for Shards {
    fn open(&self, shard: &str, _from: &Checkpoint) -> Box<dyn Process> {
        let (shard, env) = (shard.to_owned(), self.env.clone());
        let teller = Teller { shard, env };
        teller.tell("begins", "");
        Box::new(teller)
    }
}

/// One shard's processing.
struct Teller {
    shard: String,
    env: Env,
}

impl Teller {
    fn tell(&self, what: &str, numbers: &str) {
        self.tell_at(self.env.clock.now().0, what, numbers);
    }

    fn tell_at(&self, millis: u64, what: &str, numbers: &str) {
        println!(
            "{}",
            format!("{millis} {what} {} {numbers}", self.shard).trim()
        );
    }

    /// Tells the time before the table is asked: at that time at the earliest it agreed that the lease is held.
    async fn checkpoint(&self, done: &Checkpointer) -> Result<(), ProcessError> {
        let asked = self.env.clock.now().0;
        match done.checkpoint_all().await {
            Ok(()) => self.tell_at(asked, "keeps", ""),
            Err(CheckpointError::Lost) => self.tell_at(asked, "refused", ""),
            Err(error) => {
                self.tell("loses", "");
                return Err(error.into());
            }
        }
        Ok(())
    }
}

#[async_trait]
impl Process for Teller {
    async fn records(
        &mut self,
        records: Vec<Record>,
        done: &Checkpointer,
    ) -> Result<(), ProcessError> {
        let number = |record: &Record| -> Result<String, ProcessError> {
            let bytes: [u8; 8] = record.data.as_ref().try_into()?;
            Ok(u64::from_be_bytes(bytes).to_string())
        };
        let numbers: Result<Vec<String>, _> = records.iter().map(number).collect();
        // Before the checkpoint: a worker that is killed in between reads them again elsewhere, and loses none.
        self.tell("reads", &numbers?.join(","));
        self.checkpoint(done).await
    }

    async fn ended(&mut self, _done: &Checkpointer) -> Result<(), ProcessError> {
        self.tell("ends", "");
        Ok(())
    }

    async fn stopped(&mut self, _done: &Checkpointer) -> Result<(), ProcessError> {
        // All was checkpointed when it was read.
        self.tell("yields", "");
        Ok(())
    }

    async fn lost(&mut self) {
        self.tell("loses", "");
    }
}
