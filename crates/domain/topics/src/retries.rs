//! When a message is tried again that its endpoint has not taken (AWS's guide, "Message delivery retries").

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How messages are tried again at an HTTP endpoint, as far as it is set; what is not set is as AWS has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Retries {
    /// The shortest wait, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_delay_s: Option<u32>,
    /// The longest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_delay_s: Option<u32>,
    /// How often a message is tried again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retries: Option<u32>,
    /// How often of that at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub without_delay: Option<u32>,
    /// How often of that after the shortest wait, before waits grow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_min_delay: Option<u32>,
    /// How often of that after the longest wait, when they have grown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_max_delay: Option<u32>,
    /// How waits grow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backoff: Option<Backoff>,
}

/// How waits grow from the shortest to the longest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Backoff {
    /// By the same time each.
    Linear,
    /// By more time each.
    Arithmetic,
    /// By the same factor each.
    Geometric,
    /// To twice the wait before each.
    Exponential,
}

impl Retries {
    /// The shortest wait, in seconds.
    pub fn min_delay(&self) -> u32 {
        self.min_delay_s.unwrap_or(20)
    }

    /// The longest wait, in seconds.
    pub fn max_delay(&self) -> u32 {
        self.max_delay_s.unwrap_or(20)
    }

    /// How often a message is tried again.
    pub fn count(&self) -> u32 {
        self.retries.unwrap_or(3)
    }

    /// How long a message waits that failed that often; none where it is given up.
    pub fn wait(&self, failed: u32) -> Option<Duration> {
        let count = self.count();
        if failed == 0 || failed > count {
            return None;
        }
        let (min, max) = (f64::from(self.min_delay()), f64::from(self.max_delay()));
        let at_once = self.without_delay.unwrap_or(0);
        let before = at_once + self.at_min_delay.unwrap_or(0);
        let at_max = self.at_max_delay.unwrap_or(0);
        let growing = count.saturating_sub(before + at_max);
        let seconds = if failed <= at_once {
            0.0
        } else if failed <= before {
            min
        } else if failed > before + growing {
            max
        } else {
            let step = f64::from(failed - before - 1);
            let steps = f64::from((growing - 1).max(1));
            self.grown(min, max, step, steps)
        };
        Some(Duration::from_secs_f64(seconds))
    }

    /// The wait at one of the steps from the shortest to the longest.
    fn grown(&self, min: f64, max: f64, step: f64, steps: f64) -> f64 {
        let part = step / steps;
        let grown = match self.backoff.unwrap_or(Backoff::Linear) {
            Backoff::Linear => min + (max - min) * part,
            Backoff::Arithmetic => {
                min + (max - min) * (step * (step + 1.0)) / (steps * (steps + 1.0))
            }
            Backoff::Geometric => min * (max / min).powf(part),
            Backoff::Exponential => min * 2_f64.powf(step),
        };
        grown.clamp(min, max)
    }

    /// How long all waits are together.
    pub fn total(&self) -> Duration {
        (1..=self.count())
            .filter_map(|failed| self.wait(failed))
            .sum()
    }
}

/// The same for endpoints that AWS runs itself: 100,015 times in 23 days.
pub(crate) fn managed(failed: u32) -> Option<Duration> {
    match failed {
        0..=3 => Some(Duration::ZERO),
        4..=5 => Some(Duration::from_secs(1)),
        6..=15 => Some(Duration::from_secs((1 << (failed - 6)).min(20))),
        16..=100_015 => Some(Duration::from_secs(20)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waits(retries: Retries) -> Vec<u64> {
        let waits = (1..).map_while(|failed| retries.wait(failed));
        waits.map(|wait| wait.as_secs()).collect()
    }

    #[test]
    fn an_endpoint_is_tried_three_times_again_unless_it_is_set() {
        assert_eq!(waits(Retries::default()), [20, 20, 20]);
        let none = Retries {
            retries: Some(0),
            ..Retries::default()
        };
        assert_eq!(waits(none), [0; 0]);
    }

    #[test]
    fn waits_have_four_phases_and_grow_in_one() {
        let with = |backoff| Retries {
            min_delay_s: Some(2),
            max_delay_s: Some(32),
            retries: Some(9),
            without_delay: Some(1),
            at_min_delay: Some(2),
            at_max_delay: Some(1),
            backoff: Some(backoff),
        };
        assert_eq!(
            waits(with(Backoff::Linear)),
            [0, 2, 2, 2, 9, 17, 24, 32, 32]
        );
        assert_eq!(
            waits(with(Backoff::Arithmetic)),
            [0, 2, 2, 2, 5, 11, 20, 32, 32]
        );
        assert_eq!(
            waits(with(Backoff::Geometric)),
            [0, 2, 2, 2, 4, 8, 16, 32, 32]
        );
        assert_eq!(
            waits(with(Backoff::Exponential)),
            [0, 2, 2, 2, 4, 8, 16, 32, 32]
        );
        assert_eq!(with(Backoff::Exponential).total().as_secs(), 98);
    }

    #[test]
    fn endpoints_of_our_own_are_tried_for_23_days() {
        let total: Duration = (1..).map_while(managed).sum();
        assert_eq!(total.as_secs() / (24 * 3600), 23);
        assert_eq!(managed(100_016), None);
    }
}
