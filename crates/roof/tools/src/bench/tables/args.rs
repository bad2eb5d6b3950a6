//! The command line of `headwater bench tables`.

use std::time::Duration;

use clap::{Args, ValueEnum};

use super::items::COLLECTION_ITEMS;
use crate::{
    bench::{BenchError, args::seconds},
    limits::BENCH_TABLE_ITEMS_MAX,
};

/// Calls that are measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum What {
    /// BatchWriteItem of 25, until the table has all its items
    Load,
    /// PutItem over items that are there
    Put,
    /// GetItem
    Get,
    /// UpdateItem of one attribute
    Update,
    /// Query of 100 items
    Query,
    /// TransactWriteItems of 2 puts
    Transact,
    /// BatchWriteItem of 25 puts over items that are there
    Batch,
}

/// `tables`.
#[derive(Debug, Clone, Args)]
pub struct TablesArgs {
    /// The endpoint.
    #[arg(
        long,
        visible_alias = "endpoint",
        env = "AWS_ENDPOINT_URL",
        value_name = "URL"
    )]
    pub endpoint_url: String,

    /// The calls that are measured.
    #[arg(long, value_enum)]
    pub what: What,

    /// A table that an earlier run filled with as many items and kept; without it, one is made for the run, filled, and
    /// removed after it.
    #[arg(long, value_name = "NAME")]
    pub table: Option<String>,

    /// Items of the table, of 200 bytes each; a multiple of 100.
    #[arg(long, default_value = "10000", value_parser = clap::value_parser!(u64).range(COLLECTION_ITEMS..=BENCH_TABLE_ITEMS_MAX))]
    pub items: u64,

    /// Connections, each with one call at a time.
    #[arg(long, visible_alias = "clients", default_value = "16", value_parser = clap::value_parser!(u32).range(1..=20_000))]
    pub connections: u32,

    /// Seconds that are measured; loading takes as long as it takes.
    #[arg(long, visible_alias = "seconds", default_value = "10", value_name = "SECONDS", value_parser = seconds)]
    pub duration: Duration,

    /// Seconds before that, not measured.
    #[arg(long, default_value = "2", value_name = "SECONDS", value_parser = seconds)]
    pub warm_up: Duration,

    /// Sends the same meaningless signature with each call, for endpoints that check none.
    #[arg(long)]
    pub no_sign: bool,

    /// Reads no sample back.
    #[arg(long)]
    pub no_verify: bool,

    /// Leaves the table that was made.
    #[arg(long)]
    pub keep: bool,

    /// Prints the result as JSON.
    #[arg(long)]
    pub json: bool,
}

impl What {
    /// The operation.
    pub fn operation(self) -> &'static str {
        match self {
            What::Load | What::Batch => "BatchWriteItem",
            What::Put => "PutItem",
            What::Get => "GetItem",
            What::Update => "UpdateItem",
            What::Query => "Query",
            What::Transact => "TransactWriteItems",
        }
    }

    /// Items that a call is about.
    pub fn items(self) -> u64 {
        match self {
            What::Put | What::Get | What::Update => 1,
            What::Transact => 2,
            What::Load | What::Batch => 25,
            What::Query => COLLECTION_ITEMS,
        }
    }

    /// Whether items are written.
    pub fn writes(self) -> bool {
        !matches!(self, What::Get | What::Query)
    }
}

impl TablesArgs {
    /// Refuses what cannot be measured.
    ///
    /// # Errors
    /// When there is no time, or a connection would have too few items of its own.
    pub fn check(&self) -> Result<(), BenchError> {
        let refused = |why: String| Err(BenchError::Arguments(why));
        if self.duration.is_zero() {
            return refused("nothing is measured in --duration 0".to_owned());
        }
        if !self.items.is_multiple_of(COLLECTION_ITEMS) {
            return refused(format!("--items is a multiple of {COLLECTION_ITEMS}"));
        }
        let least = u64::from(self.connections) * COLLECTION_ITEMS;
        if self.items < least {
            return refused(format!(
                "each connection has items of its own: --items {least} at least"
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        tables: TablesArgs,
    }

    fn check(line: &str) -> Result<(), String> {
        let line = format!("tables {line} --endpoint http://127.0.0.1:1");
        let command = Command::try_parse_from(line.split(' ')).map_err(|e| e.to_string())?;
        command.tables.check().map_err(|e| e.to_string())
    }

    #[test]
    fn what_cannot_be_measured_is_refused_before_anything_is_made() {
        for good in [
            "--what put",
            "--what batch --items 1600",
            "--what get --seconds 1 --clients 1 --items 100",
        ] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        for bad in [
            "",
            "--what scan",
            "--what put --items 1500",
            "--what put --items 10001",
            "--what put --duration 0",
        ] {
            assert!(check(bad).is_err(), "{bad}");
        }
    }
}
