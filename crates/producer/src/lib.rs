//! A producer library: batches, aggregates, retries and pushes back, over the public API only.
