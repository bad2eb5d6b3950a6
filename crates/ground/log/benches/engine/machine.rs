//! The machine's own limits, and its figures of this process.

use std::{io::IoSlice, time::Duration};

use headwater_env::{Disk, RealDisk};

use crate::Bench;

pub const MIB: f64 = (1 << 20) as f64;

/// MiB a second in synced writes of `size` bytes, one behind the other in a new file.
pub fn synced_writes(bench: &Bench, size: usize) -> f64 {
    const FOR: Duration = Duration::from_millis(700);
    let (path, clock) = (bench.dir.join("raw"), &bench.env.clock);
    let file = RealDisk.create(&path).expect("a new file");
    let (bytes, start, mut written) = (vec![7; size], clock.elapsed(), 0);
    while clock.elapsed() - start < FOR {
        file.write_all_at(&[IoSlice::new(&bytes)], written)
            .expect("room on the disk");
        file.sync().expect("a disk that syncs");
        written += size as u64;
    }
    let rate = written as f64 / MIB / (clock.elapsed() - start).as_secs_f64();
    RealDisk.remove(&path).expect("the file that was made");
    rate
}

/// MiB a second in reads of `size` bytes that lie `step` apart, out of a file that the system holds in memory.
pub fn cached_reads(bench: &Bench, size: usize, step: usize) -> f64 {
    const FILE: usize = 64 << 20;
    let (path, clock) = (bench.dir.join("raw"), &bench.env.clock);
    let file = RealDisk.create(&path).expect("a new file");
    file.write_all_at(&[IoSlice::new(&vec![7; FILE])], 0)
        .expect("room on the disk");
    let (mut buffer, start, mut read) = (vec![0; size], clock.elapsed(), 0);
    for first in (0..step).step_by(size) {
        for at in (first..FILE - size).step_by(step) {
            file.read_exact_at(&mut buffer, at as u64)
                .expect("what was written");
            read += size;
        }
    }
    let rate = read as f64 / MIB / (clock.elapsed() - start).as_secs_f64();
    RealDisk.remove(&path).expect("the file that was made");
    rate
}

/// MiB that this process holds in memory now; 0 where the system does not tell.
pub fn resident_mib() -> f64 {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    pages
        .split(' ')
        .nth(1)
        .and_then(|n| n.parse::<f64>().ok())
        .unwrap_or(0.0)
        * 4096.0
        / MIB
}

/// Seconds of processor time that this process has used; 0 where the system does not tell.
pub fn processor_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // After the name in brackets; user and system time in hundredths of a second.
    let ticks = stat
        .rsplit(") ")
        .next()
        .unwrap_or("")
        .split(' ')
        .skip(11)
        .take(2);
    ticks.filter_map(|n| n.parse::<f64>().ok()).sum::<f64>() / 100.0
}

/// Bytes that this process has had read from a disk, rather than from memory; 0 where the system does not tell.
pub fn disk_reads() -> f64 {
    let io = std::fs::read_to_string("/proc/self/io").unwrap_or_default();
    let line = io
        .lines()
        .find_map(|line| line.strip_prefix("read_bytes: "));
    line.and_then(|n| n.parse().ok()).unwrap_or(0.0)
}

/// The middle one.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
