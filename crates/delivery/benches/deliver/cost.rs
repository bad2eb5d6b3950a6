//! What work takes of the machine.

use headwater_env::Env;

/// Seconds that passed, and seconds of the processor that this process used meanwhile.
#[derive(Clone, Copy)]
pub struct Taken {
    pub wall: f64,
    pub cpu: f64,
}

/// What some rounds of the same work took.
pub struct Cost {
    /// Seconds of the fastest.
    pub best: f64,
    /// Seconds of the processor in all of them: in one, the system counts too coarsely.
    pub cpu: f64,
    /// Bytes that one round made.
    pub bytes: u64,
}

impl Default for Cost {
    fn default() -> Self {
        Self { best: f64::INFINITY, cpu: 0.0, bytes: 0 }
    }
}

impl Cost {
    pub fn add(&mut self, taken: Taken, bytes: u64) {
        self.best = self.best.min(taken.wall);
        self.cpu += taken.cpu;
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
        Taken { wall: now.wall - self.at.wall, cpu: now.cpu - self.at.cpu }
    }
}

/// What `work` gives, and takes.
pub fn of<T>(env: &Env, work: impl FnOnce() -> T) -> (T, Taken) {
    let begun = Begun::now(env);
    let made = work();
    (made, begun.taken())
}

fn read(env: &Env) -> Taken {
    Taken { wall: env.clock.elapsed().as_secs_f64(), cpu: processor_seconds() }
}

/// 0 where the system does not tell.
fn processor_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // After the name in brackets; user and system time in hundredths of a second.
    let ticks = stat.rsplit(") ").next().unwrap_or("").split(' ').skip(11).take(2);
    ticks.filter_map(|n| n.parse::<f64>().ok()).sum::<f64>() / 100.0
}
