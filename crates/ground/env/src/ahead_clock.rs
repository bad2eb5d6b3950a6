//! The machine's clock moved ahead by what a file says: how a test from outside lets hours pass.
//!
//! Wall time and elapsed time move together, and only forward. Whoever sleeps past the new time is woken at once. A file
//! is looked at again every `LOOK_EVERY`, on a thread of its own.

use std::{
    io,
    path::{Path, PathBuf},
    sync::{
        Arc, Weak,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
    time::Duration,
};

use async_trait::async_trait;
use headwater_types::Millis;
use tokio::sync::Notify;

use crate::{Clock, Disk, Env, SystemClock};

/// How long a new offset may go unnoticed.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// A hundred years: dates stay in four digits.
const OFFSET_MAX: Duration = Duration::from_secs(100 * 365 * 24 * 3600);

/// Bytes of a file that holds a number.
const FILE_MAX: u64 = 64;

/// A clock that is ahead of the machine's.
#[derive(Default)]
pub struct AheadClock {
    machine: SystemClock,
    /// Nanoseconds; only ever grows.
    offset: AtomicU64,
    moved: Notify,
}

impl AheadClock {
    /// A clock that is ahead by the seconds that `file` holds, now and as they grow. What it says later that is no such
    /// number, or a smaller one, is logged and changes nothing.
    ///
    /// # Errors
    /// For the operator, when the file holds no such number now.
    pub fn follow(env: &Env, file: &Path) -> Result<Arc<Self>, String> {
        let clock = Arc::new(Self::default());
        let text = read(&*env.disk, file).map_err(|error| {
            format!(
                "reading {} failed: {error}. Write into it how many seconds the clock is to be ahead, 0 to begin with",
                file.display()
            )
        })?;
        clock
            .set(&text)
            .map_err(|why| format!("{}: {why}", file.display()))?;
        let follower = Follower {
            disk: env.disk.clone(),
            file: file.to_owned(),
            text: Ok(text),
            clock: Arc::downgrade(&clock),
        };
        env.tasks.thread("clock", Box::new(move || follower.run()));
        Ok(clock)
    }

    /// Moves the clock until it is ahead by what `text` says, and wakes the sleepers whose time has come.
    fn set(&self, text: &str) -> Result<(), String> {
        let offset = seconds(text)?;
        let before = self.offset.fetch_max(nanos(offset), SeqCst);
        if nanos(offset) < before {
            let before = Duration::from_nanos(before).as_secs_f64();
            return Err(format!(
                "time only goes forward: the clock stays {before} seconds ahead, write more than that"
            ));
        }
        self.moved.notify_waiters();
        Ok(())
    }

    fn offset(&self) -> Duration {
        Duration::from_nanos(self.offset.load(SeqCst))
    }
}

#[async_trait]
impl Clock for AheadClock {
    fn now(&self) -> Millis {
        self.machine.now().plus(self.offset())
    }

    fn elapsed(&self) -> Duration {
        self.machine.elapsed() + self.offset()
    }

    async fn sleep(&self, by: Duration) {
        let until = self.elapsed().saturating_add(by);
        loop {
            let moved = self.moved.notified();
            tokio::pin!(moved);
            // Registered before the check, so that no move falls between the two.
            moved.as_mut().enable();
            let left = until.saturating_sub(self.elapsed());
            if left.is_zero() {
                return;
            }
            tokio::select! {
                () = self.machine.sleep(left) => {}
                () = moved => {}
            }
        }
    }
}

/// Looks at the file again and again, for as long as there is the clock.
struct Follower {
    disk: Arc<dyn Disk>,
    file: PathBuf,
    /// The text that it held the last time, or the reason why it could not be read.
    text: Result<String, String>,
    clock: Weak<AheadClock>,
}

impl Follower {
    #[expect(
        clippy::disallowed_methods,
        reason = "it waits for the machine's time, not for that of the clock that it moves"
    )]
    fn run(mut self) {
        loop {
            std::thread::sleep(LOOK_EVERY);
            let Some(clock) = self.clock.upgrade() else {
                return;
            };
            self.look(&clock);
        }
    }

    /// Moves the clock where the file says something new. Each thing that is wrong is logged once.
    fn look(&mut self, clock: &AheadClock) {
        let text = read(&*self.disk, &self.file).map_err(|error| error.to_string());
        if text == self.text {
            return;
        }
        let file = self.file.display();
        match text
            .as_ref()
            .map_or_else(|why| Err(why.clone()), |text| clock.set(text))
        {
            Ok(()) => tracing::info!(%file, offset = ?clock.offset(), "the clock was moved"),
            Err(why) => tracing::warn!(%file, %why, "the clock was not moved"),
        }
        self.text = text;
    }
}

