//! `headwater bench`: a load generator for any Kinesis endpoint, which verifies what it reads back.
//!
//! Tables of any DynamoDB endpoint are loaded by [`tables`]. The limits of the machine itself are measured beside it ([`machine`]).
//!
//! Requests are written once and patched in place ([`calls`]), each connection is driven by the task that uses it
//! ([`connection`]), and every record has a stamp of its own ([`payload`]), so that what comes back is compared with
//! what was acknowledged record for record ([`read`]).

mod args;
mod calls;
mod connection;
mod cpu;
mod endpoint;
mod fanout;
mod function;
mod get;
mod histogram;
mod idle;
mod latency;
mod machine;
mod meter;
mod mixed;
mod payload;
mod put;
mod read;
mod report;
mod schedule;
mod tables;
mod target;

use std::{
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

pub use args::{BenchCommand, LoadCommand};
use futures_util::future::{Either, join, select};
use headwater_client::{CallError, ClientConfig, ConfigError};
use headwater_env::Env;
pub use report::Report;
use serde::Serialize;
use tokio::sync::mpsc;

use crate::bench::{
    args::{Common, FanoutArgs},
    calls::{Codec, PutCall},
    connection::{Connection, Failure},
    cpu::CpuShare,
    fanout::Goal,
    function::Wall,
    idle::Idle,
    meter::Window,
    payload::Payload,
    put::{Acknowledged, Put, Putting, Until, put_all},
    read::{ReadCounts, Reading, Verification, sweep},
    report::{Measured, Passes},
    target::Target,
};

/// Records a page where all is read back.
const PAGE_MAX: u32 = 10_000;

/// Why there is no result.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// The command line.
    #[error("{0}")]
    Arguments(String),
    /// The endpoint's address.
    #[error("{0:?} is no address of an endpoint; write it as http://127.0.0.1:4566")]
    Address(String),
    /// Settings of AWS's tools.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The stream.
    #[error("stream {stream} {what}: {problem}")]
    Stream {
        /// Its name.
        stream: String,
        /// The step that failed, such as `cannot be made`.
        what: &'static str,
        /// The endpoint's error.
        problem: CallError,
    },
    /// The table.
    #[error("table {table} {what}: {code}")]
    Table {
        /// Its name.
        table: String,
        /// The step that failed, such as `cannot be made`.
        what: &'static str,
        /// The endpoint's error, or one of [`CallError`]'s codes.
        code: String,
    },
    /// The function that is called with what is put.
    #[error("function {function} {what}: {problem}")]
    Function {
        /// Its name.
        function: String,
        /// The step that failed, such as `cannot be created`.
        what: &'static str,
        /// The endpoint's error.
        problem: CallError,
    },
    /// The machine.
    #[error("{what} cannot be measured: {problem}")]
    Machine {
        /// The thing that was measured.
        what: String,
        /// The reason.
        problem: String,
    },
    /// Subscribers that are to stall.
    #[error("a consumer cannot subscribe: {0}")]
    Subscribe(String),
    /// Reading back.
    #[error("what was put cannot be read back: {0}")]
    ReadBack(String),
    /// The user.
    #[error("stopped")]
    Stopped,
}

/// Runs the command and prints its result; `variable` reads the environment. Whether all was as it must be.
///
/// # Errors
/// When the endpoint or the machine cannot be measured as it was asked for.
pub async fn run(
    command: BenchCommand,
    env: Env,
    variable: impl Fn(&str) -> Option<String> + Send + Sync + 'static,
) -> Result<bool, BenchError> {
    match command {
        BenchCommand::Load(command) => {
            command.check()?;
            let config = ClientConfig::from_env(variable, &env).await?;
            let report = bench(&command, config, &env).await?;
            print(command.common().json, &report, report.text());
            Ok(report.good())
        }
        BenchCommand::Tables(args) => {
            args.check()?;
            let config = ClientConfig::from_env(variable, &env).await?;
            let report = tables::measure(&args, &config, &env).await?;
            print(args.json, &report, report.text());
            Ok(report.good())
        }
        BenchCommand::Limits(args) => {
            let limits = machine::measure(&args.dir, args.duration, &env).await?;
            print(args.json, &limits, limits.text());
            Ok(true)
        }
    }
}

