//! The stream that is measured: made for the run and removed after it, or one that is there.

use std::{sync::Arc, time::Duration};

use headwater_client::{CallError, Client, ClientConfig, Credentials};
use headwater_env::Env;
use headwater_producer::{KinesisStream, Shard, Stream};
use headwater_shapes_kinesis as kinesis;
use headwater_shapes_kinesis::ops;
use parking_lot::Mutex;

use crate::bench::{
    BenchError,
    args::Common,
    calls::Codec,
    endpoint::{Endpoint, KINESIS},
    function::Mapped,
};

/// How often it is asked whether something is ready, and how many times.
pub const READY_INTERVAL: Duration = Duration::from_millis(100);
pub const READY_TRIES: u32 = 1200;

/// A stream and the way to it.
pub struct Target {
    /// For the load.
    pub endpoint: Arc<Endpoint>,
    /// The stream's name.
    pub stream: String,
    /// Its open shards.
    pub shards: Vec<Shard>,
    /// For what is no load.
    pub client: Client,
    remove: bool,
    /// Consumers that were registered for the run.
    consumers: Mutex<Vec<String>>,
    /// The function that was made for the run.
    function: Mutex<Option<Mapped>>,
}

impl Target {
    /// Makes the stream, or finds it.
    pub async fn open(
        config: ClientConfig,
        common: &Common,
        env: &Env,
    ) -> Result<Self, BenchError> {
        let config = match common.no_sign {
            true => ClientConfig {
                region: config.region.clone(),
                ..ClientConfig::new(nobody())
            },
            false => config,
        };
        let config = config.with_endpoint_url(Some(common.endpoint_url.clone()));
        let codec = match common.cbor {
            true => Codec::Cbor,
            false => Codec::Json,
        };
        let (url, sign) = (&common.endpoint_url, !common.no_sign);
        let endpoint = Endpoint::open(&KINESIS, url, &config, sign, codec, env)?;
        let stream = match &common.stream {
            Some(name) => name.clone(),
            None => format!("bench-{:08x}", env.random.next_u64() >> 32),
        };
        let own = common.stream.is_none();
        let client = Client::new(config.clone(), env.clone());
        let mut target = Self {
            endpoint,
            stream,
            shards: Vec::new(),
            client,
            remove: own && !common.keep,
            consumers: Mutex::default(),
            function: Mutex::default(),
        };
        if own {
            target
                .create(common.shards)
                .await
                .map_err(|e| target.failed("cannot be created", e))?;
        }
        let listed = match target.wait_until_active(env).await {
            Ok(()) => {
                KinesisStream::new(config, &target.stream, env)
                    .shards()
                    .await
            }
            Err(error) => Err(error),
        };
        match listed {
            Ok(shards) => target.shards = shards.into_iter().filter(|shard| shard.open).collect(),
            Err(error) => {
                let failed = target.failed("cannot be used", error);
                target.close().await?;
                return Err(failed);
            }
        }
        Ok(target)
    }

    /// Removes the function and the stream that were made for the run.
    pub async fn close(&self) -> Result<(), BenchError> {
        let function = self.function.lock().take();
        if let Some(function) = function {
            function.remove(&self.client).await?;
        }
        if !self.remove {
            return self
                .deregister()
                .await
                .map_err(|e| self.failed("keeps its consumers; remove them yourself", e));
        }
        let input = kinesis::DeleteStreamInput {
            stream_name: Some(self.stream.clone()),
            enforce_consumer_deletion: Some(true),
            ..Default::default()
        };
        let removed = self.client.call::<ops::DeleteStream>(input).await;
        removed
            .map(drop)
            .map_err(|e| self.failed("cannot be removed; remove it yourself", e))
    }

    /// Makes a function that is called with what is put into the stream from now on.
    pub async fn map_function(&self, role: &str, env: &Env) -> Result<Mapped, BenchError> {
        let arn = self.arn().await;
        let arn = arn.map_err(|e| self.failed("cannot be used", e))?;
        let name = format!("bench-{:08x}", env.random.next_u64() >> 32);
        let mut mapped = Mapped::make(&self.client, &name, role).await?;
        *self.function.lock() = Some(mapped.clone());
        let done = mapped.map(&self.client, &arn, env).await;
        *self.function.lock() = Some(mapped.clone());
        done.map(|()| mapped)
    }

