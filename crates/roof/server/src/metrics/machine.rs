//! Metrics of the parts that a server has once: the log, pools of memory, the process, the program.

use headwater_env::{buffers, process_usage};
use headwater_log::{LogUsage, Taken};

use super::{Metrics, Samples, families::*, flag};

/// Adds all of it.
pub async fn measure(metrics: &Metrics, to: &mut Samples) {
    to.add(&LOG_HEALTHY, &[], flag(metrics.log.health().is_ok()));
    if let Some(usage) = metrics.log.usage().await {
        of_log(&usage, to);
    }
    for (pool, room) in &metrics.rooms {
        let (bytes, of) = room.taken();
        of_pool(pool, bytes as u64, of as u64, to);
    }
    let (bytes, of) = buffers::spare_bytes();
    of_pool("spare_buffers", bytes as u64, of as u64, to);
    if let Some(usage) = metrics.env.blocking(process_usage).await {
        to.add(&PROCESS_MEMORY, &[], usage.resident_bytes);
        to.add(&PROCESS_FILES, &[], usage.open_files);
        to.add(&PROCESS_THREADS, &[], usage.threads);
        to.add(&PROCESS_CPU, &[], usage.cpu.as_secs_f64());
    }
    let uptime = metrics.env.clock.elapsed();
    to.add(&PROCESS_UPTIME, &[], uptime.as_secs_f64());
    to.add(&BUILD, &[env!("CARGO_PKG_VERSION")], 1);
}

fn of_log(usage: &LogUsage, to: &mut Samples) {
    to.add(&LOG_SHARDS, &[], usage.shards);
    to.add(&LOG_FILES, &[], usage.files);
    to.add(&LOG_DISK, &[], usage.disk_bytes);
    to.add(&LOG_FREE, &[], usage.free_bytes);
    to.add(&LOG_COMMITS, &[], usage.commits);
    to.add(&LOG_APPENDS, &[], usage.answered);
    to.add(&LOG_WRITTEN, &[], usage.written_bytes);
    to.add(&LOG_COMMIT_TIME, &[], usage.commit_time.as_secs_f64());
    for (pool, Taken { bytes, of }) in [
        ("log_waiting", usage.waiting),
        ("log_tail", usage.tail),
        ("log_index", usage.index),
    ] {
        of_pool(pool, bytes, of, to);
    }
}

fn of_pool(pool: &str, bytes: u64, of: u64, to: &mut Samples) {
    to.add(&POOL, &[pool], bytes);
    to.add(&POOL_LIMIT, &[pool], of);
}
