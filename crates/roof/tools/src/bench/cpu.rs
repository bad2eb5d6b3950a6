//! How much of the machine's processors the generator itself takes.

use std::{path::Path, time::Duration};

use headwater_env::Env;
use serde::Serialize;

use crate::bench::meter::Window;

/// Ticks a second in `/proc`: `USER_HZ`, which is 100 on all machines that Linux runs on today.
const TICKS_A_SECOND: u64 = 100;

/// The generator's share.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct CpuShare {
    /// Seconds of one processor.
    pub seconds: f64,
    /// The share of all processors, 0 to 1.
    pub of_machine: f64,
    /// How many there are.
    pub processors: usize,
}

/// The processor time of this process so far; none where the machine does not tell.
pub fn used(env: &Env) -> Option<Duration> {
    let mut text = [0; 1024];
    let len = env
        .disk
        .open_read(Path::new("/proc/self/stat"))
        .ok()?
        .read_at(&mut text, 0)
        .ok()?;
    parse(std::str::from_utf8(&text[..len]).ok()?)
}

/// The generator's processor time in the window.
pub async fn watch(env: &Env, window: Window) -> Option<CpuShare> {
    let clock = &env.clock;
    clock
        .sleep(window.from.saturating_sub(clock.elapsed()))
        .await;
    let before = (used(env), clock.elapsed());
    clock.sleep(window.to.saturating_sub(clock.elapsed())).await;
    CpuShare::between(before.0, used(env), clock.elapsed() - before.1)
}

/// Fields 14 and 15 (user and system time); the second is a name in parentheses, which may hold anything.
fn parse(stat: &str) -> Option<Duration> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_ascii_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<u64>().ok();
    Some(Duration::from_millis(
        (ticks()? + ticks()?) * 1000 / TICKS_A_SECOND,
    ))
}

impl CpuShare {
    /// The share between two readings that are `wall` apart.
    pub fn between(
        before: Option<Duration>,
        after: Option<Duration>,
        wall: Duration,
    ) -> Option<Self> {
        let seconds = after?.saturating_sub(before?).as_secs_f64();
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        Some(Self {
            seconds,
            of_machine: seconds / wall.as_secs_f64() / processors as f64,
            processors,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_times_are_found_behind_any_name() {
        let stat = "7 (a ) b) S 1 2 3 4 5 6 7 8 9 10 150 50 0 0 20 0";
        assert_eq!(parse(stat), Some(Duration::from_secs(2)));
        assert_eq!(parse("7 (x) S 1"), None);
        assert!(used(&Env::real()).is_some() || !cfg!(target_os = "linux"));
    }
}
