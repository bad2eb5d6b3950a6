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
    replay::watermarks::iso,
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

/// Shows the gauges until it is dropped: a line that changes on a terminal, a line now and then elsewhere.
pub async fn show(gauges: &Gauges, env: &Env) {
    let terminal = std::io::stderr().is_terminal();
    let interval = if terminal {
        PROGRESS_INTERVAL
    } else {
        PROGRESS_LINE_INTERVAL
    };
    let bar = terminal.then(spinner);
    let mut before = (gauges.events.load(Relaxed), env.clock.elapsed());
    loop {
        env.clock.sleep(interval).await;
        let now = (gauges.events.load(Relaxed), env.clock.elapsed());
        let line = line(
            gauges,
            rate(now.0 - before.0, now.1.saturating_sub(before.1)),
        );
        match &bar {
            Some(bar) => bar.set_message(line),
            None => eprintln!("{line}"),
        }
        before = now;
    }
}

fn spinner() -> ProgressBar {
    let style =
        ProgressStyle::with_template("{spinner} {msg}").expect("the template is well-formed");
    let bar = ProgressBar::new_spinner()
        .with_style(style)
        .with_finish(indicatif::ProgressFinish::AndClear);
    bar.enable_steady_tick(PROGRESS_INTERVAL);
    bar
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
