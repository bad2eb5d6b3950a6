//! The command line of `headwater bench`.

use std::{path::PathBuf, time::Duration};

use clap::{Args, Subcommand};

use crate::{
    bench::{BenchError, payload::STAMP_BYTES, tables::TablesArgs},
    limits::BENCH_CALL_BYTES_MAX,
};

/// Measures an endpoint of Kinesis or of DynamoDB, or what the machine allows one.
#[derive(Debug, Clone, Subcommand)]
pub enum BenchCommand {
    /// Of an endpoint.
    #[command(flatten)]
    Load(LoadCommand),
    /// Write and read items of a DynamoDB table, and read a sample back
    Tables(TablesArgs),
    /// Measure what this machine allows at most: its disk, one processor, HTTP over loopback
    Limits(LimitsArgs),
}

/// Measures a Kinesis endpoint, and verifies what it read back.
#[derive(Debug, Clone, Subcommand)]
pub enum LoadCommand {
    /// Put records as fast as they are taken, then read all of them back
    Put(PutArgs),
    /// Put some records, then read them again and again
    Get(GetArgs),
    /// Put one record a shard at a time, and wait until it is read
    Latency(LatencyArgs),
    /// Put and read the same stream at a time
    Mixed(PutArgs),
    /// Put, and read by enhanced fan-out at the same time
    Fanout(FanoutArgs),
    /// Put at a rate, and see how soon a function is called with each record
    Function(FunctionArgs),
}

/// The arguments that all of them take.
#[derive(Debug, Clone, Args)]
pub struct Common {
    /// The endpoint.
    #[arg(long, env = "AWS_ENDPOINT_URL", value_name = "URL")]
    pub endpoint_url: String,

    /// A stream that exists; without it, one is made for the run and removed after it.
    #[arg(long, value_name = "NAME")]
    pub stream: Option<String>,

    /// Shards of the stream that is made.
    #[arg(long, default_value = "16", value_parser = clap::value_parser!(u32).range(1..=10_000), conflicts_with = "stream")]
    pub shards: u32,

    /// Connections, each with one call at a time.
    #[arg(long, default_value = "8", value_parser = clap::value_parser!(u32).range(1..=20_000))]
    pub connections: u32,

    /// Connections besides, which make one small call and then rest.
    #[arg(long, default_value = "0", value_name = "CONNECTIONS", value_parser = clap::value_parser!(u32).range(0..=100_000))]
    pub idle_connections: u32,

    /// Bytes of a record.
    #[arg(long, default_value = "1024", value_name = "BYTES", value_parser = record_bytes)]
    pub record_size: usize,

    /// Seconds that are measured.
    #[arg(long, default_value = "10", value_name = "SECONDS", value_parser = seconds)]
    pub duration: Duration,

    /// Seconds before that, not measured.
    #[arg(long, default_value = "2", value_name = "SECONDS", value_parser = seconds)]
    pub warm_up: Duration,

    /// Speaks CBOR, as the AWS SDK for Java does, not JSON.
    #[arg(long)]
    pub cbor: bool,

    /// Sends the same meaningless signature with each call, for endpoints that check none.
    #[arg(long)]
    pub no_sign: bool,

    /// Does not read back what was put.
    #[arg(long)]
    pub no_verify: bool,

    /// Leaves the stream that was made.
    #[arg(long)]
    pub keep: bool,

    /// Prints the result as JSON.
    #[arg(long)]
    pub json: bool,
}

/// `put` and `mixed`.
#[derive(Debug, Clone, Args)]
pub struct PutArgs {
    /// The arguments that all commands take.
    #[command(flatten)]
    pub common: Common,

    /// Records a call; 1 is PutRecord, more is PutRecords.
    #[arg(long, default_value = "500", value_parser = clap::value_parser!(u32).range(1..=500))]
    pub records: u32,

