//! Every metric that there is: its name, its labels and its meaning. `docs/metrics.md` has the same, and a test holds it
//! to that.

/// A metric.
#[derive(Debug, PartialEq, Eq)]
pub struct Metric {
    /// Its name, which ends in its unit; `_total` where it only grows.
    pub name: &'static str,
    /// Its kind.
    pub kind: Kind,
    /// Its labels. Where the first is `region`, the page fills it in.
    pub labels: &'static [&'static str],
    /// Its meaning, in a sentence without an end.
    pub help: &'static str,
}

/// The kinds of metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It grows, and begins anew with the process where nothing else is said.
    Counter,
    /// It is what it is now.
    Gauge,
    /// Counts by ranges.
    Histogram,
}

impl Kind {
    /// The word for it in the page.
    pub fn word(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

macro_rules! metrics {
    ($($kind:ident $id:ident = $name:literal [$($label:literal),*] $help:literal;)*) => {
        $(pub static $id: Metric = Metric {
            name: $name,
            kind: Kind::$kind,
            labels: &[$($label),*],
            help: $help,
        };)*

        /// All of them.
        #[cfg(test)]
        pub static ALL: &[&Metric] = &[$(&$id),*];
    };
}

metrics! {
    // Requests.
    Counter REQUESTS = "headwater_requests_total" ["service", "operation", "status"]
        "Requests that were answered, by the class of their status";
    Counter REQUEST_BYTES = "headwater_request_bytes_total" ["service", "operation"]
        "Bytes of the bodies of requests that were read until there was an answer, as they were sent";
    Counter RESPONSE_BYTES = "headwater_response_bytes_total" ["service", "operation"]
        "Bytes of answers, without those that are sent as events";
    Histogram REQUEST_DURATION = "headwater_request_duration_seconds" ["service", "operation"]
        "How long it took until there was an answer, which may be streamed then for longer";

    // Streams.
    Gauge STREAM_SHARDS = "headwater_stream_open_shards" ["region", "stream"]
        "Shards that take records";
    Counter STREAM_IN_RECORDS = "headwater_stream_incoming_records_total" ["region", "stream"]
        "Records that were put";
    Counter STREAM_IN_BYTES = "headwater_stream_incoming_bytes_total" ["region", "stream"]
        "Bytes of data and partition keys that were put";
    Counter STREAM_OUT_RECORDS = "headwater_stream_outgoing_records_total" ["region", "stream"]
        "Records that GetRecords returned";
    Counter STREAM_OUT_BYTES = "headwater_stream_outgoing_bytes_total" ["region", "stream"]
        "Bytes of data and partition keys that GetRecords returned";
    Counter STREAM_WRITES_THROTTLED = "headwater_stream_throttled_records_total" ["region", "stream"]
        "Records that the limits of shards refused";
    Counter STREAM_READS_THROTTLED = "headwater_stream_throttled_reads_total" ["region", "stream"]
        "Calls of GetRecords that the limits of shards refused";
    Gauge STREAM_ITERATOR_AGE = "headwater_stream_iterator_age_seconds" ["region", "stream"]
        "The highest of its shards' iterator ages";

    // Shards, where EnableEnhancedMonitoring asked for it.
    Counter SHARD_IN_RECORDS = "headwater_shard_incoming_records_total" ["region", "stream", "shard"]
        "`IncomingRecords`: records that were put";
    Counter SHARD_IN_BYTES = "headwater_shard_incoming_bytes_total" ["region", "stream", "shard"]
        "`IncomingBytes`: bytes of data and partition keys that were put";
    Counter SHARD_OUT_RECORDS = "headwater_shard_outgoing_records_total" ["region", "stream", "shard"]
        "`OutgoingRecords`: records that GetRecords returned";
    Counter SHARD_OUT_BYTES = "headwater_shard_outgoing_bytes_total" ["region", "stream", "shard"]
        "`OutgoingBytes`: bytes of data and partition keys that GetRecords returned";
    Counter SHARD_WRITES_THROTTLED = "headwater_shard_throttled_records_total" ["region", "stream", "shard"]
        "`WriteProvisionedThroughputExceeded`: records that its limits refused";
    Counter SHARD_READS_THROTTLED = "headwater_shard_throttled_reads_total" ["region", "stream", "shard"]
        "`ReadProvisionedThroughputExceeded`: calls of GetRecords that its limits refused";
    Gauge SHARD_ITERATOR_AGE = "headwater_shard_iterator_age_seconds" ["region", "stream", "shard"]
        "`IteratorAgeMilliseconds`: how old the last record was that the last GetRecords returned; 0 when it reached the end, and found none or the shard is closed";

    // Consumers with subscriptions.
    Gauge CONSUMER_SUBSCRIPTIONS = "headwater_consumer_subscriptions" ["region", "stream", "consumer"]
        "Subscriptions to shards that there are";
    Counter CONSUMER_RECORDS = "headwater_consumer_outgoing_records_total" ["region", "stream", "consumer"]
        "Records that were sent in events";
    Counter CONSUMER_BYTES = "headwater_consumer_outgoing_bytes_total" ["region", "stream", "consumer"]
        "Bytes of data and partition keys that were sent in events";
    Gauge CONSUMER_BEHIND = "headwater_consumer_behind_seconds" ["region", "stream", "consumer"]
        "How far behind its shard's end the slowest subscription was at its last event";

    // Queues.
    Gauge QUEUE_RECORDS = "headwater_queue_records" ["region", "queue", "state"]
        "Records by state: `waiting`, `in_flight`, `dead_letter`";
    Gauge QUEUE_OLDEST = "headwater_queue_oldest_record_age_seconds" ["region", "queue"]
        "How long ago the oldest record arrived that waits or is in flight; 0 where there is none";

    // Queues of messages.
    Gauge MESSAGES = "headwater_sqs_messages" ["region", "queue", "state"]
        "Messages by state: `visible`, `in_flight`, `delayed`";

    // Tables.
    Counter TABLE_WRITTEN_ITEMS = "headwater_table_written_items_total" ["region", "table"]
        "Items that were put, changed or deleted";
    Counter TABLE_WRITTEN_BYTES = "headwater_table_written_bytes_total" ["region", "table"]
        "Bytes of the items that were put or changed, as they were then";
    Counter TABLE_EXPIRED_ITEMS = "headwater_table_expired_items_total" ["region", "table"]
        "Items that were removed since they had expired";
    Counter TABLE_READ_ITEMS = "headwater_table_read_items_total" ["region", "table"]
        "Items that were looked at, by their key or in pages, also of indexes";
    Counter TABLE_READ_BYTES = "headwater_table_read_bytes_total" ["region", "table"]
        "Bytes of the items that were looked at";
    Counter TABLE_THROTTLED = "headwater_table_throttled_requests_total" ["region", "table", "access"]
        "Reads, and writes of items, that capacity refused: `read` and `write`";
    Counter TABLE_CONDITIONS = "headwater_table_failed_conditions_total" ["region", "table"]
        "Writes of items whose condition did not hold";
    Counter TABLE_CANCELLED = "headwater_table_cancelled_transactions_total" ["region", "table"]
        "Transactions with writes to it that were cancelled";
    Gauge TABLE_PARTITIONS = "headwater_table_partitions" ["region", "table"]
        "Partitions that it is cut into";
    Gauge TABLE_STREAMS = "headwater_table_streams" ["region", "table"]
        "Streams that can be read, enabled or disabled";
    Gauge TABLE_BUILDING = "headwater_table_building_indexes" ["region", "table"]
        "Global indexes that are being filled or removed";
    Gauge TABLES_UNSYNCED = "headwater_table_index_unsynced_bytes" ["region"]
        "Bytes that the index has and that may not be synced: after a crash they are made again from the log";
    Gauge TABLES_UNSETTLED = "headwater_table_unsettled_partitions" ["region"]
        "Partitions that a transaction is changing, or that lack changes of one";

    // Deliveries.
    Counter DELIVERY_RECORDS = "headwater_delivery_records_total" ["region", "kind", "delivery"]
        "Records that were delivered or set aside, in all its life";
    Counter DELIVERY_BYTES = "headwater_delivery_bytes_total" ["region", "kind", "delivery"]
        "Bytes of the records that were delivered or set aside, as they came, in all its life";
    Counter DELIVERY_BATCHES = "headwater_delivery_batches_total" ["region", "kind", "delivery"]
        "Batches that were delivered, in all its life";
    Gauge DELIVERY_DELIVERING = "headwater_delivery_delivering" ["region", "kind", "delivery"]
        "1 while a batch is being delivered";
    Gauge DELIVERY_BACKLOG = "headwater_delivery_backlog_records" ["region", "kind", "delivery"]
        "Records that are not delivered yet; not told while the source does not answer";
    Gauge DELIVERY_LAG = "headwater_delivery_lag_seconds" ["region", "kind", "delivery"]
        "How long ago the oldest record arrived that was read and is not delivered; not told before the source was read";
    Gauge DELIVERY_STUCK = "headwater_delivery_stuck" ["region", "kind", "delivery"]
        "1 while an error stops it";
    Gauge DELIVERY_STUCK_ERRORS = "headwater_delivery_stuck_errors" ["region", "kind", "delivery", "code"]
        "Errors in a row, by the code of the last; only while it is stopped";
    Counter DELIVERY_FAILURES = "headwater_delivery_failures_total" ["region", "kind", "delivery"]
        "Errors that stopped it";
    Counter DELIVERY_IN_RECORDS = "headwater_delivery_incoming_records_total" ["region", "kind", "delivery"]
        "Records that were put into it directly";
    Counter DELIVERY_IN_BYTES = "headwater_delivery_incoming_bytes_total" ["region", "kind", "delivery"]
        "Bytes of the records that were put into it directly";
    Counter DELIVERY_THROTTLED = "headwater_delivery_throttled_records_total" ["region", "kind", "delivery"]
        "Records that its quotas refused";
    Gauge DELIVERY_MEMORY = "headwater_delivery_memory_bytes" ["region", "kind", "use"]
        "Bytes that deliveries hold of the room that they share: for `records` on their way, and for `files` in the making";
    Gauge DELIVERY_MEMORY_LIMIT = "headwater_delivery_memory_limit_bytes" ["region", "kind", "use"]
        "Bytes of the room that deliveries share";

    // Functions.
    Counter FUNCTION_INVOCATIONS = "headwater_function_invocations_total" ["region", "function"]
        "Invocations that ran to their end, in whatever way; of functions that were called";
    Counter FUNCTION_ERRORS = "headwater_function_errors_total" ["region", "function"]
        "Invocations that failed";
    Counter FUNCTION_THROTTLES = "headwater_function_throttles_total" ["region", "function"]
        "Invocations that were refused since too many run";
    Counter FUNCTION_COLD_STARTS = "headwater_function_cold_starts_total" ["region", "function"]
        "Invocations that began with starting a process";
    Counter FUNCTION_UNTOLD = "headwater_function_untold_outcomes_total" ["region", "function"]
        "Ends of events that were given up before a destination or a dead letter queue had them";
    Counter FUNCTION_DURATION = "headwater_function_duration_seconds_total" ["region", "function"]
        "How long invocations ran together, without the start of processes";
    Gauge FUNCTION_PROCESSES = "headwater_function_processes" ["region", "state"]
        "Processes of all functions: `busy` and `idle`";
    Gauge FUNCTION_CONCURRENCY = "headwater_function_concurrency_limit" ["region"]
        "Invocations that may run at one time";
    Gauge FUNCTION_EVENTS = "headwater_function_waiting_events" ["region"]
        "Invocations that nobody waits for and that are not done";
    Gauge FUNCTION_OUTCOMES = "headwater_function_waiting_outcomes" ["region"]
        "Ends of events that wait until a destination or a dead letter queue has them";

    // Mappings.
    Counter MAPPING_CALLS = "headwater_mapping_calls_total" ["region", "mapping", "function"]
        "Calls of the function that the function answered";
    Counter MAPPING_FAILED_CALLS = "headwater_mapping_failed_calls_total" ["region", "mapping", "function"]
        "Calls in which the function failed";
    Counter MAPPING_RECORDS = "headwater_mapping_records_total" ["region", "mapping", "function"]
        "Records that are done";
    Counter MAPPING_GIVEN_UP = "headwater_mapping_given_up_records_total" ["region", "mapping", "function"]
        "Records that were given up, by their tries or their age";
    Counter MAPPING_EXPIRED = "headwater_mapping_expired_records_total" ["region", "mapping", "function"]
        "Records that expired in the stream before the function was called with them";
    Gauge MAPPING_BLOCKED = "headwater_mapping_blocked_lanes" ["region", "mapping", "function"]
        "Shards, lanes of shards, or batches of a queue, that do not come on: a batch failed, or something that it takes is not there";
    Gauge MAPPING_AGE = "headwater_mapping_record_age_seconds" ["region", "mapping", "function"]
        "How old the newest record of the last batch was when it was done";

    // Topics.
    Counter TOPIC_MESSAGES = "headwater_topic_published_messages_total" ["region", "topic"]
        "Messages that were published";
    Counter SUBSCRIPTION_DELIVERED = "headwater_subscription_delivered_messages_total" ["region", "topic", "subscription"]
        "Messages that the endpoint took";
    Counter SUBSCRIPTION_FAILED = "headwater_subscription_failed_tries_total" ["region", "topic", "subscription"]
        "Tries that the endpoint refused, or that did not reach it";
    Counter SUBSCRIPTION_FILTERED = "headwater_subscription_filtered_messages_total" ["region", "topic", "subscription"]
        "Messages that the filter did not want";
    Counter SUBSCRIPTION_DEAD = "headwater_subscription_dead_letters_total" ["region", "topic", "subscription"]
        "Messages that became dead letters";
    Counter SUBSCRIPTION_GIVEN_UP = "headwater_subscription_given_up_messages_total" ["region", "topic", "subscription"]
        "Messages that were given up without a dead letter";
    Gauge SUBSCRIPTION_OPEN = "headwater_subscription_open_messages" ["region", "topic", "subscription"]
        "Messages that are under way or wait for their next try";

    // The log.
    Gauge LOG_HEALTHY = "headwater_log_healthy" []
        "1 while the log takes appends, as `/_headwater/health` says";
    Gauge LOG_SHARDS = "headwater_log_shards" []
        "Shards that the log knows, of all regions and services";
    Gauge LOG_FILES = "headwater_log_files" []
        "Files that hold records";
    Gauge LOG_DISK = "headwater_log_disk_bytes" []
        "Bytes of the log's folder, with what is set aside for the next records";
    Gauge LOG_FREE = "headwater_log_disk_free_bytes" []
        "Bytes that the log's file system can still take";
    Counter LOG_COMMITS = "headwater_log_commits_total" []
        "Writes to the log's disk, each synced once unless `--durability os` was chosen";
    Counter LOG_APPENDS = "headwater_log_appends_total" []
        "Appends, of some records to one shard each, that the writes to the log's disk were for";
    Counter LOG_WRITTEN = "headwater_log_written_bytes_total" []
        "Bytes that were written to the log's disk";
    Counter LOG_COMMIT_TIME = "headwater_log_commit_seconds_total" []
        "How long the writes to the log's disk took together, synced";

    // Memory.
    Gauge POOL = "headwater_memory_pool_bytes" ["pool"]
        "Bytes that are taken of a bounded pool of memory: `bodies` of requests, large `answers`, `spare_buffers`, `log_waiting` for \
         the disk, `log_tail` and `log_index` for readers";
    Gauge POOL_LIMIT = "headwater_memory_pool_limit_bytes" ["pool"]
        "Bytes that a bounded pool of memory has";

    // The process.
    Gauge PROCESS_MEMORY = "headwater_process_resident_memory_bytes" []
        "Resident memory of the process (on Linux)";
    Gauge PROCESS_FILES = "headwater_process_open_files" []
        "Files and sockets that the process has open (on Linux)";
    Gauge PROCESS_THREADS = "headwater_process_threads" []
        "Threads of the process (on Linux)";
    Counter PROCESS_CPU = "headwater_process_cpu_seconds_total" []
        "Processor time that the process took (on Linux)";
    Gauge PROCESS_UPTIME = "headwater_process_uptime_seconds" []
        "How long the process runs, by the server's clock, which tests can move ahead";
    Counter SPANS_DROPPED = "headwater_spans_dropped_total" []
        "Requests that the collector was not told of, since it did not take them as fast as they came; only with --otlp-endpoint";
    Gauge BUILD = "headwater_build_info" ["version"]
        "1, with the version of the program";
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A metric's row in the document.
    fn row(metric: &Metric) -> String {
        let labels: Vec<_> = metric
            .labels
            .iter()
            .map(|label| format!("`{label}`"))
            .collect();
        let (labels, kind) = (labels.join(", "), metric.kind.word());
        format!(
            "| `{}` | {kind} | {labels} | {} |",
            metric.name, metric.help
        )
    }

    #[test]
    fn the_document_has_every_metric_and_no_other() {
        let document = include_str!("../../../../../docs/metrics.md");
        let told = document
            .lines()
            .filter(|line| line.starts_with("| `headwater_"));
        let told: Vec<_> = told.map(str::to_owned).collect();
        let there: Vec<_> = ALL.iter().map(|metric| row(metric)).collect();
        assert_eq!(
            told,
            there,
            "these rows belong there:\n{}",
            there.join("\n")
        );
    }

    #[test]
    fn names_are_unique_and_tell_their_units() {
        for (at, metric) in ALL.iter().enumerate() {
            let Metric {
                name, kind, labels, ..
            } = metric;
            assert!(ALL[..at].iter().all(|other| other.name != *name), "{name}");
            assert_eq!(name.ends_with("_total"), *kind == Kind::Counter, "{name}");
            let is_plain = |text: &str| text.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
            assert!(
                is_plain(name) && labels.iter().all(|label| is_plain(label)),
                "{name}"
            );
            assert!(!labels.contains(&"le") && !labels[labels.len().min(1)..].contains(&"region"));
        }
    }
}