fn print(json: bool, result: &impl Serialize, text: String) {
    match json {
        true => println!(
            "{}",
            serde_json::to_string(result).expect("a result is numbers and texts")
        ),
        false => print!("{text}"),
    }
}

/// Measures an endpoint, without printing.
pub async fn bench(
    command: &LoadCommand,
    config: ClientConfig,
    env: &Env,
) -> Result<Report, BenchError> {
    match command {
        LoadCommand::Fanout(args) if args.stalled > 0 => {
            let without = LoadCommand::Fanout(FanoutArgs {
                stalled: 0,
                ..args.clone()
            });
            let without = bench_once(&without, config.clone(), env).await?;
            let beside = bench_once(command, config, env).await?;
            Ok(without.and(beside, &format!("beside {} stalled", args.stalled)))
        }
        _ => bench_once(command, config, env).await,
    }
}

async fn bench_once(
    command: &LoadCommand,
    config: ClientConfig,
    env: &Env,
) -> Result<Report, BenchError> {
    let target = Target::open(config, command.common(), env).await?;
    let report = {
        let run = Run::new(command, &target, env);
        match select(pin!(run.measure()), pin!(tokio::signal::ctrl_c())).await {
            Either::Left((report, _)) => report,
            Either::Right(_) => Err(BenchError::Stopped),
        }
    };
    let closed = target.close().await;
    report.and_then(|report| closed.map(|()| report))
}

/// One run at its target.
struct Run<'a> {
    command: &'a LoadCommand,
    common: &'a Common,
    target: &'a Target,
    reading: Arc<Reading>,
    env: &'a Env,
}

impl<'a> Run<'a> {
    fn new(command: &'a LoadCommand, target: &'a Target, env: &'a Env) -> Self {
        let common = command.common();
        let page = if let LoadCommand::Get(args) = command {
            args.page
        } else {
            PAGE_MAX
        };
        let reading = Reading {
            endpoint: target.endpoint.clone(),
            stream: target.stream.clone(),
            payload: Payload::new(env.random.next_u64(), common.record_size),
            page: i32::try_from(page).unwrap_or(i32::MAX),
        };
        Self {
            command,
            common,
            target,
            reading: Arc::new(reading),
            env,
        }
    }

    /// Measures, beside the connections that rest.
    async fn measure(&self) -> Result<Report, BenchError> {
        let count = self.common.idle_connections as usize;
        let shard = self.target.shards.first().map_or("", |shard| &shard.id);
        let idle = Idle::open(&self.reading, shard, count).await;
        let report = self.load().await?;
        Ok(Report {
            idle_connections: (count > 0).then(|| idle.close()),
            ..report
        })
    }

    async fn load(&self) -> Result<Report, BenchError> {
        match self.command {
            LoadCommand::Put(_) => self.put().await,
            LoadCommand::Get(args) => self.get(args.preload << 20).await,
            LoadCommand::Latency(args) => {
                self.latency(Duration::from_millis(args.poll), args.consumers)
                    .await
            }
            LoadCommand::Mixed(_) => self.mixed().await,
            LoadCommand::Fanout(args) => self.fanout(args.consumers, args.stalled).await,
            LoadCommand::Function(args) => self.function(&args.role).await,
        }
    }

    async fn put(&self) -> Result<Report, BenchError> {
        let window = self.window();
        let connections = self.common.connections as usize;
        let how = self.putting(window);
        let putting = put_all(self.env, self.calls(connections), &how);
        let (put, cpu) = join(putting, cpu::watch(self.env, window)).await;
        let verification = match self.common.no_verify {
            true => None,
            false => Some(Verification::of(&put, all_seen(&self.sweep().await?))),
        };
        let measured = vec![Measured::of(
            self.put_name(),
            &put.meter,
            self.common.duration,
        )];
        Ok(Report {
            verification,
            ..self.report(measured, cpu)
        })
    }

    async fn get(&self, preload: u64) -> Result<Report, BenchError> {
        let put = self
            .preload(preload.div_ceil(self.common.record_size as u64))
            .await;
        let held = self.sweep().await?;
        let verification = Verification::of(&put, all_seen(&held));
        let window = self.window();
        let getting = get::get_all(
            &self.reading,
            held,
            self.common.connections as usize,
            window,
        );
        let (got, cpu) = join(getting, cpu::watch(self.env, window)).await;
        let measured = vec![Measured::of("GetRecords", &got.meter, self.common.duration)];
        let passes = Some(Passes {
            whole: got.passes,
            wrong: got.wrong_passes,
        });
        Ok(Report {
            verification: Some(verification),
            passes,
            ..self.report(measured, cpu)
        })
    }

