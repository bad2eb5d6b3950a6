//! The command line of `headwater replay`.

use std::{path::PathBuf, time::Duration};

use clap::Args;
use headwater_client::Client;
use headwater_producer::Options;

use crate::{
    limits::READ_AHEAD_EVENTS,
    replay::{Attributes, EventSource, Format, Plan, Reading, events::parse_time},
};

/// Sends the events of files or objects into a stream, at the pace at which they happened.
///
/// Sources may be packed with lz4, gzip or zstd, and hold JSON lines or CSV. Credentials, region and endpoint
/// come from where AWS's own tools take them, so that this works against AWS as well.
#[derive(Debug, Clone, Args)]
pub struct ReplayArgs {
    /// The stream's name or ARN.
    #[arg(long, required_unless_present = "dry_run", conflicts_with = "dry_run")]
    pub stream: Option<String>,

    /// Does everything but the calls: reads, orders, waits and packs, and throws the records away.
    #[arg(long)]
    pub dry_run: bool,

    /// Files to read, or folders with files; in the order of their names.
    #[arg(long, value_name = "PATH", num_args = 1.., required_unless_present = "bucket")]
    pub file: Vec<PathBuf>,

    /// The bucket to read objects from; in the order of their keys.
    #[arg(long, conflicts_with = "file")]
    pub bucket: Option<String>,

    /// The prefix of the objects' keys.
    #[arg(long, default_value = "", conflicts_with = "file")]
    pub prefix: String,

    /// Event time that passes in one second: 1 is the pace of the events, 525600 is a year in a minute.
    #[arg(long, default_value = "1", value_parser = positive)]
    pub speedup: f64,

    /// The attribute that holds the time of an event.
    #[arg(long, default_value = "dropoff_datetime", value_name = "NAME")]
    pub timestamp_attribute: String,

    /// The attribute that becomes the partition key; events without it are spread by their content.
    #[arg(long, default_value = "trip_id", value_name = "NAME")]
    pub partition_key_attribute: String,

    /// How the source's text is written.
    #[arg(long, default_value = "auto")]
    pub format: Format,

    /// Leaves out the events before this time (ISO 8601).
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub seek: Option<i64>,

    /// Packs the records of a shard together, in the format of the Kinesis Producer Library.
    #[arg(long)]
    pub aggregate: bool,

    /// Sends no watermarks.
    #[arg(long)]
    pub no_watermark: bool,

    /// Sends again what may have been stored when an answer was lost, instead of looking whether it was.
    #[arg(long)]
    pub at_least_once: bool,

    /// Seconds for which a failing stream or store is asked again without any success.
    #[arg(long, default_value = "300", value_name = "SECONDS")]
    pub retry_for: u64,

    /// Events that are held to be put in the order of their times.
    #[arg(long, default_value_t = READ_AHEAD_EVENTS, value_name = "EVENTS")]
    pub read_ahead: usize,

    /// Where the services are, if not at AWS.
    #[arg(long, env = "AWS_ENDPOINT_URL", value_name = "URL")]
    pub endpoint_url: Option<String>,

    /// Writes the summary to this file too, as JSON.
    #[arg(long, value_name = "FILE")]
    pub summary: Option<PathBuf>,
}

impl ReplayArgs {
    /// Where to read.
    pub fn source(&self, client: Client) -> EventSource {
        match &self.bucket {
            Some(bucket) => EventSource::Objects {
                client: Box::new(client),
                bucket: bucket.clone(),
                prefix: self.prefix.clone(),
            },
            None => EventSource::Files(self.file.clone()),
        }
    }

    /// How to run.
    pub fn plan(&self) -> Plan {
        let retry_for = Duration::from_secs(self.retry_for);
        Plan {
            speedup: self.speedup,
            read_ahead: self.read_ahead.max(1),
            watermarks: !self.no_watermark,
            reading: Reading {
                format: self.format,
                attributes: Attributes {
                    timestamp: self.timestamp_attribute.clone(),
                    partition_key: self.partition_key_attribute.clone(),
                },
                seek: self.seek,
                retry_for,
            },
            options: Options {
                aggregate: self.aggregate,
                read_back: !self.at_least_once,
                retry_for,
                ..Options::default()
            },
        }
    }
}

fn positive(text: &str) -> Result<f64, String> {
    let number: f64 = text
        .parse()
        .map_err(|_| format!("{text:?} is not a number"))?;
    if number.is_finite() && number > 0.0 {
        Ok(number)
    } else {
        Err("it must be above 0".to_owned())
    }
}

fn time(text: &str) -> Result<i64, String> {
    parse_time(text)
        .ok_or_else(|| format!("{text:?} is not a time; write it as 2018-01-31T12:00:00Z"))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        args: ReplayArgs,
    }

    fn parse(line: &str) -> Result<ReplayArgs, clap::Error> {
        Command::try_parse_from(line.split(' ')).map(|command| command.args)
    }

    #[test]
    fn a_source_is_files_or_a_bucket_and_needed() {
        assert_eq!(parse("replay --stream s --file a b").unwrap().file.len(), 2);
        let args =
            parse("replay --stream s --bucket b --prefix p/ --seek 2018-01-31T12:00:00Z").unwrap();
        assert_eq!(args.seek, Some(1_517_400_000_000));
        assert_eq!(parse("replay --dry-run --file a").unwrap().stream, None);
        for bad in [
            "replay --stream s",
            "replay --file a",
            "replay --stream s --dry-run --file a",
            "replay --stream s --file a --bucket b",
            "replay --stream s --file a --prefix p",
            "replay --stream s --file a --speedup 0",
            "replay --stream s --file a --speedup inf",
            "replay --stream s --file a --seek soon",
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
