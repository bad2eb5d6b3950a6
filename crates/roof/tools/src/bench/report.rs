//! The result, for people and as JSON.

use std::{fmt::Write, time::Duration};

use serde::Serialize;

use crate::bench::{
    cpu::CpuShare, histogram::Histogram, idle::IdleCount, meter::Meter, read::Verification,
};

/// Characters of the longest bar.
const BAR_CHARS: u64 = 40;

/// The result of a run.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// `put`, `get` …
    pub bench: &'static str,
    /// The endpoint.
    pub endpoint: String,
    /// `json` or `cbor`.
    pub codec: &'static str,
    /// Whether each call was signed by its content.
    pub signed: bool,
    /// Open shards of the stream.
    pub shards: usize,
    /// Connections.
    pub connections: usize,
    /// Bytes of a record.
    pub record_size: usize,
    /// Records a call that puts.
    pub records_a_call: usize,
    /// Records a second that were meant to be put; absent where it was as many as possible.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<f64>,
    /// Seconds that were measured.
    pub seconds: f64,
    /// The measured kinds of calls.
    pub measured: Vec<Measured>,
    /// The generator's own share of the processors; absent where the machine does not tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generator_cpu: Option<CpuShare>,
    /// Connections that rested beside.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idle_connections: Option<IdleCount>,
    /// Passes through a shard, and those that found something else than was put (`get`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub passes: Option<Passes>,
    /// Whether what was read is what was put; absent with `--no-verify`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verification: Option<Verification>,
}

/// How often shards were read from start to tip.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Passes {
    /// All passes.
    pub whole: u64,
    /// Passes that found other content than the first.
    pub wrong: u64,
}

/// One measured thing.
#[derive(Debug, Clone, Serialize)]
pub struct Measured {
    /// Its name.
    pub what: String,
    /// Times that it happened.
    pub count: u64,
    /// Records; 0 where only times were measured.
    pub records: u64,
    /// Records a second.
    pub records_per_second: f64,
    /// MiB of record data a second, before any encoding.
    pub mib_per_second: f64,
    /// Times.
    pub latency_ms: Latency,
    /// Calls refused for want of throughput.
    pub throttled_calls: u64,
    /// Records refused for want of throughput.
    pub throttled_records: u64,
    /// Other errors by their type.
    pub errors: std::collections::BTreeMap<String, u64>,
    /// How many took less than so many milliseconds, and no less than the one before.
    pub histogram: Vec<(f64, u64)>,
}

/// Times in milliseconds.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Latency {
    /// The mean.
    pub mean: f64,
    /// Half took no longer.
    pub p50: f64,
    /// 90 %.
    pub p90: f64,
    /// 99 %.
    pub p99: f64,
    /// 99.9 %.
    pub p999: f64,
    /// The longest.
    pub max: f64,
}

impl Latency {
    /// Those of a histogram.
    pub fn of(took: &Histogram) -> Self {
        let quantile = |share| milliseconds(took.quantile(share));
        Self {
            mean: milliseconds(took.mean()),
            p50: quantile(0.5),
            p90: quantile(0.9),
            p99: quantile(0.99),
            p999: quantile(0.999),
            max: milliseconds(took.max()),
        }
    }
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

impl Measured {
    /// The counts of `meter` in `wall` as rates.
    pub fn of(what: &str, meter: &Meter, wall: Duration) -> Self {
        let seconds = wall.as_secs_f64();
        Self {
            what: what.to_owned(),
            count: meter.took.total(),
            records: meter.records,
            records_per_second: meter.records as f64 / seconds,
            mib_per_second: meter.bytes as f64 / f64::from(1 << 20) / seconds,
            latency_ms: Latency::of(&meter.took),
            throttled_calls: meter.throttled_calls,
            throttled_records: meter.throttled_records,
            errors: meter.errors.clone(),
            histogram: meter
                .took
                .by_powers()
                .into_iter()
                .map(|(end, n)| (milliseconds(end), n))
                .collect(),
        }
    }

    /// For people.
    pub fn text(&self, out: &mut String) {
        let latency = &self.latency_ms;
        line(out, format_args!("\n{}: {} in all", self.what, self.count));
        if self.mib_per_second > 0.0 {
            let (records, mib) = (self.records_per_second, self.mib_per_second);
            line(
                out,
                format_args!("  throughput  {records:.0} records/s, {mib:.1} MiB/s"),
            );
        }
        line(
            out,
            format_args!(
                "  latency ms  p50 {:.3}  p90 {:.3}  p99 {:.3}  p99.9 {:.3}  max {:.3}  mean {:.3}",
                latency.p50, latency.p90, latency.p99, latency.p999, latency.max, latency.mean
            ),
        );
        let (calls, records) = (self.throttled_calls, self.throttled_records);
        line(
            out,
            format_args!("  throttled   {calls} calls, {records} records"),
        );
        let errors: Vec<String> = self
            .errors
            .iter()
            .map(|(code, n)| format!("{code} {n}"))
            .collect();
        line(
            out,
            format_args!(
                "  errors      {}",
                if errors.is_empty() {
                    "0".into()
                } else {
                    errors.join(", ")
                }
            ),
        );
        let most = self
            .histogram
            .iter()
            .map(|(_, n)| *n)
            .max()
            .unwrap_or(0)
            .max(1);
        for (end, count) in self.histogram.iter().filter(|(_, count)| *count > 0) {
            let bar = "#".repeat(usize::try_from((count * BAR_CHARS).div_ceil(most)).unwrap_or(0));
            line(out, format_args!("  < {:>10.3} ms {count:>9} {bar}", *end));
        }
    }
}

impl Report {
    /// Whether there were answers, and all that was read was right.
    pub fn good(&self) -> bool {
        let answered = self.measured.iter().all(|measured| measured.count > 0);
        let exact = self
            .verification
            .as_ref()
            .is_none_or(|verification| verification.exact);
        answered && exact && self.passes.is_none_or(|passes| passes.wrong == 0)
    }

