//! Topics: what is published to them, and what comes of it.

use headwater_topics::Topics;

use super::{Samples, families::*};

/// Adds what every topic and every subscription counted.
pub fn measure(topics: &Topics, to: &mut Samples) {
    for counted in topics.metrics() {
        to.add(&TOPIC_MESSAGES, &[&*counted.topic], counted.published);
    }
    for (subscription, counted, open) in topics.subscription_metrics() {
        let labels = [&*subscription.topic, &*subscription.id];
        to.add(&SUBSCRIPTION_DELIVERED, &labels, counted.delivered);
        to.add(&SUBSCRIPTION_FAILED, &labels, counted.failed);
        to.add(&SUBSCRIPTION_FILTERED, &labels, counted.filtered);
        to.add(&SUBSCRIPTION_DEAD, &labels, counted.dead_letters);
        to.add(&SUBSCRIPTION_GIVEN_UP, &labels, counted.given_up);
        to.add(&SUBSCRIPTION_OPEN, &labels, open as u64);
    }
}
