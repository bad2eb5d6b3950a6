//! So many calls a second and no more.

use std::time::Duration;

use parking_lot::Mutex;

/// Counts calls by the seconds that they fall into.
#[derive(Debug, Default)]
pub(crate) struct Pace(Mutex<(u64, u32)>);

impl Pace {
    /// Whether one more call may be made at `now`, of `most` a second.
    pub fn admits(&self, now: Duration, most: u32) -> bool {
        let mut counted = self.0.lock();
        let (second, count) = *counted;
        let calls = if second == now.as_secs() { count } else { 0 };
        *counted = (now.as_secs(), calls.saturating_add(1).min(most));
        calls < most
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_has_so_many_calls() {
        let pace = Pace::default();
        let at = |millis| pace.admits(Duration::from_millis(millis), 2);
        assert_eq!(
            [at(0), at(10), at(999), at(999)],
            [true, true, false, false]
        );
        assert_eq!([at(1000), at(1500), at(1600)], [true, true, false]);
    }
}
