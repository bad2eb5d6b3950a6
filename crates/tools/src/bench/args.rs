//! The command line of `headwater bench`.

use std::time::Duration;

use clap::{Args, Subcommand};

use crate::{
    bench::{BenchError, payload::STAMP_BYTES},
    limits::BENCH_CALL_BYTES_MAX,
};

/// Measures a Kinesis endpoint, and verifies what it read back.
#[derive(Debug, Clone, Subcommand)]
pub enum BenchCommand {
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
}

/// What all of them take.
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
    /// What all take.
    #[command(flatten)]
    pub common: Common,

    /// Records a call; 1 is PutRecord, more is PutRecords.
    #[arg(long, default_value = "500", value_parser = clap::value_parser!(u32).range(1..=500))]
    pub records: u32,
}

/// `fanout`.
#[derive(Debug, Clone, Args)]
pub struct FanoutArgs {
    /// Putting: `--connections` are those that put.
    #[command(flatten)]
    pub put: PutArgs,

    /// Consumers to register; each subscribes to every shard, over a connection for each.
    #[arg(long, default_value = "1", value_parser = clap::value_parser!(u32).range(1..=50))]
    pub consumers: u32,
}

/// `get`.
#[derive(Debug, Clone, Args)]
pub struct GetArgs {
    /// What all take.
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
    /// What all take; there is a connection for each shard, whatever `--connections` says.
    #[command(flatten)]
    pub common: Common,

    /// Milliseconds between two reads of a shard without new records; AWS allows five reads a second.
    #[arg(long, default_value = "200", value_name = "MILLISECONDS")]
    pub poll: u64,

    /// Consumers to register, which read by enhanced fan-out; with none, the stream is polled.
    #[arg(long, default_value = "0", value_parser = clap::value_parser!(u32).range(0..=50))]
    pub consumers: u32,
}

impl BenchCommand {
    /// What all take.
    pub fn common(&self) -> &Common {
        match self {
            BenchCommand::Put(args) | BenchCommand::Mixed(args) => &args.common,
            BenchCommand::Fanout(args) => &args.put.common,
            BenchCommand::Get(args) => &args.common,
            BenchCommand::Latency(args) => &args.common,
        }
    }

    /// The command's name.
    pub fn name(&self) -> &'static str {
        match self {
            BenchCommand::Put(_) => "put",
            BenchCommand::Get(_) => "get",
            BenchCommand::Latency(_) => "latency",
            BenchCommand::Mixed(_) => "mixed",
            BenchCommand::Fanout(_) => "fanout",
        }
    }

    /// Records a call of those that put.
    pub fn records_a_call(&self) -> usize {
        match self {
            BenchCommand::Put(args) | BenchCommand::Mixed(args) => args.records as usize,
            BenchCommand::Fanout(args) => args.put.records as usize,
            BenchCommand::Get(args) => (BENCH_CALL_BYTES_MAX / 2 / args.common.record_size).clamp(1, 500),
            BenchCommand::Latency(_) => 1,
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
            return Err(BenchError::Arguments("nothing is measured in --duration 0".to_owned()));
        }
        if matches!(self, BenchCommand::Mixed(_)) && self.common().connections < 2 {
            return Err(BenchError::Arguments("mixed wants --connections 2 at least".to_owned()));
        }
        Ok(())
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| format!("{text:?} is not a number"))?;
    Duration::try_from_secs_f64(seconds)
        .ok()
        .filter(|time| *time <= Duration::from_secs(86_400))
        .ok_or_else(|| "it must be from 0 to 86400".to_owned())
}

fn record_bytes(text: &str) -> Result<usize, String> {
    let bytes: usize = text.parse().map_err(|_| format!("{text:?} is not a number"))?;
    let allowed = STAMP_BYTES..=BENCH_CALL_BYTES_MAX;
    if allowed.contains(&bytes) { Ok(bytes) } else { Err(format!("it must be from {STAMP_BYTES} to 10 MiB")) }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Command {
        #[command(subcommand)]
        bench: BenchCommand,
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
            "fanout --consumers 5",
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
        ] {
            assert!(check(bad).is_err(), "{bad}");
        }
    }
}
