//! `headwater demo`: the taxi pipeline, made, run and counted through the public API of an endpoint.
//!
//! Trips go into a bucket, are replayed into a stream of four shards, and come back through a delivery stream
//! with a function as gzip objects. Then the stream and the bucket are read back and compared, trip by trip.
//! Starting a server to run against is the caller's.

mod count;
mod report;
mod setup;
mod upload;

use std::{path::PathBuf, time::Duration};

use clap::Args;
use headwater_client::{CallError, Client, ClientConfig, ConfigError};
use headwater_env::Env;
use headwater_producer::{KinesisStream, Options};
pub use report::Report;

use crate::{
    demo::{
        count::{Delivered, InStream},
        setup::{Names, Setup},
    },
    limits::READ_AHEAD_EVENTS,
    replay::{self, Attributes, EventSource, Format, Plan, Reading, ReplayError},
};

/// How long failing calls are tried again, and a delivery that makes no headway is waited for.
const TIMEOUT: Duration = Duration::from_secs(120);

/// Runs the taxi pipeline: replays trips into a stream, delivers them to a bucket, counts both.
#[derive(Debug, Clone, Args)]
pub struct DemoArgs {
    /// How many trips to make up.
    #[arg(long, default_value = "120000", conflicts_with = "trips")]
    pub count: u64,

    /// Takes the trips of these files, or of the files under these folders, instead of making them up.
    #[arg(long, value_name = "PATH", num_args = 1..)]
    pub trips: Vec<PathBuf>,

    /// Event time that passes in one second: 788400 is a year in 40 seconds.
    #[arg(long, default_value = "788400")]
    pub speedup: f64,

    /// The delivery stream's buffering interval, in seconds.
    #[arg(long, default_value = "5", value_parser = clap::value_parser!(i32).range(0..=900))]
    pub buffer_seconds: i32,

    /// The seed that trips are made from.
    #[arg(long, default_value = "2018")]
    pub seed: u64,
}

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// Settings of AWS's tools.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A call.
    #[error("{what} failed: {problem}")]
    Call {
        /// The step of the demo that made the call.
        what: String,
        /// The endpoint's error.
        problem: CallError,
    },
    /// The replay.
    #[error(transparent)]
    Replay(#[from] ReplayError),
    /// A file.
    #[error("{path} cannot be read: {problem}")]
    File {
        /// Its path.
        path: String,
        /// The system's error.
        problem: std::io::Error,
    },
    /// A part of the pipeline that was not ready in time.
    #[error("{0}")]
    Stuck(String),
    /// Records that came back and are not what went in.
    #[error("{0}")]
    Wrong(String),
}

/// Names the call that failed.
pub(crate) trait Doing<T> {
    /// The same result, with what was being done.
    fn doing(self, what: impl Into<String>) -> Result<T, DemoError>;
}

impl<T> Doing<T> for Result<T, CallError> {
    fn doing(self, what: impl Into<String>) -> Result<T, DemoError> {
        self.map_err(|problem| DemoError::Call {
            what: what.into(),
            problem,
        })
    }
}

/// Runs the pipeline at `endpoint`; `variable` reads the environment. The report tells whether the counts
/// agree.
///
/// # Errors
/// When the pipeline could not be made or run to its end.
pub async fn run(
    args: DemoArgs,
    endpoint: String,
    env: Env,
    variable: impl Fn(&str) -> Option<String> + Send + Sync + Clone + 'static,
) -> Result<Report, DemoError> {
    let config = config(&endpoint, &env, variable.clone()).await?;
    let names = Names::new(&env);
    let setup = Setup {
        client: Client::new(config.clone(), env.clone()),
        names: names.clone(),
        env: env.clone(),
    };
    step(&format!(
        "making bucket {}, stream {}, function {}",
        names.bucket, names.stream, names.function
    ));
    let runtime = setup::runtime(variable("PATH").as_deref(), &env).await;
    setup.make(runtime, args.buffer_seconds).await?;
    step("putting trips into the bucket");
    let uploaded = upload::trips(&setup, &args).await?;
    step(&format!(
        "replaying {} from {} objects",
        mib(uploaded.bytes),
        uploaded.objects
    ));
    let source = EventSource::Objects {
        client: Box::new(setup.client.clone()),
        bucket: names.bucket.clone(),
        prefix: setup::TRIPS.to_owned(),
    };
    let replayed = replay::replay(source, config.clone(), &names.stream, plan(&args), &env).await?;
    step(&format!(
        "{} events replayed; counting what is in the stream and in the bucket",
        replayed.events
    ));
    let expected = replayed.events + replayed.watermarks;
    let stream = KinesisStream::new(config, &names.stream, &env);
    let (in_stream, delivered) = tokio::join!(
        InStream::count(&stream, &env),
        Delivered::wait_for(
            &setup,
            expected,
            Duration::from_secs(args.buffer_seconds as u64) + TIMEOUT
        ),
    );
    Ok(Report {
        endpoint,
        names,
        made: uploaded.trips,
        replayed,
        stream: in_stream?,
        bucket: delivered?,
    })
}

/// The environment's settings; an endpoint on this machine takes any credentials, so some are there by
/// default.
async fn config(
    endpoint: &str,
    env: &Env,
    variable: impl Fn(&str) -> Option<String> + Send + Sync + 'static,
) -> Result<ClientConfig, DemoError> {
    let given = variable("AWS_ACCESS_KEY_ID").is_some() || variable("AWS_PROFILE").is_some();
    let with_default = move |name: &str| match name {
        "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY" if !given => Some("demo".to_owned()),
        _ => variable(name),
    };
    let config = ClientConfig::from_env(with_default, env).await?;
    Ok(config.with_endpoint_url(Some(endpoint.to_owned())))
}

fn plan(args: &DemoArgs) -> Plan {
    Plan {
        speedup: args.speedup,
        read_ahead: READ_AHEAD_EVENTS,
        watermarks: true,
        reading: Reading {
            format: Format::Auto,
            attributes: Attributes {
                timestamp: "dropoff_datetime".to_owned(),
                partition_key: "trip_id".to_owned(),
            },
            seek: None,
            retry_for: TIMEOUT,
        },
        options: Options {
            read_back: true,
            retry_for: TIMEOUT,
            ..Options::default()
        },
    }
}

/// Tells people what happens now.
fn step(text: &str) {
    eprintln!("{text}");
}

/// Bytes for people.
pub(crate) fn mib(bytes: u64) -> String {
    format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20))
}