    async fn preload(&self, records: u64) -> Put {
        let connections = (self.common.connections as usize).min(8);
        let until = Until::Stored(records, Arc::new(AtomicU64::new(0)));
        let how = Putting {
            until,
            ..self.putting(Window::ALWAYS)
        };
        put_all(self.env, self.calls(connections), &how).await
    }

    async fn latency(&self, poll: Duration, consumers: u32) -> Result<Report, BenchError> {
        let arns = self.target.register(consumers, self.env).await?;
        let window = self.window();
        let (shards, bytes) = (&self.target.shards, self.common.record_size);
        let measuring = latency::measure(&self.reading, shards, bytes, poll, window, &arns);
        let (found, cpu) = join(measuring, cpu::watch(self.env, window)).await;
        let delivery = match consumers {
            0 => "from acknowledgement to reader, by GetRecords",
            _ => "from acknowledgement to event, each consumer",
        };
        let measured = vec![
            Measured::of("PutRecord", &found.put.meter, self.common.duration),
            Measured::of(delivery, &found.delivery, self.common.duration),
        ];
        let verification = Some(Verification::of(&found.put, found.seen));
        let connections = shards.len() * (1 + arns.len());
        Ok(Report {
            verification,
            connections,
            ..self.report(measured, cpu)
        })
    }

    async fn fanout(&self, consumers: u32, stalled: u32) -> Result<Report, BenchError> {
        let arns = self.target.register(consumers + stalled, self.env).await?;
        let (arns, stalled) = arns.split_at(consumers as usize);
        let shards = self.shard_ids();
        let failed = |Failure { code, .. }| BenchError::Subscribe(code);
        let stalled = fanout::stall_all(&self.reading, stalled, &shards)
            .await
            .map_err(failed)?;
        let window = self.window();
        let goals: Vec<_> = arns.iter().map(|_| Goal::unknown()).collect();
        let connections = self.common.connections as usize;
        let acknowledged = Arc::new(Acknowledged::new(
            connections,
            self.command.records_a_call(),
        ));
        let how = Putting {
            acknowledged: Some(acknowledged.clone()),
            ..self.putting(window)
        };
        let putting = async {
            let put = put_all(self.env, self.calls(connections), &how).await;
            goals.iter().for_each(|goal| goal.set(put.stored.records));
            put
        };
        let receiving =
            fanout::receive_all(&self.reading, arns, &shards, &goals, window, &acknowledged);
        let ((mut put, received), cpu) =
            join(join(putting, receiving), cpu::watch(self.env, window)).await;
        let wall = self.common.duration;
        let measured = vec![
            Measured::of(self.put_name(), &put.meter, wall),
            Measured::of(
                "from sending to event, each consumer",
                &received.from_sending,
                wall,
            ),
            Measured::of(
                "from acknowledgement to event, each consumer",
                &received.from_acknowledgement,
                wall,
            ),
        ];
        put.times(arns.len());
        let verification = Some(Verification::of(&put, received.seen));
        let connections = connections + arns.len() * shards.len() + stalled.len();
        Ok(Report {
            verification,
            connections,
            ..self.report(measured, cpu)
        })
    }

    async fn function(&self, role: &str) -> Result<Report, BenchError> {
        let mapped = self.target.map_function(role, self.env).await?;
        let window = self.window();
        let connections = self.common.connections as usize;
        let how = self.putting(window);
        let putting = put_all(self.env, self.calls(connections), &how);
        let (put, cpu) = join(putting, cpu::watch(self.env, window)).await;
        let run = function::Run {
            payload: &self.reading.payload,
            window,
            wall: Wall::read(self.env),
            env: self.env,
        };
        let stored = put.stored.records;
        let called = mapped.read(&self.target.client, &run, stored).await?;
        let wall = self.common.duration;
        let measured = vec![
            Measured::of("PutRecord", &put.meter, wall),
            Measured::of("from sending to the function's start", &called.took, wall),
        ];
        let verification = Some(Verification::of(&put, called.seen));
        Ok(Report {
            verification,
            ..self.report(measured, cpu)
        })
    }

