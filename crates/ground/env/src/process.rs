//! How much the process takes of the machine, as the system tells it.

use std::time::Duration;

/// How much the process takes of the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProcessUsage {
    /// Bytes of its memory that are in the machine's.
    pub resident_bytes: u64,
    /// Files and sockets that it has open.
    pub open_files: u64,
    /// Its threads.
    pub threads: u64,
    /// The time that its threads ran on processors.
    pub cpu: Duration,
}

/// How much the process takes now; none where the system does not tell: only Linux does, in `/proc`.
pub fn process_usage() -> Option<ProcessUsage> {
    #[cfg(target_os = "linux")]
    return linux::usage();
    #[cfg(not(target_os = "linux"))]
    return None;
}

#[cfg(target_os = "linux")]
mod linux {
    use super::*;

    pub fn usage() -> Option<ProcessUsage> {
        let status = std::fs::read_to_string("/proc/self/status").ok()?;
        let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
        // One of them is the folder itself, which is open while it is read.
        let open_files = std::fs::read_dir("/proc/self/fd").ok()?.count() - 1;
        Some(ProcessUsage {
            resident_bytes: of_status(&status, "VmRSS:")? << 10,
            open_files: open_files as u64,
            threads: of_status(&status, "Threads:")?,
            cpu: cpu(&stat, rustix::param::clock_ticks_per_second())?,
        })
    }

    /// A number of `/proc/self/status`; memory is in KiB there.
    fn of_status(status: &str, field: &str) -> Option<u64> {
        let mut lines = status.lines();
        let value = lines.find_map(|line| line.strip_prefix(field))?;
        value.split_ascii_whitespace().next()?.parse().ok()
    }

    /// The 14th and 15th field of `/proc/self/stat` together: ticks in the process and in the kernel for it. The second
    /// field is the program's name in parentheses, which may hold anything.
    fn cpu(stat: &str, ticks_a_second: u64) -> Option<Duration> {
        let (_, behind_name) = stat.rsplit_once(')')?;
        let mut fields = behind_name.split_ascii_whitespace().skip(11);
        let mut next = || fields.next()?.parse::<u64>().ok();
        let ticks = next()? + next()?;
        Some(Duration::from_secs_f64(
            ticks as f64 / ticks_a_second as f64,
        ))
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn the_fields_are_found_whatever_the_program_is_called() {
            let stat = "7 (a) R (b) S 1 7 7 0 -1 4194560 1 2 3 4 250 50 0 0 20 0 9 0 1 2 3";
            assert_eq!(cpu(stat, 100), Some(Duration::from_secs(3)));
            assert_eq!(cpu("7 (a", 100), None);
            let status = "Name:\tThreads: 5\nVmRSS:\t   12 kB\nThreads:\t4\n";
            assert_eq!(of_status(status, "VmRSS:"), Some(12));
            assert_eq!(of_status(status, "Threads:"), Some(4));
            assert_eq!(of_status(status, "VmSwap:"), None);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn a_process_takes_something_of_everything() {
        let usage = process_usage().unwrap();
        assert!(usage.resident_bytes > 100 << 10 && usage.threads > 0 && usage.open_files > 0);
    }
}
