//! Queues of messages: how much is in them.

use headwater_messages::Messages;

use super::{Samples, families::*};

/// Adds the depth of every queue that is in memory.
pub async fn measure(queues: &Messages, to: &mut Samples) {
    for name in queues.loaded() {
        let depth = match queues.depth(&name).await {
            Ok(depth) => depth,
            Err(error) => {
                tracing::debug!(queue = name, %error, "a queue cannot tell its depth");
                continue;
            }
        };
        for (state, count) in [
            ("visible", depth.visible),
            ("in_flight", depth.in_flight),
            ("delayed", depth.delayed),
        ] {
            to.add(&MESSAGES, &[&name, state], count);
        }
    }
}