    /// This result and another of the same endpoint, whose measured things get `name` behind their own.
    pub fn and(mut self, other: Report, name: &str) -> Self {
        let named = |measured: Measured| Measured {
            what: format!("{}, {name}", measured.what),
            ..measured
        };
        self.measured.extend(other.measured.into_iter().map(named));
        self.connections = self.connections.max(other.connections);
        self.verification = self
            .verification
            .zip(other.verification)
            .map(|(one, another)| one.and(another));
        self
    }

    /// For people.
    pub fn text(&self) -> String {
        let mut out = String::new();
        let signed = if self.signed { "signed" } else { "not signed" };
        line(
            &mut out,
            format_args!(
                "{} at {}: {} shards, {} connections, {} bytes a record, {} records a put, {}, {signed}, {:.1} s",
                self.bench,
                self.endpoint,
                self.shards,
                self.connections,
                self.record_size,
                self.records_a_call,
                self.codec,
                self.seconds
            ),
        );
        if let Some(rate) = self.rate {
            line(
                &mut out,
                format_args!("to be put: {rate:.0} records/s, evenly"),
            );
        }
        self.measured
            .iter()
            .for_each(|measured| measured.text(&mut out));
        out.push('\n');
        if let Some(cpu) = &self.generator_cpu {
            let (share, processors) = (cpu.of_machine * 100.0, cpu.processors);
            line(
                &mut out,
                format_args!("the generator took {share:.0} % of {processors} processors"),
            );
        }
        if let Some(IdleCount {
            opened,
            failed,
            open_at_end,
        }) = self.idle_connections
        {
            line(
                &mut out,
                format_args!(
                    "connections at rest: {opened}, {failed} refused, {open_at_end} open at the end"
                ),
            );
        }
        if let Some(Passes { whole, wrong }) = self.passes {
            line(
                &mut out,
                format_args!("shards read from start to tip: {whole}, {wrong} of them wrong"),
            );
        }
        match &self.verification {
            None => line(&mut out, format_args!("not verified")),
            Some(verification) => line(&mut out, format_args!("{}", words(verification))),
        }
        out
    }
}

fn words(verification: &Verification) -> String {
    let Verification {
        exact,
        acknowledged,
        read,
        unclear,
        damaged,
        out_of_order,
        foreign,
    } = verification;
    let verdict = if *exact { "verified" } else { "NOT AS PUT" };
    format!(
        "{verdict}: {acknowledged} records acknowledged, {read} read, {unclear} unclear, {damaged} damaged, \
         {out_of_order} out of order, {foreign} of others"
    )
}

fn line(out: &mut String, text: std::fmt::Arguments<'_>) {
    writeln!(out, "{text}").expect("a string takes all");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::{put::Put, read::ReadCounts};

    #[test]
    fn the_text_names_what_was_measured_and_says_when_it_is_wrong() {
        let mut meter = Meter::default();
        meter.success(Duration::from_millis(2), 500, 512_000);
        meter.refused("ProvisionedThroughputExceededException".into());
        let verification = Verification::of(
            &Put {
                meter: meter.clone(),
                ..Put::default()
            },
            ReadCounts::default(),
        );
        let mut report = Report {
            bench: "put",
            endpoint: "http://x".into(),
            codec: "json",
            signed: true,
            shards: 4,
            connections: 2,
            record_size: 1024,
            records_a_call: 500,
            rate: Some(1000.0),
            seconds: 1.0,
            measured: vec![Measured::of("PutRecords", &meter, Duration::from_secs(1))],
            generator_cpu: None,
            idle_connections: Some(IdleCount {
                opened: 7,
                failed: 0,
                open_at_end: 6,
            }),
            passes: None,
            verification: Some(verification),
        };
        assert!(report.good());
        let text = report.text();
        for part in [
            "500 records/s, 0.5 MiB/s",
            "p50 2.000",
            "0 calls, 1 records",
            "####",
            "verified: 0",
            "7, 0 refused, 6 open",
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
        let both = report.clone().and(report.clone(), "again");
        assert_eq!(
            (both.measured.len(), &*both.measured[1].what),
            (2, "PutRecords, again")
        );
        report.passes = Some(Passes { whole: 1, wrong: 1 });
        assert!(!report.good());
        assert!(
            serde_json::to_string(&report)
                .unwrap()
                .contains("\"p999\":2")
        );
    }
}
