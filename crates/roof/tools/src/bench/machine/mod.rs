//! The most that this machine allows: every result of an endpoint on it is a share of that.
//!
//! Each figure is that of the plainest program that does the one thing: the disk's rate of synced writes ([`disk`]),
//! the rates of one processor ([`processor`]), and HTTP over loopback between this load generator's own client and a
//! server that answers with a constant ([`loopback`]).

mod disk;
mod loopback;
mod processor;

use std::{fmt::Write, path::Path, time::Duration};

use headwater_env::Env;
use serde::Serialize;

use crate::bench::{BenchError, histogram::Histogram, report::Latency};

/// All figures.
#[derive(Debug, Serialize)]
pub struct Limits {
    /// The folder whose disk was measured.
    pub dir: String,
    /// The figures.
    pub limits: Vec<Limit>,
}

/// One of them.
#[derive(Debug, Clone, Serialize)]
pub struct Limit {
    /// Its name, for programs.
    pub name: String,
    /// Its description, for people.
    pub what: String,
    /// Operations a second.
    pub times_per_second: f64,
    /// MiB a second.
    pub mib_per_second: f64,
    /// How long one time took; absent where it is too short to be worth it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<Latency>,
}

impl Limit {
    /// A limit out of `times` operations of `bytes` each in the time `wall`.
    fn of(name: &str, what: String, times: u64, bytes: u64, wall: Duration) -> Self {
        let times_per_second = times as f64 / wall.as_secs_f64();
        let mib_per_second = times_per_second * bytes as f64 / f64::from(1 << 20);
        Self {
            name: name.to_owned(),
            what,
            times_per_second,
            mib_per_second,
            latency_ms: None,
        }
    }

    /// The same with the time of each.
    fn timed(self, took: &Histogram) -> Self {
        Self {
            latency_ms: Some(Latency::of(took)),
            ..self
        }
    }
}

/// Measures everything, one thing after the other, each for about `duration`; `dir` is on the disk that is meant.
///
/// # Errors
/// When the disk or the loopback cannot be used.
pub async fn measure(dir: &Path, duration: Duration, env: &Env) -> Result<Limits, BenchError> {
    let (folder, disk_env) = (dir.to_owned(), env.clone());
    let on_disk = env
        .blocking(move || disk::measure(&folder, duration, &disk_env))
        .await;
    let mut limits = on_disk.map_err(|e| BenchError::Machine {
        what: dir.display().to_string(),
        problem: e.to_string(),
    })?;
    let clock = env.clone();
    limits.extend(
        env.blocking(move || processor::measure(duration, &clock))
            .await,
    );
    limits.extend(loopback::measure(duration, env).await?);
    Ok(Limits {
        dir: dir.display().to_string(),
        limits,
    })
}

impl Limits {
    /// For people.
    pub fn text(&self) -> String {
        let mut out = format!("what this machine allows, its disk in {}\n\n", self.dir);
        for Limit {
            what,
            times_per_second,
            mib_per_second,
            latency_ms,
            ..
        } in &self.limits
        {
            write!(
                out,
                "{what:<62} {mib_per_second:>9.0} MiB/s {times_per_second:>11.0} /s"
            )
            .expect("a string takes all");
            if let Some(Latency { p50, p99, .. }) = latency_ms {
                write!(out, "   p50 {p50:.3} ms  p99 {p99:.3} ms").expect("a string takes all");
            }
            out.push('\n');
        }
        out
    }
}
