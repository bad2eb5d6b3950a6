//! What topics and subscriptions count.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// The counters of one subscription, since the server started.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    delivered: AtomicU64,
    failed: AtomicU64,
    filtered: AtomicU64,
    dead_letters: AtomicU64,
    given_up: AtomicU64,
}

/// What a topic has counted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TopicMetrics {
    /// Its name.
    pub topic: String,
    /// Messages published to it since the server started.
    pub published: u64,
}

/// What a subscription has counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SubscriptionMetrics {
    /// Messages that its endpoint took.
    pub delivered: u64,
    /// Tries that failed.
    pub failed: u64,
    /// Messages that its filter did not want.
    pub filtered: u64,
    /// Messages that became dead letters.
    pub dead_letters: u64,
    /// Messages that were given up without one.
    pub given_up: u64,
}

impl Counts {
    pub fn delivered(&self) {
        self.delivered.fetch_add(1, Relaxed);
    }

    pub fn failed(&self) {
        self.failed.fetch_add(1, Relaxed);
    }

    pub fn filtered(&self) {
        self.filtered.fetch_add(1, Relaxed);
    }

    pub fn dead_letter(&self) {
        self.dead_letters.fetch_add(1, Relaxed);
    }

    pub fn gave_up(&self) {
        self.given_up.fetch_add(1, Relaxed);
    }

    pub fn metrics(&self) -> SubscriptionMetrics {
        SubscriptionMetrics {
            delivered: self.delivered.load(Relaxed),
            failed: self.failed.load(Relaxed),
            filtered: self.filtered.load(Relaxed),
            dead_letters: self.dead_letters.load(Relaxed),
            given_up: self.given_up.load(Relaxed),
        }
    }
}
