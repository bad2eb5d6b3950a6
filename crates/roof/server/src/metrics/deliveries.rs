//! Delivery streams and channels.

use headwater_delivery::{Deliveries, Status};

use super::{Samples, families::*, flag};

/// Adds how all deliveries of a kind are doing, and the memory that they work in.
pub async fn measure(deliveries: &Deliveries, kind: &str, to: &mut Samples) {
    for room in deliveries.memory() {
        to.add(&DELIVERY_MEMORY, &[kind, room.what], room.bytes);
        to.add(&DELIVERY_MEMORY_LIMIT, &[kind, room.what], room.of);
    }
    for status in deliveries.statuses().await {
        of_delivery(&status, [kind, &status.name], to);
    }
}

fn of_delivery(status: &Status, labels: [&str; 2], to: &mut Samples) {
    to.add(&DELIVERY_RECORDS, &labels, status.totals.records);
    to.add(&DELIVERY_BYTES, &labels, status.totals.bytes);
    to.add(&DELIVERY_BATCHES, &labels, status.totals.batches);
    to.add(&DELIVERY_DELIVERING, &labels, flag(status.delivering));
    if let Some(behind) = status.behind {
        to.add(&DELIVERY_BACKLOG, &labels, behind);
    }
    if let Some(lag) = status.lag {
        to.add(&DELIVERY_LAG, &labels, lag.as_secs_f64());
    }
    to.add(&DELIVERY_STUCK, &labels, flag(status.incident.is_some()));
    to.add(&DELIVERY_FAILURES, &labels, status.failures);
    if let Some(incident) = &status.incident {
        let [kind, name] = labels;
        let labels = [kind, name, incident.code];
        to.add(&DELIVERY_STUCK_ERRORS, &labels, u64::from(incident.times));
    }
    if let Some(taken) = status.taken {
        to.add(&DELIVERY_IN_RECORDS, &labels, taken.records);
        to.add(&DELIVERY_IN_BYTES, &labels, taken.bytes);
        to.add(&DELIVERY_THROTTLED, &labels, taken.throttled);
    }
}