    /// Records a second to put, in calls that are due at even intervals, however long the answers take: a call that
    /// is late is as late in its time. Without, a connection calls again as soon as it has its answer.
    #[arg(long, value_name = "RECORDS", value_parser = rate)]
    pub rate: Option<f64>,
}

/// `fanout`.
#[derive(Debug, Clone, Args)]
pub struct FanoutArgs {
    /// Putting: `--connections` are those that put.
    #[command(flatten)]
    pub put: PutArgs,

    /// Consumers to register; each subscribes to every shard, over a connection for each.
    #[arg(long, default_value = "1", value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub consumers: u32,

    /// Consumers besides that subscribe and never read. Then all is measured twice, without them and with them.
    #[arg(long, default_value = "0", value_parser = clap::value_parser!(u32).range(0..=1000))]
    pub stalled: u32,
}

/// `function`.
#[derive(Debug, Clone, Args)]
pub struct FunctionArgs {
    /// The arguments that all commands take. The function's clock is compared with this machine's.
    #[command(flatten)]
    pub common: Common,

    /// Records a second to put, one a call, at even intervals.
    #[arg(long, default_value = "200", value_name = "RECORDS", value_parser = rate)]
    pub rate: f64,

    /// The function's role; it must let the function read the stream and write its log.
    #[arg(
        long,
        default_value = "arn:aws:iam::000000000000:role/bench",
        value_name = "ARN"
    )]
    pub role: String,
}

/// `get`.
#[derive(Debug, Clone, Args)]
pub struct GetArgs {
    /// The arguments that all commands take.
    #[command(flatten)]
    pub common: Common,

    /// Records a page.
    #[arg(long, default_value = "1000", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub page: u32,

    /// MiB of records that are put first: more than the server's memory for its tail, to read from its disk.
    #[arg(long, default_value = "32", value_name = "MIB", value_parser = clap::value_parser!(u64).range(1..=1 << 20))]
    pub preload: u64,
}

/// `latency`.
#[derive(Debug, Clone, Args)]
pub struct LatencyArgs {
    /// The arguments that all commands take; there is a connection for each shard, whatever `--connections` says.
    #[command(flatten)]
    pub common: Common,

    /// Milliseconds between two reads of a shard without new records; AWS allows five reads a second.
    #[arg(long, default_value = "200", value_name = "MILLISECONDS")]
    pub poll: u64,

    /// Consumers to register, which read by enhanced fan-out; with none, the stream is polled.
    #[arg(long, default_value = "0", value_parser = clap::value_parser!(u32).range(0..=50))]
    pub consumers: u32,
}

/// `limits`.
#[derive(Debug, Clone, Args)]
pub struct LimitsArgs {
    /// A folder on the disk that is measured; what is written there is removed.
    #[arg(long, default_value = ".", value_name = "FOLDER")]
    pub dir: PathBuf,

    /// Seconds for each figure.
    #[arg(long, default_value = "2", value_name = "SECONDS", value_parser = seconds)]
    pub duration: Duration,

    /// Prints the result as JSON.
    #[arg(long)]
    pub json: bool,
}

impl LoadCommand {
    /// The arguments that all commands take.
    pub fn common(&self) -> &Common {
        match self {
            LoadCommand::Put(args) | LoadCommand::Mixed(args) => &args.common,
            LoadCommand::Fanout(args) => &args.put.common,
            LoadCommand::Get(args) => &args.common,
            LoadCommand::Latency(args) => &args.common,
            LoadCommand::Function(args) => &args.common,
        }
    }

