//! Delivery streams and channels.

use headwater_delivery::{Deliveries, Standing};

use super::{Samples, families::*, flag};

/// Adds how all deliveries of a kind stand, and the memory that they work in.
pub async fn measure(deliveries: &Deliveries, kind: &str, to: &mut Samples) {
    for room in deliveries.memory() {
        to.add(&DELIVERY_MEMORY, &[kind, room.what], room.bytes);
        to.add(&DELIVERY_MEMORY_LIMIT, &[kind, room.what], room.of);
    }
    for standing in deliveries.standings().await {
        of_delivery(&standing, [kind, &standing.name], to);
    }
}

fn of_delivery(standing: &Standing, labels: [&str; 2], to: &mut Samples) {
    to.add(&DELIVERY_RECORDS, &labels, standing.totals.records);
    to.add(&DELIVERY_BYTES, &labels, standing.totals.bytes);
    to.add(&DELIVERY_BATCHES, &labels, standing.totals.batches);
    to.add(&DELIVERY_DELIVERING, &labels, flag(standing.delivering));
    if let Some(behind) = standing.behind {
        to.add(&DELIVERY_BACKLOG, &labels, behind);
    }
    if let Some(lag) = standing.lag {
        to.add(&DELIVERY_LAG, &labels, lag.as_secs_f64());
    }
    to.add(&DELIVERY_STUCK, &labels, flag(standing.incident.is_some()));
    to.add(&DELIVERY_FAILURES, &labels, standing.failures);
    if let Some(incident) = &standing.incident {
        let [kind, name] = labels;
        let labels = [kind, name, incident.code];
        to.add(&DELIVERY_STUCK_ERRORS, &labels, u64::from(incident.times));
    }
    if let Some(taken) = standing.taken {
        to.add(&DELIVERY_IN_RECORDS, &labels, taken.records);
        to.add(&DELIVERY_IN_BYTES, &labels, taken.bytes);
        to.add(&DELIVERY_THROTTLED, &labels, taken.throttled);
    }
}