    async fn mixed(&self) -> Result<Report, BenchError> {
        let window = self.window();
        let put_ended = Arc::new(AtomicBool::new(false));
        let putters = self.common.connections as usize / 2;
        let readers = self.common.connections as usize - putters;
        let how = self.putting(window);
        let putting = async {
            let put = put_all(self.env, self.calls(putters), &how).await;
            put_ended.store(true, Ordering::Release);
            put
        };
        let shards = self.shard_ids();
        let reading = mixed::tail(&self.reading, &shards, readers, window, put_ended.clone());
        let ((put, tailed), cpu) = join(join(putting, reading), cpu::watch(self.env, window)).await;
        let measured = vec![
            Measured::of(self.put_name(), &put.meter, self.common.duration),
            Measured::of("GetRecords", &tailed.meter, self.common.duration),
            Measured::of(
                "from sending to reader",
                &tailed.delivery,
                self.common.duration,
            ),
        ];
        let verification = (!self.common.no_verify).then(|| Verification::of(&put, tailed.seen));
        Ok(Report {
            verification,
            ..self.report(measured, cpu)
        })
    }

    /// The time that is measured, if the run starts now.
    fn window(&self) -> Window {
        let from = self.env.clock.elapsed() + self.common.warm_up;
        Window {
            from,
            to: from + self.common.duration,
        }
    }

    /// How to put until the window's end.
    fn putting(&self, window: Window) -> Putting {
        let records = self.command.records_a_call() as f64;
        Putting {
            bytes: self.common.record_size,
            calls_per_second: self.command.rate().map(|rate| rate / records),
            window,
            until: Until::Time(window.to),
            acknowledged: None,
        }
    }

    fn calls(&self, connections: usize) -> Vec<(Connection, PutCall)> {
        let Reading {
            endpoint,
            stream,
            payload,
            ..
        } = &*self.reading;
        let records = self.command.records_a_call();
        (0..connections as u32)
            .map(|worker| {
                let call = PutCall::new(endpoint.codec, stream, payload, records, worker, None);
                (Connection::new(endpoint.clone()), call)
            })
            .collect()
    }

    fn shard_ids(&self) -> Vec<String> {
        self.target
            .shards
            .iter()
            .map(|shard| shard.id.clone())
            .collect()
    }

    async fn sweep(&self) -> Result<Vec<(String, ReadCounts)>, BenchError> {
        let failed = |Failure { code, .. }| BenchError::ReadBack(code);
        sweep(
            &self.reading,
            &self.shard_ids(),
            self.common.connections as usize,
        )
        .await
        .map_err(failed)
    }

    fn put_name(&self) -> &'static str {
        if self.command.records_a_call() == 1 {
            "PutRecord"
        } else {
            "PutRecords"
        }
    }

    fn report(&self, measured: Vec<Measured>, generator_cpu: Option<CpuShare>) -> Report {
        Report {
            bench: self.command.name(),
            endpoint: self.common.endpoint_url.clone(),
            codec: if self.reading.endpoint.codec == Codec::Json {
                "json"
            } else {
                "cbor"
            },
            signed: !self.common.no_sign,
            shards: self.target.shards.len(),
            connections: self.common.connections as usize,
            record_size: self.common.record_size,
            records_a_call: self.command.records_a_call(),
            rate: self.command.rate(),
            seconds: self.common.duration.as_secs_f64(),
            measured,
            generator_cpu,
            idle_connections: None,
            passes: None,
            verification: None,
        }
    }
}

fn all_seen(held: &[(String, ReadCounts)]) -> ReadCounts {
    let mut all = ReadCounts::default();
    held.iter().for_each(|(_, seen)| all.merge(*seen));
    all
}

/// Runs all of them at a time, each a task; what they gave, in no order.
async fn together<T: Send + 'static>(
    env: &Env,
    work: impl IntoIterator<Item = impl Future<Output = T> + Send + 'static>,
) -> Vec<T> {
    let (done, mut results) = mpsc::channel(1);
    for one in work {
        let done = done.clone();
        // Nobody misses the result when the run was given up.
        env.spawn(async move { drop(done.send(one.await).await) });
    }
    drop(done);
    let mut all = Vec::new();
    while let Some(result) = results.recv().await {
        all.push(result);
    }
    all
}
