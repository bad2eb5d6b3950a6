//! How many files and sockets the process may have open.

use std::io;

use rustix::process::{Resource, getrlimit, setrlimit};

/// More is asked for nowhere: some systems refuse it.
const MOST: u64 = 1 << 20;

/// Raises the process's bound of open files and sockets to what its user may raise it to; returns the bound before and
/// after.
///
/// # Errors
/// When the system refuses; the bound is as it was.
pub fn raise_open_files() -> io::Result<(u64, u64)> {
    let mut limit = getrlimit(Resource::Nofile);
    let before = limit.current.unwrap_or(MOST);
    let after = limit.maximum.unwrap_or(MOST).min(MOST);
    if after <= before {
        return Ok((before, before));
    }
    limit.current = Some(after);
    setrlimit(Resource::Nofile, limit)?;
    Ok((before, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bound_is_raised_once() {
        let (before, after) = raise_open_files().unwrap();
        assert!(before <= after);
        assert_eq!(raise_open_files().unwrap(), (after, after));
    }
}
