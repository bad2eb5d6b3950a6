//! Delivery streams: readers with checkpoints, batches, intents, transforms and sinks.
