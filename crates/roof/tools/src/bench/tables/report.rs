//! The result, for people and as JSON.

use std::fmt::Write;

use serde::Serialize;

use super::read_back::ReadBack;
use crate::bench::{cpu::CpuShare, report::Measured};

/// The result of a run.
#[derive(Debug, Clone, Serialize)]
pub struct TablesReport {
    /// `tables`.
    pub bench: &'static str,
    /// The endpoint.
    pub endpoint: String,
    /// The table.
    pub table: String,
    /// Its items.
    pub items: u64,
    /// Bytes of an item.
    pub item_size: usize,
    /// Items that a call is about.
    pub items_a_call: u64,
    /// Whether each call was signed by its content.
    pub signed: bool,
    /// Connections.
    pub connections: u32,
    /// Seconds that were measured.
    pub seconds: f64,
    /// Calls a second.
    pub calls_per_second: f64,
    /// The calls.
    pub measured: Vec<Measured>,
    /// The generator's own share of the processors; absent where the machine does not tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generator_cpu: Option<CpuShare>,
    /// Whether what was read back is what was written; absent with `--no-verify`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verification: Option<ReadBack>,
}

impl TablesReport {
    /// Whether there were answers, and all that was read was right.
    pub fn good(&self) -> bool {
        let answered = self.measured.iter().all(|measured| measured.count > 0);
        answered && self.verification.is_none_or(|read| read.exact)
    }

    /// For people.
    pub fn text(&self) -> String {
        let signed = if self.signed { "signed" } else { "not signed" };
        let mut out = format!(
            "{} at {}: {} items of {} bytes, {} a call, {} connections, {signed}, {:.1} s\n",
            self.bench,
            self.endpoint,
            self.items,
            self.item_size,
            self.items_a_call,
            self.connections,
            self.seconds
        );
        self.measured
            .iter()
            .for_each(|measured| measured.text(&mut out));
        line(
            &mut out,
            format_args!("\n{:.0} calls/s", self.calls_per_second),
        );
        if let Some(cpu) = &self.generator_cpu {
            let (share, processors) = (cpu.of_machine * 100.0, cpu.processors);
            line(
                &mut out,
                format_args!("the generator took {share:.0} % of {processors} processors"),
            );
        }
        match &self.verification {
            None => line(&mut out, format_args!("not verified")),
            Some(ReadBack { exact, read, wrong }) => {
                let verdict = if *exact { "verified" } else { "NOT AS WRITTEN" };
                line(
                    &mut out,
                    format_args!("{verdict}: {read} read back, {wrong} of them wrong"),
                );
            }
        }
        out
    }
}

fn line(out: &mut String, text: std::fmt::Arguments<'_>) {
    writeln!(out, "{text}").expect("a string takes all");
}
