//! Counting what is put into delivery streams and what they deliver, for those who publish it.

use std::{sync::Arc, time::Duration};

use headwater_types::{Tallied, Tally};

use crate::{Deliveries, config::StreamRecord, intent::Intent, status::TakenCalls};

/// What was counted of a delivery stream since it was taken last.
#[derive(Debug, Clone, PartialEq)]
pub struct DeliveryCalls {
    /// The delivery stream, as it is configured now.
    pub stream: Arc<StreamRecord>,
    /// What was put into it.
    pub taken: TakenCalls,
    /// What it delivered.
    pub delivered: Delivered,
}

/// What a delivery stream delivered; each value is one batch's.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Delivered {
    /// Records, as they came.
    pub records: Option<Tallied>,
    /// Their bytes.
    pub bytes: Option<Tallied>,
    /// How old the oldest record was when its batch was delivered, in milliseconds.
    pub age_ms: Option<Tallied>,
    /// 1 for a batch that was delivered, 0 for a try that an error stopped.
    pub success: Option<Tallied>,
}

/// The counters behind [`Delivered`].
#[derive(Debug, Default)]
pub(crate) struct DeliveredCounters {
    records: Tally,
    bytes: Tally,
    age_ms: Tally,
    success: Tally,
}

impl DeliveredCounters {
    /// A batch was delivered, whose oldest record was so old.
    pub fn delivered(&self, intent: &Intent, age: Duration) {
        self.records.add(intent.records);
        self.bytes.add(intent.bytes);
        self.age_ms.add(age.as_millis() as u64);
        self.success.add(1);
    }

    /// An error stopped it.
    pub fn stopped(&self) {
        self.success.add(0);
    }

    fn take(&self) -> Delivered {
        Delivered {
            records: self.records.take(),
            bytes: self.bytes.take(),
            age_ms: self.age_ms.take(),
            success: self.success.take(),
        }
    }
}

impl Deliveries {
    /// What was counted of all delivery streams since this was asked last, by name: for one who publishes it.
    pub fn take_calls(&self) -> Vec<DeliveryCalls> {
        let running = self.running.read();
        let calls = running.values().map(|running| DeliveryCalls {
            stream: running.engine.stream(),
            taken: running.taken.take(),
            delivered: running.engine.delivered_counters.take(),
        });
        calls.collect()
    }
}