    async fn arn(&self) -> Result<String, CallError> {
        let input = kinesis::DescribeStreamSummaryInput {
            stream_name: Some(self.stream.clone()),
            ..Default::default()
        };
        let summary = self.client.call::<ops::DescribeStreamSummary>(input);
        Ok(summary.await?.stream_description_summary.stream_arn)
    }

    /// Registers consumers for enhanced fan-out, and waits until they are active; their ARNs.
    pub async fn register(&self, count: u32, env: &Env) -> Result<Vec<String>, BenchError> {
        let registered = self.register_all(count, env).await;
        registered.map_err(|e| self.failed("takes no consumers", e))
    }

    async fn register_all(&self, count: u32, env: &Env) -> Result<Vec<String>, CallError> {
        let arn = self.arn().await?;
        for _ in 0..count {
            let input = kinesis::RegisterStreamConsumerInput {
                stream_arn: arn.clone(),
                consumer_name: format!("bench-{:08x}", env.random.next_u64() >> 32),
                ..Default::default()
            };
            let output = self
                .client
                .call::<ops::RegisterStreamConsumer>(input)
                .await?;
            self.consumers.lock().push(output.consumer.consumer_arn);
        }
        let consumers = self.consumers.lock().clone();
        for consumer in &consumers {
            self.wait_until_registered(consumer, env).await?;
        }
        Ok(consumers)
    }

    async fn wait_until_registered(&self, consumer: &str, env: &Env) -> Result<(), CallError> {
        for _ in 0..READY_TRIES {
            let consumer_arn = Some(consumer.to_owned());
            let input = kinesis::DescribeStreamConsumerInput {
                consumer_arn,
                ..Default::default()
            };
            let output = self
                .client
                .call::<ops::DescribeStreamConsumer>(input)
                .await?;
            if output.consumer_description.consumer_status == "ACTIVE" {
                return Ok(());
            }
            env.clock.sleep(READY_INTERVAL).await;
        }
        Err(not_active())
    }

    async fn deregister(&self) -> Result<(), CallError> {
        let consumers = std::mem::take(&mut *self.consumers.lock());
        for consumer in consumers {
            let consumer_arn = Some(consumer);
            let input = kinesis::DeregisterStreamConsumerInput {
                consumer_arn,
                ..Default::default()
            };
            self.client
                .call::<ops::DeregisterStreamConsumer>(input)
                .await?;
        }
        Ok(())
    }

    async fn create(&self, shards: u32) -> Result<(), CallError> {
        let input = kinesis::CreateStreamInput {
            stream_name: self.stream.clone(),
            shard_count: Some(i32::try_from(shards).unwrap_or(i32::MAX)),
            ..Default::default()
        };
        self.client.call::<ops::CreateStream>(input).await.map(drop)
    }

    async fn wait_until_active(&self, env: &Env) -> Result<(), CallError> {
        for _ in 0..READY_TRIES {
            let stream_name = Some(self.stream.clone());
            let input = kinesis::DescribeStreamSummaryInput {
                stream_name,
                ..Default::default()
            };
            let output = self
                .client
                .call::<ops::DescribeStreamSummary>(input)
                .await?;
            if output.stream_description_summary.stream_status == "ACTIVE" {
                return Ok(());
            }
            env.clock.sleep(READY_INTERVAL).await;
        }
        Err(not_active())
    }

    fn failed(&self, what: &'static str, problem: CallError) -> BenchError {
        BenchError::Stream {
            stream: self.stream.clone(),
            what,
            problem,
        }
    }
}

fn not_active() -> CallError {
    let waited = READY_INTERVAL * READY_TRIES;
    CallError {
        code: CallError::TIMEOUT.to_owned(),
        status: None,
        message: format!("it is not ACTIVE after {waited:?}"),
        retryable: false,
        unclear: false,
    }
}

/// Keys for endpoints that ask for none.
fn nobody() -> Credentials {
    Credentials {
        access_key_id: "bench".into(),
        secret_access_key: "bench".into(),
        session_token: None,
    }
}
