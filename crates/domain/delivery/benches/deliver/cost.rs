//! The seconds of the clock and of the processor that work takes.

use headwater_env::Env;

/// Seconds that passed, and seconds of the processor that were used meanwhile.
#[derive(Clone, Copy)]
pub struct Taken {
    pub wall: f64,
    /// Seconds of the processor that this process used.
    pub cpu: f64,
    /// Seconds of the processor that processes used which it started.
    pub children: f64,
}

/// The cost of some rounds of the same work.
pub struct Cost {
    /// Seconds of the fastest.
    pub best: f64,
    /// Seconds of the processor in all of them: in one, the system counts too coarsely.
    pub cpu: f64,
    /// The same of processes that this one started.
    pub children: f64,
    /// Bytes that one round made.
    pub bytes: u64,
}

impl Default for Cost {
    fn default() -> Self {
        Self {
            best: f64::INFINITY,
            cpu: 0.0,
            children: 0.0,
            bytes: 0,
        }
    }
}

impl Cost {
    pub fn add(&mut self, taken: Taken, bytes: u64) {
        self.best = self.best.min(taken.wall);
        self.cpu += taken.cpu;
        self.children += taken.children;
        self.bytes = bytes;
    }
}

/// Work that has begun.
pub struct Begun<'a> {
    env: &'a Env,
    at: Taken,
}

impl<'a> Begun<'a> {
    pub fn now(env: &'a Env) -> Self {
        Self { env, at: read(env) }
    }

    pub fn taken(&self) -> Taken {
        let now = read(self.env);
        let Taken {
            wall,
            cpu,
            children,
        } = self.at;
        Taken {
            wall: now.wall - wall,
            cpu: now.cpu - cpu,
            children: now.children - children,
        }
    }
}

/// The result of `work`, and the seconds that it took.
pub fn of<T>(env: &Env, work: impl FnOnce() -> T) -> (T, Taken) {
    let begun = Begun::now(env);
    let made = work();
    (made, begun.taken())
}

fn read(env: &Env) -> Taken {
    Taken {
        wall: env.clock.elapsed().as_secs_f64(),
        cpu: processor_seconds("self", OWN),
        // Those that have ended count where they were waited for.
        children: processor_seconds("self", WAITED_FOR)
            + children()
                .iter()
                .map(|pid| processor_seconds(pid, OWN))
                .sum::<f64>(),
    }
}

/// Where a process's `stat` has user and system time in hundredths of a second, behind the name in brackets.
const OWN: usize = 11;
/// The same of its children that it waited for.
const WAITED_FOR: usize = 13;

/// 0 where the system does not tell.
fn processor_seconds(pid: &str, at: usize) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let ticks = stat
        .rsplit(") ")
        .next()
        .unwrap_or("")
        .split(' ')
        .skip(at)
        .take(2);
    ticks.filter_map(|n| n.parse::<f64>().ok()).sum::<f64>() / 100.0
}

/// The processes that were started and run.
fn children() -> Vec<String> {
    let threads = std::fs::read_dir("/proc/self/task")
        .into_iter()
        .flatten()
        .flatten();
    let started =
        threads.filter_map(|thread| std::fs::read_to_string(thread.path().join("children")).ok());
    started
        .flat_map(|pids| {
            pids.split_whitespace()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        })
        .collect()
}
