//! Queues: how much waits in them, and for how long.

use headwater_queues::Queues;
use headwater_types::Millis;

use super::{Samples, families::*};

/// Adds the depth of every queue; of one that is not in memory, or cannot tell as when its stream is gone, there is nothing.
pub async fn measure(queues: &Queues, now: Millis, to: &mut Samples) {
    for (id, name) in queues.names() {
        let depth = match queues.depth(&id).await {
            Ok(Some(depth)) => depth,
            Ok(None) => continue,
            Err(error) => {
                tracing::debug!(queue = name, %error, "a queue cannot tell its depth");
                continue;
            }
        };
        for (state, count) in [
            ("waiting", depth.waiting),
            ("in_flight", depth.in_flight),
            ("dead_letter", depth.dead_letters),
        ] {
            to.add(&QUEUE_RECORDS, &[&name, state], count);
        }
        let age = depth
            .oldest
            .map_or(0.0, |oldest| now.since(oldest).as_secs_f64());
        to.add(&QUEUE_OLDEST, &[&name], age);
    }
}
