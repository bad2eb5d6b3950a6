//! The things that each domain adds to the picture.
//!
//! Counts are those of the page of metrics, from the start of the server on where nothing else is said: `in` and `out` are
//! records, `in_bytes` and `out_bytes` their bytes. Times are milliseconds.

use std::collections::HashMap;

use headwater_delivery::{Deliveries, Origin, Status, Step, StreamRecord, Target};
use headwater_functions::Functions;
use headwater_mappings::{LastResult, Mapping, MappingMetrics, Mappings};
use headwater_messages::Messages;
use headwater_queues::Queues;
use headwater_streams::{Shard, Stream, Streams};
use headwater_tables::Tables;
use headwater_topics::Topics;
use headwater_types::{Arn, Millis};
use serde_json::{Value, json};

use super::picture::{Picture, bucket_of, place, trouble};

/// Adds streams, their shards and their consumers.
pub fn streams(streams: &Streams, to: &mut Picture) {
    for stream in streams.after(None, usize::MAX) {
        let name = stream.record.name.as_str();
        for shard in stream.shards() {
            let index = shard.record.index.0;
            to.add("shard", &format!("{name}/{index}"), of_shard(shard));
        }
        for (consumer, counted) in stream.consumer_metrics() {
            let told = json!({
                "from": [format!("stream {name}")],
                "out": counted.outgoing_records,
                "out_bytes": counted.outgoing_bytes,
                "subscriptions": counted.subscriptions,
                "lag": counted.millis_behind,
            });
            to.add("consumer", &format!("{name}/{consumer}"), told);
        }
        to.add("stream", name, of_stream(&stream));
    }
}

fn of_stream(stream: &Stream) -> Value {
    let counted = stream.metrics();
    json!({
        "shards": stream.open_shards(),
        "in": counted.incoming_records,
        "in_bytes": counted.incoming_bytes,
        "out": counted.outgoing_records,
        "out_bytes": counted.outgoing_bytes,
        "throttled": counted.write_exceeded,
        "throttled_reads": counted.read_exceeded,
        "age": counted.iterator_age,
    })
}

/// Whether a shard is open, and its counts in the order in which those of a stream stand: there may be thousands.
fn of_shard(shard: &Shard) -> Value {
    let counted = shard.metrics();
    json!([
        u8::from(shard.record.closed.is_none()),
        counted.incoming_records,
        counted.incoming_bytes,
        counted.outgoing_records,
        counted.outgoing_bytes,
        counted.write_exceeded,
        counted.read_exceeded,
        counted.iterator_age,
    ])
}

/// Adds the queues over streams; one that was not used since the server started has no depth.
pub async fn queues(queues: &Queues, now: Millis, to: &mut Picture) {
    let (records, _) = queues.list(None, usize::MAX, |_| true);
    for record in records {
        let mut told = json!({ "from": [place(&record.stream)] });
        match queues.depth_at_a_glance(&record.id).await {
            Ok(Some(depth)) => {
                told["behind"] = depth.waiting.into();
                told["in_flight"] = depth.in_flight.into();
                told["dead_letters"] = depth.dead_letters.into();
                let age = |oldest| now.since(oldest).as_millis() as u64;
                told["lag"] = depth.oldest.map_or(0, age).into();
            }
            Ok(None) => {}
            Err(error) => told["note"] = error.to_string().into(),
        }
        to.add("stream-queue", &record.name, told);
    }
}

/// Adds the queues of messages; one that was not received from since the server started has no depth.
pub async fn messages(messages: &Messages, to: &mut Picture) {
    let (records, _) = messages.list("", None, usize::MAX, |_| true);
    for record in records {
        to.add("queue", &record.name, json!({}));
    }
    for name in messages.loaded() {
        if let Ok(depth) = messages.depth(&name).await {
            let told = json!({
                "behind": depth.visible,
                "in_flight": depth.in_flight,
                "delayed": depth.delayed,
            });
            to.add("queue", &name, told);
        }
    }
}

/// Adds delivery streams, or channels.
pub async fn deliveries(deliveries: &Deliveries, kind: &str, to: &mut Picture) {
    let statuses = deliveries.statuses().await.into_iter();
    let statuses: HashMap<_, _> = statuses
        .map(|status| (status.name.clone(), status))
        .collect();
    for stream in deliveries.streams() {
        if let Some(status) = statuses.get(&stream.name) {
            let told = of_delivery(&stream, status, to.tells_words);
            to.add(kind, &stream.name, told);
        }
    }
}

fn of_delivery(stream: &StreamRecord, status: &Status, tells_words: bool) -> Value {
    let destination = &stream.destination;
    let from = match &stream.origin {
        Origin::Direct { .. } => None,
        Origin::Stream { arn, .. } => place(arn),
    };
    let function = destination.steps.iter().find_map(|step| match step {
        Step::Function(function) => place(&function.arn),
        _ => None,
    });
    let mut told = json!({
        "from": from.into_iter().collect::<Vec<_>>(),
        "to": sinks(stream),
        "function": function,
        "bucket": destination.bucket,
        "prefix": destination.prefix,
        "error_bucket": destination.error_bucket.as_ref().unwrap_or(&destination.bucket),
        "error_prefix": destination.error_prefix,
        "interval_s": destination.buffering.interval_s,
        "size_mib": destination.buffering.size_mib,
        "done": status.totals.records,
        "done_bytes": status.totals.bytes,
        "batches": status.totals.batches,
        "delivering": status.delivering,
        "behind": status.behind,
        "lag": status.lag.map(|lag| lag.as_millis() as u64),
        "failed": status.failures,
    });
    if let Some(taken) = status.taken {
        told["in"] = taken.records.into();
        told["in_bytes"] = taken.bytes.into();
        told["throttled"] = taken.throttled.into();
    }
    if let Some(incident) = &status.incident {
        let more = json!({ "code": incident.code, "times": incident.times, "last": incident.at });
        let words = match tells_words {
            true => &incident.error,
            false => "Its log of errors says why.",
        };
        told["trouble"] = trouble(incident.since.0, words, more);
    }
    told
}

