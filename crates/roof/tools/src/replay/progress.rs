//! The display of a replay's progress while it runs.

use std::{
    io::IsTerminal,
    sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed},
    time::Duration,
};

use headwater_env::Env;
use indicatif::{ProgressBar, ProgressStyle};

use crate::{
    limits::{PROGRESS_INTERVAL, PROGRESS_LINE_INTERVAL},
    replay::{extent::Extent, watermarks::iso},
};

/// Numbers that the replay keeps and the display reads.
#[derive(Default)]
pub struct Gauges {
    /// Events stored.
    pub events: AtomicU64,
    /// Bytes of them.
    pub bytes: AtomicU64,
    /// Events given up.
    pub failed: AtomicU64,
    /// The event time reached, in milliseconds since the epoch.
    pub time: AtomicI64,
    /// How far behind its time the last event was sent, in milliseconds.
    pub lag_ms: AtomicU64,
}

/// Shows the gauges until it is dropped: a bar on a terminal, a line now and then elsewhere. Both tell the share of the
/// events and the time that is left as soon as the source's end is foreseen.
pub async fn show(gauges: &Gauges, extent: &Extent, env: &Env) {
    let terminal = std::io::stderr().is_terminal();
    let interval = if terminal {
        PROGRESS_INTERVAL
    } else {
        PROGRESS_LINE_INTERVAL
    };
    let bar = terminal.then(spinner);
    let mut before = (gauges.done(), env.clock.elapsed());
    loop {
        env.clock.sleep(interval).await;
        let now = (gauges.done(), env.clock.elapsed());
        let rate = rate(now.0 - before.0, now.1.saturating_sub(before.1));
        let (line, all) = (line(gauges, rate), extent.events());
        match (&bar, all) {
            (Some(bar), None) => bar.set_message(line),
            (Some(bar), Some(all)) => fill(bar, line, now.0, all),
            (None, None) => eprintln!("{line}"),
            (None, Some(all)) => eprintln!("{} · {line}", left(now.0, all, rate)),
        }
        before = now;
    }
}

impl Gauges {
    /// Events that need no more work.
    fn done(&self) -> u64 {
        self.events.load(Relaxed) + self.failed.load(Relaxed)
    }
}

fn spinner() -> ProgressBar {
    let bar = ProgressBar::new_spinner()
        .with_style(style("{spinner} {msg}"))
        .with_finish(indicatif::ProgressFinish::AndClear);
    bar.enable_steady_tick(PROGRESS_INTERVAL);
    bar
}

/// Shows that `done` of `all` events are.
fn fill(bar: &ProgressBar, line: String, done: u64, all: u64) {
    if bar.length().is_none() {
        bar.set_style(style("{bar:24} {percent:>3} % · {eta} left · {msg}"));
    }
    bar.set_length(all.max(done));
    bar.set_position(done);
    bar.set_message(line);
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("the template is well-formed")
}

/// The share that is done, and the time that the rest takes at this rate.
fn left(done: u64, all: u64, rate: f64) -> String {
    let share = 100 * u128::from(done) / u128::from(all.max(done).max(1));
    let rest = all.saturating_sub(done);
    match rate > 0.0 {
        true => format!("{share} % · {:.0} s left", (rest as f64 / rate).ceil()),
        false => format!("{share} %"),
    }
}

fn line(gauges: &Gauges, rate: f64) -> String {
    let lag = gauges.lag_ms.load(Relaxed) as f64 / 1000.0;
    let (events, time) = (gauges.events.load(Relaxed), iso(gauges.time.load(Relaxed)));
    let failed = match gauges.failed.load(Relaxed) {
        0 => String::new(),
        failed => format!(" · {failed} FAILED"),
    };
    format!("{events} events · {rate:.0}/s · {lag:.1} s behind · at {time}{failed}")
}

/// Events a second.
pub fn rate(events: u64, over: Duration) -> f64 {
    events as f64 / over.as_secs_f64().max(0.001)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_and_the_time_left_are_told() {
        assert_eq!(left(250, 1000, 100.0), "25 % · 8 s left");
        assert_eq!(left(999, 1000, 100.0), "99 % · 1 s left");
        assert_eq!(left(0, 1000, 0.0), "0 %");
        assert_eq!(left(12, 10, 1.0), "100 % · 0 s left");
        assert_eq!(left(0, 0, 1.0), "0 % · 0 s left");
    }
}