fn read(disk: &dyn Disk, file: &Path) -> io::Result<String> {
    let file = disk.open_read(file)?;
    let len = file.len()?;
    if len > FILE_MAX {
        return Err(io::Error::other("it is longer than a number"));
    }
    let mut bytes = vec![0; len as usize];
    file.read_exact_at(&mut bytes, 0)?;
    String::from_utf8(bytes).map_err(|_| io::Error::other("it is no text"))
}

fn seconds(text: &str) -> Result<Duration, String> {
    let text = text.trim();
    let parsed = text.parse().ok();
    let offset = parsed.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    offset
        .filter(|&offset| offset <= OFFSET_MAX)
        .ok_or_else(|| {
            let max = OFFSET_MAX.as_secs();
            format!("{text:?} is no number of seconds from 0 to {max}, as 86400 or 0.5")
        })
}

fn nanos(offset: Duration) -> u64 {
    u64::try_from(offset.as_nanos()).expect("a hundred years are few enough")
}

#[cfg(test)]
mod tests {
    use std::io::IoSlice;

    use super::*;
    use crate::SimDisk;

    const FILE: &str = "/clock";

    fn write(disk: &SimDisk, text: &str) {
        let file = disk
            .open(FILE.as_ref())
            .or_else(|_| disk.create(FILE.as_ref()));
        let file = file.unwrap();
        file.set_len(0).unwrap();
        file.write_all_at(&[IoSlice::new(text.as_bytes())], 0)
            .unwrap();
    }

    fn world(text: &str) -> (SimDisk, Env) {
        let disk = SimDisk::new(1);
        disk.create_dir_all("/".as_ref()).unwrap();
        write(&disk, text);
        let env = Env {
            disk: Arc::new(disk.clone()),
            ..Env::real()
        };
        (disk, env)
    }

    fn follower(disk: &SimDisk, clock: &Arc<AheadClock>) -> Follower {
        Follower {
            disk: Arc::new(disk.clone()),
            file: FILE.into(),
            text: Ok(String::new()),
            clock: Arc::downgrade(clock),
        }
    }

    #[test]
    fn it_is_ahead_by_what_the_file_says() {
        let (_, env) = world("3600.5\n");
        let clock = AheadClock::follow(&env, FILE.as_ref()).unwrap();
        let ahead = clock.now().since(env.clock.now());
        assert!(ahead >= Duration::from_secs(3600) && ahead < Duration::from_secs(3700));
        assert!(clock.elapsed() >= Duration::from_millis(3_600_500));
    }

    #[test]
    fn it_moves_with_the_file_and_never_back() {
        let (disk, _) = world("10");
        let clock = Arc::new(AheadClock::default());
        let mut follower = follower(&disk, &clock);
        for (text, seconds) in [
            ("10", 10),
            ("86400", 86400),
            ("5", 86400),
            ("", 86400),
            ("soon", 86400),
            ("90000", 90000),
        ] {
            write(&disk, text);
            follower.look(&clock);
            assert_eq!(clock.offset(), Duration::from_secs(seconds), "{text:?}");
        }
        disk.remove(FILE.as_ref()).unwrap();
        follower.look(&clock);
        assert_eq!(clock.offset(), Duration::from_secs(90000));
    }

    #[test]
    fn what_is_no_offset_is_refused_with_a_word_about_what_is() {
        for text in ["", "tomorrow", "-1", "NaN", "1e300", "3153600001"] {
            let (_, env) = world(text);
            let why = AheadClock::follow(&env, FILE.as_ref()).err().unwrap();
            assert!(
                why.contains(FILE) && why.contains("number of seconds"),
                "{why}"
            );
        }
        let (_, env) = world("0");
        let why = AheadClock::follow(&env, "/none".as_ref()).err().unwrap();
        assert!(
            why.contains("/none") && why.contains("0 to begin with"),
            "{why}"
        );
    }

    #[tokio::test]
    async fn a_move_wakes_those_whose_time_has_come() {
        let clock = AheadClock::default();
        let mut sleeper = std::pin::pin!(clock.sleep(Duration::from_secs(3600)));
        assert!(futures_util::poll!(sleeper.as_mut()).is_pending());
        clock.set("1800").unwrap();
        assert!(futures_util::poll!(sleeper.as_mut()).is_pending());
        clock.set("3600").unwrap();
        sleeper.await;
    }

    #[tokio::test]
    async fn the_thread_notices_a_change() {
        let (disk, env) = Env::real().blocking(|| world("0")).await;
        let machine = env.clone();
        let follow = move || AheadClock::follow(&machine, FILE.as_ref()).unwrap();
        let clock = env.blocking(follow).await;
        env.blocking(move || write(&disk, "3600")).await;
        clock.sleep(Duration::from_secs(3600)).await;
    }

    #[tokio::test]
    async fn it_sleeps_as_long_as_the_machine_does() {
        let clock = AheadClock::default();
        clock.sleep(Duration::from_millis(2)).await;
        assert!(clock.elapsed() >= Duration::from_millis(2));
    }
}