/// The places where a delivery's records go: what it is for comes first, and of an address the host alone, as the rest may
/// be secret.
fn sinks(stream: &StreamRecord) -> Vec<String> {
    let destination = &stream.destination;
    let host = |url: &headwater_delivery::WebAddress| url.uri().host().unwrap_or("").to_owned();
    let target = match &destination.target {
        Target::Bucket => None,
        Target::Http(http) => Some(format!("http {}", host(&http.url))),
        Target::Splunk(splunk) => Some(format!("splunk {}", host(&splunk.url))),
        Target::OpenSearch(search) => Some(format!("opensearch {}", host(&search.url))),
        Target::Redshift(warehouse) => Some(format!(
            "database {}/{}",
            warehouse.database.host, warehouse.database.name
        )),
    };
    let bucket = bucket_of(&destination.bucket);
    let backup = destination.backup.as_ref();
    let backup = backup.map(|backup| bucket_of(&backup.bucket));
    let mut sinks: Vec<_> = target.into_iter().chain([bucket]).chain(backup).collect();
    sinks.dedup();
    sinks
}

/// Adds functions that were called.
pub fn functions(functions: &Functions, to: &mut Picture) {
    for (name, counted) in functions.metrics() {
        let told = json!({
            "calls": counted.invocations,
            "failed": counted.errors,
            "throttled": counted.throttles,
            "cold_starts": counted.cold_starts,
            "duration": counted.duration.as_millis() as u64,
        });
        to.add("function", name.as_str(), told);
    }
}

/// Adds mappings.
pub fn mappings(mappings: &Mappings, to: &mut Picture) {
    for (mapping, counted) in mappings.metrics() {
        let mut told = of_mapping(&mapping, counted);
        let last = mappings.last_result(&mapping.id).ok();
        let problem = match &last {
            Some(LastResult::Problem(text)) => Some(text.as_str()),
            _ => None,
        };
        if let Some(held) = mappings.trouble(&mapping.id) {
            let more = json!({ "shard": held.shard, "record": held.record });
            let text = problem.unwrap_or("It waits for the function to have room.");
            told["trouble"] = trouble(held.since.0, text, more);
        } else if let Some(text) = problem {
            told["note"] = text.into();
        }
        to.add("mapping", &mapping.id, told);
    }
}

fn of_mapping(mapping: &Mapping, counted: MappingMetrics) -> Value {
    let failures = mapping.settings.on_failure.as_ref();
    let to: Vec<_> = [Some(&mapping.function), failures]
        .into_iter()
        .flatten()
        .filter_map(place)
        .collect();
    json!({
        "from": [place(&mapping.source).or_else(|| place(&mapping.stream))],
        "to": to,
        "enabled": mapping.enabled,
        "calls": counted.calls,
        "failed": counted.failed_calls,
        "done": counted.records,
        "given_up": counted.given_up,
        "expired": counted.expired,
        "blocked": counted.blocked,
        "lag": counted.age_ms,
    })
}

/// Adds tables.
pub fn tables(tables: &Tables, to: &mut Picture) {
    for told in tables.metrics() {
        let counts = told.counts;
        let thing = json!({
            "in": counts.written_items,
            "in_bytes": counts.written_bytes,
            "out": counts.read_items,
            "out_bytes": counts.read_bytes,
            "throttled": counts.throttled_writes,
            "throttled_reads": counts.throttled_reads,
            "shards": told.partitions,
        });
        to.add("table", &told.table, thing);
    }
}

/// Adds topics and their subscriptions.
pub fn topics(topics: &Topics, to: &mut Picture) {
    for counted in topics.metrics() {
        to.add("topic", &counted.topic, json!({ "in": counted.published }));
    }
    for (subscription, counted, open) in topics.subscription_metrics() {
        let endpoint = subscription.endpoint.parse::<Arn>().ok();
        let endpoint = endpoint.and_then(|arn| place(&arn));
        let told = json!({
            "from": [format!("topic {}", subscription.topic)],
            "to": [endpoint.unwrap_or_else(|| address(&subscription.endpoint))],
            "protocol": subscription.protocol.as_str(),
            "confirmed": subscription.confirmed,
            "done": counted.delivered,
            "failed": counted.failed,
            "filtered": counted.filtered,
            "dead_letters": counted.dead_letters,
            "given_up": counted.given_up,
            "behind": open,
        });
        to.add("subscription", &subscription.id, told);
    }
}

/// An address by its host, as the rest may be secret.
fn address(text: &str) -> String {
    let host = text.parse::<http::Uri>().ok();
    let host = host.and_then(|uri| uri.host().map(str::to_owned));
    format!("http {}", host.unwrap_or_default())
}