    /// The command's name.
    pub fn name(&self) -> &'static str {
        match self {
            LoadCommand::Put(_) => "put",
            LoadCommand::Get(_) => "get",
            LoadCommand::Latency(_) => "latency",
            LoadCommand::Mixed(_) => "mixed",
            LoadCommand::Fanout(_) => "fanout",
            LoadCommand::Function(_) => "function",
        }
    }

    /// Records a call of those that put.
    pub fn records_a_call(&self) -> usize {
        match self {
            LoadCommand::Put(args) | LoadCommand::Mixed(args) => args.records as usize,
            LoadCommand::Fanout(args) => args.put.records as usize,
            LoadCommand::Get(args) => {
                (BENCH_CALL_BYTES_MAX / 2 / args.common.record_size).clamp(1, 500)
            }
            LoadCommand::Latency(_) | LoadCommand::Function(_) => 1,
        }
    }

    /// Records a second that are meant to be put.
    pub fn rate(&self) -> Option<f64> {
        match self {
            LoadCommand::Put(args) | LoadCommand::Mixed(args) => args.rate,
            LoadCommand::Fanout(args) => args.put.rate,
            LoadCommand::Function(args) => Some(args.rate),
            LoadCommand::Get(_) | LoadCommand::Latency(_) => None,
        }
    }

    /// Refuses what no endpoint would take, and what cannot be measured.
    pub fn check(&self) -> Result<(), BenchError> {
        let bytes = self.records_a_call() * self.common().record_size;
        if bytes > BENCH_CALL_BYTES_MAX {
            let max = BENCH_CALL_BYTES_MAX >> 20;
            return Err(BenchError::Arguments(format!(
                "calls would have {bytes} bytes, and no endpoint takes more than {max} MiB: \
                 lower --records or --record-size"
            )));
        }
        if self.common().duration.is_zero() {
            return Err(BenchError::Arguments(
                "nothing is measured in --duration 0".to_owned(),
            ));
        }
        if matches!(self, LoadCommand::Mixed(_)) && self.common().connections < 2 {
            return Err(BenchError::Arguments(
                "mixed wants --connections 2 at least".to_owned(),
            ));
        }
        Ok(())
    }
}

/// Seconds of a command line.
pub fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text
        .parse()
        .map_err(|_| format!("{text:?} is not a number"))?;
    Duration::try_from_secs_f64(seconds)
        .ok()
        .filter(|time| *time <= Duration::from_secs(86_400))
        .ok_or_else(|| "it must be from 0 to 86400".to_owned())
}

fn rate(text: &str) -> Result<f64, String> {
    let rate: f64 = text
        .parse()
        .map_err(|_| format!("{text:?} is not a number"))?;
    if (0.001..=1e9).contains(&rate) {
        Ok(rate)
    } else {
        Err("it must be from 0.001 to 1e9".to_owned())
    }
}

fn record_bytes(text: &str) -> Result<usize, String> {
    let bytes: usize = text
        .parse()
        .map_err(|_| format!("{text:?} is not a number"))?;
    let allowed = STAMP_BYTES..=BENCH_CALL_BYTES_MAX;
    if allowed.contains(&bytes) {
        Ok(bytes)
    } else {
        Err(format!("it must be from {STAMP_BYTES} to 10 MiB"))
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Command {
        #[command(subcommand)]
        bench: LoadCommand,
    }

    fn check(line: &str) -> Result<(), String> {
        let line = format!("bench {line} --endpoint-url http://127.0.0.1:1");
        let command = Command::try_parse_from(line.split(' ')).map_err(|e| e.to_string())?;
        command.bench.check().map_err(|e| e.to_string())
    }

    #[test]
    fn what_no_endpoint_takes_is_refused_before_anything_is_made() {
        for good in [
            "put",
            "put --records 1 --record-size 10485760",
            "get --page 10000",
            "latency --poll 0",
            "mixed",
            "fanout --consumers 5 --stalled 1 --rate 1000",
            "function --rate 10",
        ] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        for bad in [
            "put --records 501",
            "put --records 500 --record-size 102400",
            "put --record-size 23",
            "put --duration 0",
            "put --duration nan",
            "put --stream a --shards 2",
            "mixed --connections 1",
            "get --preload 0",
            "fanout --consumers 0",
            "put --rate 0",
            "put --rate inf",
            "function --rate 0",
        ] {
            assert!(check(bad).is_err(), "{bad}");
        }
    }
}
